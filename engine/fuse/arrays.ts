/** The descriptor of a run: where its arrays lie, in words that sweeps read, and the arrays that it needs for itself. */
import { simd } from "../backend.ts";
import { allocate, recycle, scope } from "../scope.ts";
import { memory } from "../wasm.ts";
import { wordOf } from "./emit.ts";
import { COLUMN } from "./expression.ts";
import type { Kind, Plan } from "./plan.ts";
import type { Run, Stream } from "./program.ts";
import { type Call, evaluate } from "./sweeps.ts";

/** Bytes of four float64 lanes. */
const LANES = 32;

/**
 * More elements than this do not stay in a cache from one step to the next: two steps at a time pass over pieces. With more
 * steps, streams that lie a power of two apart evict each other.
 */
const MANY = 65536;
const PIECE = 1024;

/** The address of an array that was not noted: near the end of all addresses, where a sweep that reads it traps. */
const NOWHERE = 0xfffffff0;

const NO_WORDS = new Uint32Array(0);

export class Arrays {
  readonly plan: Plan;
  readonly n: number;
  /** Elements of a step. */
  readonly size: number;
  readonly descriptor: number;
  private view = NO_WORDS;
  readonly temps: readonly number[];
  /** Where memory for itself comes from, if it stays. */
  private readonly lasting: ((bytes: number) => number) | undefined;
  /** Pairs of address and bytes. */
  private readonly own: number[] = [];

  /**
   * The calls must have been made: they give places to what they read and write. Numbers are given by their bits. Without `lasting`
   * the memory of a run serves until `free`.
   */
  constructor(plan: Plan, numbers: Uint32Array, run: Run, lasting?: (bytes: number) => number) {
    this.plan = plan;
    this.lasting = lasting;
    const { rows, n } = run;
    this.size = rows * n;
    this.n = n;
    this.descriptor = this.take(4 * wordOf(plan.size));
    this.words().fill(NOWHERE)[0] = this.size;
    this.put("number", (i) => numbers[i]);
    this.put("parameter", (i) => run.parameters[i]);
    this.putStreams("input", (i) => run.inputs[i]);
    this.putStreams("shared", (i) => run.inputs[i]);
    this.put("from", (i) => run.from[i] || this.zeros());
    this.put("saved", (i) => run.saved[i], this.size);
    this.put("prev", (i) => (run.saved[i] as number) - 4 * this.size, this.size);
    for (let i = plan.savedNumbers; i < plan.saved.length; i++) {
      this.note(plan.places.get("saved")?.[i], run.saved[i], 0);
      this.note(plan.places.get("prev")?.[i], run.saved[i], -this.size);
    }
    const temps: number[] = [];
    this.put("temp", (i) => {
      temps[i] = this.scratch();
      return temps[i];
    });
    this.temps = temps;
    this.put("piece", () => this.take(4 * Math.max(PIECE, n)));
  }

  /** Notes the addresses of one kind of arrays, `step` values from one step to the next. */
  put(kind: Kind, addressOf: (index: number) => number | undefined, step = 0): void {
    const places = this.plan.places.get(kind);
    if (places === undefined) return;
    for (let i = 0; i < places.length; i++) this.write(places[i], addressOf(i), step);
  }

  putStreams(kind: Kind, streamOf: (index: number) => Stream | null | undefined): void {
    this.plan.places.get(kind)?.forEach((place, i) => {
      const stream = streamOf(i);
      if (stream) this.write(place, stream.at, stream.step);
    });
  }

  write(place: number | undefined, at: number | undefined, step: number): void {
    this.note(place, at, 4 * step);
  }

  /** Writes the two words of a place; without effect where this run does not use the array. */
  private note(place: number | undefined, at: number | undefined, second: number): void {
    if (place === undefined || at === undefined) return;
    const words = this.words();
    words[wordOf(place)] = at;
    words[wordOf(place) + 1] = second;
  }

  /** The descriptor; memory that has grown meanwhile has detached the view. */
  private words(): Uint32Array {
    if (this.view.length === 0) this.view = new Uint32Array(memory.buffer, this.descriptor, wordOf(this.plan.size));
    return this.view;
  }

