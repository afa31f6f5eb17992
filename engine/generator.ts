/**
 * Counter-based random numbers, the same on every machine and engine. Ops and layers that draw take a generator as an option.
 */
import { listOf, numberOf, objectOf, type Range, wrongType } from "./arguments.ts";
import { descriptor, extra, floats, k, simd, wordsAt } from "./core/backend.ts";
import { memory } from "./core/wasm.ts";
import { MAX_ELEMENTS } from "./shape.ts";

/** Position of a generator in its sequence, as plain numbers that JSON can store. */
export interface GeneratorState {
  /** The seed as two 32-bit integers. */
  readonly key: readonly [number, number];
  /** Number of blocks drawn so far; a block has four 32-bit words. */
  readonly block: number;
}

const SEED: Range = { expected: "an integer below 2⁵³ in magnitude", fits: Number.isSafeInteger };
const WORD: Range = { expected: "a 32-bit integer", fits: (x) => x === (x | 0) };
const BLOCK: Range = { expected: "a number of blocks", fits: (x) => Number.isSafeInteger(x) && x >= 0 };
const LENGTH: Range = {
  expected: "an integer in [0, 2³⁰]",
  fits: (x) => Number.isInteger(x) && x >= 0 && x <= MAX_ELEMENTS,
};

/**
 * Philox 4×32-10: ten rounds of multiplications mix block number and seed into four 32-bit words. A draw of n numbers
 * uses the next ⌈n/4⌉ blocks, so for a given seed the numbers depend only on the sequence of draws. Random ops take a
 * generator as an option: `rand([n], { generator }).toFloat32Array()` are n numbers in [0, 1), and `generator.random()`
 * is one.
 *
 * @throws RangeError unless the seed, 0 by default, is an integer below 2⁵³ in magnitude.
 * @see Salmon et al. (2011), Parallel Random Numbers: As Easy as 1, 2, 3, SC '11.
 *
 * @example
 * ```ts
 * import { Generator, rand } from "jarvis-snn";
 *
 * const generator = new Generator(42);
 * const state = generator.getState();
 * const first = generator.random();
 * generator.setState(state); // back to the place before the draw
 * console.log(rand([1], { generator }).item() === first); // true
 * ```
 */
export class Generator {
  private key0 = 0;
  private key1 = 0;
  private block = 0;

  constructor(seed = 0) {
    this.seed(seed);
  }

  /**
   * Restarts with a seed.
   *
   * @throws RangeError unless the seed is an integer below 2⁵³ in magnitude, TypeError for anything but a number.
   */
  seed(seed: number): this {
    numberOf("Generator", "seed", seed, SEED);
    this.key0 = seed | 0;
    this.key1 = Math.floor(seed / 2 ** 32) | 0;
    this.block = 0;
    return this;
  }

  /** Returns the state, from which `setState` continues. */
  getState(): GeneratorState {
    return { key: [this.key0, this.key1], block: this.block };
  }

  /**
   * Continues from a state of `getState`, of this or another generator.
   *
   * @throws RangeError or TypeError, before any change, unless it is such a state.
   */
  setState(state: GeneratorState): this {
    const given = objectOf("Generator", "the state of a generator", state);
    const key = listOf("Generator", "key", given.key, WORD, 2) as [number, number];
    const block = numberOf("Generator", "block", given.block, BLOCK);
    [this.key0, this.key1] = key;
    this.block = block;
    return this;
  }

  /**
   * One uniform float32 in [0, 1), a multiple of 2⁻²⁴: the number that `rand([1], { generator })` draws. It uses a
   * block of four words; for many numbers use `rand([n], { generator })`.
   *
   * @example
   * ```ts
   * import { Generator } from "jarvis-snn";
   *
   * const generator = new Generator(7);
   * const dice = () => 1 + Math.floor(6 * generator.random());
   * console.log(dice(), dice(), dice()); // 1 1 1
   * ```
   */
  random(): number {
    uniform(this, descriptor, 1);
    const at = wordsAt(descriptor, 1);
    return floats[at] as number;
  }

  /**
   * Writes repeats·n bits to address z. Each bit is 1 with probability clamp(p[i], 0, 1)·scale.
   *
   * @internal
   */
  bernoulli(z: number, p: number, n: number, repeats: number, scale: number): void {
    k.bernoulli(z, p, n, repeats, scale, ...this.take(n * repeats), 0, 0);
  }

  /**
   * The integers 0 … n − 1 in random order (Fisher–Yates).
   *
   * @throws RangeError unless n is an integer in [0, 2³⁰], TypeError for anything but a number.
   */
  permutation(n: number): Uint32Array {
    numberOf("permutation", "n", n, LENGTH);
    const order = upwards(n);
    const words = this.words(n);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(((words[i] as number) * (i + 1)) / 2 ** 32);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }

  /** n raw 32-bit words. */
  private words(n: number): Uint32Array {
    const words = new Uint32Array(n);
    const p = simd.heap.allocate(4 * n);
    simd.kernels.philox(p, n, ...this.take(n), 0, 0);
    words.set(new Uint32Array(memory.buffer, p, n));
    simd.heap.release(p, 4 * n);
    return words;
  }

  /**
   * Reserves the blocks for n numbers. Returns arguments of kernels: the key and the number of the first block, two
   * words each.
   *
   * @internal
   */
  take(n: number): [key0: number, key1: number, low: number, high: number] {
    const at = this.block;
    this.block += Math.ceil(n / 4);
    return [this.key0, this.key1, at | 0, Math.floor(at / 2 ** 32)];
  }
}

/** 0, 1, …, n − 1. */
export const upwards = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i);

/** The generator of random ops without a `generator` option. */
export const defaultGenerator = new Generator(0);

/** Runs fn; `before` is called with each generator, before each draw. Returns the result of fn. */
export function watchingDraws<R>(before: (generator: Generator) => void, fn: () => R): R {
  const { take } = Generator.prototype;
  Generator.prototype.take = function (n) {
    before(this);
    return take.call(this, n);
  };
  try {
    return fn();
  } finally {
    Generator.prototype.take = take;
  }
}

/** Writes n floats in [0, 1) to address z. */
export function uniform(generator: Generator, z: number, n: number): void {
  k.uniform(z, n, ...generator.take(n));
}

/** Writes n standard normal floats to address z. */
export function normal(generator: Generator, z: number, n: number): void {
  extra().normal(z, n, ...generator.take(n));
}

/** Returns the checked generator of an option, or the default one. */
export function generatorOf(where: string, generator: Generator = defaultGenerator): Generator {
  if (generator instanceof Generator) return generator;
  throw wrongType(where, "a Generator", generator);
}

/**
 * Seeds the default generator. Weights, orders of samples and spikes that are drawn afterwards are equal in every run.
 *
 * @throws RangeError unless the seed is an integer below 2⁵³ in magnitude.
 *
 * @example
 * ```ts
 * import { Linear, manualSeed } from "jarvis-snn";
 *
 * manualSeed(7);
 * const a = new Linear(4, 2);
 * manualSeed(7);
 * const b = new Linear(4, 2);
 * console.log(a.weight.eq(b.weight).sum().item()); // 8
 * ```
 */
export function manualSeed(seed: number): void {
  defaultGenerator.seed(seed);
}
