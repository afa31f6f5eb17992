/**
 * The fused op behind `Recurrent` where all neurons feed each other: one record for a whole sequence of compiled steps.
 *
 *   I[t] = current[t] + W·s[t−1] + b
 *
 * Forward, W·s is the sum of the columns of W at which neurons have fired. Backward, dI[t+1] passes through W into the
 * gradient of s[t] before step t takes its turn; the gradient of W is gathered once, over all steps.
 */

import { k } from "../engine/backend.ts";
import type { Fused, Stream } from "../engine/fuse/index.ts";
import type { Tensor } from "../engine/index.ts";
import {
  freshGradOf,
  gradOf,
  gradOfPart,
  part,
  passGradient,
  type Recorded,
  ready,
  SAVES,
  startOf,
} from "../engine/op.ts";
import { bitBytes, gatherWeightGradient } from "../engine/ops/matmul.ts";
import { allocate, type Region, recycle, scope } from "../engine/scope.ts";
import type { Shape } from "../engine/shape.ts";
import { empty, emptyLike, emptySpikes, record, streamBytes } from "../engine/tensor.ts";
import {
  type CompiledNeuron,
  checkUnwritten,
  copySaved,
  GradientTargets,
  type Operands,
  supportOf,
  writesOf,
} from "./neuron-op.ts";
import { zeroBuffer } from "./per-neuron.ts";

/** What all neurons feed each other. */
export interface Feedback {
  /** The record of the layer. */
  readonly op: Recorded<Sequence>;
  /** W, [n, n]. */
  readonly weight: Tensor;
  /** b, [n] or null. */
  readonly bias: Tensor | null;
  /** s before the first step, [B, …, n]; null for none. */
  readonly before: Tensor | null;
}

/** A run of T steps of `rows` samples with n neurons: what backward and the outputs that are read later need. */
export interface Sequence extends Operands, Feedback {
  readonly neuron: CompiledNeuron;
  readonly rows: number;
  readonly n: number;
  readonly code: Fused;
  /** Addresses of what forward has saved. */
  readonly saved: readonly number[];
  /** I over time, where backward reads it again, else where each step overwrites it; its address is 0 where it has no memory. */
  readonly input: Stream;
  readonly region: Region;
  /** When the operands had last been written. */
  readonly written: readonly number[];
  readonly spikes: Tensor;
  readonly last: readonly Tensor[];
  /** s of the last step. */
  readonly lastSpikes: Tensor | null;
}

/** All operands but the current, W and b. */
const othersOf = ({ parameters, from, before }: Operands & Feedback) => [...parameters, ...from, before];

const operandsOf = (run: Operands & Feedback): Tensor[] =>
  [run.current, run.weight, run.bias, ...othersOf(run)].filter((t) => t !== null);

/**
 * Runs neurons that feed each other. `outputs` are those that a gradient may come from; `shape`, that of a step, asks for the last
 * states.
 */
export function runRecurrent(
  neuron: CompiledNeuron,
  operands: Operands,
  feedback: Feedback,
  outputs: readonly string[],
  shape: Shape | null,
): Sequence {
  const { current, T, parameters } = operands;
  const { op, weight, bias } = feedback;
  const run = { ...operands, ...feedback };
  const read = operandsOf(run);
  for (const t of read) ready(op.name, t);
  const wanted = scope.recording && [current, ...read].some((t) => t.requiresGrad);
  const n = weight.sizes[0] as number;
  const code = neuron.code(outputs, wanted ? parameters.map((t) => t.requiresGrad) : null);
  const spikes = emptySpikes(current.sizes);
  const size = current.size / T;
  const saved = code.savedBytes(current.size).map((bytes) => allocate(bytes));
  // A step reads I before it writes what it saves, which may lie over it.
  const at = code.reads[0] ? allocate(4 * current.size) : code.saves > 0 ? (saved[0] as number) : 0;
  const sequence: Sequence = {
    ...run,
    neuron,
    rows: size / n,
    n,
    code,
    saved,
    input: { at, step: size },
    region: scope.region,
    written: writesOf(read),
    spikes,
    last: shape === null ? [] : neuron.states.map(() => empty(shape)),
    lastSpikes: shape && empty(shape),
  };
  forward(sequence, code, sequence.saved, sequence.input, spikes.bits, {});
  if (sequence.lastSpikes !== null) unpackStep(sequence.lastSpikes.ptr, spikes.bits, (T - 1) * size, size);
  if (!wanted) return sequence;
  record(spikes, op as Recorded<never>, sequence, current, weight, bias);
  [...sequence.last, sequence.lastSpikes].forEach((z, i) => {
    if (z !== null) part(spikes, neuron.outputs.length + i, z);
  });
  return sequence;
}

