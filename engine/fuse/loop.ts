/**
 * Runs of a compiled step. A run is bound once to its sizes: the calls of each step, the arrays that they read and
 * write, and the run's own memory. After that, running only writes addresses into a descriptor and allocates no
 * objects.
 */
import { floats, integers, simd, wordsAt } from "../core/backend.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import type { Tensor } from "../core/tensor.ts";
import { memory } from "../core/wasm.ts";
import { COLUMN, NOWHERE, wordOf } from "./layout.ts";
import type { Kind, Plan } from "./plan.ts";
import { type SharedRun, share } from "./share.ts";
import { type Calls, evaluateFormulas, type SweepCall } from "./sweeps.ts";

/** Bytes of four float64 lanes. */
const LANES = 32;

/**
 * Larger steps do not fit into a cache until the next step, so two steps at a time process each piece. With more than
 * two, streams whose distance is a power of two would evict each other.
 */
const MANY = 65536;
const PIECE = 1024;

const NO_PLACES: readonly number[] = [];

const aligned = (bytes: number): number => (bytes + 15) & ~15;

/** Called before step t, which may need an input or gradient that exists only then. */
export type Before = (t: number) => void;

/** Consecutive steps with the same calls; step t runs first. */
export interface Stretch {
  readonly t: number;
  steps: number;
  readonly calls: readonly SweepCall[];
}

function stretchesOf(calls: Calls, direction: 1 | -1): Stretch[] {
  const stretches: Stretch[] = [];
  const T = calls.length;
  for (let i = 0; i < T; i++) {
    const t = direction > 0 ? i : T - 1 - i;
    const now = calls[t] as readonly SweepCall[];
    const last = stretches[stretches.length - 1];
    if (last?.calls === now) last.steps++;
    else stretches.push({ t, steps: 1, calls: now });
  }
  return stretches;
}

/** Sizes of a run, and the calls of each of its T steps over [rows, n] columns. */
export interface Course {
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly direction: 1 | -1;
  readonly calls: Calls;
  /** Masks: states given before the first step (others are 0), and states requested at the end. */
  readonly given: number;
  readonly wanted: number;
}

/** Mask of the first `count` bits, at most 31. */
export const allOf = (count: number): number => (count === 0 ? 0 : 0xffffffff >>> (32 - count));

/** Whether bit i of a mask is set. */
const has = (mask: number, i: number): boolean => ((mask >> i) & 1) === 1;

/**
 * A run of one kind and size. `begin` allocates memory, other methods set addresses, `run` runs all steps, `end` frees
 * the memory. Reading an array whose address was not set since `begin` traps.
 */
export class BoundRun implements SharedRun {
  readonly plan: Plan;
  readonly T: number;
  readonly n: number;
  /** Number of elements in a step. */
  readonly size: number;
  /** Whether memory is allocated. A second run of equal sizes then needs a separate descriptor. */
  isOpen = false;
  private readonly numbers: Uint32Array;
  private readonly direction: 1 | -1;
  readonly stretches: readonly Stretch[];
  /** Words of the descriptor; bytes that `begin` allocates for it and the run's own arrays. */
  private readonly words: number;
  private readonly bytes: number;
  /** Address of the descriptor. */
  at = 0;
  private readonly places: { readonly [kind in Kind]?: readonly number[] };
  /** Offsets of the run's own arrays. */
  private readonly temps: readonly number[];
  private readonly pieces: readonly number[];
  /** For each state, offsets of zeros before the first step and of an array for unused values; 0 if not needed. */
  private readonly zeros: readonly number[];
  private readonly spare: readonly number[];
  /** For each parameter of the loop, the offset of values that are not in a tensor. */
  private readonly constants: readonly number[];
  /** Addresses of temporary arrays. */
  readonly tempsAt: number[];

