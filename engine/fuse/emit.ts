/**
 * A sweep over the columns of one step, as WebAssembly: straight loops over sixteen columns, then four, then one.
 *
 *   for each row
 *     for each strip of the row                    512 columns if there are sums, else the whole row
 *       16 columns per iteration: four vectors, whose spikes are half a word; then 4 columns; then 1 column
 *       sums of the strip, in four float32 lanes, are added to four float64 lanes
 *
 * The loops contain no calls, since engines reload all vectors after a call. Values that all columns share are computed
 * before the loops. Everything is read before anything is written, so an output may overwrite an input. The loop over
 * time is outside: several steps process one piece of the columns, then the next piece.
 *
 * A descriptor lists the arrays: first the number of elements in a step, then two words per place: address, and bytes
 * between steps. The place of a number contains the number. For a stream of bits that is read, the second word is an
 * offset in bits: 0 for the current step, −(elements of a step) for the previous one.
 */

import * as LANE from "./lanes.ts";
import { COLUMN, SCALAR, STRIP, wordOf } from "./layout.ts";
import { ARRAY, type Expression, reachable, visit } from "./terms.ts";
import * as OP from "./wasm.ts";
import { Code, I32, V128 } from "./wasm.ts";

/**
 * A value that a sweep computes, and its destination: an array with one value per element of the step, per listed
 * column, per column, or per element of the current piece; a stream of bits; or a sum in four float64 lanes. If the
 * second word of a sum's place is 32, each strip of columns has its own four lanes.
 */
export interface Root {
  readonly value: Expression;
  readonly place: number;
  readonly how: "element" | "listed" | "column" | "piece" | "bits" | "sum";
}

/** Shuffles: the upper half of a vector; its first lane, then zeros. */
const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const FIRST_LANE = [0, 1, 2, 3, ...new Array(12).fill(16)];

/** Place of the list if no array has listed columns. */
export const NO_PLACE = -1;

/** Parameters of the function of one step. */
const DESCRIPTOR = 0;
const STEP = 1;
const SKIP = 2;
const ROWS = 3;
const COLUMNS = 4;

/**
 * Runs `steps` steps of a sweep, from step t on in `direction` (1 or −1). The steps cover elements `first` to `size` of
 * a step, in rows of n; `together` steps at a time process each piece. A piece is whole rows or, if nothing depends on
 * the column, any part of a step. Pieces begin `apart` elements from each other, more than their size if other threads
 * compute columns of the same rows.
 */
export type SweepFunction = (
  descriptor: number,
  t: number,
  steps: number,
  direction: number,
  together: number,
  size: number,
  piece: number,
  n: number,
  first: number,
  apart: number,
) => void;

/**
 * Emits the functions of a step, one per part, and then the loop over time. `index`: number of the first function in
 * its module. `ofRows`: whether anything depends on the column. `list`: the place of the byte offsets of listed
 * columns.
 */
export function emit(parts: readonly (readonly Root[])[], ofRows: boolean, index: number, list = NO_PLACE): Code[] {
  return [
    ...parts.map((roots) => new Sweep(roots, list).code),
    timeLoop(
      ofRows,
      parts.map((_, i) => index + i),
    ),
  ];
}

function timeLoop(ofRows: boolean, functions: readonly number[]): Code {
  const code = new Code(10);
  const [descriptor, t, steps, direction, together, size, piece, n] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
  const [first, apart] = [8, 9] as const;
  const local = () => code.local(I32);
  const [skip, count, some, left, at] = [local(), local(), local(), local(), local()] as const;
  const pushOf = (local: number) => () => code.get(local);
  code.repeat(() => {
    code.least(pushOf(together), pushOf(steps)).set(some);
    code.get(first).set(skip);
    code.repeat(() => {
      code.least(pushOf(piece), () => code.get(size).get(skip).op(OP.sub)).set(count);
      code.get(some).set(left).get(t).set(at);
      code.repeat(() => {
        for (const step of functions) {
          code.get(descriptor).get(at).get(skip);
          if (ofRows) code.get(count).get(n).op(OP.divUnsigned).get(n);
          else code.integer(1).get(count);
          code.op(OP.call, step);
        }
        code.get(at).get(direction).op(OP.add).set(at);
        code.get(left).integer(1).op(OP.sub).op(OP.tee, left);
      });
      code.get(skip).get(apart).op(OP.add).op(OP.tee, skip).get(size).op(OP.lessUnsigned);
    });
    code.get(at).set(t);
    code.get(steps).get(some).op(OP.sub).op(OP.tee, steps);
  });
  return code;
}

