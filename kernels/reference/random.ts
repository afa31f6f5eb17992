/** The naive twins of random.ts: the same Philox words, one block at a time. */
import type { Kernels } from "../build/types.ts";
import { at, put } from "./memory.ts";
import { putSpikes } from "./spikes.ts";

type Words = [number, number, number, number];

/** The 64-bit product of two 32-bit words. */
function product(a: number, b: number): [high: number, low: number] {
  const p = BigInt(a) * BigInt(b);
  return [Number(p >> 32n), Number(p & 0xffffffffn)];
}

function block(counter: Words, key0: number, key1: number): Words {
  let [c0, c1, c2, c3] = counter;
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = product(c0, 0xd2511f53);
    const [high1, low1] = product(c2, 0xcd9e8d57);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Key and counter of a stream; the upper half of the counter may be omitted. */
type Stream = [key0: number, key1: number, counter0: number, counter1: number, counter2?: number, counter3?: number];

function words(n: number, ...[key0, key1, counter0, counter1, counter2 = 0, counter3 = 0]: Stream): number[] {
  const result: number[] = [];
  for (let b = 0; result.length < n; b++) {
    const low = (counter0 >>> 0) + b;
    const carry = low >= 2 ** 32 ? 1 : 0;
    const counter: Words = [low >>> 0, (counter1 + carry) >>> 0, counter2 >>> 0, counter3 >>> 0];
    result.push(...block(counter, key0, key1));
  }
  return result.slice(0, n);
}

export const philox: Kernels["philox"] = (z, n, ...stream) => {
  words(n, ...stream).forEach((word, i) => put(z, i, word));
};

export const uniform: Kernels["uniform"] = (z, n, ...stream) => {
  words(n, ...stream).forEach((word, i) => put(z, i, (word >>> 8) * 2 ** -24));
};

export const normal: Kernels["normal"] = (z, n, ...stream) => {
  const w = words(n + (n % 2), ...stream);
  for (let i = 0; i < n; i++) {
    const pair = i - (i % 2);
    const r = Math.sqrt(-2 * Math.log((((w[pair] as number) >>> 8) + 1) * 2 ** -24));
    const angle = 2 * Math.PI * ((w[pair + 1] as number) >>> 8) * 2 ** -24;
    put(z, i, i === pair ? r * Math.cos(angle) : r * Math.sin(angle));
  }
};

export const bernoulli: Kernels["bernoulli"] = (bits, p, n, repeats, scale, key0, key1, counter0, counter1) => {
  const total = n * repeats;
  const drawn = words(32 * Math.ceil(total / 64), key0, key1, counter0, counter1);
  const fractions = words(total, key0, key1, counter0, counter1, 1);
  putSpikes(bits, total, (i) => {
    // Rounded to float32, so that kernel and twin decide alike.
    const rate = Math.fround(Math.min(Math.max(at(p, i % n), 0), 1) * Math.fround(scale));
    const word = drawn[32 * Math.floor(i / 64) + (i % 32)] as number;
    const half = i % 64 < 32 ? word & 0xffff : word >>> 16;
    return half + ((fractions[i] as number) >>> 8) * 2 ** -24 < rate * 65536;
  });
};