  /** The calls must be compiled before, since compiling assigns places to arrays. */
  constructor(plan: Plan, numbers: Uint32Array, course: Course) {
    const { T, rows, n, direction, calls, given, wanted } = course;
    const size = rows * n;
    this.plan = plan;
    this.numbers = numbers;
    this.T = T;
    this.n = n;
    this.size = size;
    this.direction = direction;
    this.stretches = stretchesOf(calls, direction);
    this.places = Object.fromEntries([...plan.places].map(([kind, places]) => [kind, [...places]]));
    this.words = wordOf(plan.size);
    let end = aligned(4 * this.words);
    const take = (bytes: number): number => {
      const offset = end;
      end += aligned(bytes);
      return offset;
    };
    const { temp = NO_PLACES, piece = NO_PLACES } = this.places;
    this.temps = temp.map(() => take(4 * size));
    this.pieces = piece.map(() => take(4 * Math.max(PIECE, n)));
    this.zeros = plan.next.map((_, i) => (has(given, i) || !this.reads(i, given) ? 0 : take(4 * size)));
    this.spare = plan.next.map((_, i) => (has(wanted, i) || !this.leaves(i, wanted) ? 0 : take(4 * size)));
    this.constants = plan.traced.derived.map(({ level }) => take(level === COLUMN ? 4 * n : 4));
    this.bytes = end;
    this.tempsAt = temp.map(() => 0);
  }

  /**
   * Whether the calls read state i before the first step. Forward has separate code for a start from zeros. A
   * recomputed state comes from values that the previous step saved (plan.ts); other states are stored in an array.
   */
  private reads(i: number, given: number): boolean {
    const { places, plan, direction } = this;
    return places.from?.[i] !== undefined && (direction < 0 || (plan.found[i] === true && given !== 0));
  }

  /** Whether the calls write state i, or its gradient, to a separate array. */
  private leaves(i: number, wanted: number): boolean {
    const { places, plan, direction } = this;
    if (direction < 0) return places.dState?.[i] !== undefined;
    return places.to?.[i] !== undefined && (!plan.found[i] || plan.found.some((found, k) => found && has(wanted, k)));
  }

  /** Allocates the run's memory; by default it is freed at `end`. */
  begin(take: (bytes: number) => number = allocateInScope): void {
    const at = take(this.bytes);
    const first = wordsAt(at, this.words);
    this.at = at;
    this.isOpen = true;
    integers.fill(NOWHERE, first, first + this.words);
    integers[first] = this.size;
    const { numbers, places, temps, pieces, tempsAt } = this;
    const { number = NO_PLACES, temp = NO_PLACES, piece = NO_PLACES } = places;
    for (let i = 0; i < number.length; i++) this.note(number[i], numbers[i] as number, 0);
    for (let i = 0; i < temp.length; i++) {
      tempsAt[i] = at + (temps[i] as number);
      this.note(temp[i], tempsAt[i] as number, 0);
    }
    for (let i = 0; i < piece.length; i++) this.note(piece[i], at + (pieces[i] as number), 0);
  }

  end(): void {
    this.isOpen = false;
    recycle(this.at, this.bytes);
  }

  /** Writes the two words of a place, if the calls use the array. */
  note(place: number | undefined, at: number, second: number): void {
    if (place === undefined) return;
    const word = wordsAt(this.at, this.words) + wordOf(place);
    integers[word] = at;
    integers[word + 1] = second;
  }

  /** Sets an input, and the number of values between steps; 0 if all steps share one array. */
  input(i: number, at: number, step: number): void {
    this.note(this.places.input?.[i], at, 4 * step);
    this.note(this.places.shared?.[i], at, 4 * step);
  }

  /** Sets a parameter of the loop, [1] or [n]. A tensor is read at its address; other values are copied. */
  parameter(i: number, values: Tensor | Float32Array): void {
    const isTensor = !(values instanceof Float32Array);
    const at = isTensor ? values.ptr : this.at + (this.constants[i] as number);
    if (!isTensor) {
      const first = wordsAt(at, values.length);
      floats.set(values, first);
    }
    this.note(this.places.parameter?.[i], at, 0);
  }

  /** Sets an array [T, rows, n] that forward saves for backward: numbers, or bits, which the run sets to 0 first. */
  saved(i: number, at: number): void {
    const { plan, size, places, direction } = this;
    const isBits = i >= plan.savedNumbers;
    if (isBits && direction > 0) this.clear(at);
    this.note(places.saved?.[i], at, isBits ? 0 : 4 * size);
    this.note(places.prev?.[i], isBits ? at : at - 4 * size, isBits ? -size : 4 * size);
  }

  /**
   * Forward: sets addresses of state i, before the first step (0: zeros) and after the last (0: not needed). Both may
   * be equal.
   */
  state(i: number, from: number, to: number): void {
    const { places, plan, spare } = this;
    const last = to || (spare[i] === 0 ? 0 : this.at + (spare[i] as number));
    if (last !== 0) this.note(places.to?.[i], last, 0);
    // A stored state starts in the array that every step overwrites.
    if (!plan.found[i]) this.copy(last, from);
    else this.first(i, from);
  }

