/** Quantized weights as arrays for files. */
import { ensure, numbersOf, objectOf } from "../../engine/arguments.ts";
import { type Module, type NamedArrays, type StateDict, Tensor } from "../../engine/index.ts";
import type { ArrayEntry } from "../../engine/nn/module.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { checkShape, formatShape, sizeOf } from "../../engine/shape.ts";
import { gridIn, quantizedWeights, weightedIn } from "./weights.ts";

/** Behind the name of a weight: its scales, and where it has 4 bits or fewer, its integers, how wide they are, and its shape. */
const [SCALE, PACKED, BITS, SHAPE] = ["_scale", "_packed", "_bits", "_shape"];

/**
 * The state of a model for a small file: weights on a grid as integers and scales, all else as `stateDict` gives it.
 *
 *   fc.weight         q, Int8Array in the shape of the weight             (5 to 8 bits)
 *   fc.weight_packed  q, Uint8Array, two or four to a byte, the first lowest   (fewer bits, ternary)
 *   fc.weight_bits    4 or 2: bits of a q in a byte, in two's complement   (with weight_packed)
 *   fc.weight_shape   the shape of the weight                              (with weight_packed)
 *   fc.weight_scale   s, Float32Array [1] or [out]: w = s·q
 *
 * `saveSafetensors` writes the arrays, `readSafetensors` reads them, {@link dequantizedState} makes floats of them. A checkpoint, and not
 * this state, has the floats that training moves.
 *
 * @throws TypeError for anything but a module; RangeError for weights that are not finite.
 */
export function quantizedState(model: Module): Record<string, ArrayEntry> {
  moduleOf("quantizedState", model);
  const layers = new Map(weightedIn(model).map(([, layer]) => [layer.weight, layer]));
  const names = new Map(model.namedParameters());
  const state: Record<string, ArrayEntry> = {};
  for (const [name, entry] of Object.entries(model.stateDict())) {
    const layer = layers.get(names.get(name) as Tensor);
    if (layer === undefined || gridIn(layer) === null) {
      state[name] = entry;
      continue;
    }
    const { q, scales, bits, shape } = quantizedWeights(layer);
    const width = bits === "ternary" || bits === 2 ? 2 : bits <= 4 ? 4 : 8;
    if (width === 8) state[name] = { shape, data: q };
    else {
      const packed = pack(q, width);
      state[name + PACKED] = { shape: [packed.length], data: packed };
      state[name + BITS] = { shape: [1], data: Uint8Array.of(width) };
      state[name + SHAPE] = { shape: [shape.length], data: Int32Array.from(shape) };
    }
    state[name + SCALE] = { shape: [scales.length], data: scales };
  }
  return state;
}

/**
 * The floats of a state of {@link quantizedState}, for `loadStateDict`: w = s·q, rounded to float32, under the name of the weight. A model
 * that loads them computes the same bits as the quantized model, whether the loading model is quantized or not.
 *
 *     model.loadStateDict(dequantizedState(readSafetensors(bytes).arrays));
 *
 * @throws TypeError for anything but a state, arrays by name; RangeError for integers and scales that do not fit each other.
 */
export function dequantizedState(arrays: NamedArrays): StateDict {
  const given = objectOf(WHERE, "a state, arrays by name", arrays);
  const names = new Set(Object.keys(given));
  const weights = [...names]
    .filter((name) => name.endsWith(SCALE))
    .map((name) => name.slice(0, -SCALE.length))
    .filter((name) => names.has(name) || names.has(name + PACKED));
  const parts = new Set(weights.flatMap((name) => ["", SCALE, PACKED, BITS, SHAPE].map((end) => name + end)));
  const others = [...names].filter((name) => !parts.has(name));
  return Object.fromEntries([
    ...others.map((name) => [name, floatsOf(name, given[name])] as const),
    ...weights.map((name) => [name, weightFrom(given, name, names.has(name + PACKED))] as const),
  ]);
}

const WHERE = "dequantizedState";

function weightFrom(given: Readonly<Record<string, unknown>>, name: string, isPacked: boolean): StateDict[string] {
  const where = `${WHERE}: ${name}`;
  const part = (end: string): StateDict[string] => floatsOf(name + end, given[name + end]);
  const scales = part(SCALE).data;
  const shape = checkShape(where, isPacked ? [...part(SHAPE).data] : part("").shape);
  const size = sizeOf(shape);
  const [rows] = shape as [number];
  ensure(scales.length === 1 || scales.length === rows, where, `expected 1 or ${rows} scales`, scales.length);
  const q = isPacked ? unpack(where, part(PACKED).data, part(BITS).data[0] as number, size) : part("").data;
  const n = size / scales.length;
  return { shape, data: Float32Array.from(q, (x, i) => x * (scales[Math.floor(i / n)] as number)) };
}

/** The entry, with floats. */
function floatsOf(name: string, entry: unknown): StateDict[string] {
  const where = `${WHERE}: ${name}`;
  if (entry instanceof Tensor) return { shape: entry.shape, data: entry.toFloat32Array() };
  const { shape, data } = objectOf(where, "an array { shape, data }", entry) as unknown as ArrayEntry;
  const values = Float32Array.from(numbersOf(where, "an array of numbers", data));
  const sizes = checkShape(where, shape);
  ensure(
    values.length === sizeOf(sizes),
    where,
    `expected ${sizeOf(sizes)} values for ${formatShape(sizes)}`,
    values.length,
  );
  return { shape: sizes, data: values };
}

/** Integers of `width` bits, the first in the lowest bits of a byte. */
function pack(q: Int8Array, width: number): Uint8Array {
  const each = 8 / width;
  const bytes = new Uint8Array(Math.ceil(q.length / each));
  const mask = 2 ** width - 1;
  for (let i = 0; i < q.length; i++) {
    const at = Math.floor(i / each);
    bytes[at] = (bytes[at] as number) | (((q[i] as number) & mask) << (width * (i % each)));
  }
  return bytes;
}

function unpack(where: string, bytes: Float32Array, width: number, size: number): Int8Array {
  ensure(width === 2 || width === 4, where, "expected integers of 2 or 4 bits", width);
  const each = 8 / width;
  ensure(bytes.length === Math.ceil(size / each), where, `expected ${Math.ceil(size / each)} bytes`, bytes.length);
  // Shifted up, so that the sign comes with it on the way back.
  const up = 32 - width;
  return Int8Array.from({ length: size }, (_, i) => {
    const byte = bytes[Math.floor(i / each)] as number;
    return (byte << (up - width * (i % each))) >> up;
  });
}
