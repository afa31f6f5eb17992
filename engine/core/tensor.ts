/**
 * The tensor: float32, contiguous, row-major, and also a node of the autograd graph.
 *
 * A recorded op stores its record, inputs and attributes in its output. The tape is the list of recorded tensors in the
 * order of their creation. So an op allocates two objects: output and attributes.
 *
 * Every file may read the internal fields. Each group is assigned in one place: values here and in views.ts, the record
 * in op.ts, the gradient in gradient.ts, lifetime in scope.ts. engine/forms/ implements short forms of values and
 * gradients, and sets `forms`.
 */
import { heap, k, simd } from "./backend.ts";
import { wrongType, wrongValue } from "./errors.ts";
import { allocateInScope, type Holder, isScope, outside, type Region, root, scope } from "./scope.ts";
import { formatShape, type Shape, sizeOf } from "./shape.ts";

/** Numbers in nested arrays, regular like a tensor: [[1, 2, 3], [4, 5, 6]] has shape [2, 3]. */
export type NestedArray = number | readonly NestedArray[];

/** State of a tensor's record: no record, recorded, consumed by backward, or returned from its tape. */
type RecordState = "none" | "recorded" | "consumed" | "returned";

/** What the tape stores of an op: its name, and backward for output z, inputs a, b, c and attributes. */
export interface Recorded<Attrs> {
  /** Name of the op for errors. */
  readonly name: string;
  /** Which values backward reads: a sum of SAVES. */
  readonly saves: number;
  /** Further tensors that backward reads, if `saves` contains `SAVES.more`. */
  more?(attrs: Attrs): readonly (Tensor | null)[];
  /**
   * Adds to the gradients of a, b and c; a missing input is null. Reads the gradients of z and of its further outputs.
   * z's gradient has address 0 if only further outputs have one.
   */
  backward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

/** An op that `applyOp` runs. Its output has the shape `attrs.shape`, else the shape of a. */
export interface Op<Attrs> extends Recorded<Attrs> {
  /**
   * Writes every element of z ← op(a, b, c). `saveBlock` allocates memory for backward. Streams call forward repeatedly
   * with other values, so each call repeats choices that depend on values, such as a sparse path, and stores them in
   * attrs.
   */
  forward(z: Tensor, a: Tensor, b: Tensor, c: Tensor, attrs: Attrs): void;
}

/** The values that `copyFrom` accepts, for its errors. */
const NUMBERS = "an array or a tensor of numbers";

/** The engine passes this key to the constructor, which accepts any address. */
export const KEY = /* @__PURE__ */ Symbol();

/** Counts records and writes. Backward compares counts to notice a write after a record. */
let clock = 0;
export const tick = (): number => ++clock;

/**
 * A tensor of float32 values, contiguous and row-major; its ops are methods and functions of the same names.
 *
 * Time is the first axis, [T, B, …]. The memory belongs to the tape in which the tensor was made. Outside of all tapes
 * it belongs to the tensor, and is freed by `dispose()` or when the tensor is garbage. Using freed values throws an
 * Error.
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
// ops/index.ts adds `backward`, `grad`, `zeroGrad`, `dispose` and the ops as methods, since these need records and
// gradients.
export class Tensor {
  /**
   * The tensor itself. For a proxy of the tensor, or an object that inherits from it, `x.self !== x`.
   *
   * @internal
   */
  readonly self: Tensor = this;
  /**
   * Sizes of the axes, for the engine. Not frozen, because methods of frozen lists are slow; users get a frozen copy.
   *
   * @internal
   */
  readonly sizes: Shape;
  /** Number of elements: the product of the shape. */
  readonly size: number;
  /** Whether `backward` computes a gradient for this tensor; ops on it are recorded. Default false. */
  requiresGrad: boolean;
  /** Whether the tensor is a parameter: persistent with its gradient buffer, and listed by Module. */
  isParameter = false;
  /** Whether the tensor is a buffer: a part of a Module's state that is not trained. */
  isBuffer = false;

  // Values: assigned here; short forms and transposed weights by engine/forms/.
  /**
   * Byte address of the data; 0 for packed spikes, or for a repeated step that was not written out.
   *
   * @internal
   */
  ptr: number;
  /**
   * Address of packed spikes, one bit each. While ptr is 0, they are the values; later they are kept for backward.
   * Unused bits of the last word are 0, so that set bits can be counted.
   *
   * @internal
   */
  bits = 0;
  /**
   * The tensor whose memory this view shares, or the source of an unwritten expansion.
   *
   * @internal
   */
  base: Tensor | null = null;
  /**
   * Time of the last write, on the clock above.
   *
   * @internal
   */
  written = 0;
  /**
   * Address of a transposed copy of these weights, or a code for why there is no copy.
   *
   * @internal
   */
  columns = 0;

