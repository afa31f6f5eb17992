/** Tensors from arrays of numbers, constants and random draws, in the memory of the current tape. */
import { joined, numbersOf, show, withDefaults, wrongType, wrongValue } from "./arguments.ts";
import { k } from "./core/backend.ts";
import { ready } from "./core/op.ts";
import { emptyOf, type NestedArray, peek, type Tensor } from "./core/tensor.ts";
import { steady } from "./foreign.ts";
import { emptySpikesOf, spikesAt } from "./forms/values.ts";
import { type Generator, generatorOf, normal, uniform } from "./generator.ts";
import { checkShape, formatShape, MAX_AXES, type Shape, sizeOf } from "./shape.ts";

/** Options of functions that make a tensor. */
export interface TensorOptions {
  /** Whether `backward` computes a gradient for it; default false. */
  requiresGrad?: boolean;
}

/** Options of functions that draw a tensor. */
export interface RandomOptions extends TensorOptions {
  /** Source of random numbers; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS: Required<TensorOptions> = { requiresGrad: false };
const TENSOR: TensorOptions & { shape?: readonly number[] } = joined(DEFAULTS, {
  shape: undefined as never,
});
const GENERATOR: { generator?: Generator } = { generator: undefined as never };
const RANDOM: RandomOptions = joined(GENERATOR, DEFAULTS);

/** A tensor with uninitialised values, of a checked shape. */
function blank(shape: Shape, requiresGrad = false): Tensor {
  const t = emptyOf(shape);
  t.requiresGrad = requiresGrad;
  return t;
}

/**
 * A tensor from a number, nested arrays, or flat values with a shape. Values are rounded to float32.
 *
 * Shapes: a number → [], nested arrays → their lengths, an array of n values → [n]; or `shape`, with the same number of elements.
 *
 * @throws RangeError if nested arrays are ragged or empty, or the shape does not fit the number of values.
 * @throws TypeError for anything but numbers, or a shape that is not a list.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * console.log(tensor([[1, 2, 3], [4, 5, 6]]).shape); // [ 2, 3 ]
 * console.log(tensor([1, 2, 3, 4], { shape: [2, 2] }).toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function tensor(
  data: number | NestedArray | ArrayLike<number>,
  options: TensorOptions & { shape?: readonly number[] } = TENSOR,
): Tensor {
  const { shape: wanted, requiresGrad } = withDefaults("tensor", TENSOR, options);
  const flat: number[] = [];
  let values: ArrayLike<number> = flat;
  let shape: Shape;
  if (typeof data === "number") {
    flat.push(data);
    shape = [];
  } else if (Array.isArray(data)) {
    const sizes: number[] = [];
    flatten(data, sizes, 0, flat);
    shape = sizes;
  } else {
    values = steady(numbersOf("tensor", "a number, nested arrays or an array of numbers", data));
    shape = [values.length];
  }
  const target = checkShape("tensor", wanted ?? shape);
  if (sizeOf(target) !== values.length) {
    throw new RangeError(`tensor: shape ${formatShape(target)} holds ${sizeOf(target)} values, got ${values.length}`);
  }
  const t = blank(target, requiresGrad);
  peek(t).set(values);
  return t;
}

/**
 * Appends the numbers of nested lists to `into`. The first number's path gives the lengths in `shape`; all other paths
 * must have the same lengths.
 */
function flatten(data: NestedArray, shape: number[], axis: number, into: number[]): void {
  const isKnown = into.length > 0 || axis < shape.length;
  if (!Array.isArray(data)) {
    if (isKnown && axis < shape.length) ragged(shape, axis, show(data));
    if (typeof data !== "number") throw wrongType("tensor", `numbers at depth ${axis}`, data);
    into.push(data);
    return;
  }
  const n = data.length;
  if (isKnown && axis === shape.length) throw wrongType("tensor", `numbers at depth ${axis}`, data);
  if (isKnown && n !== shape[axis]) ragged(shape, axis, `${n} entries`);
  if (axis === MAX_AXES) throw wrongValue("tensor", `lists of at most ${MAX_AXES} axes`, "more");
  if (!isKnown) shape.push(n);
  for (let i = 0; i < n; i++) flatten(data[i], shape, axis + 1, into);
}

function ragged(shape: Shape, axis: number, got: string): never {
  throw new RangeError(`tensor: ragged nested array, expected ${shape[axis]} entries at depth ${axis}, got ${got}`);
}

/**
 * A tensor of the given shape in which every element is `value`.
 *
 * @throws RangeError unless the sizes are positive integers, with a product of at most 2³⁰; TypeError unless the shape is a
 *   list and the value a number.
 *
 * @example
 * ```ts
 * import { full } from "jarvis-snn";
 *
 * console.log(full([2, 2], 0.5).toArray()); // [ [ 0.5, 0.5 ], [ 0.5, 0.5 ] ]
 * ```
 */
export const full = (shape: Shape, value: number, options: TensorOptions = DEFAULTS): Tensor =>
  filled("full", shape, value, options);

function filled(where: string, shape: Shape, value: number, options: TensorOptions): Tensor {
  if (typeof value !== "number") throw wrongType(where, "a number", value);
  const { requiresGrad } = options === DEFAULTS ? DEFAULTS : withDefaults(where, DEFAULTS, options);
  const t = blank(checkShape(where, shape), requiresGrad);
  k.fill(t.ptr, t.size, value);
  return t;
}

/**
 * A tensor of the given shape in which every element is 0.
 *
 * @throws RangeError or TypeError as {@link full}.
 *
 * @example
 * ```ts
 * import { zeros } from "jarvis-snn";
 *
 * console.log(zeros([3]).toArray()); // [ 0, 0, 0 ]
 * ```
 */
export const zeros = (shape: Shape, options: TensorOptions = DEFAULTS): Tensor => filled("zeros", shape, 0, options);

/**
 * A tensor of the given shape in which every element is 1.
 *
 * @throws RangeError or TypeError as {@link full}.
 *
 * @example
 * ```ts
 * import { ones } from "jarvis-snn";
 *
 * console.log(ones([3]).toArray()); // [ 1, 1, 1 ]
 * ```
 */
export const ones = (shape: Shape, options: TensorOptions = DEFAULTS): Tensor => filled("ones", shape, 1, options);

/**
 * The identity matrix [n, n].
 *
 * @throws RangeError unless n is a positive integer, at most 2¹⁵.
 *
 * @example
 * ```ts
 * import { eye } from "jarvis-snn";
 *
 * console.log(eye(2).toArray()); // [ [ 1, 0 ], [ 0, 1 ] ]
 * ```
 */
export function eye(n: number): Tensor {
  const t = filled("eye", [n, n], 0, DEFAULTS);
  const data = peek(t);
  for (let i = 0; i < n; i++) data[i * (n + 1)] = 1;
  return t;
}

/**
 * zᵢ = start + i·step < end, with step 1 by default. Shape: [⌈(end − start) / step⌉].
 *
 * @throws RangeError for no values, such as with step 0, for more than 2³⁰ values, or for infinite or NaN arguments;
 *   TypeError for anything but numbers.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 *
 * console.log(arange(0, 1, 0.25).toArray()); // [ 0, 0.25, 0.5, 0.75 ]
 * ```
 */
export function arange(start: number, end: number, step = 1): Tensor {
  for (const value of [start, end, step]) if (typeof value !== "number") throw wrongType("arange", "numbers", value);
  const n = Math.ceil((end - start) / step);
  if (!(n > 0 && Number.isFinite(n))) {
    throw wrongValue("arange", "at least one value", `start ${start}, end ${end}, step ${step}`);
  }
  const t = blank(checkShape("arange", [n]), false);
  const data = peek(t);
  for (let i = 0; i < n; i++) data[i] = start + i * step;
  return t;
}

/**
 * A tensor of the given shape with uniform numbers in [0, 1), multiples of 2⁻²⁴.
 *
 * @throws RangeError or TypeError as {@link full}; TypeError for anything but a generator.
 *
 * @example
 * ```ts
 * import { Generator, rand } from "jarvis-snn";
 *
 * const numbers = rand([1000], { generator: new Generator(1) });
 * console.log(numbers.mean().item().toFixed(2)); // 0.50
 * ```
 */
export const rand = (shape: Shape, options: RandomOptions = RANDOM): Tensor => drawn("rand", shape, options, uniform);

function drawn(where: string, shape: Shape, options: RandomOptions, draw: typeof uniform): Tensor {
  const { generator: given, requiresGrad } = withDefaults(where, RANDOM, options);
  const generator = generatorOf(where, given);
  const t = blank(checkShape(where, shape), requiresGrad);
  draw(generator, t.ptr, t.size);
  return t;
}

/**
 * A tensor of the given shape with normal numbers of mean 0 and variance 1.
 *
 * @throws RangeError or TypeError as {@link full}; TypeError for anything but a generator.
 * @see Box and Muller (1958), A Note on the Generation of Random Normal Deviates, Annals of Mathematical Statistics 29(2).
 *
 * @example
 * ```ts
 * import { Generator, randn } from "jarvis-snn";
 *
 * const numbers = randn([1000], { generator: new Generator(1) });
 * console.log(numbers.std().item().toFixed(1)); // 1.0
 * ```
 */
export const randn = (shape: Shape, options: RandomOptions = RANDOM): Tensor => drawn("randn", shape, options, normal);

/**
 * zᵢ = 1 with probability pᵢ, else 0, in the shape of the probabilities, which are clamped to [0, 1]. There is no gradient.
 *
 * `generator`: source of random numbers; the default generator if not given.
 *
 * @throws TypeError for anything but a generator.
 *
 * @example
 * ```ts
 * import { bernoulli, Generator, tensor } from "jarvis-snn";
 *
 * console.log(bernoulli(tensor([0, 0.5, 0.5, 1]), { generator: new Generator(1) }).toArray()); // [ 0, 1, 1, 1 ]
 * ```
 */
export function bernoulli(probabilities: Tensor, options: { generator?: Generator } = GENERATOR): Tensor {
  const { generator: given } = withDefaults("bernoulli", GENERATOR, options);
  const generator = generatorOf("bernoulli", given);
  ready("bernoulli", probabilities);
  const t = emptySpikesOf(probabilities.sizes);
  generator.bernoulli(spikesAt(t), probabilities.ptr, t.size, 1, 1);
  return t;
}
