/**
 * The fused op behind RecurrentLIF: one record for a whole sequence of a plain neuron with the reset detached.
 *
 *   I[t] = current[t] + W·s[t−1] + b   ("all")     or     current[t] + V ⊙ s[t−1]   ("one")
 *
 * Forward, W·s is the sum of the columns of W at which neurons have fired. Backward, dI[t+1] passes through W into the
 * gradient of s[t] before step t takes its turn; the gradient of W is gathered once, over all steps.
 */
import {
  accumulates,
  allocate,
  bitBytes,
  checkUnchanged,
  disposed,
  empty,
  emptySpikes,
  freshGradOf,
  gatherWeightGradient,
  gradOf,
  k,
  passGradient,
  type Recorded,
  ready,
  record,
  recycle,
  root,
  SAVES_B,
  SAVES_OUTPUT,
  scope,
} from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";
import type { Neuron } from "./lif-kernels.ts";
import { surrogateSupport } from "./lif-op.ts";

/** T steps of `rows` samples with n neurons. */
interface Sequence {
  readonly neuron: Neuron;
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly beta: Tensor;
  readonly threshold: Tensor;
  /** u of every step. */
  readonly membrane: Tensor;
}

const recurrentOp: Recorded<Sequence> = {
  name: "RecurrentLIF",
  saves: SAVES_B | SAVES_OUTPUT,
  backward(z, current, weight, bias, sequence) {
    const { neuron, T, rows, n, beta, threshold, membrane } = sequence;
    checkUnchanged(z, membrane);
    const bytes = 4 * rows * n;
    const all = weight.ndim === 2;
    const { reset, strict, surrogate } = neuron;
    const carry = allocate(bytes);
    k.fill(carry, rows * n, 0);
    k.recurrentBackward(
      z.gradPtr,
      membrane.ptr,
      weight.ptr,
      beta.ptr,
      threshold.ptr,
      carry,
      T,
      rows,
      n,
      all ? 1 : 0,
      beta.size === 1 ? 0 : 1,
      threshold.size === 1 ? 0 : 1,
      reset,
      strict,
      surrogate.kind,
      surrogate.slope,
    );
    recycle(carry, bytes, scope.region);
    if (all) weightGradient(z, weight, sequence);
    else elementGradient(z, weight, sequence);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, z.gradPtr, 1, T * rows, n, 1);
    passGradient(z, current);
    if (membrane.region === root.region) membrane.dispose();
    else {
      if (membrane.region === scope.region) recycle(membrane.ptr, 4 * membrane.size, membrane.region);
      membrane.region = disposed;
    }
  },
  support: ({ neuron, membrane, threshold }, bits, columns) =>
    surrogateSupport(neuron, membrane, threshold, bits, columns),
};

/** dW += Σ_t dI[t+1]ᵀ·s[t] */
function weightGradient(z: Tensor, weight: Tensor, { T, rows, n }: Sequence): void {
  const dw = freshGradOf(weight);
  if (dw === 0) return;
  const total = (T - 1) * rows;
  if (total === 0) {
    if (!accumulates) k.fill(dw, weight.size, 0);
    return;
  }
  const own = n % 32 !== 0;
  const bits = own ? allocate(bitBytes(total, n)) : z.bits;
  const count = own ? k.alignBits(bits, z.bits, total, n) : k.countBits(bits, (total * n) / 32);
  gatherWeightGradient(dw, z.gradPtr + 4 * rows * n, bits, count, 0, n, n, total);
  if (own) recycle(bits, bitBytes(total, n), scope.region);
}

/** dV += Σ_t Σ over the samples of dI[t+1] ⊙ s[t] */
function elementGradient(z: Tensor, weight: Tensor, { T, rows, n }: Sequence): void {
  const dv = gradOf(weight);
  if (dv === 0 || T === 1) return;
  ready("RecurrentLIF", z);
  const size = (T - 1) * rows * n;
  const terms = allocate(4 * size);
  k.mul(terms, z.ptr, z.gradPtr + 4 * rows * n, size);
  k.addSumAxis(dv, terms, 1, (T - 1) * rows, n, 1);
  recycle(terms, 4 * size, scope.region);
}

/** Bytes that the kernel `recurrentForward` wants to work in. */
const workSpace = (rows: number, n: number, all: boolean): number =>
  4 * ((all ? n * (n + 32) : 0) + rows * (n + 36) + 64);

/** Runs a neuron with recurrent weights [n, n] and a bias, or [n] without one, over a current [T, B, …, n] from zero. */
export function runRecurrent(
  neuron: Neuron,
  current: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  beta: Tensor,
  threshold: Tensor,
): Tensor {
  for (const t of [current, weight, beta, threshold]) ready("RecurrentLIF", t);
  if (bias !== null) ready("RecurrentLIF", bias);
  const T = current.shape[0] as number;
  const n = current.shape[current.ndim - 1] as number;
  const rows = current.size / (T * n);
  const all = weight.ndim === 2;
  const spikes = emptySpikes(current.shape, current.size);
  const membrane = empty(current.shape, current.size);
  const work = allocate(workSpace(rows, n, all));
  k.recurrentForward(
    membrane.ptr,
    spikes.bits,
    current.ptr,
    weight.ptr,
    bias === null ? 0 : bias.ptr,
    beta.ptr,
    threshold.ptr,
    work,
    T,
    rows,
    n,
    all ? 1 : 0,
    beta.size === 1 ? 0 : 1,
    threshold.size === 1 ? 0 : 1,
    neuron.reset,
    neuron.delayed,
    neuron.strict,
    neuron.resetValue,
  );
  recycle(work, workSpace(rows, n, all), scope.region);

  const wanted = current.requiresGrad || weight.requiresGrad || (bias?.requiresGrad ?? false);
  const attrs: Sequence = { neuron, T, rows, n, beta, threshold, membrane };
  if (scope.recording && wanted) record(spikes, recurrentOp as Recorded<never>, attrs, current, weight, bias);
  else if (membrane.region === root.region) membrane.dispose();
  return spikes;
}
