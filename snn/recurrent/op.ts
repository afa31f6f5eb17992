/**
 * The feedback of `Recurrent` with all-to-all connections: the product between two steps of a run.
 *
 *   I[t] = current[t] + W·s[t−1] + b
 *
 * Forward, W·s sums the columns of W of the neurons that have fired. Backward, dI[t+1]·W is added to the gradient of s[t] before step t
 * runs backward; the gradient of W is computed once, over all steps.
 */

import { gradOfPart, k, rare, recycle, SAVES, streamBytes } from "../../engine/extend.ts";
import type { Before } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import { recycleIn } from "../../engine/lasting.ts";
import type { Shape } from "../../engine/shape.ts";
import {
  allocateInScope,
  bitBytes,
  describeProduct,
  descriptor,
  emptyOf,
  type Factors,
  gatherWeightGradient,
  gradientAt,
  holds,
  integers,
  recordPart,
  type ShortRecorded,
  timesTransposed,
  transposedTimes,
  wordsAt,
  writePair,
} from "../../engine/unchecked.ts";
import * as layout from "../../kernels/product-layout.ts";
import { NeuronRun, type Pass, runOp, type StepCode } from "../neuron/run.ts";

/** The record of a run: backward also reads the weights and the spikes. */
export const feedbackOp = (name: string): ShortRecorded<NeuronRun> => ({
  ...runOp(name),
  saves: SAVES.b + SAVES.output + SAVES.more,
  shortcuts: {},
});

/** W [n, n], b [n] or null, and s before the first step [B, …, n], null for none. */
export type Fed = readonly [weight: Tensor, bias: Tensor | null, before: Tensor | null];

/** A run of neurons with all-to-all connections, whose further operands are W, b and the first spikes. The current is written to memory. */
export class RecurrentRun extends NeuronRun {
  /** Work memory of a pass: its address and bytes. */
  private at = 0;
  private bytes = 0;

  /** The sizes and strides of the product s·Wᵀ. */
  private get factors(): Factors {
    return { depth: this.n, outputs: this.n, stepIn: 1, stepOut: this.n };
  }

  /** Backward does not read b. */
  override reads(): readonly Tensor[] {
    return super.reads().filter((t) => t !== this.others[1]);
  }

  /** The spikes of the last step are a further state. */
  override forward(all: boolean, shape: Shape | null): this {
    const { last, z, T, size } = super.forward(all, shape);
    if (shape === null) return this;
    const spikes = emptyOf(shape);
    unpackStep(spikes.ptr, z.bits, (T - 1) * size, size);
    this.last = [...last, recordPart(z, last.length, spikes)];
    return this;
  }

  /** The product reads the spikes, so they are computed even if the run needs a different output. */
  protected override execute(code: StepCode, main: number, last: readonly Tensor[], other?: number, to?: number): void {
    const bytes = streamBytes(this.current.size);
    const spikes = main || allocateInScope(bytes);
    super.execute(code, spikes, last, other, to);
    if (main === 0) recycle(spikes, bytes);
  }

  protected override sweep(pass: Pass, code: StepCode, main: number): void {
    const { neuron, size, saved, current } = this;
    const isKept = code !== neuron.plain;
    if (isKept && code.reads[0]) this.inputAt = allocateInScope(4 * current.size);
    // The current may overwrite memory of saved values, since a step reads its current before it saves a value. Without
    // saved values, memory for one step is enough.
    const first = code.savedNumbers > 0 ? (saved[0] as number) : 0;
    const kept = isKept ? this.inputAt || first : 0;
    const at = kept || allocateInScope(4 * size);
    const step = kept === 0 ? 0 : size;
    pass.input(0, at, step);
    pass.run(this.feed(at, step, main));
    recycle(this.at, this.bytes);
    if (kept === 0) recycle(at, 4 * size);
  }

  /**
   * Returns the function that writes the current of step t to the address `at`, `step` values after that of step t − 1. The stream `spikes`
   * holds the spikes of earlier steps.
   */
  private feed(at: number, step: number, spikes: number): Before {
    const { current, size, n } = this;
    const [weight, bias, before] = this.others as Fed;
    const rows = size / n;
    const panelBytes = 128 * n * Math.ceil(n / 32);
    this.bytes = panelBytes + 4 * (rows * (n + 36) + 64);
    this.at = allocateInScope(this.bytes);
    const panels = this.at;
    const work = panels + panelBytes;
    const start = bias?.ptr ?? 0;
    rare().packForward(panels, weight.ptr, n);
    return (t) => {
      const to = at + 4 * t * step;
      const now = current.ptr + 4 * t * size;
      if (t > 0) rare().feedForward(to, now, spikes, (t - 1) * size, panels, start, work, rows, n);
      else if (before === null) rare().feedForward(to, now, 0, 0, panels, start, work, rows, n);
      else this.feedFirst(to, now, before, panels, work);
    };
  }

