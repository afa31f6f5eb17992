/** LIF written with tensor ops, one time step after the other, by another hand than the step that is compiled. */
import { noGrad, stack, type Tensor, zeros } from "../../engine/index.ts";
import { type LIFOptions, type LIFRecord, type LIFState, spike } from "../../snn/index.ts";

export function composeLif(
  options: LIFOptions,
  current: Tensor,
  decay: Tensor,
  theta: Tensor,
  state: LIFState | null,
): LIFRecord {
  const [beta, threshold] = [scalar(decay), scalar(theta)];
  const { reset = "zero", resetDelay = false, rest = 0, inputScale = 1, resetValue = 0, detachReset = true } = options;
  const { refractorySteps: hold = 0, surrogate, fire: at = "ge" } = options;
  const fire = (u: Tensor): Tensor =>
    spike(u.sub(threshold), { threshold: 0, fire: at, ...(surrogate === undefined ? {} : { surrogate }) });
  const scale = inputScale === "leak" ? beta.neg().add(1) : inputScale;
  const seen = (s: Tensor): Tensor => (detachReset ? s.detach() : s);
  const cleared = (v: Tensor, s: Tensor): Tensor => v.sub(v.mul(s)).add(s.mul(resetValue));

  const shape = current.sizes.slice(1);
  let v = state?.v ?? zeros(shape);
  let held = (hold === 0 ? null : state?.refractory) ?? zeros(shape);
  const rows: { s: Tensor; u: Tensor; v: Tensor }[] = [];
  for (const input of current.unbind(0)) {
    const active = noGrad(() => held.eq(0));
    let before = v;
    let taken: Tensor | null = null;
    if (resetDelay && reset !== "none") {
      // A reset is due where the state is above: right after the spike, or when holding ends.
      const due = noGrad(() => active.maximum(held.eq(hold)));
      const s = seen(fire(v)).mul(due);
      if (reset === "zero") before = cleared(v, s);
      else taken = s.mul(threshold);
    }
    const integrated = before.sub(rest).mul(beta).add(rest).add(input.mul(scale));
    let u = integrated.mul(active).add(before.mul(active.neg().add(1)));
    if (taken !== null) u = u.sub(taken);
    const s = fire(u).mul(active);
    v = u;
    if (!resetDelay && reset === "subtract") v = u.sub(seen(s).mul(threshold));
    if (!resetDelay && reset === "zero") v = cleared(u, seen(s));
    const last = held;
    held = noGrad(() => s.detach().mul(hold).maximum(last.sub(1).relu()));
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