  /**
   * Does the calls of each step, from the last one on where the direction is −1. `before` is called before each step, which
   * then runs by itself; `done` after `often` steps at most.
   */
  pass(
    calls: readonly (readonly Call[])[],
    direction: 1 | -1,
    before?: (t: number) => void,
    often = Infinity,
    done?: () => void,
  ): void {
    const T = calls.length;
    const { size, n, descriptor } = this;
    const together = size > MANY ? 2 : 1;
    const at = (i: number) => (direction > 0 ? i : T - 1 - i);
    for (let i = 0, steps = 0; i < T; i += steps) {
      const now = calls[at(i)] as readonly Call[];
      const [first] = now as [Call];
      const isOne = now.length === 1;
      for (steps = 1; isOne && i + steps < T && steps < often && calls[at(i + steps)] === now; ) steps++;
      if (isOne && before === undefined) {
        first.run(descriptor, at(i), steps, direction, together, size, this.pieceOf(first), n);
      } else {
        for (let j = i; j < i + steps; j++) {
          before?.(at(j));
          for (const call of now) {
            call.run(descriptor, at(j), 1, 1, 1, size, this.pieceOf(call), n);
            evaluate(call.formulas, this.temps, size);
          }
        }
      }
      done?.();
    }
  }

  /** One step, as often as it is called. */
  once(calls: readonly Call[]): void {
    const { size, n, descriptor, temps } = this;
    for (let i = 0; i < calls.length; i++) {
      const call = calls[i] as Call;
      call.run(descriptor, 0, 1, 1, 1, size, this.pieceOf(call), n);
      if (call.formulas.length > 0) evaluate(call.formulas, temps, size);
    }
  }

  /** Elements that a call passes over before the next step takes its turn, or its own second loop. */
  private pieceOf({ isSplit }: Call): number {
    const { n, size } = this;
    if (!isSplit && size <= MANY) return size;
    return this.plan.hasColumns ? Math.max(n, PIECE - (PIECE % n)) : PIECE;
  }

  take(bytes: number): number {
    if (this.lasting !== undefined) return this.lasting(bytes);
    const p = allocate(bytes);
    this.own.push(p, bytes);
    return p;
  }

  /** An array of one step for the run itself, unwritten. */
  scratch(): number {
    return this.take(4 * this.size);
  }

  /** `to` ← the array of one step, zeros for 0. */
  copy(to: number, from: number): number {
    if (from === 0) simd.kernels.fill(to, this.size, 0);
    else if (to !== from) simd.kernels.copy(to, from, this.size);
    return to;
  }

  /** The zeros of one step. */
  zeros(): number {
    return this.copy(this.scratch(), 0);
  }

  free(): void {
    for (let i = 0; i < this.own.length; i += 2)
      recycle(this.own[i] as number, this.own[i + 1] as number, scope.region);
  }
}

/** A column's gradient is a sum of about so many float32 values, at most; such sums are added in float64. */
const TERMS = 256;

/**
 * Gradients of parameters: sums over steps, rows and, of a scalar, columns.
 *
 * A scalar: a strip of up to 512 columns of one row is summed in four float32 lanes, strips in four float64 lanes, in the order of
 * columns and rows; steps from the last to the first, or, where a step has more than 65 536 elements, two steps of each piece in
 * turn. Then lane 0 and lane 2, lane 1 and lane 3, and these two. A parameter of each column: the rows of some steps, 256 values
 * or one step, in float32, in the same order; then in float64. A sum is rounded to float32 once, when it is added to what is
 * there.
 */
export class Sums {
  private readonly targets: readonly number[];
  private readonly partial: number[] = [];
  private readonly totals: (Float64Array | null)[] = [];
  /** After so many steps at most the sums of columns are collected. */
  readonly often: number = Infinity;

  constructor(arrays: Arrays, targets: readonly number[]) {
    this.targets = targets;
    const { n, plan } = arrays;
    if (plan.hasColumns) this.often = Math.max(1, Math.floor((TERMS * n) / arrays.size));
    plan.traced.derived.forEach(({ level }, k) => {
      if (!targets[k]) return;
      const bytes = level === COLUMN ? 4 * n : LANES;
      const p = arrays.take(bytes);
      simd.kernels.fill(p, bytes / 4, 0);
      this.partial[k] = p;
      this.totals[k] = level === COLUMN ? new Float64Array(n) : null;
    });
    arrays.put("dParameter", (k) => this.partial[k]);
  }

  /** Adds what columns have summed up. */
  collect(): void {
    this.totals.forEach((totals, k) => {
      if (!totals) return;
      const partial = new Float32Array(memory.buffer, this.partial[k], totals.length);
      for (let j = 0; j < totals.length; j++) (totals[j] as number) += partial[j] as number;
      partial.fill(0);
    });
  }

  finish(): void {
    this.collect();
    this.partial.forEach((p, k) => {
      let totals = this.totals[k];
      if (!totals) {
        const [a, b, c, d] = new Float64Array(memory.buffer.slice(p, p + LANES)) as unknown as [
          number,
          number,
          number,
          number,
        ];
        totals = Float64Array.of(a + c + (b + d));
      }
      const target = new Float32Array(memory.buffer, this.targets[k], totals.length);
      for (let j = 0; j < totals.length; j++) (target[j] as number) += totals[j] as number;
    });
  }
}