  // Lifetime: assigned by scope.ts and engine/outside/.
  /**
   * The run of the tape that owns the tensor.
   *
   * @internal
   */
  region: Region;
  /**
   * Whether the tensor has its own block, outside of the arena.
   *
   * @internal
   */
  owned: boolean;
  /**
   * Blocks of a tensor outside of tapes, freed when it is collected.
   *
   * @internal
   */
  held: Holder | null = null;

  // Record: assigned by op.ts.
  /**
   * The op that made this tensor from a, b and c.
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
   * Address of the memory that forward wrote for backward, or 0; `savedBytes` is its size.
   *
   * @internal
   */
  saved = 0;
  /** @internal */
  savedBytes = 0;
  /**
   * Further outputs of this tensor's op, by index; see `recordPart`.
   *
   * @internal
   */
  parts: (Tensor | undefined)[] | null = null;
  /**
   * Time of the record, on the same clock as `written`.
   *
   * @internal
   */
  born = 0;

  // Gradient: assigned by gradient.ts; short forms by engine/forms/.
  /**
   * Address of the gradient; 0 if there is none.
   *
   * @internal
   */
  gradPtr = 0;
  /**
   * Short form of the gradient at `gradPtr`; null if the gradient is one float per element.
   *
   * @internal
   */
  gradForm: { readonly kind: string } | null = null;
  /**
   * Gradient buffer of a leaf, which `zeroGrad` keeps.
   *
   * @internal
   */
  gradBuffer = 0;
  /**
   * The tensor that `grad` returned.
   *
   * @internal
   */
  gradTensor: Tensor | null = null;
  /**
   * The leaf of a tensor that `grad` returned; the leaf is not garbage-collected before this tensor.
   *
   * @internal
   */
  leaf: Tensor | null = null;

  private frozen: Shape | null = null;

