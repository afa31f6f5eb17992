/** Collects spikes sample by sample, in time steps of several samples each, as bits. */
import { wrongValue } from "../../engine/arguments.ts";
import { inReference, integersAt, peek } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { checkShape } from "../../engine/shape.ts";
import { emptySpikesOf } from "../../engine/unchecked.ts";

/**
 * A step has a spike if one of its samples has one. `begin` announces a number of samples, `fire` sets a spike of the current sample, `next`
 * advances to the next sample, and `take` returns the complete steps. An incomplete step waits for more samples.
 */
export class SpikeSteps {
  private readonly width: number;
  private readonly samples: number;
  /** Spikes of the incomplete step, and the number of its samples so far. */
  private readonly open: Uint8Array;
  private passed = 0;
  /** Spikes of complete steps. */
  private words = new Int32Array();
  private count = 0;

  /** Collects steps of `samples` samples with `width` spikes each. */
  constructor(width: number, samples: number) {
    this.width = width;
    this.samples = samples;
    this.open = new Uint8Array(width);
  }

  begin(n: number): void {
    const steps = Math.floor((this.passed + n) / this.samples);
    this.words = new Int32Array(Math.ceil((steps * this.width) / 32));
    this.count = 0;
  }

  /** Sets spike i of this step. */
  fire(i: number): void {
    this.open[i] = 1;
  }

  /** Ends the sample. */
  next(): void {
    if (++this.passed < this.samples) return;
    const { open, words, width } = this;
    for (let i = 0, at = this.count * width; i < width; i++, at++) {
      if (open[i] === 1) words[at >>> 5] = (words[at >>> 5] as number) | (1 << (at & 31));
    }
    open.fill(0);
    this.passed = 0;
    this.count++;
  }

  /** Spikes of the complete steps since `begin`, [T, …shape]; null if there are none. */
  take(where: string, shape: readonly number[]): Tensor | null {
    const { count, words } = this;
    if (count === 0) return null;
    const z = emptySpikesOf(checkShape(where, [count, ...shape]));
    if (!inReference()) integersAt(z.bits, words.length).set(words);
    else peek(z).forEach((_, i, values) => (values[i] = ((words[i >>> 5] as number) >>> (i & 31)) & 1));
    return z;
  }
}

/** Throws unless n samples are at least one step of `samples`. */
export function checkSteps(where: string, n: number, samples: number): void {
  if (n < samples) throw wrongValue(where, `a step of ${samples} samples or more`, n);
}
