/**
 * The fused op behind RecurrentLIF: one record for a whole sequence.
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
  emptyLike,
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
  SAVES_B,
  SAVES_OUTPUT,
  scope,
} from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";
import { isPlain, type Neuron } from "./lif-kernels.ts";
import { customDerivative, surrogateSupport } from "./lif-op.ts";
import { passToParameter, zeroBuffer } from "./per-neuron.ts";

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
  /** Steps that each neuron is still held, or null for plain neurons. */
  readonly refractory: Tensor | null;
}

const recurrentOp: Recorded<Sequence> = {
  name: "RecurrentLIF",
  saves: SAVES_B | SAVES_OUTPUT,
  backward(z, current, weight, bias, sequence) {
    const { neuron, T, rows, n, beta, threshold, membrane, refractory } = sequence;
    checkUnchanged(z, membrane);
    checkUnchanged(z, beta);
    checkUnchanged(z, threshold);
    const size = rows * n;
    const all = weight.ndim === 2;
    const dBeta = beta.requiresGrad ? zeroBuffer(size) : 0;
    const dThreshold = threshold.requiresGrad ? zeroBuffer(size) : 0;
    const custom = customDerivative(neuron, threshold, null, membrane);
    const learned = beta.requiresGrad || threshold.requiresGrad;
    const general = learned || refractory !== null || custom !== null || neuron.attached !== 0;
    const room = general ? 2 * size : size;
    const carry = zeroBuffer(room);
    const { surrogate } = neuron;
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
      neuron.reset,
      neuron.strict,
      surrogate.kind,
      surrogate.slope,
      general ? 1 : 0,
      refractory?.ptr ?? 0,
      custom === null ? 0 : custom.ptr + 4 * size,
      dBeta,
      dThreshold,
      neuron.delayed,
      neuron.resetValue,
      neuron.rest,
      neuron.inputScale,
      neuron.hold,
      neuron.attached,
    );
    custom?.dispose();
    recycle(carry, 4 * room, scope.region);
    passToParameter(beta, dBeta, rows, n);
    passToParameter(threshold, dThreshold, rows, n);
    if (all) weightGradient(z, weight, sequence);
    else elementGradient(z, weight, sequence);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, z.gradPtr, 1, T * rows, n, 1);
    passGradient(z, current);
    drop(membrane);
    drop(refractory);
  },
  support: ({ neuron, membrane, threshold }, bits, columns) =>
    surrogateSupport(neuron, membrane, threshold, bits, columns),
};

/** Gives back memory that nobody can reach, where it is of the tape that runs. */
function drop(t: Tensor | null): void {
  if (t?.region !== scope.region) return;
  recycle(t.ptr, 4 * t.size, t.region);
  t.region = disposed;
}

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
const workSpace = (rows: number, n: number, all: boolean, plain: boolean): number =>
  4 * ((all ? n * (n + 32) : 0) + rows * (n + 36) + 64 + (plain ? 0 : rows * n));

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
  const T = current.sizes[0] as number;
  const n = current.sizes[current.ndim - 1] as number;
  const rows = current.size / (T * n);
  const all = weight.ndim === 2;
  const plain = isPlain(neuron);
  const spikes = emptySpikes(current.sizes);
  const membrane = emptyLike(current);
  const refractory = plain ? null : emptyLike(current);
  const work = allocate(workSpace(rows, n, all, plain));
  k.recurrentForward(
    membrane.ptr,
    spikes.bits,
    refractory?.ptr ?? 0,
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
    neuron.rest,
    neuron.inputScale,
    neuron.hold,
  );
  recycle(work, workSpace(rows, n, all, plain), scope.region);

  const learned = weight.requiresGrad || bias?.requiresGrad || beta.requiresGrad || threshold.requiresGrad;
  const attrs: Sequence = { neuron, T, rows, n, beta, threshold, membrane, refractory };
  if (scope.recording && (learned || current.requiresGrad))
    record(spikes, recurrentOp as Recorded<never>, attrs, current, weight, bias);
  return spikes;
}
