/** Quantized weights and states as arrays for files, and the reverse. */
import { ensure, numbersOf, objectOf } from "../../engine/arguments.ts";
import { type ArrayEntry, type Module, type NamedArrays, noGrad, type StateDict, Tensor } from "../../engine/index.ts";
import { moduleOf, readingAt, type Weighted, weightOf } from "../../engine/protocol.ts";
import { checkShape, formatShape, sizeOf } from "../../engine/shape.ts";
import { shiftsIn } from "./neurons.ts";
import { gridIn, quantizedWeights, weightedIn } from "./weights.ts";

/** Suffixes of a weight's name for its scales and, with 4 bits or fewer, its integers, their width, and the shape. */
const [SCALE, PACKED, BITS, SHAPE] = ["_scale", "_packed", "_bits", "_shape"];

/**
 * State of a quantized or pruned model for a small file: weights on a grid as integers and scales, decays rounded to shifts, masked weights as zeros
 * without the masks, everything else as in `stateDict`.
 *
 *   fc.weight         q, Int8Array in the shape of the weight             (5 to 8 bits)
 *   fc.weight_packed  q, Uint8Array, two or four to a byte, the first in the lowest bits   (fewer bits, ternary)
 *   fc.weight_bits    4 or 2: bits of a q in a byte, in two's complement   (with weight_packed)
 *   fc.weight_shape   the shape of the weight                              (with weight_packed)
 *   fc.weight_scale   s, Float32Array [1] or [out]: w = s·q
 *
 * `saveSafetensors` writes the arrays, `readSafetensors` reads them, {@link dequantizedState} converts them to floats. To continue a training, save a
 * checkpoint instead: it has the float parameters and the masks.
 *
 * @throws TypeError for anything but a module; RangeError for weights that are not finite.
 *
 * @example
 * ```ts
 * import { Linear, saveSafetensors } from "jarvis-snn";
 * import { quantize, quantizedState } from "jarvis-snn/quantize";
 *
 * const model = quantize(new Linear(784, 10), { weights: { bits: 4 } });
 * const [small, large] = [saveSafetensors(quantizedState(model)), saveSafetensors(model.stateDict())];
 * console.log((large.length / small.length).toFixed(1), "times smaller"); // 7.2 times smaller
 * ```
 */
export function quantizedState(model: Module): Record<string, ArrayEntry> {
  moduleOf("quantizedState", model);
  const layers = new Map(weightedIn(model).map(([, layer]) => [layer.weight, layer]));
  const masks = new Set<unknown>([...layers.values()].filter(isMasked).map(({ mask }) => mask));
  const tensors = new Map(model.namedState());
  const shifts = noGrad(() => new Map([...shiftsIn(model)].map(([t, shift]) => [t, shift.toFloat32Array()])));
  const state: Record<string, ArrayEntry> = {};
  for (const [name, { shape: sizes, data }] of Object.entries(model.stateDict())) {
    const t = tensors.get(name) as Tensor;
    if (masks.has(t)) continue;
    const layer = layers.get(t);
    if (layer === undefined || gridIn(layer) === null) {
      state[name] = { shape: sizes, data: layer === undefined ? (shifts.get(t) ?? data) : masked(layer) };
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

const isMasked = (layer: Weighted): layer is Weighted & { mask: Tensor } => readingAt(layer, "mask") !== null;

/** Weight of a layer without a grid, with its mask applied. */
const masked = (layer: Weighted): Float32Array => noGrad(() => weightOf(layer).toFloat32Array());

/**
 * Converts a state of {@link quantizedState} to floats for `loadStateDict`: w = s·q, rounded to float32, under the name of the weight. A model that
 * loads them computes the same bits as the quantized model, whether or not it is quantized or masked itself. Levels of membranes are not part of the
 * state; {@link quantize} sets them.
 *
 * A name and the same name with the suffix `_scale` form a weight if the first array is an `Int8Array`, or a `Uint8Array` in packed form, as from
 * `readSafetensors`; other arrays do not change.
 *
 * @throws TypeError for anything but arrays by name; RangeError for integers and scales that do not fit.
 *
 * @example
 * ```ts
 * import { Linear, readSafetensors, saveSafetensors } from "jarvis-snn";
 * import { dequantizedState, quantize, quantizedState } from "jarvis-snn/quantize";
 *
 * const bytes = saveSafetensors(quantizedState(quantize(new Linear(16, 4), { weights: { bits: 4 } })));
 * const model = new Linear(16, 4);
 * model.loadStateDict(dequantizedState(readSafetensors(bytes).arrays));
 * console.log(new Set(model.weight.select(0, 0).toFloat32Array()).size <= 15); // true
 * ```
 */
export function dequantizedState(arrays: NamedArrays): StateDict {
  const given = unpacked(WHERE, objectOf(WHERE, "a state, arrays by name", arrays));
  const state: StateDict = {};
  for (const [name, entry] of Object.entries(given)) {
    const scales = given[name + SCALE];
    const weight = name.endsWith(SCALE) ? name.slice(0, -SCALE.length) : null;
    if (weight !== null && isOf(Int8Array, given[weight])) continue;
    const floats = floatsOf(name, entry);
    state[name] =
      scales !== undefined && isOf(Int8Array, entry) ? scaled(name, floats, floatsOf(name + SCALE, scales)) : floats;
  }
  return state;
}

const WHERE = "dequantizedState";

const isOf = (kind: typeof Int8Array | typeof Uint8Array, entry: unknown): boolean =>
  Object(entry).data instanceof kind;

/** The arrays, with packed integers as an Int8Array under the name of their weight. */
export function unpacked(where: string, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const arrays = { ...given };
  for (const name of Object.keys(given)) {
    if (!name.endsWith(PACKED) || !isOf(Uint8Array, given[name])) continue;
    const weight = name.slice(0, -PACKED.length);
    const parts = [PACKED, BITS, SHAPE].map((end) => weight + end);
    if (![...parts, weight + SCALE].every((part) => part in given)) continue;
    const own = `${where}: ${weight}`;
    const [bytes, bits, sizes] = parts.map((part) => floatsOf(part, given[part], where).data) as Float32Array[];
    const shape = checkShape(own, [...(sizes as Float32Array)]);
    const q = unpack(own, bytes as Float32Array, (bits as Float32Array)[0] as number, sizeOf(shape));
    for (const part of parts) delete arrays[part];
    arrays[weight] = { shape, data: q };
  }
  return arrays;
}

/** w = s·q. */
function scaled(
  name: string,
  { shape, data }: StateDict[string],
  { data: scales }: StateDict[string],
): StateDict[string] {
  const [rows] = shape as [number];
  ensure(
    scales.length === 1 || scales.length === rows,
    `${WHERE}: ${name}`,
    `expected 1 or ${rows} scales`,
    scales.length,
  );
  const n = data.length / scales.length;
  return { shape, data: data.map((x, i) => x * (scales[Math.floor(i / n)] as number)) };
}

/** The entry as floats. */
function floatsOf(name: string, entry: unknown, of = WHERE): StateDict[string] {
  const where = `${of}: ${name}`;
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

/** Packs integers of `width` bits, the first in the lowest bits of a byte. */
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
  // Shifted up first, so that the shift down extends the sign.
  const up = 32 - width;
  return Int8Array.from({ length: size }, (_, i) => {
    const byte = bytes[Math.floor(i / each)] as number;
    return (byte << (up - width * (i % each))) >> up;
  });
}
