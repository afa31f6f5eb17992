/** Weights and inputs for the peers in JavaScript. */
import { readFileSync } from "node:fs";

export const SMALL = { sizes: [20, 64, 2], T: 20, B: 64, beta: 0.9 };
export const TOY = { sizes: [32, 128, 2], T: 25, B: 128, beta: 0.95, slope: 10 };
export const TUTORIAL = { sizes: [784, 1000, 10], T: 25, B: 128, beta: 0.95 };

/** Numbers in [0, 1) from a linear congruence. */
function uniforms(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Two layers that start as PyTorch's do, weights as [inputs, outputs]. */
export function initialWeights([inputs, hidden, outputs], seed = 1) {
  const random = uniforms(seed);
  const within = (n, bound) => Float32Array.from({ length: n }, () => (2 * random() - 1) * bound);
  return {
    w1: within(inputs * hidden, 1 / Math.sqrt(inputs)),
    b1: within(hidden, 1 / Math.sqrt(inputs)),
    w2: within(hidden * outputs, 1 / Math.sqrt(hidden)),
    b2: within(outputs, 1 / Math.sqrt(hidden)),
  };
}

/** Spikes [T, B, inputs], where every feature of a sample fires with a probability of its own, and labels. */
export function smallBatch({ sizes: [inputs, , outputs], T, B }, seed = 2) {
  const random = uniforms(seed);
  const rates = Float32Array.from({ length: B * inputs }, random);
  const x = Float32Array.from({ length: T * rates.length }, (_, i) => (random() < rates[i % rates.length] ? 1 : 0));
  return { x, y: Int32Array.from({ length: B }, (_, i) => i % outputs) };
}

/** Rates [B, inputs] and labels. */
export function toyBatch({ sizes: [inputs, , outputs], B }, seed = 2) {
  const random = uniforms(seed);
  const x = Float32Array.from({ length: B * inputs }, random);
  return { x, y: Int32Array.from({ length: B }, (_, i) => i % outputs) };
}

/** The first images [B, 784] of the IDX files that the arguments name, and their labels. */
export function mnistBatch(B) {
  const [images, labels] = process.argv.slice(2, 4).map((path) => readFileSync(path));
  return {
    x: Float32Array.from(images.subarray(16, 16 + 784 * B), (byte) => byte / 255),
    y: Int32Array.from(labels.subarray(8, 8 + B)),
  };
}
