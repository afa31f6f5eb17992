/**
 * Weights as bytes: a scale for each neuron, float32, then its integers, a byte for each weight.
 *
 *   scales of 96 hidden neurons, of 10 digits │ integers [96, 196] │ integers [10, 96]
 *
 *   w[o, i] = scale[o]·q[o, i]
 */
import { PIXELS } from "../../model/image.ts";
import { DIGITS, HIDDEN } from "./net.ts";

/** The digest of weights.bin, by which the build knows that page and weights belong together: npm run digit prints it. */
export const SHA256 = "5eaa7ffb71a92ae9d01ccd405cdfb1d90bfa1d9550783ee8858286f826a51f70";

const SIZES = [
  [HIDDEN, PIXELS],
  [DIGITS, HIDDEN],
] as const;
const NEURONS = HIDDEN + DIGITS;
export const BYTES = 4 * NEURONS + HIDDEN * PIXELS + DIGITS * HIDDEN;

/** Integers of one layer with the scales of its neurons. */
export interface Integers {
  readonly q: Int8Array;
  readonly scales: Float32Array;
}

export function encodeWeights(layers: readonly Integers[]): Uint8Array {
  const scales = new DataView(new ArrayBuffer(4 * NEURONS));
  for (const [i, scale] of layers.flatMap(({ scales }) => [...scales]).entries()) scales.setFloat32(4 * i, scale, true);
  const bytes = new Uint8Array(BYTES);
  bytes.set(new Uint8Array(scales.buffer));
  let at = 4 * NEURONS;
  for (const { q } of layers) {
    bytes.set(new Uint8Array(q.buffer, q.byteOffset, q.length), at);
    at += q.length;
  }
  return bytes;
}

/** @throws RangeError for bytes of another length. */
export function decodeWeights(bytes: Uint8Array): { hidden: Float32Array; head: Float32Array } {
  if (bytes.length !== BYTES) throw new RangeError(`weights: expected ${BYTES} bytes, got ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let [scale, at] = [0, 4 * NEURONS];
  const [hidden, head] = SIZES.map(([outputs, inputs]) => {
    const weights = new Float32Array(outputs * inputs);
    for (let o = 0; o < outputs; o++, scale += 4) {
      for (let i = 0; i < inputs; i++) weights[o * inputs + i] = view.getFloat32(scale, true) * view.getInt8(at++);
    }
    return weights;
  });
  return { hidden: hidden as Float32Array, head: head as Float32Array };
}
