/**
 * Neurons in continuous time, as in NIR nodes, and their constants per step of forward Euler:
 *
 *   τ·dv/dt = (v_leak − v) + r·I     v[t] = v_leak + β(v[t−1] − v_leak) + scale·I[t],  β = 1 − dt/τ,  scale = r·dt/τ
 */
import { wrongValue } from "../../engine/arguments.ts";
import type { Pair } from "../../engine/index.ts";
import { formatShape, type Shape, sizeOf } from "../../engine/shape.ts";
import type { NIRArray, NIRNode } from "./graph.ts";

/** Values of a layer of neurons: one for all, or one for each in row-major order. */
export type NeuronValues = number | Float64Array;

/** Checks a field: an array of finite float32 values that broadcasts to a shape, except for leading axes of size 1. */
export function broadcastArray(where: string, node: NIRNode, field: string, shape: Shape): NIRArray {
  const array = (node as unknown as Readonly<Record<string, NIRArray>>)[field] as NIRArray;
  const { shape: own, data } = array;
  if (!own.every((n, axis) => n === 1 || n === shape[axis + shape.length - own.length])) {
    throw wrongValue(where, `${field} that fits values ${formatShape(shape)}`, formatShape(own));
  }
  const at = data.findIndex((x) => !Number.isFinite(Math.fround(x)));
  if (at >= 0) throw wrongValue(where, `${field} finite in float32`, `${data[at]} at ${at}`);
  return array;
}

/** Largest number of neurons with separate constants in a node. */
export const MAX_NEURONS = 2 ** 24;

/** A parameter of neurons, broadcast to their shape. */
export function nodeValues(where: string, node: NIRNode, field: string, shape: Shape): NeuronValues {
  const { shape: own, data } = broadcastArray(where, node, field, shape);
  if (isUniform(data)) return data[0] as number;
  const n = sizeOf(shape);
  // A small file may declare many neurons.
  if (n > MAX_NEURONS) throw wrongValue(where, `${field} for at most ${MAX_NEURONS} neurons that differ`, n);
  return Float64Array.from({ length: n }, (_, i) => {
    let [at, rest, stride] = [0, i, 1];
    for (let axis = 1; axis <= shape.length; axis++) {
      const n = own[own.length - axis] ?? 1;
      at += (rest % n) * stride;
      stride *= n;
      rest = Math.floor(rest / (shape[shape.length - axis] as number));
    }
    return data[at] as number;
  });
}

const isUniform = (data: ArrayLike<number>): boolean => {
  for (let i = 1; i < data.length; i++) if (data[i] !== data[0]) return false;
  return true;
};

/** Applies f to each value. */
export function eachNeuron(f: (a: number, b: number) => number, a: NeuronValues, b: NeuronValues = 0): NeuronValues {
  if (typeof a === "number" && typeof b === "number") return f(a, b);
  const n = typeof a === "number" ? (b as Float64Array).length : a.length;
  const at = (values: NeuronValues, i: number): number => (typeof values === "number" ? values : (values[i] as number));
  return Float64Array.from({ length: n }, (_, i) => f(at(a, i), at(b, i)));
}

/** Values of a step in float32; one number if all are equal. */
function inFloat32(where: string, name: string, values: NeuronValues): number | Float32Array {
  const rounded = typeof values === "number" ? [Math.fround(values)] : Float32Array.from(values);
  for (const x of rounded) {
    if (!Number.isFinite(x)) throw wrongValue(where, `${name} per step in float32`, x);
  }
  return isUniform(rounded) ? (rounded[0] as number) : (rounded as Float32Array);
}

/** Relative amount by which a time constant that a file has rounded to float32 may lie below dt. */
const ROUNDING = 1e-6;

/** dt/τ, in (0, 1]. */
function shareOf(where: string, field: string, tau: NeuronValues, dt: number): NeuronValues {
  return eachNeuron((t) => {
    const share = dt / t;
    if (share > 0 && share <= 1 + ROUNDING) return Math.min(1, share);
    throw wrongValue(where, `${field} of at least dt, ${dt} s`, `${t} s`);
  }, tau);
}

/** Constants that are the same in continuous time, and their fields. */
const SAME = { rest: "v_leak", threshold: "v_threshold", resetValue: "v_reset" } as const;

/** Constants of a neuron per step: decays, factors of the currents, and the fields of {@link SAME}. */
export function perStep(where: string, node: NIRNode, shape: Shape, dt: number): Record<string, number | Float32Array> {
  const field = (name: string): NeuronValues => nodeValues(where, node, name, shape);
  const all: Record<string, NeuronValues> = {};
  /** τ·dx/dt = −x + gain·I, or dx/dt = gain·I without a τ. */
  const filter = (decay: string, scale: string, tau: string, gain: string): void => {
    const share = tau in node ? shareOf(where, tau, field(tau), dt) : dt;
    all[decay] = tau in node ? eachNeuron((x) => 1 - x, share) : 1;
    all[scale] = eachNeuron((x, y) => x * y, field(gain), share);
  };
  filter("beta", "inputScale", "tau_mem" in node ? "tau_mem" : "tau", "r");
  if ("tau_syn" in node) filter("alpha", "synapseScale", "tau_syn", "w_in");
  for (const [name, own] of Object.entries(SAME)) if (own in node) all[name] = field(own);
  return Object.fromEntries(Object.entries(all).map(([name, values]) => [name, inFloat32(where, name, values)]));
}

/** Largest decay below 1. */
const SLOWEST = 1 - 2 ** -24;

/** τ of a decay per step, dt / (1 − β). A decay of 1 has no τ; it becomes the largest one below 1, and `note` is called. */
export function tauOf(beta: NeuronValues, dt: number, note: () => void): NeuronValues {
  if (typeof beta === "number" ? beta >= 1 : beta.some((b) => b >= 1)) note();
  return eachNeuron((b) => dt / (1 - Math.min(b, SLOWEST)), beta);
}

/** A field of a node: values for neurons of this shape. */
export const neuronField = (values: NeuronValues, shape: Shape): NIRArray => ({
  shape: [...shape],
  data: typeof values === "number" ? new Float64Array(sizeOf(shape)).fill(values) : values,
});

/** Window sizes for both axes of an image. */
export function axisPair(size: Pair): readonly [number, number] {
  const [height, width = height] = [size].flat() as [number, number?];
  return [height, width];
}
