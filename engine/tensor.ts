/**
 * The tensor: float32, contiguous, row-major, and at the same time the node of the autograd graph.
 *
 * An op that is recorded leaves its record, inputs and attributes in the fields of its output; the list of recorded
 * tensors in the order of their creation is the tape. So an op makes two objects, its output and its attributes.
 *
 * Each internal field is assigned in one file alone, and read everywhere: values here, the record in record.ts, the gradient in gradient.ts,
 * and how long the memory lives in scope.ts.
 */
import { numbersOf, wrongType, wrongValue } from "./arguments.ts";
import { heap, inReference, k, simd, useBackend } from "./backend.ts";
import { dropColumns, EXPOSED, expose, UNREAD } from "./columns.ts";
import type { Held } from "./held.ts";
import { adopt, allocate, allocateIn, disown, free, hold, noteMade, type Region, root, scope } from "./scope.ts";
import { checkSize, formatShape, type Shape, sizeOf } from "./shape.ts";
import { memory } from "./wasm.ts";

/**
 * Numbers in nested arrays of one depth, as many at each level as the axis has: [[1, 2, 3], [4, 5, 6]] for shape [2, 3].
 */
export type NestedArray = number | readonly NestedArray[];

/**
 * The state of the record of a tensor: not there, there, used up by backward, or left behind in a tape that returned the
 * tensor.
 */
export type RecordState = "none" | "recorded" | "consumed" | "returned";

/** How values lie in memory: an element a float, spikes as a stream of bits, or one step that counts for all. */
export type Form = "floats" | "bits" | "repeats";

/** The forms besides floats that an op reads. */
export interface Reads {
  /** Of the values of its first input, in forward and backward. Repeats are no such form: see `lifts` of {@link Op}. */
  readonly a?: readonly ["bits"];
  /**
   * Of the gradient of its output.
   *
   * @internal
   */
  readonly gradient?: readonly GradientForm["kind"][];
}

/** The record of an op as the tape needs it: its name, and its backward over a, b, c, the attributes and the output z. */
export interface Recorded<Attrs> {
  /** For errors. */
  readonly name: string;
  /** Which values backward reads: a sum of SAVES. */
  readonly saves: number;
  /** Which short forms the op reads; all others are written out for it. */
  readonly reads?: Reads;
  /** Further tensors that backward reads, where `saves` has `SAVES.more`. */
  more?(attrs: Attrs): readonly (Tensor | null)[];
  /**
   * Adds to the gradients of a, b, c, null where the op has no such input, the contributions of the gradients of z and
   * of its parts. The address of z's gradient is 0 where a gradient has reached parts alone.
   */
  backward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
  /**
   * Of an op whose b are weights: the attributes for a backward that reads another a, of which forward has not looked for zeros.
   *
   * @internal
   */
  dense?(attrs: Attrs): object;
  /**
   * bits [rows, ⌈columns/32⌉] ← where the gradient of the output, in rows of `columns` columns, matters to backward.
   * Returns how many groups of four neighbours have a bit, or −1, with nothing written, if it matters everywhere.
   *
   * @internal
   */
  support?(attrs: Attrs, bits: number, columns: number): number;
}