/** Runs all steps: spikes to the stream `bits`, other outputs by their names. Where I has no memory, one step of it has for now. */
function forward(
  sequence: Sequence,
  code: Fused,
  saved: readonly number[],
  input: Stream,
  bits: number,
  outputs: Readonly<Record<string, number>>,
): void {
  const { neuron, current, rows, n, weight, bias, before, last } = sequence;
  const size = rows * n;
  const panelBytes = 128 * n * Math.ceil(n / 32);
  const workBytes = 4 * (rows * (n + 36) + 64);
  const stepBytes = input.at === 0 ? 4 * size : 0;
  const bytes = panelBytes + workBytes + stepBytes;
  const panels = allocate(bytes);
  const work = panels + panelBytes;
  const I = input.at === 0 ? { at: work + workBytes, step: 0 } : input;
  const start = bias?.ptr ?? 0;
  k.packForward(panels, weight.ptr, n);
  const feed = (t: number): void => {
    const to = I.at + 4 * t * I.step;
    const now = current.ptr + 4 * t * size;
    if (t > 0) k.feedForward(to, now, bits, (t - 1) * size, panels, start, work, rows, n);
    else if (before === null) k.feedForward(to, now, 0, 0, panels, start, work, rows, n);
    else feedFirst(to, now, before, sequence, panels, work);
  };
  const to = neuron.states.map((_, i) => last[i]?.ptr ?? 0);
  code.forward({ ...runOf(sequence), inputs: [I], saved, to, outputs: { ...outputs, spikes: bits } }, feed);
  recycle(panels, bytes, scope.region);
}

/** The first step of a run that goes on from spikes, which may be any numbers. */
function feedFirst(
  to: number,
  now: number,
  before: Tensor,
  { rows, n, weight, bias }: Sequence,
  panels: number,
  work: number,
): void {
  const { size } = before;
  const stream = allocate(streamBytes(size));
  const start = bias?.ptr ?? 0;
  if (k.packBits(stream, before.ptr, 1, size) >= 0) k.feedForward(to, now, stream, 0, panels, start, work, rows, n);
  else {
    k.gemm(to, before.ptr, weight.ptr, start, rows, n, n, n, 1, 1, n, n);
    k.addTo(to, now, size);
  }
  recycle(stream, streamBytes(size), scope.region);
}

/** z ← so many bits of a stream from bit `first` on, as numbers. */
function unpackStep(z: number, bits: number, first: number, size: number): void {
  const skipped = first % 32;
  const bytes = 4 * (skipped + size);
  const whole = allocate(bytes);
  k.unpackBits(whole, bits + (first - skipped) / 8, skipped + size);
  k.copy(z, whole + 4 * skipped, size);
  recycle(whole, bytes, scope.region);
}

/**
 * A further output over time, differentiable: from another forward run, with the same bits.
 *
 * @throws Error where an operand was freed or overwritten since.
 */
export function recurrentOutput(sequence: Sequence, index: number): Tensor {
  const { op, neuron, current, spikes, written } = sequence;
  const name = neuron.outputs[index] as string;
  checkUnwritten(op.name, name, operandsOf(sequence), written);
  const z = emptyLike(current);
  if (!copySaved(sequence, name, spikes, z)) {
    const bits = allocate(streamBytes(z.size));
    const again = { ...sequence, last: [] };
    forward(again, neuron.code([], null), [], { at: 0, step: 0 }, bits, { [name]: z.ptr });
    recycle(bits, streamBytes(z.size), scope.region);
  }
  return scope.recording ? part(spikes, index, z) : z;
}

/** Share of groups of four neurons within reach of their surrogate below which a product of only those is faster, measured. */
const SAMPLED_DENSITY = 0.5;

