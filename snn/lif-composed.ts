/**
 * LIF written with tensor ops, one time step after the other: the version to read. It runs the surrogate's smooth primitive
 * instead of the spike (`spiking: false`), and tests hold the fused op to it with spikes.
 */
import { noGrad, stack, type Tensor, zeros } from "../engine/index.ts";
import { NO_RESET, SUBTRACT, ZERO } from "../kernels/kinds.ts";
import type { LIFRecord, LIFState } from "./lif.ts";
import type { Neuron } from "./lif-kernels.ts";

/** `spike` maps u − θ to spikes; without it the primitive of the surrogate does. */
export function composeLif(
  neuron: Neuron,
  current: Tensor,
  decay: Tensor,
  theta: Tensor,
  state: LIFState | null,
  spike: ((x: Tensor) => Tensor) | null = null,
): LIFRecord {
  const [beta, threshold] = [scalar(decay), scalar(theta)];
  const { reset, delayed, rest, inputScale, resetValue, attached, hold } = neuron;
  const form = spike ?? (neuron.surrogate.primitive as (x: Tensor) => Tensor);
  const fire = (u: Tensor): Tensor => form(u.sub(threshold));
  const seen = (s: Tensor): Tensor => (attached !== 0 || spike === null ? s : s.detach());
  const cleared = (v: Tensor, s: Tensor): Tensor => v.sub(v.mul(s)).add(s.mul(resetValue));

  const shape = current.sizes.slice(1);
  let v = state?.v ?? zeros(shape);
  let held = (hold === 0 ? null : state?.refractory) ?? zeros(shape);
  const rows: { s: Tensor; u: Tensor; v: Tensor }[] = [];
  for (const input of current.unbind(0)) {
    const active = noGrad(() => held.eq(0));
    let before = v;
    let taken: Tensor | null = null;
    if (delayed !== 0 && reset !== NO_RESET) {
      // A reset is due where the state is above: right after the spike, or when holding ends.
      const due = noGrad(() => active.maximum(held.eq(hold)));
      const s = seen(fire(v)).mul(due);
      if (reset === ZERO) before = cleared(v, s);
      else taken = s.mul(threshold);
    }
    const integrated = before.sub(rest).mul(beta).add(rest).add(input.mul(inputScale));
    let u = integrated.mul(active).add(before.mul(active.neg().add(1)));
    if (taken !== null) u = u.sub(taken);
    const s = fire(u).mul(active);
    v = u;
    if (delayed === 0 && reset === SUBTRACT) v = u.sub(seen(s).mul(threshold));
    if (delayed === 0 && reset === ZERO) v = cleared(u, seen(s));
    const last = held;
    held = noGrad(() => (spike ? s.detach().mul(hold).maximum(last.sub(1).relu()) : last.sub(1).relu()));
    rows.push({ s, u, v });
  }
  return {
    spikes: stack(rows.map((row) => row.s)),
    membrane: stack(rows.map((row) => row.u)),
    v: stack(rows.map((row) => row.v)),
    state: { v, refractory: held },
  };
}

/** One value for all neurons broadcasts to a step of any shape, also to one without axes. */
const scalar = (t: Tensor): Tensor => (t.size === 1 ? t.reshape([]) : t);