/** An op that `apply` runs. Its output has the shape that attrs have, or else that of a. */
export interface Op<Attrs> extends Recorded<Attrs> {
  /**
   * Of an op that computes everything before so many last axes of a by itself, with attributes that tell of the other axes by their
   * `shape` alone, and a first axis of a that is the first one of `shape`: an a that repeats a step along its first axis is computed once.
   */
  readonly lifts?: number;
  /**
   * Whether forward writes bits where a is in bits: an output of {@link emptySpikes}. If not, forward gets the floats of a.
   *
   * @internal
   */
  keepsBits?(attrs: Attrs): boolean;
  /**
   * z ← op(a, b, c), every element of z; memory that backward needs comes from `saveFor`. A choice that depends on
   * the values, such as a sparse path, is made in each call and noted in attrs for backward: a stream calls forward again with others.
   */
  forward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

/** A gradient in a short form instead of one float an element: the meaning of the numbers at its address, and how they expand. */
export type GradientForm =
  /** The gradient of one step, which is the same in all `steps`. */
  | { readonly kind: "repeats"; readonly steps: number }
  /** One value for each of the windows of a max pool over the last two axes; at `places` the index in its plane of each, an integer. */
  | {
      readonly kind: "places";
      readonly places: number;
      readonly windows: number;
      /** `to` ← the gradient of x, every element. */
      writeOut(to: number, x: Tensor, form: PlacesForm): void;
    }
  /** The left factor of dz·wᵀ, whose weights lie at this address. */
  | { readonly kind: "product"; readonly weights: number; readonly factors: Factors };

export type PlacesForm = Extract<GradientForm, { kind: "places" }>;

/** The sizes of a product x·w, and the distances of the weights of neighbouring inputs and outputs in w. */
export interface Factors {
  readonly depth: number;
  readonly outputs: number;
  readonly stepIn: number;
  readonly stepOut: number;
}

/** The key that the calls of this file give the constructor, which takes any address. */
const OURS = /* @__PURE__ */ Symbol();

/** Counts records and writes, so that backward notices a write after a record. */
let clock = 0;
export const tick = (): number => ++clock;

/**
 * A tensor of float32 values, contiguous and row-major; its ops are methods and functions of the same names.
 *
 * Time is the first axis, [T, B, …]. The memory belongs to the tape in which the tensor was made, or outside all tapes
 * to the tensor, where it lives until `dispose()` or until the tensor is garbage. Every use of its values after its end
 * throws an Error.
 *
 * Made by {@link tensor}, {@link zeros}, {@link rand} and the like, or by an op.
 *
 * @example
 * ```ts
 * import { tensor } from "jarvis-snn";
 *
 * const x = tensor([[1, 2, 3], [4, 5, 6]]);
 * console.log(x.shape, x.ndim, x.size); // [ 2, 3 ] 2 6
 * console.log(x.mul(2).sum({ axis: 1 }).toArray()); // [ 12, 30 ]
 * console.log(`${x}`); // Tensor([2, 3], [1, 2, 3, 4, 5, 6])
 * ```
 */
// `backward`, `grad`, `zeroGrad`, `dispose` and the ops are methods that ops/index.ts adds, since they need records and gradients.
export class Tensor {
  /**
   * Sizes of the axes, for the engine: a list that nobody else gets, since methods of frozen lists are slow.
   *
   * @internal
   */
  readonly sizes: Shape;
  /** Number of elements: the product of the shape. */
  readonly size: number;
  /** Whether `backward` computes a gradient for this tensor; ops on it are recorded. Default false. */
  requiresGrad: boolean;
  /** A parameter: persistent, its gradient buffer too, and seen by Module. */
  isParameter = false;
  /** Part of the state of a Module, but not trained. */
  isBuffer = false;

  // Values: this file, and for the copy of weights columns.ts.
  /**
   * Byte address of the data; 0 while spikes or a constant expansion over time have not been written out.
   *
   * @internal
   */
  ptr: number;
  /**
   * Address of spikes as a stream of bits. They are the values while ptr is 0, and kept for backward after that. Bits behind the last
   * one in its word are 0, so that they may be counted.
   *
   * @internal
   */
  bits = 0;
  /**
   * The tensor whose memory this one looks into, or the source of an expansion that is not written out.
   *
   * @internal
   */
  base: Tensor | null = null;
  /**
   * When the values were last written, a count of the clock.
   *
   * @internal
   */
  written = 0;
  /**
   * Address of a transposed copy of weights, or why there is none.
   *
   * @internal
   */
  columns = UNREAD;

  // The life of the memory: scope.ts.
  /**
   * The run of the tape that owns the tensor.
   *
   * @internal
   */
  region: Region;
  /**
   * The memory is a block of this tensor's own, not of an arena.
   *
   * @internal
   */
  owned: boolean;
  /**
   * The blocks of a tensor outside of tapes, for the time when it is garbage.
   *
   * @internal
   */
  held: Held | null = null;