  /** @internal */
  constructor(shape: Shape, size: number, ptr: number, region: Region, owned: boolean, key: symbol) {
    if (key !== KEY) throw new TypeError("Tensor: tensor(…) makes tensors");
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
   * The value of a tensor with one element.
   *
   * @throws RangeError for more elements; Error if the tensor was freed.
   */
  item(): number {
    if (this.size !== 1) throw wrongValue("item", "one element", `shape ${formatShape(this.sizes)}`);
    return peek(this)[0] as number;
  }

  /**
   * A live view of the values. Do not store it: the next allocation may detach it.
   *
   * Writes through the view are not detected. After a read of `data`, weights get no transposed copy, so inference with
   * few rows is slower. `copyFrom`, `toFloat32Array` and similar methods have no such effect.
   *
   * @throws Error if the tensor was freed.
   */
  get data(): Float32Array {
    const values = peek(this);
    forms.expose(rootOf(this));
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
   * Overwrites the values, in row-major order, rounded to float32. If a record still needs the old values, `backward`
   * throws. Returns this tensor.
   *
   * @throws RangeError for a wrong number of values; TypeError for anything but numbers; Error if the tensor was freed.
   */
  copyFrom(values: ArrayLike<number> | Tensor): this {
    alive(this, "copyFrom");
    checkOwn("copyFrom", this);
    const isShort = this.ptr === 0;
    const given = values instanceof Tensor ? values : checks.numbersOf("copyFrom", NUMBERS, values, isShort);
    if (isShort) forms.materialise(this);
    const source = given instanceof Tensor ? peek(given) : given;
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

/** A function of a tensor, with at most four further arguments. */
export type TensorFunction = (x: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) => unknown;

/** Makes a method of tensors from fn. A fixed number of arguments avoids an array per call. */
export const methodOf = (fn: TensorFunction) =>
  function (this: Tensor, b?: unknown, c?: unknown, d?: unknown, e?: unknown) {
    return fn(this, b, c, d, e);
  };

/** The functions of engine/forms/ for values and gradients that are not stored as one float per element. */
export interface Forms {
  /** Writes the values of x as floats. */
  materialise(x: Tensor): void;
  /** The output of an op for a short first input. */
  apply<Attrs>(op: Op<Attrs>, attrs: Attrs, a: Tensor, b: Tensor, c: Tensor): Tensor;
  /** Frees the copies of an owner's values; called when the values are written or freed. */
  dropCopies(owner: Tensor): void;
  /** Prevents further copies of an owner's values; called when `data` lets the caller change them. */
  expose(owner: Tensor): void;
  /** Writes out the gradient of x. */
  writeOut(x: Tensor): void;
  /** Writes out the gradient of z, unless the op that made z reads its short form. */
  writeOutFor(z: Tensor): void;
  /** Frees the memory of the gradient of z. */
  recycle(z: Tensor): void;
}

export let forms: Forms;

export function fillForms(by: Forms): void {
  forms = by;
}

/** Functions of engine/foreign.ts for values of callers. */
export interface Checks {
  /**
   * The numbers of an array, which neither getters nor callers can change during the read. With `grows`, they stay valid if memory grows.
   */
  numbersOf(where: string, expected: string, values: unknown, grows: boolean): ArrayLike<number>;
  /** The error for a value that is not a tensor of this package. */
  noTensor(where: string, t: unknown): TypeError;
}

let checks: Checks;

export function fillChecks(by: Checks): void {
  checks = by;
}

/** An uninitialised tensor in the current scope. */
export const emptyOf = (shape: Shape): Tensor => unwritten(shape, sizeOf(shape));

/** An uninitialised tensor in the current scope, with the shape of x. */
export const emptyLike = (x: Tensor): Tensor => unwritten(x.sizes, x.size);

/** Zeros with the shape of x. Unchecked, because layers call this in every step. */
export function zerosLike(x: Tensor): Tensor {
  const t = emptyLike(x);
  k.fill(t.ptr, t.size, 0);
  return t;
}

export function unwritten(shape: Shape, size: number): Tensor {
  const z = new Tensor(shape, size, allocateInScope(4 * size), scope.region, scope === root, KEY);
  if (scope === root) outside.noteMade(z, z.ptr, 4 * size);
  return z;
}

/** Bytes of n packed bits and of one more word, which kernels may read. */
export const streamBytes = (n: number): number => 4 * Math.ceil(n / 32) + 4;

/**
 * Throws for a proxy of a tensor, or an object that inherits from a tensor. `isScope` detects proxies that also wrap
 * inner objects.
 */
export function checkItself(where: string, t: Tensor): void {
  if (t.self === t && isScope(t.region.scope)) return;
  throw checks.noTensor(where, t);
}

/** Throws for a frozen tensor, whose lifetime fields cannot be assigned. */
export function checkOwn(where: string, t: Tensor): void {
  checkItself(where, t);
  if (Object.isFrozen(t)) throw wrongType(where, "a tensor that is not frozen", t);
}

const isAlive = (t: Tensor): boolean => t.region.open && (t.base === null || rootOf(t).region.open);

/** Throws unless t is a tensor of this copy of the package whose memory was not freed. */
export function alive(t: Tensor, where: string): void {
  if (!(t instanceof Tensor)) throw checks.noTensor(where, t);
  const isKnown = t.self === t && (t.region === scope.region || t.region === root.region);
  if (isKnown && t.base === null) return;
  if (!isKnown) checkItself(where, t);
  // Since this packed view was made, the floats of its owner may have been written out.
  if (isAlive(t)) {
    if (t.ptr === 0 && t.bits !== 0 && t.base !== null) t.ptr = t.base.ptr;
    return;
  }
  throw new Error(
    `${where}: the tensor ${formatShape(t.sizes)} was freed: it was disposed, or its tape has ended; ` +
      "return it from tape() or keep() it",
  );
}

/**
 * Throws unless x is a live tensor. Writes short forms out as floats; with `readsBits`, packed spikes remain packed.
 */
export function ready(where: string, x: Tensor, readsBits = false): void {
  const isOwner = x instanceof Tensor && x.self === x && x.base === null;
  if (!isOwner || (x.region !== scope.region && x.region !== root.region)) alive(x, where);
  // The float64 kernels cannot read packed bits, only a number per element.
  if (x.ptr === 0 && (!readsBits || x.bits === 0 || heap !== simd.heap)) forms.materialise(x);
}

/** The tensor that owns the memory of t; t itself unless it is a view. */
export function rootOf(t: Tensor): Tensor {
  let owner = t;
  while (owner.base !== null) owner = owner.base;
  return owner;
}

/** Notes a write to t: a later `backward()` that needs the old values throws, and copies of weights are made anew. */
export function touch(t: Tensor): void {
  const owner = rootOf(t);
  owner.written = ++clock;
  if (owner.columns !== 0) forms.dropCopies(owner);
}

/** A live view for use inside the engine. A caller that writes to it must call `touch`. */
export function peek(t: Tensor, where = "data"): Float32Array {
  ready(where, t);
  // While the float64 kernels run, tensors of linear memory are readable constants.
  return (t.ptr > 0 ? simd.heap : heap).view(t.ptr, t.size) as Float32Array;
}

/** Moves the values of t, floats or if `packed` bits, to a block outside of the arena. */
export function copyOut(t: Tensor, packed: boolean): void {
  const bytes = packed ? streamBytes(t.size) : 4 * t.size;
  const p = heap.allocate(bytes);
  k.copy(p, packed ? t.bits : t.ptr, bytes / 4);
  t.bits = packed ? p : 0;
  if (!packed) t.ptr = p;
  t.base = null;
}