/** An instruction that depends on the number of lanes and on the offset of the vector. */
type Access = (offset: number, lanes: 1 | 4) => unknown;

/** Code for a vector, and the memory access that follows it. */
interface Piece {
  readonly from: number;
  readonly to: number;
  readonly access: Access | null;
}

/** One step: the function (descriptor, t, skip, rows, n), which skips the first `skip` elements of the step. */
class Sweep {
  readonly code = new Code(5);
  private readonly roots: readonly Root[];
  /** Arrays that are read, by element or column. */
  private readonly streams: Expression[];
  /** The address of the next column in each array, by the array's number. Arrays with one value per column restart at each row. */
  private readonly pointers = new Map<number, number>();
  private readonly columns = new Set<number>();
  /** Place of the column list, addresses of the arrays that it indexes, and a vector of those addresses. */
  private readonly list: number;
  private readonly bases = new Map<number, number>();
  private readonly lanes: number;
  /** Code before the loops. */
  private readonly shared = new Map<Expression, number>();
  private readonly uses = new Map<Expression, number>();
  /** Locals of values that the current vector has computed. */
  private readonly values = new Map<Expression, number>();
  /** Code for a vector. */
  private body: readonly Piece[] | null = null;
  private readonly sums = new Map<Root, number>();
  /**
   * Streams of bits that are read, and written. `bit`: index of the next element over all steps, which is also the
   * index of its bit in written streams.
   */
  private readonly flags = new Map<Expression, Flags>();
  private readonly marks = new Map<Root, Marks>();
  private readonly bit: number;

  constructor(roots: readonly Root[], list: number) {
    this.roots = roots;
    this.list = list;
    const terms = reachable(roots.map(({ value }) => value));
    this.streams = terms.filter((x) => x.op.isRead && x.level > SCALAR);
    const { code } = this;
    this.bit = code.local(I32);
    for (const root of roots) if (root.how === "bits") this.marks.set(root, new Marks(code));
    for (const x of terms) if (x.op === ARRAY.flags) this.flags.set(x, new Flags(code));
    this.lanes = list === NO_PLACE ? NO_PLACE : code.local(V128);
    terms.forEach((x) => x.level > SCALAR && x.args.forEach(this.use));
    roots.forEach(({ value }) => this.use(value));
    this.uses.forEach((_, x) => x.level <= SCALAR && this.share(x));
    this.prepare();
    this.rows();
  }

  private readonly use = (x: Expression): unknown => this.uses.set(x, (this.uses.get(x) ?? 0) + 1);

  /** Computes once a value that all columns share. */
  private share(x: Expression): number {
    const { code, shared } = this;
    for (const y of reachable([x], (z) => shared.has(z))) {
      if (shared.has(y)) continue;
      for (const z of y.args) code.get(shared.get(z) as number);
      if (y.op === ARRAY.bits) code.lanes(Number(y.attr));
      else if (y.op === ARRAY.number) code.get(DESCRIPTOR).simd(OP.loadSplat, 2, 4 * wordOf(Number(y.attr)));
      else if (y.op === ARRAY.stream) this.word32(Number(y.attr)).simd(OP.loadSplat, 2, 0);
      else if (y.op === ARRAY.shared) this.step32(Number(y.attr)).simd(OP.loadSplat, 2, 0);
      else this.instruction(y);
      const local = code.local(V128);
      code.set(local);
      shared.set(y, local);
    }
    return shared.get(x) as number;
  }

  /** Pushes one of the two words of a place in the descriptor: the address (0), or an offset, such as the bytes of a step (1). */
  private word32(place: number, second = 0): Code {
    return this.code.get(DESCRIPTOR).op(OP.load, 2, 4 * (wordOf(place) + second));
  }

