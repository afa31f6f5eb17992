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
  BINARY_DENSITY,
  bitBytes,
  checkUnchanged,
  disposed,
  empty,
  emptySpikes,
  freshGradOf,
  gatherWeightGradient,
  gradOf,
  k,
  type Op,
  passGradient,
  ready,
  record,
  recycle,
  root,
  SAVES_B,
  SAVES_OUTPUT,
  scope,
  streamBytes,
  workBytes,
} from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";
import type { Neuron } from "./lif-op.ts";

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

const recurrentOp: Op<Sequence> = {
  name: "RecurrentLIF",
  saves: SAVES_B | SAVES_OUTPUT,
  shape: ({ membrane }) => membrane.shape,
  forward() {},
  backward(z, current, weight, bias, sequence) {
    const { neuron, T, rows, n, beta, threshold, membrane } = sequence;
    checkUnchanged(z, membrane);
    const size = rows * n;
    const step = 4 * size;
    const all = weight.ndim === 2;
    const { kind, slope } = neuron.surrogate;
    const [stepBeta, stepThreshold] = [beta.size === 1 ? 0 : 1, threshold.size === 1 ? 0 : 1];
    const zeros = allocate(step);
    k.fill(zeros, size, 0);
    for (let t = T - 1; t >= 0; t--) {
      const du = z.gradPtr + t * step;
      const next = t === T - 1 ? zeros : du + step;
      if (t < T - 1) {
        if (all) k.gemm(du, next, weight.ptr, du, rows, n, n, n, 1, n, 1, n, n, 1);
        else for (let b = 0; b < rows; b++) k.mulGrad(du + 4 * b * n, next + 4 * b * n, weight.ptr, n);
      }
      const u = membrane.ptr + t * step;
      k.lifBackward(
        du,
        du,
        u,
        beta.ptr,
        threshold.ptr,
        next,
        0,
        0,
        1,
        rows,
        n,
        0,
        0,
        0,
        stepBeta,
        stepThreshold,
        neuron.reset,
        neuron.strict,
        kind,
        slope,
      );
    }
    recycle(zeros, step, scope.region);
    if (all) weightGradient(z, weight, sequence);
    else elementGradient(z, weight, sequence);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, z.gradPtr, 1, T * rows, n, 1);
    passGradient(z, current);
    if (membrane.region === root.region) membrane.dispose();
    else membrane.region = disposed;
  },
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
  const bits = allocate(bitBytes(total, n));
  const count = z.ptr === 0 ? k.alignBits(bits, z.bits, total, n) : k.packBits(bits, z.ptr, total, n) & 0x7fffffff;
  gatherWeightGradient(dw, z.gradPtr + 4 * rows * n, bits, count, 0, n, n, total);
  recycle(bits, bitBytes(total, n), scope.region);
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
  const size = current.size / T;
  const rows = size / n;
  const step = 4 * size;
  const all = weight.ndim === 2;
  const spikes = size % 32 === 0 ? emptySpikes(current.shape, current.size) : empty(current.shape, current.size);
  const membrane = empty(current.shape, current.size);
  const [stepBeta, stepThreshold] = [beta.size === 1 ? 0 : 1, threshold.size === 1 ? 0 : 1];

  // [in, out]: the columns of W that are summed lie in rows.
  const columns = all ? allocate(4 * n * n) : 0;
  if (all) k.transpose(columns, weight.ptr, n, n);
  const stream = allocate(streamBytes(size));
  const aligned = allocate(bitBytes(rows, n));
  const work = allocate(workBytes(rows, size));
  const floats = allocate(step);
  const start = bias === null ? 0 : bias.ptr;
  for (let t = 0; t < T; t++) {
    const u = membrane.ptr + t * step;
    const before = t === 0 ? 0 : u - step;
    if (!all) k.copy(u, current.ptr + t * step, size);
    if (all) {
      const count = t === 0 ? 0 : k.alignBits(aligned, stream, rows, n);
      if (t === 0) k.fill(aligned, bitBytes(rows, n) / 4, 0);
      if (count < BINARY_DENSITY * size) {
        k.gather(u, aligned, work, 0, columns, start, rows, n, n, n, 1, n, 1, n, 0, 1);
      } else {
        k.unpackBits(floats, stream, size);
        k.gemm(u, floats, columns, start, rows, n, n, n, 1, n, 1, n, 0, 1);
      }
      k.addTo(u, current.ptr + t * step, size);
    } else if (t > 0) {
      k.unpackBits(floats, stream, size);
      for (let b = 0; b < rows; b++) k.mulGrad(u + 4 * b * n, floats + 4 * b * n, weight.ptr, n);
    }
    k.lifForward(
      u,
      stream,
      u,
      before,
      beta.ptr,
      threshold.ptr,
      1,
      rows,
      n,
      0,
      0,
      stepBeta,
      stepThreshold,
      neuron.reset,
      neuron.delayed,
      neuron.strict,
      neuron.resetValue,
      1,
    );
    if (spikes.ptr === 0) k.copy(spikes.bits + (t * size) / 8, stream, size / 32);
    else k.unpackBits(spikes.ptr + t * step, stream, size);
  }
  recycle(floats, step, scope.region);
  recycle(work, workBytes(rows, size), scope.region);
  recycle(aligned, bitBytes(rows, n), scope.region);
  recycle(stream, streamBytes(size), scope.region);
  if (all) recycle(columns, 4 * n * n, scope.region);

  const wanted = current.requiresGrad || weight.requiresGrad || (bias?.requiresGrad ?? false);
  const attrs: Sequence = { neuron, T, rows, n, beta, threshold, membrane };
  if (scope.recording && wanted) record(spikes, recurrentOp as Op<never>, attrs, current, weight, bias);
  else if (membrane.region === root.region) membrane.dispose();
  return spikes;
}