  /** The first step of a run whose initial spikes were given; these need not be 0 or 1. */
  private feedFirst(to: number, now: number, before: Tensor, panels: number, work: number): void {
    const { n, size } = this;
    const [weight, bias] = this.others as Fed;
    const rows = size / n;
    const stream = allocateInScope(streamBytes(size));
    const start = bias?.ptr ?? 0;
    if (k.packBits(stream, before.ptr, 1, size) >= 0)
      rare().feedForward(to, now, stream, 0, panels, start, work, rows, n);
    else {
      writePair(describeProduct(to, start, before.ptr, weight.ptr, rows, n, n) + layout.bRow, 1, n);
      k.gemm(descriptor);
      k.addTo(to, now, size);
    }
    recycle(stream, streamBytes(size));
  }

  /**
   * Returns the function that adds to the gradient of the spikes of step t. For steps after t, the memory holds the gradient of the current
   * in place of the gradient of the spikes.
   */
  protected override feedBack(z: Tensor): Before {
    const { T, size, n, neuron } = this;
    const d = gradientAt(z);
    const [weight] = this.others as Fed;
    const dLast = gradOfPart(z, neuron.states.length);
    if (dLast !== 0) k.addTo(d + 4 * (T - 1) * size, dLast, size);
    this.bytes = packedBytes(n);
    this.at = allocateInScope(this.bytes);
    rare().packBackward(this.at, weight.ptr, n);
    // Steps of neurons leave the descriptor unchanged, so only addresses are written between two steps.
    describeProduct(d, d, d, this.at, size / n, n, n);
    return (t) => {
      if (t === T - 1) return;
      const at = wordsAt(descriptor, layout.words);
      const ds = d + 4 * t * size;
      writePair(at + layout.c, ds, ds);
      integers[at + layout.a] = ds + 4 * size;
      rare().feedBack(descriptor);
    };
  }

  /** Gradients of the weights and of the first spikes, from the gradients of the current of all steps at d. */
  protected override finish(d: number): void {
    const { n, at, bytes, T, size, inputAt } = this;
    const [weight, bias, before] = this.others as Fed;
    const rows = size / n;
    recycle(at, bytes);
    if (inputAt !== 0) recycleIn(this.z.region, inputAt, 4 * this.current.size);
    const dBefore = before === null ? 0 : gradientAt(before);
    if (dBefore !== 0) timesTransposed(dBefore, dBefore, d, weight.ptr, rows, this.factors);
    this.weightGradient(d);
    const db = bias === null ? 0 : gradientAt(bias);
    if (db !== 0) k.addSumAxis(db, d, 1, T * rows, n, 1);
  }

  /** dW += Σ_t dI[t+1]ᵀ·s[t] */
  private weightGradient(d: number): void {
    const { T, size, z, n } = this;
    const [weight, , before] = this.others as Fed;
    const rows = size / n;
    const start = holds(weight) ? gradientAt(weight) : 0;
    const dw = gradientAt(weight, true);
    if (dw === 0) return;
    const total = (T - 1) * rows;
    if (total > 0) {
      const own = n % 32 !== 0;
      const bits = own ? allocateInScope(bitBytes(total, n)) : z.bits;
      const count = own ? k.alignBits(bits, z.bits, total, n) : k.countBits(bits, (total * n) / 32);
      gatherWeightGradient(dw, start, d + 4 * rows * n, bits, count, 0, total, this.factors);
      if (own) recycle(bits, bitBytes(total, n));
    } else if (start === 0) k.fill(dw, weight.size, 0);
    if (before !== null) transposedTimes(dw, dw, before.ptr, d, rows, this.factors);
  }
}

/** Bytes of W [n, n] as `packBackward` writes it. */
function packedBytes(n: number): number {
  let rows = 0;
  for (let p = 0; p < n; p += 256) rows += Math.min(256, n - p) + 1;
  return 64 * rows * Math.ceil(n / 16);
}

/** z ← `size` bits of a stream from bit `first` on, as numbers. */
function unpackStep(z: number, bits: number, first: number, size: number): void {
  const skipped = first % 32;
  const bytes = 4 * (skipped + size);
  const whole = allocateInScope(bytes);
  k.unpackBits(whole, bits + (first - skipped) / 8, skipped + size);
  k.copy(z, whole + 4 * skipped, size);
  recycle(whole, bytes);
}