  /** Pushes the address of the step in an array. */
  private step32(place: number): Code {
    this.word32(place);
    return this.word32(place, 1).get(STEP).op(OP.mul).op(OP.add);
  }

  /** Computes the initial addresses. */
  private prepare(): void {
    const { code } = this;
    for (const { op, attr, level } of this.streams) {
      this.point(
        Number(attr),
        level === COLUMN ? "column" : op === ARRAY.stream ? "element" : (op.name as "piece" | "listed"),
      );
    }
    for (const { how, place } of this.roots) if (how !== "bits" && how !== "sum") this.point(place, how);
    for (const root of this.roots) if (root.how === "sum") this.sums.set(root, code.local(V128));
    if (this.marks.size + this.flags.size === 0) return;
    code.get(DESCRIPTOR).op(OP.load, 2, 0).get(STEP).op(OP.mul).get(SKIP).op(OP.add).set(this.bit);
    for (const [{ place }, { bits }] of this.marks) this.word32(place).set(bits);
    for (const [{ attr }, { bits, bit }] of this.flags) {
      const place = Number(attr);
      this.word32(place).set(bits);
      code.get(this.bit);
      this.word32(place, 1).op(OP.add).set(bit);
    }
  }

  private point(place: number, how: "element" | "listed" | "column" | "piece"): void {
    if (this.pointers.has(place) || this.bases.has(place)) return;
    const { code } = this;
    const pointer = code.local(I32);
    (how === "listed" ? this.bases : this.pointers).set(place, pointer);
    if (how === "listed") this.point(this.list, "column");
    if (how === "column") this.columns.add(place);
    this.step32(place);
    if (how === "element") code.get(SKIP).integer(2).op(OP.shl).op(OP.add);
    code.set(pointer);
  }

  private rows(): void {
    const { code } = this;
    const [left, strip] = [code.local(I32), code.local(I32)];
    code.times(ROWS, () => {
      if (this.sums.size === 0) this.turns(COLUMNS);
      else this.strips(left, strip);
      for (const place of this.columns) {
        const pointer = this.pointers.get(place) as number;
        code.get(pointer).get(COLUMNS).integer(2).op(OP.shl).op(OP.sub).set(pointer);
      }
    });
  }

  private strips(left: number, strip: number): void {
    const { code } = this;
    const pushLeft = () => code.get(left);
    code.get(COLUMNS).set(left);
    code.repeat(() => {
      code.least(pushLeft, () => code.integer(STRIP)).set(strip);
      this.turns(strip);
      for (const [{ place }, sum] of this.sums) this.flush(place, sum);
      code.get(left).get(strip).op(OP.sub).op(OP.tee, left);
    });
  }

  /**
   * Adds four float32 lanes to four float64 lanes and resets them. The place's second word is the distance to the next
   * four float64 lanes.
   */
  private flush(place: number, sum: number): void {
    const { code } = this;
    const at = code.local(I32);
    this.word32(place).set(at);
    for (const offset of [0, 16]) {
      code.get(at).get(at).simd(OP.loadVector, 2, offset).get(sum);
      if (offset > 0) code.get(sum).shuffle(UPPER_HALF);
      code.simd(OP.promote).simd(OP.addDouble).simd(OP.storeVector, 2, offset);
    }
    code.get(DESCRIPTOR).get(at);
    this.word32(place, 1)
      .op(OP.add)
      .op(OP.store, 2, 4 * wordOf(place));
    code.lanes(0).set(sum);
  }

  /** A loop over `count` columns. */
  private turns(count: number): void {
    const { code } = this;
    const turns = code.local(I32);
    code.get(count).integer(4).op(OP.shrU).set(turns);
    code.times(turns, () => this.sixteen());
    code.get(count).integer(2).op(OP.shrU).integer(3).op(OP.and).set(turns);
    code.times(turns, () => this.few(4));
    code.get(count).integer(3).op(OP.and).set(turns);
    code.times(turns, () => this.few(1));
  }

  private sixteen(): void {
    for (let i = 0; i < 4; i++) {
      this.vector(16 * i, 4);
      for (const marks of this.marks.values()) marks.gather(i);
    }
    for (const marks of this.marks.values()) marks.storeSixteen(this.bit);
    this.advance(16);
  }

