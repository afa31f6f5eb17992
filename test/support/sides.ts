/**
 * Runs one kernel call on both sides, the SIMD kernels over linear memory and their float64 twins over reference cells,
 * and compares what they wrote. Kernels without a twin run on the SIMD side alone, beside dense kernels.
 */
import { expect } from "vitest";
import { wasmHeap } from "../../engine/core/memory.ts";
import { coreKernels, extraKernels, memory, rareKernels } from "../../engine/core/wasm.ts";
import { type LIFDescriptor, type ProductDescriptor, writeLIF, writeProduct } from "../../engine/descriptors.ts";
import type { Kernels } from "../../kernels/build/types.ts";
import * as lif from "../../kernels/lif-layout.ts";
import * as product from "../../kernels/product-layout.ts";
import { reference } from "../../kernels/reference/index.ts";
import * as cells from "../../kernels/reference/memory.ts";

/** The numbers as a list, by a loop: `Array.from` asks an iterator for each. */
export function listOf(numbers: ArrayLike<number>): number[] {
  const list = new Array<number>(numbers.length);
  for (let i = 0; i < list.length; i++) list[i] = numbers[i] as number;
  return list;
}

const GUARD = 12345.678;
const GUARD_CELLS = 8;

export interface Side {
  readonly k: Kernels;
  /** Address of a copy of the values, 4-byte but not 16-byte aligned. */
  put(values: ArrayLike<number>): number;
  /** The same for 32-bit integers (class indices, row pointers). */
  putInts(values: ArrayLike<number>): number;
  /** Address of n zeros that are followed and preceded by guards. */
  zeros(n: number): number;
  /** Room for n spikes, whose streams are bits on one side and numbers on the other. */
  spikes(n: number): number;
  read(p: number, n: number): number[];
  readInts(p: number, n: number): number[];
  readSpikes(p: number, n: number): number[];
}

interface Block {
  p: number;
  n: number;
}

export class WasmSide implements Side {
  readonly k: Kernels = { ...coreKernels, ...rareKernels(), ...extraKernels() };
  readonly blocks: Block[] = [];

  put(values: ArrayLike<number>): number {
    const p = this.zeros(values.length);
    new Float32Array(memory.buffer, p, values.length).set(values);
    return p;
  }

  putInts(values: ArrayLike<number>): number {
    const p = this.zeros(values.length);
    new Int32Array(memory.buffer, p, values.length).set(values);
    return p;
  }

  zeros(n: number): number {
    // One cell past the 16-byte boundary: kernels must not rely on alignment.
    const total = n + 2 * GUARD_CELLS + 1;
    const start = wasmHeap.allocate(4 * total) + 4;
    const view = new Float32Array(memory.buffer, start, total - 1);
    view.fill(GUARD);
    view.fill(0, GUARD_CELLS, GUARD_CELLS + n);
    const p = start + 4 * GUARD_CELLS;
    this.blocks.push({ p, n });
    return p;
  }

  spikes(n: number): number {
    return this.zeros(Math.ceil(n / 32));
  }

  /** Rows of n values as rows of whole words, in which bits say where a value is not 0; a stream where there is one row. */
  bitsOf(values: ArrayLike<number>, n = values.length): number {
    const words = Math.ceil(n / 32);
    const bits = this.zeros(words === 0 ? 0 : (values.length / n) * words);
    for (let i = 0; i < values.length; i++) {
      const at = 32 * words * Math.floor(i / n) + (i % n);
      const word = new Uint32Array(memory.buffer, bits + 4 * Math.floor(at / 32), 1);
      if (values[i] !== 0) word[0] = (word[0] as number) + 2 ** (at % 32);
    }
    return bits;
  }

  read(p: number, n: number): number[] {
    return listOf(new Float32Array(memory.buffer, p, n));
  }

  readSpikes(p: number, n: number): number[] {
    const words = this.readWords(p, Math.ceil(n / 32));
    const bits: number[] = [];
    for (const word of words) for (let i = 0; i < 32; i++) bits.push((word >>> i) & 1);
    expect(bits.indexOf(1, n), "a bit behind the last spike").toBe(-1);
    return bits.slice(0, n);
  }

  readInts(p: number, n: number): number[] {
    return listOf(new Int32Array(memory.buffer, p, n));
  }