  // The record: record.ts.
  /**
   * The tensor is the output of `op` on a, b, c.
   *
   * @internal
   */
  op: Recorded<never> | null = null;
  /** @internal */
  attrs: unknown = null;
  /** @internal */
  a: Tensor | null = null;
  /** @internal */
  b: Tensor | null = null;
  /** @internal */
  c: Tensor | null = null;
  /** @internal */
  state: RecordState = "none";
  /**
   * Memory of the record that forward wrote for backward: its address, or 0, and its bytes.
   *
   * @internal
   */
  saved = 0;
  /** @internal */
  savedBytes = 0;
  /**
   * Further outputs of the op that recorded this one, by their index; see `part`.
   *
   * @internal
   */
  parts: (Tensor | undefined)[] | null = null;
  /**
   * When the record was made, a count of the same clock as that of `written`.
   *
   * @internal
   */
  born = 0;

  // The gradient: gradient.ts.
  /**
   * Address of the gradient, 0 where there is none (yet).
   *
   * @internal
   */
  gradPtr = 0;
  /**
   * The form of a gradient that is not written out at `gradPtr`; null for floats of all elements.
   *
   * @internal
   */
  gradForm: GradientForm | null = null;
  /**
   * Buffer of the gradient of a leaf, kept through `zeroGrad`.
   *
   * @internal
   */
  gradBuffer = 0;
  /**
   * The tensor that `grad` gave.
   *
   * @internal
   */
  gradTensor: Tensor | null = null;
  /**
   * Of the tensor that `grad` gives: the leaf, which must not be garbage before it.
   *
   * @internal
   */
  leaf: Tensor | null = null;

  private frozen: Shape | null = null;

  /** @internal */
  constructor(shape: Shape, size: number, ptr: number, region: Region, owned: boolean, key: symbol) {
    if (key !== OURS) throw new TypeError("Tensor: tensor(…) makes tensors");
    this.sizes = shape;
    this.size = size;
    this.ptr = ptr;
    this.region = region;
    this.owned = owned;
    this.requiresGrad = false;
  }

  /** Sizes of the axes; [] for a single number. A frozen list. */
  get shape(): Shape {
    this.frozen ??= Object.freeze([...this.sizes]);
    return this.frozen;
  }

  /** Number of axes. */
  get ndim(): number {
    return this.sizes.length;
  }

  /**
   * The one value of a tensor with one element.
   *
   * @throws RangeError for more elements; Error if the tensor was freed.
   */
  item(): number {
    if (this.size !== 1) throw wrongValue("item", "one element", `shape ${formatShape(this.sizes)}`);
    return peek(this)[0] as number;
  }

  /**
   * A live view of the values. Take it late and keep none: the next allocation may detach it.
   *
   * Writes through it are not noticed. Weights whose `data` was read are multiplied without the transposed
   * copy that makes inference with few rows fast; `copyFrom`, `toFloat32Array` and the like do not count.
   *
   * @throws Error if the tensor was freed.
   */
  get data(): Float32Array {
    const values = peek(this);
    const owner = rootOf(this);
    if (owner.columns !== EXPOSED) {
      checkOwn("data", owner);
      expose(owner);
    }
    return values;
  }

  /**
   * A copy of the values in row-major order.
   *
   * @throws Error if the tensor was freed.
   */
  toFloat32Array(): Float32Array {
    return new Float32Array(peek(this));
  }

  /**
   * The values as nested arrays of the tensor's shape; a number for shape [].
   *
   * @throws Error if the tensor was freed.
   */
  toArray(): NestedArray {
    const values = peek(this);
    let offset = 0;
    const nest = (axis: number): NestedArray => {
      if (axis === this.sizes.length) return values[offset++] as number;
      return Array.from({ length: this.sizes[axis] as number }, () => nest(axis + 1));
    };
    return nest(0);
  }