/** The record of a layer of this name. */
export const recurrentOp = (name: string): Recorded<Sequence> => ({
  name,
  saves: SAVES.b + SAVES.output + SAVES.more,
  reads: othersOf,
  backward,
  support: (sequence, bits, columns) => supportOf(sequence.code, runOf(sequence), bits, columns),
});

/** The sizes and addresses of a run. */
const runOf = ({ T, rows, n, input, parameters, from, saved }: Sequence) => ({
  T,
  rows,
  n,
  inputs: [input],
  parameters: parameters.map((t) => t.ptr),
  from: from.map((t) => t?.ptr ?? 0),
  saved,
});

function backward(z: Tensor, current: Tensor, weight: Tensor, bias: Tensor | null, sequence: Sequence): void {
  const { neuron, code, T, rows, n, parameters, from, before, saved, input, region } = sequence;
  const run = runOf(sequence);
  const size = rows * n;
  const gradients: Record<string, Stream> = {};
  neuron.outputs.forEach((output, i) => {
    const at = output === "spikes" ? 0 : gradOfPart(z, i);
    if (at !== 0) gradients[output] = { at, step: size };
  });
  const dLast = from.map((_, i) => gradOfPart(z, neuron.outputs.length + i));
  const dLastSpikes = gradOfPart(z, neuron.outputs.length + from.length);
  if (z.gradPtr === 0) z.gradPtr = zeroBuffer(z.size);
  const d = z.gradPtr;
  // The gradient of the current takes the place of that of the spikes, step by step.
  gradients.spikes = { at: d, step: size };
  if (dLastSpikes !== 0) k.addTo(d + 4 * (T - 1) * size, dLastSpikes, size);
  // What is added to comes before what is written: one tensor may be both.
  const dParameters = parameters.map(gradOf);
  const targets = new GradientTargets();
  const dFirst = from.map((t) => (t === null ? 0 : targets.target(t)));
  const step = 4 * size;
  const bytes = bitBytes(T * rows, n);
  const reached = code.hasSupport && n % 4 === 0 ? allocate(bytes) : 0;
  const isSampled = reached !== 0 && 4 * supportOf(code, run, reached, n) < SAMPLED_DENSITY * z.size;
  if (!isSampled) k.packBackward(weight.ptr, n);
  code.backward({ ...run, gradients, dInputs: [{ at: d, step: size }], dLast, dFirst, dParameters }, (t) => {
    if (t === T - 1) return;
    const [ds, dI] = [d + t * step, d + (t + 1) * step];
    if (!isSampled) k.feedBack(ds, dI, weight.ptr, rows, n);
    else k.gemmSampled(ds, reached + (t * bytes) / T, dI, weight.ptr, rows, n, n, n, n, 1, n);
  });
  if (reached !== 0) recycle(reached, bytes, scope.region);
  targets.finish();
  const dBefore = before === null ? 0 : gradOf(before);
  if (dBefore !== 0) k.gemm(dBefore, d, weight.ptr, dBefore, rows, n, n, n, 1, n, 1, n);
  weightGradient(z, weight, sequence);
  const db = bias === null ? 0 : gradOf(bias);
  if (db !== 0) k.addSumAxis(db, d, 1, T * rows, n, 1);
  passGradient(z, current);
  for (const [i, bytes] of code.savedBytes(T * size).entries()) recycle(saved[i] as number, bytes, region);
  if (code.reads[0]) recycle(input.at, T * step, region);
}

/** dW += Σ_t dI[t+1]ᵀ·s[t] */
function weightGradient(z: Tensor, weight: Tensor, { T, rows, n, before }: Sequence): void {
  const start = startOf(weight);
  const dw = freshGradOf(weight, start);
  if (dw === 0) return;
  const total = (T - 1) * rows;
  if (total > 0) {
    const own = n % 32 !== 0;
    const bits = own ? allocate(bitBytes(total, n)) : z.bits;
    const count = own ? k.alignBits(bits, z.bits, total, n) : k.countBits(bits, (total * n) / 32);
    gatherWeightGradient(dw, start, z.gradPtr + 4 * rows * n, bits, count, 0, n, n, total);
    if (own) recycle(bits, bitBytes(total, n), scope.region);
  } else if (start === 0) k.fill(dw, weight.size, 0);
  if (before !== null) k.gemm(dw, z.gradPtr, before.ptr, dw, n, n, rows, 1, n, n, 1, n);
}