  private few(lanes: 1 | 4): void {
    this.vector(0, lanes);
    for (const marks of this.marks.values()) marks.storeFew(this.bit, lanes);
    this.advance(lanes);
  }

  private advance(columns: number): void {
    for (const pointer of this.pointers.values()) this.code.move(pointer, 4 * columns);
    for (const { bit } of this.flags.values()) this.code.move(bit, columns);
    if (this.marks.size > 0) this.code.move(this.bit, columns);
  }

  /** Emits the work for four columns, or one, at a byte offset. */
  private vector(offset: number, lanes: 1 | 4): void {
    const { code } = this;
    if (this.body === null) this.body = this.compute(offset, lanes);
    else {
      for (const { from, to, access } of this.body) {
        code.again(from, to);
        access?.(offset, lanes);
      }
    }
  }

  /** `vector` for the first vector, as pieces of code. */
  private compute(offset: number, lanes: 1 | 4): Piece[] {
    const { code } = this;
    const body: Piece[] = [];
    let from = code.bytes.length;
    const access = (access: Access | null) => {
      body.push({ from, to: code.bytes.length, access });
      access?.(offset, lanes);
      from = code.bytes.length;
    };
    const load: Access = (offset, lanes) => code.simd(lanes === 4 ? OP.loadVector : OP.loadZero, 2, offset);
    const store: Access = (offset, lanes) =>
      lanes === 4 ? code.simd(OP.storeVector, 2, offset) : code.simd(OP.storeLane, 2, offset, 0);
    const add: Access = (_, lanes) => {
      // The other lanes do not belong to columns.
      if (lanes === 1) code.lanes(0).shuffle(FIRST_LANE);
      code.simd(LANE.add.code as number);
    };
    for (const [x, flags] of this.flags) {
      access(flags.load);
      code.set(this.hold(x));
    }
    for (const x of this.streams) {
      const base = this.bases.get(Number(x.attr));
      if (base === undefined) code.get(this.pointers.get(Number(x.attr)) as number);
      access(base === undefined ? load : this.loadListed(base));
      code.set(this.hold(x));
    }
    for (const root of this.roots) {
      if (root.how === "bits") continue;
      const sum = this.sums.get(root);
      const base = this.bases.get(root.place);
      if (base === undefined) code.get(sum ?? (this.pointers.get(root.place) as number));
      this.push(root.value);
      access(sum !== undefined ? add : base === undefined ? store : this.storeListed(base));
      if (sum !== undefined) code.set(sum);
    }
    for (const [{ value }, { mask }] of this.marks) {
      this.push(value);
      code.set(mask);
    }
    access(null);
    return body;
  }

  /** Loads each lane from its listed column. */
  private readonly loadListed =
    (base: number): Access =>
    (offset, lanes) => {
      const { code } = this;
      this.listed(base, offset).simd(OP.loadZero, 2, 0);
      for (let lane = 1; lane < lanes; lane++) {
        code.set(this.lanes);
        this.listed(base, offset + 4 * lane)
          .get(this.lanes)
          .simd(OP.loadLane, 2, 0, lane);
      }
    };

  private readonly storeListed =
    (base: number): Access =>
    (offset, lanes) => {
      const { code } = this;
      code.set(this.lanes);
      for (let lane = 0; lane < lanes; lane++) {
        this.listed(base, offset + 4 * lane)
          .get(this.lanes)
          .simd(OP.storeLane, 2, 0, lane);
      }
    };

  /** Pushes the address of the listed column, at `offset` bytes in the list. */
  private listed(base: number, offset: number): Code {
    const list = this.pointers.get(this.list) as number;
    return this.code.get(base).get(list).op(OP.load, 2, offset).op(OP.add);
  }

  /** A local for a term of the vector. */
  private hold(x: Expression): number {
    const local = this.code.local(V128);
    this.values.set(x, local);
    return local;
  }

  /** Pushes a term, which is computed once. */
  private push(x: Expression): void {
    visit(x, this.enter, this.leave);
  }

  /** Pushes a term if it is known. Otherwise returns true: its arguments must be pushed first. */
  private readonly enter = (x: Expression): boolean => {
    const known = x.level > SCALAR ? this.values.get(x) : this.share(x);
    if (known !== undefined) this.code.get(known);
    return known === undefined;
  };