  /**
   * Overwrites the values, in row-major order, rounded to float32. A record that still needs the old ones makes `backward`
   * throw. Returns this tensor.
   *
   * @throws RangeError for another number of values; TypeError for anything but numbers; Error if the tensor was freed.
   */
  copyFrom(values: ArrayLike<number> | Tensor): this {
    alive(this, "copyFrom");
    checkOwn("copyFrom", this);
    const given = values instanceof Tensor ? values : numbersOf("copyFrom", "an array or a tensor of numbers", values);
    const kept = given instanceof Tensor || this.ptr !== 0 ? given : steady(given);
    if (this.ptr === 0) materialise(this);
    const source = kept instanceof Tensor ? peek(kept) : kept;
    if (source.length !== this.size) throw wrongValue("copyFrom", `${this.size} values`, source.length);
    peek(this).set(source);
    touch(this);
    return this;
  }

  /** Shape and the first eight values, for people: `Tensor([2], [1, 2])`, or `Tensor([2], freed)`. */
  toString(): string {
    if (!isAlive(this)) return `Tensor(${formatShape(this.sizes)}, freed)`;
    const shown = Array.from(peek(this).subarray(0, 8), (v) => String(+v.toPrecision(5)));
    const more = this.size > 8 ? ", …" : "";
    return `Tensor(${formatShape(this.sizes)}, [${shown.join(", ")}${more}]${this.requiresGrad ? ", requiresGrad" : ""})`;
  }
}

/** A tensor of the current scope with unwritten memory. */
export const empty = (shape: Shape): Tensor => unwritten(shape, sizeOf(shape));

/** The same, of the shape of x. */
export const emptyLike = (x: Tensor): Tensor => unwritten(x.sizes, x.size);

/** Zeros of the shape of x, for layers that make some in every step: nothing has to be checked. */
export function zerosLike(x: Tensor): Tensor {
  const t = emptyLike(x);
  k.fill(t.ptr, t.size, 0);
  return t;
}

function unwritten(shape: Shape, size: number): Tensor {
  const z = new Tensor(shape, size, allocate(4 * size), scope.region, scope === root, OURS);
  if (scope === root) noteMade(z, z.ptr, 4 * size);
  return z;
}

/**
 * A tensor outside of all tapes with the values of t. A t that lies there itself gives its memory up and counts as freed from now on;
 * of any other the values are copied.
 */
export function takeOver(t: Tensor): Tensor {
  const { sizes, size, ptr, region, owned } = t;
  const isOwn = region === root.region && owned && ptr > 0 && t.bits === 0 && !t.isParameter && !t.isBuffer;
  if (t.ptr === 0) materialise(t);
  const p = isOwn ? ptr : allocateIn(root.region, 4 * size);
  if (isOwn) {
    disown(t);
    t.dispose();
  } else k.copy(p, t.ptr, size);
  const z = new Tensor(sizes, size, p, root.region, true, OURS);
  hold(z, p, 4 * size);
  return z;
}

/** Spikes of the current scope, unwritten: a stream of bits, or numbers for the float64 kernels. */
export function emptySpikes(shape: Shape): Tensor {
  const size = sizeOf(shape);
  checkSize("spikes", shape, size);
  if (inReference()) return unwritten(shape, size);
  const z = new Tensor(shape, size, 0, scope.region, scope === root, OURS);
  z.bits = allocate(streamBytes(size));
  if (scope === root) noteMade(z, z.bits, streamBytes(size));
  return z;
}

/** Where a kernel writes the spikes of a tensor that `emptySpikes` made. */
export const spikesAt = (z: Tensor): number => z.bits || z.ptr;

/** Bytes of a stream of n bits and the word after it that may be read. */
export const streamBytes = (n: number): number => 4 * Math.ceil(n / 32) + 4;

/** Values that stay while memory grows: a copy of a view that `data` gave. Buffers of shared memory, also those before a growth, are frozen. */
export const steady = (values: ArrayLike<number>): ArrayLike<number> =>
  values instanceof Float32Array && (values.buffer === memory.buffer || Object.isFrozen(values.buffer))
    ? values.slice()
    : values;

/** A tensor that looks into the memory of x, `offset` elements in, at its floats or its bits. */
export function viewOf(x: Tensor, shape: Shape, size: number, offset: number): Tensor {
  const isPacked = formOf(x) === "bits";
  const z = new Tensor(shape, size, isPacked ? 0 : x.ptr + 4 * offset, scope.region, false, OURS);
  z.base = x.base ?? x;
  if (isPacked) z.bits = x.bits;
  return z;
}

/**
 * Throws for a tensor that cannot note the end of its memory: a frozen one, and an object that was made of a tensor by
 * Object.create.
 */
export function checkOwn(where: string, t: Tensor): void {
  if (Object.getOwnPropertyDescriptor(t, "region")?.writable) return;
  throw wrongType(where, "a tensor, neither frozen nor made by Object.create", t);
}

const isAlive = (t: Tensor): boolean => t.region.open && rootOf(t).region.open;

/** Throws unless t is a tensor of this copy of the package whose memory is there. */
export function alive(t: Tensor, where: string): void {
  if (!(t instanceof Tensor) || t.region === undefined) throw noTensor(where, t);
  // A packed view of spikes that were written out meanwhile looks into these.
  if (isAlive(t)) {
    if (t.ptr === 0 && t.bits !== 0 && t.base !== null) t.ptr = t.base.ptr;
    return;
  }
  throw new Error(
    `${where}: the tensor ${formatShape(t.sizes)} was freed: it was disposed, or its tape has ended; ` +
      "return it from tape() or keep() it",
  );
}

/** How the values of x lie in memory; floats beside bits count. */
export const formOf = (x: Tensor): Form => (x.ptr !== 0 ? "floats" : x.bits !== 0 ? "bits" : "repeats");

/** Address of spikes that are bits alone, else 0. */
export const bitsOf = (x: Tensor): number => (x.ptr === 0 ? x.bits : 0);

/** Throws for anything but a tensor, and for one that was freed; writes out a short form, but bits where `readsBits`. */
export function ready(where: string, x: Tensor, readsBits = false): void {
  if (!(x instanceof Tensor) || !x.region?.open || x.base !== null) alive(x, where);
  // The float64 kernels read floats alone.
  if (x.ptr === 0 && (!readsBits || x.bits === 0 || inReference())) materialise(x);
}

/** The tensor that t repeats along its first axis, or null if t is an ordinary tensor. */
export function constantSource(t: Tensor): Tensor | null {
  if (formOf(t) !== "repeats") return null;
  alive(t, "expand");
  return t.base;
}

/** The error for a value that is no tensor. */
export function noTensor(where: string, t: unknown, others = ""): TypeError {
  const has = (...names: string[]) => typeof t === "object" && t !== null && names.every((name) => name in t);
  // An address means nothing in another memory, of a second copy of the package or of another thread.
  const expected = has("region", "ptr")
    ? "a tensor of this copy of jarvis-snn (one of another copy or thread has to come as its toFloat32Array())"
    : "a tensor";
  // A symbol of fuse/terms.ts.
  const hint = has("owner", "op", "args")
    ? ", a value of a step: write v.exp() for exp(v), v.mul(t) for t.mul(v), and take where and t from the argument of the step"
    : "";
  return wrongType(where, expected + others, t, hint);
}

/** The tensor that owns the memory t looks into. */
export function rootOf(t: Tensor): Tensor {
  let owner = t;
  while (owner.base !== null) owner = owner.base;
  return owner;
}

/**
 * Notes a write into the values of t: `backward()` of a record that needs the old ones is an error then, and copies of weights are made anew.
 */
export function touch(t: Tensor): void {
  touchBoth(t);
  dropColumns(rootOf(t));
}

/** Notes a write into t that was made in its copy by columns too, if it has one. */
export function touchBoth(t: Tensor): void {
  rootOf(t).written = tick();
}

/** A live view for the engine's own use: it is read, or written and noted. */
export function peek(t: Tensor, where = "data"): Float32Array {
  ready(where, t);
  // The float64 kernels read tensors of linear memory too, as constants.
  return (t.ptr > 0 ? simd.heap : heap).view(t.ptr, t.size) as Float32Array;
}

/** The values of a tensor, live, for a reader of arguments, and anything else as it is. */
export const valuesIn = (where: string, given: unknown): unknown =>
  given instanceof Tensor ? peek(given, where) : given;

/** A tensor of the shape of x that looks into memory at p, which is as old as x. */
export const tensorAt = ({ sizes, size, region }: Tensor, p: number): Tensor =>
  new Tensor(sizes, size, p, region, false, OURS);

/** t, which looks into memory of another tensor, looks at p from now on. */
export function lookAt(t: Tensor, p: number): void {
  t.ptr = p;
}

/** Copies the values of t, floats or, where `packed`, bits, to a block outside of the arena, where they lie from now on. */
export function copyOut(t: Tensor, packed: boolean): void {
  const bytes = packed ? streamBytes(t.size) : 4 * t.size;
  const p = heap.allocate(bytes);
  k.copy(p, packed ? t.bits : t.ptr, bytes / 4);
  t.bits = packed ? p : 0;
  if (!packed) t.ptr = p;
  t.base = null;
}

/** Gives back the blocks of the values of t, which are its own. */
export function freeValues(t: Tensor): void {
  dropColumns(t);
  if (t.ptr !== 0) free(t.ptr, 4 * t.size);
  if (t.bits !== 0) free(t.bits, streamBytes(t.size));
}

/** Gives t, which is outside of all tapes, a stream of bits beside its floats, unwritten or that of x. */
export function addBits(t: Tensor, x?: Tensor): void {
  const bytes = streamBytes(t.size);
  t.bits = x?.bits ?? allocateIn(root.region, bytes);
  if (x === undefined) hold(t, t.bits, bytes);
}

/** Writes the floats of t, of which a kernel has written the bits, where it has any. */
export function unpack({ ptr, bits, size }: Tensor): void {
  if (bits !== 0) k.unpackBits(ptr, bits, size);
}

/** Sets the floats of t to 0, and its bits, where it has any. */
export function clear(t: Tensor): void {
  k.fill(t.ptr, t.size, 0);
  if (t.bits !== 0) k.fill(t.bits, streamBytes(t.size) / 4, 0);
  touch(t);
}

/** Only the bits of t, where it has any, are its values. */
export function dropFloats(t: Tensor): void {
  if (t.bits !== 0) t.ptr = 0;
}

/** x again and again along a new first axis, in a tensor of this shape, not written out until something reads it. */
export function constantOver(x: Tensor, shape: Shape, size: number): Tensor {
  const z = new Tensor(shape, size, 0, scope.region, false, OURS);
  z.base = x;
  return z;
}

/** Writes out spikes, or a constant expansion over time: T copies of its source. */
export function materialise(z: Tensor): void {
  checkOwn("spikes", z);
  const source = z.base;
  if (source !== null && source.ptr === 0) materialise(source);
  if (source !== null && z.bits !== 0) {
    z.ptr = source.ptr;
    return;
  }
  if (heap !== simd.heap && (source === null ? z.bits : source.ptr) > 0) {
    // The tensor lies outside the float64 run that reads it, and outlives the run.
    const inner = { kernels: k, heap };
    useBackend(simd);
    try {
      return materialise(z);
    } finally {
      useBackend(inner);
    }
  }
  const p = allocateIn(z.region, 4 * z.size);
  if (source === null) k.unpackBits(p, z.bits, z.size);
  else k.expandAxis(p, source.ptr, 1, z.size / source.size, source.size);
  z.ptr = p;
  z.base = null;
  if (z.region.scope === root) adopt(z, z.region, p, 4 * z.size);
}