  /**
   * Backward: sets addresses of state i before the first step, and of the gradients of its last and first values; 0 for
   * none.
   */
  stateBack(i: number, from: number, dLast: number, dFirst: number): void {
    const { places, spare } = this;
    const first = dFirst || (spare[i] === 0 ? 0 : this.at + (spare[i] as number));
    this.first(i, from);
    if (dLast !== 0) this.note(places.dLast?.[i], dLast, 0);
    if (first !== 0) this.note(places.dState?.[i], first, 0);
  }

  private first(i: number, from: number): void {
    const offset = this.zeros[i] as number;
    if (from === 0 && offset === 0) return;
    const at = from || this.at + offset;
    if (from === 0) this.copy(at, 0);
    this.note(this.places.from?.[i], at, 0);
  }

  /** `to` ← one step of an array; zeros for address 0. */
  private copy(to: number, from: number): void {
    if (from === 0) simd.kernels.fill(to, this.size, 0);
    else if (to !== from) simd.kernels.copy(to, from, this.size);
  }

  /** Forward: sets output i, [T, rows, n]. A packed output is bits, which the run sets to 0 first. */
  output(i: number, at: number): void {
    if (this.isPacked(i)) this.clear(at);
    this.note(this.places.output?.[i], at, 4 * this.size);
  }

  private isPacked(i: number): boolean {
    const { packed, names } = this.plan;
    return packed.length > 0 && packed.includes(names[i] as string);
  }

  /** Sets the bits of all steps to 0, since steps only set bits to 1. */
  private clear(at: number): void {
    simd.kernels.fill(at, Math.ceil((this.T * this.size) / 32), 0);
  }

  /**
   * Backward: sets the gradient of output i, and the number of values between steps; 0 if all steps share one array.
   */
  gradient(i: number, at: number, step: number): void {
    this.note(this.places.gradient?.[i], at, 4 * step);
  }

  /**
   * Backward: sets the gradient of input i, which is overwritten. It may overwrite an output's gradient, since a step
   * reads everything before it writes. With step 0, the gradients of all time steps are added to the values there.
   */
  inputGradient(i: number, at: number, step: number): void {
    this.note(this.places.dInput?.[i], at, 4 * step);
    this.note(this.places.next?.[i], at + 4 * step, 4 * step);
  }

  /** Backward: sets the array to which sums for the gradient of a parameter are added. */
  sum(i: number, at: number): void {
    this.note(this.places.dParameter?.[i], at, 0);
  }

  /**
   * Runs all steps. `before`, if given, is called before each step, and each step then runs separately. Backward adds
   * gradients of parameters at the addresses in `targets`; 0 skips one.
   */
  run(before: Before | null = null, targets: readonly number[] | null = null): void {
    const sums = targets?.some((p) => p !== 0) ? new Sums(this, targets) : null;
    try {
      for (const stretch of this.stretches) this.pass(stretch, before, sums?.often ?? Infinity, sums);
      sums?.finish();
    } finally {
      sums?.free();
    }
  }

  private pass({ t, steps, calls }: Stretch, before: Before | null, often: number, sums: Sums | null): void {
    const { size, direction } = this;
    const [first] = calls as [SweepCall];
    const isOne = calls.length === 1;
    const together = size > MANY ? 2 : 1;
    const some = isOne ? Math.min(steps, often) : 1;
    for (let done = 0; done < steps; done += some) {
      const from = t + direction * done;
      const count = Math.min(some, steps - done);
      if (isOne && before === null) this.sweep(first, from, count, direction, together);
      else for (let k = 0; k < count; k++) this.step(from + direction * k, calls, before);
      sums?.collect();
    }
  }

  /** Runs `steps` steps of a sweep, from step t on. */
  private sweep(call: SweepCall, t: number, steps: number, direction: number, together: number): void {
    if (share?.(this, call, t, steps, direction, together, 0)) return;
    const piece = this.pieceOf(call);
    call.run(this.at, t, steps, direction, together, this.size, piece, this.n, 0, piece);
  }