  private readonly leave = (x: Expression): void => {
    this.instruction(x);
    if ((this.uses.get(x) as number) > 1) this.code.op(OP.tee, this.hold(x));
  };

  /** Emits the instruction of a term whose arguments are on the stack. */
  private instruction({ op, attr }: Expression): void {
    if (op === LANE.shl || op === LANE.shr) this.code.integer(Number(attr));
    this.code.simd(op.code as number);
  }
}

// Streams of bits. In a sweep, a boolean is a mask: all bits of a lane are 1 or 0. In memory it is one bit. If the
// first of sixteen columns is bit 0 of a byte, their bits are stored as 16 bits at once.

/** Pushes the address of a bit's byte, from the locals of a stream and of the bit's index. */
const pushByte = (code: Code, bits: number, bit: number): Code =>
  code.get(bits).get(bit).integer(3).op(OP.shrU).op(OP.add);

/** Pushes the index of a bit in its byte. */
const pushPlace = (code: Code, bit: number): Code => code.get(bit).integer(7).op(OP.and);

/** A stream that is read. Locals: its address, its next bit, and the bits of sixteen columns in each lane. */
class Flags {
  readonly bits: number;
  readonly bit: number;
  private readonly code: Code;
  private readonly word: number;

  constructor(code: Code) {
    this.code = code;
    this.bits = code.local(I32);
    this.bit = code.local(I32);
    this.word = code.local(V128);
  }

  /**
   * Pushes the mask of four columns, `offset` bytes of float32 after the first. At offset 0 it loads the bits of all
   * sixteen.
   */
  readonly load = (offset: number): void => {
    const { code, bits, bit, word } = this;
    if (offset === 0) {
      pushByte(code, bits, bit).op(OP.load, 0, 0);
      pushPlace(code, bit).op(OP.shrU).simd(OP.splat).set(word);
    }
    const first = 1 << (offset / 4);
    const pushBits = () => code.lanes(first, first << 1, first << 2, first << 3);
    pushBits();
    pushBits().get(word).simd(OP.both).simd(OP.equalIntegers);
  };
}

/** A stream that is written, initially zero. Locals: its address, the mask of a vector, and two combined masks. */
class Marks {
  readonly bits: number;
  readonly mask: number;
  private readonly code: Code;
  private readonly halves: readonly [number, number];
  private readonly word: number;
  private readonly at: number;

  constructor(code: Code) {
    this.code = code;
    [this.bits, this.word, this.at] = [code.local(I32), code.local(I32), code.local(I32)];
    this.mask = code.local(V128);
    this.halves = [code.local(V128), code.local(V128)];
  }

  /** Packs the mask of vector i (0 to 3) with the masks of the previous vectors. */
  gather(i: number): void {
    const { code, mask } = this;
    const half = this.halves[i >> 1] as number;
    if (i & 1) code.get(half).get(mask).simd(OP.narrow32);
    else code.get(mask);
    code.set(half);
  }

  /** Stores the bits of sixteen columns; the local holds the index of the first. */
  storeSixteen(bit: number): void {
    const { code, bits, halves, word } = this;
    code.get(halves[0]).get(halves[1]).simd(OP.narrow16).simd(OP.bitmask8).set(word);
    pushPlace(code, bit);
    code.choose(
      () => this.store(bit),
      () => pushByte(code, bits, bit).get(word).op(OP.store16, 0, 0),
    );
  }

  /** Stores the bits of one vector. */
  storeFew(bit: number, lanes: 1 | 4): void {
    const { code } = this;
    code.get(this.mask).simd(OP.bitmask32);
    if (lanes === 1) code.integer(1).op(OP.and);
    code.set(this.word);
    this.store(bit);
  }

  /** Sets the bits of the word in the stream. */
  private store(bit: number): void {
    const { code, at } = this;
    pushByte(code, this.bits, bit).op(OP.tee, at);
    code.get(at).op(OP.load, 0, 0).get(this.word);
    pushPlace(code, bit).op(OP.shl).op(OP.or).op(OP.store, 0, 0);
  }
}
