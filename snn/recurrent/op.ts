/**
 * The feedback of `Recurrent` where all neurons feed each other: the product between two steps of a run.
 *
 *   I[t] = current[t] + W·s[t−1] + b
 *
 * Forward, W·s is the sum of the columns of W at which neurons have fired. Backward, dI[t+1] passes through W into the
 * gradient of s[t] before step t takes its turn; the gradient of W is gathered once, over all steps.
 */

import { k, type Recorded, recycle, streamBytes } from "../../engine/extend.ts";
import type { Before } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import {
  allocate,
  bitBytes,
  describeProduct,
  descriptor,
  empty,
  type Factors,
  gatherWeightGradient,
  gradOf,
  holds,
  integers,
  timesTransposed,
  transposedTimes,
  wordsAt,
  writePair,
} from "../../engine/unchecked.ts";
import * as layout from "../../kernels/product-layout.ts";
import type { Feedback, StepRun } from "../neuron/op.ts";

/** Share of groups of four neurons within reach of their surrogate below which a product of only those is faster, measured. */
const SAMPLED_DENSITY = 0.5;

/** The product of one run. */
export class Product implements Feedback {
  readonly op: Recorded<StepRun>;
  /** W, [n, n]. */
  readonly b: Tensor;
  /** b, [n] or null. */
  readonly c: Tensor | null;
  /** s before the first step, [B, …, n]; null for none. */
  readonly before: Tensor | null;
  readonly n: number;
  /** The sizes and strides of the product s·Wᵀ. */
  private readonly factors: Factors;
  /** Memory while a pass runs: its address and bytes. */
  private at = 0;
  private bytes = 0;

  constructor(op: Recorded<StepRun>, weight: Tensor, bias: Tensor | null, before: Tensor | null) {
    this.op = op;
    this.b = weight;
    this.c = bias;
    this.before = before;
    this.n = weight.sizes[0] as number;
    this.factors = { depth: this.n, outputs: this.n, stepIn: 1, stepOut: this.n };
  }

  feed({ current, size }: StepRun, at: number, step: number, spikes: number): Before {
    const { b: weight, c: bias, before, n } = this;
    const rows = size / n;
    const panelBytes = 128 * n * Math.ceil(n / 32);
    this.bytes = panelBytes + 4 * (rows * (n + 36) + 64);
    this.at = allocate(this.bytes);
    const panels = this.at;
    const work = panels + panelBytes;
    const start = bias?.ptr ?? 0;
    k.packForward(panels, weight.ptr, n);
    return (t) => {
      const to = at + 4 * t * step;
      const now = current.ptr + 4 * t * size;
      if (t > 0) k.feedForward(to, now, spikes, (t - 1) * size, panels, start, work, rows, n);
      else if (before === null) k.feedForward(to, now, 0, 0, panels, start, work, rows, n);
      else this.feedFirst(to, now, before, panels, work);
    };
  }

  /** The first step of a run that goes on from spikes, which may be any numbers. */
  private feedFirst(to: number, now: number, before: Tensor, panels: number, work: number): void {
    const { b: weight, c: bias, n } = this;
    const { size } = before;
    const rows = size / n;
    const stream = allocate(streamBytes(size));
    const start = bias?.ptr ?? 0;
    if (k.packBits(stream, before.ptr, 1, size) >= 0) k.feedForward(to, now, stream, 0, panels, start, work, rows, n);
    else {
      writePair(describeProduct(to, start, before.ptr, weight.ptr, rows, n, n) + layout.bRow, 1, n);
      k.gemm(descriptor);
      k.addTo(to, now, size);
    }
    recycle(stream, streamBytes(size));
  }

  fed(): void {
    recycle(this.at, this.bytes);
  }

  /** The spikes of the last step. */
  last({ T, size, z }: StepRun, shape: Shape): Tensor {
    const last = empty(shape);
    unpackStep(last.ptr, z.bits, (T - 1) * size, size);
    return last;
  }

  feedBack(run: StepRun, d: number, dLast: number): Before {
    const { b: weight, n } = this;
    const { code, T, size } = run;
    const rows = size / n;
    if (dLast !== 0) k.addTo(d + 4 * (T - 1) * size, dLast, size);
    this.bytes = code.hasSupport && n % 4 === 0 ? bitBytes(T * rows, n) : 0;
    this.at = this.bytes === 0 ? 0 : allocate(this.bytes);
    const isSampled = this.at !== 0 && 4 * run.support(this.at, n) < SAMPLED_DENSITY * T * size;
    if (!isSampled) {
      if (this.at !== 0) recycle(this.at, this.bytes);
      this.bytes = packedBytes(n);
      this.at = allocate(this.bytes);
      k.packBackward(this.at, weight.ptr, n);
    }
    const { at: first, bytes } = this;
    // Steps of neurons describe no products: between two steps only addresses change.
    describeProduct(d, d, d, isSampled ? weight.ptr : first, rows, n, n);
    return (t) => {
      if (t === T - 1) return;
      const at = wordsAt(descriptor, layout.words);
      const ds = d + 4 * t * size;
      writePair(at + layout.c, ds, ds);
      integers[at + layout.a] = ds + 4 * size;
      integers[at + layout.bits] = first + (t * bytes) / T;
      if (isSampled) k.gemmSampled(descriptor);
      else k.feedBack(descriptor);
    };
  }

  finish(run: StepRun, d: number): void {
    const { b: weight, c: bias, before, n, at, bytes } = this;
    const { T, size } = run;
    const rows = size / n;
    if (at !== 0) recycle(at, bytes);
    const dBefore = before === null ? 0 : gradOf(before);
    if (dBefore !== 0) timesTransposed(dBefore, dBefore, d, weight.ptr, rows, this.factors);
    this.weightGradient(run, d);
    const db = bias === null ? 0 : gradOf(bias);
    if (db !== 0) k.addSumAxis(db, d, 1, T * rows, n, 1);
  }

  /** dW += Σ_t dI[t+1]ᵀ·s[t] */
  private weightGradient({ T, size, z }: StepRun, d: number): void {
    const { b: weight, before, n } = this;
    const rows = size / n;
    const start = holds(weight) ? gradOf(weight) : 0;
    const dw = gradOf(weight, true);
    if (dw === 0) return;
    const total = (T - 1) * rows;
    if (total > 0) {
      const own = n % 32 !== 0;
      const bits = own ? allocate(bitBytes(total, n)) : z.bits;
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
  const whole = allocate(bytes);
  k.unpackBits(whole, bits + (first - skipped) / 8, skipped + size);
  k.copy(z, whole + 4 * skipped, size);
  recycle(whole, bytes);
}
