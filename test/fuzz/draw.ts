/** A program in the making: draws arguments by chance, and looks at results to keep values in a sane range. */

import { root } from "../../engine/core/scope.ts";
import { Tensor, tensor } from "../../engine/index.ts";
import { ops } from "../../engine/ops/index.ts";
import { CALLS, type SURROGATE_NAMES } from "./calls.ts";
import { perform, valuesOf } from "./execute.ts";
import { type Arg, type Item, inputsOf, type Leaf, Ref, type Step } from "./program.ts";
import { Random } from "./random.ts";

const OPS = 50;

/** Elements of a leaf, of an input, and of a result that is used further. */
const LEAF = 400;
const INPUT = 800;
const RESULT = 3000;
/** Magnitude beyond which a result is scaled down before it is used. */
const SANE = 6;

/** What is known of a value. */
export interface Value {
  readonly ref: Ref;
  readonly shape: readonly number[];
  readonly size: number;
  /** Of the finite elements. */
  readonly low: number;
  readonly high: number;
  readonly finite: boolean;
  /** Part of the elements that are not 0. */
  readonly density: number;
  /** Made as bits or as a constant expansion, which some ops take as it is. */
  readonly lazy: boolean;
}

/** What an op asks of an input. */
export interface Wish {
  /** Least and largest number of axes. */
  min?: number;
  max?: number;
  /** Largest number of elements. */
  size?: number;
  range?: Range;
  where?: (value: Value) => boolean;
  /** Takes what is not written out yet where there is such. */
  lazy?: boolean;
}

export type Range = readonly [low: number, high: number];

/** Draws the arguments of an op. */
export type Row = (g: Draw) => readonly Arg[];

/** What programs are drawn from. */
export interface Ops {
  readonly names: readonly string[];
  readonly rows: Readonly<Record<string, Row>>;
  readonly surrogates: readonly (typeof SURROGATE_NAMES)[number][];
}

/** A program in the making; rows of the table draw the arguments of their op from it. */
export class Draw extends Random {
  readonly items: Item[] = [];
  readonly surrogates: Ops["surrogates"];
  private readonly names: readonly string[];
  private readonly rows: Ops["rows"];
  /** Leaves hold some values that are not finite. */
  private readonly wild: boolean;
  private readonly tensors = new Map<number, Tensor>();
  private readonly values: Value[] = [];
  private readonly known = new Map<number, Value>();
  private readonly read = new Set<number>();
  private ops = 0;

  constructor(seed: number, wild: boolean, { names, rows, surrogates }: Ops) {
    super(seed);
    this.wild = wild;
    this.names = names;
    this.rows = rows;
    this.surrogates = surrogates;
  }

  program(): void {
    for (let i = this.int(1, 4); i > 0; i--) this.leaf(this.shape());
    while (this.ops < OPS) {
      const op = this.pick(this.names);
      const args = (this.rows[op] as Row)(this);
      this.step(op, args, this.chance(0.06) ? this.pick(["noGrad", "tape"]) : null);
    }
  }

  free(): void {
    for (const t of this.tensors.values()) if (t.region === root.region) t.dispose();
  }

  /** A value of the program so far, or at times a new leaf. */
  tensor({ min = 0, max = 6, size = INPUT, range, where = () => true, lazy = false }: Wish = {}): Ref {
    const fits = (v: Value): boolean => v.shape.length >= min && v.shape.length <= max && v.size <= size && where(v);
    let found = this.values.filter(fits);
    if (lazy && this.chance(0.7)) {
      const unread = found.filter((v) => v.lazy && !this.read.has(v.ref.id));
      if (unread.length > 0) found = unread;
    }
    if (found.length === 0 || this.chance(0.1)) return this.leaf(this.shape(min, max, Math.min(size, LEAF)), { range });
    // Later ones more often.
    const { ref } = found[Math.max(this.int(0, found.length - 1), this.int(0, found.length - 1))] as Value;
    return range === undefined ? ref : this.squashed(ref, range);
  }

