/** LIF written with tensor ops, one time step after the other, by another hand than the step that is compiled. */
import { arange, noGrad, stack, type Tensor, where, zeros } from "../../engine/index.ts";
import { type LIFOptions, type LIFRecord, type LIFState, spike } from "../../snn/index.ts";

export function composeLif(
  options: LIFOptions,
  current: Tensor,
  decay: Tensor,
  theta: Tensor,
  state: LIFState | null,
): LIFRecord {
  const [beta, threshold] = [scalar(decay), scalar(theta)];
  const { reset = "zero", resetDelay = false, resetInput = false, detachReset = true } = options;
  const { rest = 0, inputScale = 1, resetValue = 0, lowerBound, gradedSpikesFactor, inhibition = false } = options;
  const { refractorySteps: hold = 0, refractory = "hold", surrogate, fire: at = "ge" } = options;
  const fire = (u: Tensor): Tensor =>
    spike(u.sub(threshold), { threshold: 0, fire: at, ...(surrogate === undefined ? {} : { surrogate }) });
  const scale = inputScale === "leak" ? beta.neg().add(1) : inputScale;
  const seen = (s: Tensor): Tensor => (detachReset ? s.detach() : s);
  const cleared = (v: Tensor, s: Tensor): Tensor => v.sub(v.mul(s)).add(s.mul(resetValue));
  const decayed = (v: Tensor): Tensor => v.sub(rest).mul(beta).add(rest);
  const floored = (v: Tensor): Tensor => (lowerBound === undefined ? v : v.maximum(lowerBound));

  const shape = current.sizes.slice(1);
  let v = state?.v ?? zeros(shape);
  let held = (hold === 0 ? null : state?.refractory) ?? zeros(shape);
  const rows: { s: Tensor; u: Tensor; v: Tensor }[] = [];
  for (const input of current.unbind(0)) {
    const active = noGrad(() => held.eq(0));
    const either = (x: Tensor, whereHeld: Tensor): Tensor => x.mul(active).add(whereHeld.mul(active.neg().add(1)));
    // A late reset is due where the state is above: right after the spike, or when holding ends.
    const isLate = resetDelay && reset !== "none";
    const due = isLate ? seen(fire(v)).mul(noGrad(() => active.maximum(held.eq(hold)))) : null;
    const before = due !== null && reset === "zero" ? cleared(v, due) : v;
    const taken = due !== null && reset === "subtract" ? due.mul(threshold) : zeros([]);
    let integrated = decayed(resetInput ? v : before).add(input.mul(scale));
    if (due !== null && resetInput) integrated = cleared(integrated, due);

    let waiting = (refractory === "leak" ? decayed(before) : before).sub(taken);
    if (refractory === "leak") waiting = floored(waiting);
    else if (isLate && lowerBound !== undefined) waiting = where(waiting.lt(lowerBound), lowerBound, waiting);
    const u = either(integrated.sub(taken), waiting);
    const wins = noGrad(() => winner(u.sub(threshold), active));
    const fired = fire(u).mul(active);
    const s = inhibition === true ? fired.mul(wins) : fired;
    let after = u;
    if (!resetDelay && reset === "subtract") after = u.sub(seen(s).mul(threshold));
    if (!resetDelay && reset === "zero") after = cleared(u, seen(s));
    v = lowerBound === undefined ? after : either(floored(after), waiting);
    const last = held;
    held = noGrad(() => s.detach().mul(hold).maximum(last.sub(1).relu()));
    const sent = inhibition === "output" ? s.mul(wins) : s;
    rows.push({ s: gradedSpikesFactor === undefined ? sent : sent.mul(gradedSpikesFactor), u, v });
  }
  return {
    spikes: stack(rows.map((row) => row.s)),
    membrane: stack(rows.map((row) => row.u)),
    v: stack(rows.map((row) => row.v)),
    state: { v, refractory: held },
  };
}

/** 1 at the largest score among the active neurons of the last axis, of equal ones at the first. */
function winner(scores: Tensor, active: Tensor): Tensor {
  const last = scores.shape.at(-1);
  if (last === undefined) return zeros([]);
  return where(active, scores, -1e30).argmax({ axis: -1, keepdim: true }).eq(arange(0, last));
}

/** One value for all neurons broadcasts to a step of any shape, also to one without axes. */
const scalar = (t: Tensor): Tensor => (t.size === 1 ? t.reshape([]) : t);
