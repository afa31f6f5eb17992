/** 8-bit weights in linear memory, and products with them. */
import { k, ready, recycle } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { memory } from "../../engine/lasting.ts";
import { allocateInScope, int8Kernels } from "../../engine/unchecked.ts";
import { LOW, MOST_NARROW, NARROW, ROOM, WIDE } from "../../kernels/int8-layout.ts";
import { own } from "../layer/stage.ts";

/** A weight [out, in] as integers q in row-major order, w[o, i] = scales[o]·q[o, i], and a bias [out]. */
export interface Int8Values {
  readonly q: Int8Array;
  readonly scales: Float32Array;
  readonly bias: Float32Array;
}

/** Addresses of the previous step's int32 sums and of its inputs as bits, from which the next step starts. Both hold zeros at first. */
export interface Past {
  readonly sums: number;
  readonly before: number;
}

/** First column and width of each panel. */
function panelsOf(outputs: number): [from: number, width: number][] {
  const panels: [number, number][] = [];
  for (let from = 0; from < outputs; ) {
    const left = outputs - from;
    const width = left > MOST_NARROW ? WIDE : NARROW;
    panels.push([from, width]);
    from += width;
  }
  return panels;
}

const widthOf = (outputs: number): number => panelsOf(outputs).reduce((sum, [, width]) => sum + width, 0);

/** Most inputs of a 32-bit sum: 128·2²⁴ = 2³¹. */
export const MOST_INPUTS = 2 ** 24;

/** Weight of a product [.., in] → [.., out]. */
export class Int8Weights {
  readonly inputs: number;
  readonly outputs: number;
  /** Bytes, four in each float. */
  private readonly panels: Tensor;
  /** Scales, then biases. */
  private readonly factors: Tensor;

  constructor(inputs: number, outputs: number) {
    this.inputs = inputs;
    this.outputs = outputs;
    this.panels = own([(inputs * widthOf(outputs)) / 4]);
    this.factors = own([2, widthOf(outputs)]);
  }

  /** The blocks of the weights in linear memory. */
  get tensors(): readonly Tensor[] {
    return [this.panels, this.factors];
  }

  write({ q, scales, bias }: Int8Values): void {
    const bytes = this.bytes();
    this.each((place, i, isLow) => {
      bytes[place] = (q[i] as number) ^ (isLow ? LOW : 0);
    });
    const width = widthOf(this.outputs);
    const factors = new Float32Array(2 * width);
    factors.set(scales);
    factors.set(bias, width);
    this.factors.copyFrom(factors);
  }

  read(): Int8Values {
    const q = new Int8Array(this.outputs * this.inputs);
    const bytes = this.bytes();
    this.each((place, i, isLow) => {
      q[i] = (bytes[place] as number) ^ (isLow ? LOW : 0);
    });
    const factors = this.factors.toFloat32Array();
    const width = widthOf(this.outputs);
    return { q, scales: factors.slice(0, this.outputs), bias: factors.slice(width, width + this.outputs) };
  }

  private bytes(): Int8Array {
    ready("Int8", this.panels);
    return new Int8Array(memory.buffer, this.panels.ptr, 4 * this.panels.size);
  }

  /** Calls back for each weight: its place in the panels, its index in row-major order, and whether it is the low one of a pair. */
  private each(fn: (place: number, i: number, isLow: boolean) => void): void {
    const { inputs, outputs } = this;
    for (const [from, width] of panelsOf(outputs)) {
      for (let o = from; o < Math.min(from + width, outputs); o++) {
        // In a panel of sixteen, columns j and j + 8 are neighbours.
        const column = o - from;
        const isLow = (column & 8) === 0;
        let place = from * inputs + (column & ~15) + 2 * (column & 7) + (isLow ? 0 : 1);
        for (let i = o * inputs; i < (o + 1) * inputs; i++, place += width) fn(place, i, isLow);
      }
    }
  }

  /** Number of sums of `rows` rows. */
  sumsOf(rows: number): number {
    return rows * widthOf(this.outputs);
  }

  /** Number of words for the bits of `rows` rows. */
  wordsOf(rows: number): number {
    return rows * Math.ceil(this.inputs / 32);
  }

  /** z [steps, rows, out] ← the product with spikes: rows of whole words of bits, `count` of which are set. */
  multiplySpikes(z: number, bits: number, count: number, steps: number, rows: number, past: Past): void {
    const { inputs, outputs, panels, factors } = this;
    const kernels = int8Kernels();
    const bytes = 4 * (2 * steps * rows + 1 + count) + ROOM;
    const lists = allocateInScope(bytes);
    kernels.listChanges(lists, bits, past.before, steps, rows, this.wordsOf(1));
    kernels.addListed(z, lists, past.sums, panels.ptr, factors.ptr, steps, rows, inputs, outputs, 0, rows);
    recycle(lists, bytes);
  }

  /** z [rows, out] ← the product with the numbers at x; set bits mark those that are not 0. */
  multiplyGraded(z: number, bits: number, count: number, x: number, rows: number): void {
    const { inputs, outputs, panels, factors } = this;
    const kernels = int8Kernels();
    const bytes = 4 * (rows + 1 + 2 * count);
    const lists = allocateInScope(bytes);
    kernels.listGraded(lists, bits, x, rows, inputs);
    kernels.addGraded(z, lists, panels.ptr, factors.ptr, rows, inputs, outputs);
    recycle(lists, bytes);
  }

  /**
   * z [steps, rows, out] ← the product with the numbers at x, row by row: rows of spikes as in `multiplySpikes`, with the same past, other rows
   * as in `multiplyGraded`. `bits` has room for all rows in whole words.
   */
  multiplyMixed(z: number, bits: number, x: number, steps: number, rows: number, past: Past): void {
    const { inputs, outputs } = this;
    const words = this.wordsOf(1);
    const all = steps * rows;
    const pack = (from: number, to: number): number =>
      k.packBits(bits + 4 * from * words, x + 4 * from * inputs, to - from, inputs);
    let count = 0;
    const graded = Array.from({ length: all }, (_, i) => {
      const found = pack(i, i + 1);
      if (found < 0) k.fill(bits + 4 * i * words, words, 0);
      else count += found;
      return found < 0;
    });
    if (graded.includes(false)) this.multiplySpikes(z, bits, count, steps, rows, past);
    for (let from = graded.indexOf(true); from >= 0; ) {
      const next = graded.indexOf(false, from);
      const to = next < 0 ? all : next;
      const found = pack(from, to) & 0x7fffffff;
      this.multiplyGraded(z + 4 * from * outputs, bits + 4 * from * words, found, x + 4 * from * inputs, to - from);
      from = graded.indexOf(true, to);
    }
  }
}