  /** A value whose shape is exactly this, or a new leaf; with a range a finite one. */
  shaped(shape: readonly number[], range?: Range): Ref {
    const key = String(shape);
    const found = this.values.filter((v) => String(v.shape) === key && (v.finite || range === undefined));
    if (found.length === 0 || this.chance(0.3)) return this.leaf(shape, { range });
    const { ref } = this.pick(found);
    return range === undefined ? ref : this.squashed(ref, range);
  }

  leaf(
    shape: readonly number[],
    { range, constant = false }: { range?: Range | undefined; constant?: boolean } = {},
  ): Ref {
    const id = this.tensors.size;
    const kind = constant || this.chance(0.35) ? "constant" : this.chance(0.25) ? "parameter" : "leaf";
    const values = this.numbers(
      shape.reduce((product, n) => product * n, 1),
      range ?? [-2, 2],
      !constant && range === undefined,
    );
    const leaf: Leaf = { kind, ids: [id], shape, values };
    this.items.push(leaf);
    return this.know(id, tensor(values, { shape }), true);
  }

  /** A constant leaf of whole numbers from 0 on below a limit. */
  whole(shape: readonly number[], limit: number): Ref {
    const id = this.tensors.size;
    const values = Float32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, () =>
      this.int(0, limit - 1),
    );
    this.items.push({ kind: "constant", ids: [id], shape, values });
    return this.know(id, tensor(values, { shape }), true);
  }

  private numbers(n: number, [low, high]: Range, special: boolean): Float32Array {
    const kind = this.next();
    const density = this.pick([0.05, 0.2, 0.5]);
    const zeros = kind < 0.2 && low <= 0 && high >= 0;
    const same = this.number(low, high);
    return Float32Array.from({ length: n }, () => {
      if (this.wild && special && this.chance(0.03)) return this.pick([Number.NaN, Infinity, -Infinity, -0]);
      if (zeros && !this.chance(density)) return 0;
      if (zeros && kind < 0.1) return Math.min(1, high);
      if (kind < 0.5) return Math.max(low, Math.round(this.number(low, high) * 4) / 4);
      return kind > 0.96 ? same : this.number(low, high);
    });
  }

  shape(min = 0, max = 5, size = LEAF): number[] {
    const ndim = Math.min(Math.max(this.pick([0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 4, 5]), min), max);
    const shape: number[] = [];
    for (let room = size; shape.length < ndim; room /= shape[shape.length - 1] as number) {
      shape.push(Math.max(1, Math.min(this.extent(), Math.floor(room))));
    }
    return this.shuffled(shape);
  }

  extent(): number {
    const kind = this.next();
    if (kind < 0.12) return 1;
    if (kind < 0.8) return this.int(2, 5);
    if (kind < 0.93) return this.int(6, 10);
    return kind < 0.97 ? this.int(15, 70) : this.pick([16, 32, 64]);
  }

  about(ref: Ref): Value {
    return this.known.get(ref.id) as Value;
  }

  shapeOf(ref: Ref): readonly number[] {
    return this.about(ref).shape;
  }

  /** An axis of a tensor with so many, counted from either end. */
  axis(ndim: number): number {
    return this.int(-ndim, ndim - 1);
  }

  /** The same axis from 0 on. */
  at(axis: number, ndim: number): number {
    return axis < 0 ? axis + ndim : axis;
  }

  /** Some of the options. */
  maybe(all: { readonly [name: string]: Arg }, probability = 0.5): { readonly [name: string]: Arg } {
    return Object.fromEntries(this.some(Object.entries(all), probability));
  }

  /** Another operand for broadcasting, with at most `size` elements in the result. */
  partner(x: Ref, { range, size = RESULT }: { range?: Range; size?: number } = {}): Ref {
    const shape = this.shapeOf(x);
    if (this.chance(0.1)) return range === undefined ? x : this.squashed(x, range);
    const found = this.values.filter((v) => v.ref !== x && resultSize(shape, v.shape) <= size);
    if (found.length > 0 && this.chance(0.6)) {
      const { ref } = this.pick(found);
      return range === undefined ? ref : this.squashed(ref, range);
    }
    let room = size / this.about(x).size;
    const other = shape.map((n) => {
      if (this.chance(0.3)) return 1;
      const extent = n === 1 && this.chance(0.5) ? this.extent() : n;
      if (n === 1 && extent > room) return 1;
      if (n === 1) room /= extent;
      return extent;
    });
    const lead = this.chance(0.3) ? this.int(0, other.length) : 0;
    other.splice(0, lead);
    if (lead === 0 && other.length < 5 && room >= 5 && this.chance(0.2)) other.unshift(this.int(1, 5));
    return this.leaf(other, { range });
  }

  /** An operand that broadcasts to the shape of x. */
  sub(x: Ref, range?: Range): Ref {
    const shape = this.shapeOf(x).map((n) => (this.chance(0.6) ? n : 1));
    return this.shaped(shape.slice(this.chance(0.3) ? this.int(0, shape.length) : 0), range);
  }

  /** x brought into a range by further ops, if it leaves it. */
  squashed(x: Ref, [low, high]: Range): Ref {
    const value = this.about(x);
    if (value.low >= low && value.high <= high) return x;
    return this.first("add", [this.first("mul", [this.first("sigmoid", [x]), high - low]), low]);
  }

  /** Adds a step and runs it. Results that are out of range are read no more, but what they are scaled to is. */
  step(op: string, args: readonly Arg[], within: Step["within"] = null): Ref[] {
    const method = args[0] instanceof Ref && isMethod(op) && this.chance(0.3);
    const step: Step = { kind: "step", ids: [], op, args, method, within };
    this.items.push(step);
    this.ops++;
    for (const id of inputsOf(step)) this.read.add(id);
    const first = this.tensors.size;
    const results = perform(step, this.tensors);
    const ids = results.map((_, i) => first + i);
    this.items[this.items.length - 1] = { ...step, ids };
    const refs = results.map((t, i) => this.know(first + i, t, false));
    for (const ref of refs) this.tame(ref);
    return refs;
  }

  /** The first result of a step. */
  first(op: string, args: readonly Arg[]): Ref {
    return this.step(op, args)[0] as Ref;
  }

  private tame(ref: Ref): void {
    const value = this.about(ref);
    const { low, high, size, shape } = value;
    const magnitude = Math.max(-low, high);
    if (size > RESULT || shape.length > 6) return;
    if (magnitude > SANE) {
      if (this.chance(0.3)) this.step("tanh", [ref]);
      else this.step("mul", [ref, 2 ** -Math.ceil(Math.log2(magnitude / 2))]);
      // What is the same everywhere says little.
    } else if (low < high || size === 1 || this.chance(0.3)) this.values.push(value);
  }

  private know(id: number, t: Tensor, usable: boolean): Ref {
    this.tensors.set(id, t);
    const ref = new Ref(id);
    const lazy = t.ptr === 0;
    const values = valuesOf(t);
    // 0 where nothing is finite.
    let [low, high] = [Infinity, -Infinity];
    for (const x of values) if (Number.isFinite(x)) [low, high] = [Math.min(low, x), Math.max(high, x)];
    const finite = values.every(Number.isFinite);
    if (low > high) [low, high] = [0, 0];
    const value: Value = {
      ref,
      shape: t.shape,
      size: t.size,
      low,
      high,
      finite,
      density: values.filter((x) => x !== 0).length / t.size,
      lazy,
    };
    this.known.set(id, value);
    if (usable) this.values.push(value);
    return ref;
  }
}

/** Whether tensors have the op as a method with the same order of arguments; that of `where` is another. */
const isMethod = (op: string): boolean =>
  op in Tensor.prototype && op !== "where" && CALLS[op] === ops[op as keyof typeof ops];

/** Elements of the broadcast of two shapes; Infinity where they do not. */
function resultSize(x: readonly number[], y: readonly number[]): number {
  let size = 1;
  for (let i = 1; i <= Math.max(x.length, y.length); i++) {
    const [m, n] = [x[x.length - i] ?? 1, y[y.length - i] ?? 1];
    if (m !== n && m !== 1 && n !== 1) return Infinity;
    size *= Math.max(m, n);
  }
  return size;
}