  private step(t: number, calls: readonly SweepCall[], before: Before | null): void {
    before?.(t);
    const { size, tempsAt } = this;
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i] as SweepCall;
      this.sweep(call, t, 1, 1, 1);
      if (call.formulas.length > 0) evaluateFormulas(call.formulas, tempsAt, size);
    }
  }

  get ownBytes(): readonly [descriptor: number, pieces: number] {
    const { words, pieces, n } = this;
    return [aligned(4 * words), pieces.length * aligned(4 * Math.max(PIECE, n))];
  }

  copyTo(to: number): void {
    const { words, places, n } = this;
    const from = wordsAt(this.at, words);
    const first = wordsAt(to, words);
    integers.copyWithin(first, from, from + words);
    const { piece = NO_PLACES } = places;
    let at = to + aligned(4 * words);
    for (const place of piece) {
      integers[first + wordOf(place)] = at;
      at += aligned(4 * Math.max(PIECE, n));
    }
  }

  /**
   * Number of elements (of `size`, by default a step) that a call processes before the next step, or the sweep's second
   * loop, continues.
   */
  pieceOf({ isSplit }: SweepCall, size = this.size): number {
    const { n } = this;
    if (!isSplit && size <= MANY) return size;
    return this.plan.hasColumns ? Math.max(n, PIECE - (PIECE % n)) : PIECE;
  }
}

/** Most float32 values in a column's partial sum; partial sums are added in float64. */
const TERMS = 256;

/**
 * Gradients of parameters: sums over steps, rows and, for a scalar, columns.
 *
 * Scalar: up to 512 columns of one row (a strip) are summed in four float32 lanes. Strips are summed in four float64
 * lanes, in the order of columns and rows. Steps run from last to first; if a step has more than 65 536 elements, two
 * steps alternate over each piece. At the end the lanes are added: (0 + 2) + (1 + 3). Parameter per column: the rows of
 * some steps (256 values, or one step) are summed in float32 in the same order, then in float64. A sum is rounded to
 * float32 once, when it is added to the gradient.
 */
class Sums {
  /** Number of steps after which the sums of columns are collected. */
  readonly often: number = Infinity;
  private readonly targets: readonly number[];
  private readonly n: number;
  /** Addresses of a kernel's sums (0: not needed), and totals of columns. */
  private readonly partial: number[] = [];
  private readonly totals: (Float64Array | null)[] = [];

  constructor(bound: BoundRun, targets: readonly number[]) {
    const { n, plan, size } = bound;
    this.targets = targets;
    this.n = n;
    if (plan.hasColumns) this.often = Math.max(1, Math.floor((TERMS * n) / size));
    const { derived } = plan.traced;
    for (let k = 0; k < derived.length; k++) {
      const isColumn = derived[k]?.level === COLUMN;
      const bytes = targets[k] === 0 ? 0 : this.bytesOf(isColumn);
      const p = bytes === 0 ? 0 : allocateInScope(bytes);
      this.partial.push(p);
      this.totals.push(isColumn ? new Float64Array(n) : null);
      if (p === 0) continue;
      simd.kernels.fill(p, bytes / 4, 0);
      bound.sum(k, p);
    }
  }

  private bytesOf(isColumn: boolean): number {
    return isColumn ? 4 * this.n : LANES;
  }

  /** Adds the sums of columns to their totals. */
  collect(): void {
    for (let k = 0; k < this.totals.length; k++) {
      const totals = this.totals[k] as Float64Array | null;
      if (totals === null || this.partial[k] === 0) continue;
      const partial = new Float32Array(memory.buffer, this.partial[k], totals.length);
      for (let j = 0; j < totals.length; j++) (totals[j] as number) += partial[j] as number;
      partial.fill(0);
    }
  }

  finish(): void {
    this.collect();
    for (let k = 0; k < this.partial.length; k++) {
      const p = this.partial[k] as number;
      if (p === 0) continue;
      const totals = this.totals[k] ?? sumOf(new Float64Array(memory.buffer, p, LANES / 8));
      const target = new Float32Array(memory.buffer, this.targets[k], totals.length);
      for (let j = 0; j < totals.length; j++) (target[j] as number) += totals[j] as number;
    }
  }

  free(): void {
    for (let k = 0; k < this.partial.length; k++) {
      const p = this.partial[k] as number;
      if (p !== 0) recycle(p, this.bytesOf(this.totals[k] !== null));
    }
  }
}

/** Sum of four lanes. */
function sumOf(lanes: Float64Array): Float64Array {
  const [a, b, c, d] = lanes as unknown as [number, number, number, number];
  return Float64Array.of(a + c + (b + d));
}