  /** Words of bits, as numbers ≥ 0. */
  readWords(p: number, n: number): number[] {
    return listOf(new Uint32Array(memory.buffer, p, n));
  }

  /** Throws when a kernel wrote outside its arrays, then frees them. */
  finish(): void {
    const guard = Math.fround(GUARD);
    for (const { p, n } of this.blocks) {
      const around = new Float32Array(memory.buffer, p - 4 * GUARD_CELLS, n + 2 * GUARD_CELLS);
      // No expect() for each: that would cost more than the kernels.
      for (let i = 0; i < GUARD_CELLS; i++) {
        if (around[i] !== guard) expect.fail(`written ${GUARD_CELLS - i} cells before the array`);
        if (around[GUARD_CELLS + n + i] !== guard) expect.fail(`written ${i + 1} cells past the array`);
      }
      wasmHeap.release(p - 4 * GUARD_CELLS - 4, 4 * (n + 2 * GUARD_CELLS + 1));
    }
  }
}

class ReferenceSide implements Side {
  readonly k = reference;
  private top = cells.BASE + 64;

  put(values: ArrayLike<number>): number {
    const p = this.zeros(values.length);
    cells.view(p, values.length).set(new Float32Array(values));
    return p;
  }

  putInts(values: ArrayLike<number>): number {
    const p = this.zeros(values.length);
    cells.view(p, values.length).set(values);
    return p;
  }

  zeros(n: number): number {
    const p = this.top;
    this.top += 4 * (n + GUARD_CELLS);
    cells.reserve(this.top);
    cells.view(p, n).fill(0);
    return p;
  }

  read(p: number, n: number): number[] {
    return listOf(cells.view(p, n));
  }

  readInts(p: number, n: number): number[] {
    return this.read(p, n);
  }

  spikes(n: number): number {
    return this.zeros(n);
  }

  readSpikes(p: number, n: number): number[] {
    return this.read(p, n);
  }
}

/** The address of a descriptor of so many words, in memory of the side. */
function described<D>(side: Side, words: number, write: typeof writeLIF | typeof writeProduct, descriptor: D): number {
  const p = side.zeros(words);
  const put = write as (views: Parameters<typeof writeLIF>[0], first: number, descriptor: D) => void;
  if (side.k === reference) put([cells.view(p, words), cells.view(p, words)], 0, descriptor);
  else put([new Uint32Array(memory.buffer), new Float32Array(memory.buffer)], p / 4, descriptor);
  return p;
}

/** The address of a descriptor of plain neurons. */
export const describedLIF = (side: Side, descriptor: LIFDescriptor): number =>
  described(side, lif.words, writeLIF, descriptor);

/** The address of a descriptor of a product. */
export const describedProduct = (side: Side, descriptor: ProductDescriptor): number =>
  described(side, product.words, writeProduct, descriptor);

export interface Tolerance {
  /** |simd − reference| ≤ absolute + relative·|reference| */
  absolute?: number;
  relative?: number;
}

/** Runs a call on the SIMD side alone. */
export function onWasm<R>(call: (side: WasmSide) => R): R {
  const side = new WasmSide();
  const result = call(side);
  side.finish();
  return result;
}

/** What `call` returns must agree on both sides. */
export function compareSides(
  call: (side: Side) => number[],
  { absolute = 1e-6, relative = 2e-6 }: Tolerance = {},
): void {
  const actual = onWasm(call);
  const expected = call(new ReferenceSide());
  expect(actual.length).toBe(expected.length);
  // One comparison an element: expect() for each would cost more than the kernels.
  const wrong = expected.findIndex((value, i) => !agrees(actual[i] as number, value, absolute, relative));
  if (wrong >= 0)
    expect.fail(`element ${wrong} of ${expected.length}: got ${actual[wrong]}, reference ${expected[wrong]}`);
}

function agrees(got: number, value: number, absolute: number, relative: number): boolean {
  if (!Number.isFinite(value)) return Object.is(got, value);
  return Math.abs(got - value) <= absolute + relative * Math.abs(value);
}

/** Every length that a vector loop with a tail can get wrong. */
export const LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1003];

/** n reproducible numbers in [low, high). */
export function numbers(n: number, seed: number, low = -2, high = 2): number[] {
  let state = (seed * 2654435761 + 1) >>> 0;
  const drawn: number[] = [];
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    drawn.push(low + ((high - low) * state) / 2 ** 32);
  }
  return drawn;
}
