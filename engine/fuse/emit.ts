/**
 * A sweep over the columns of one step, as WebAssembly: straight loops over sixteen columns, then four, then one.
 *
 *   for each row
 *     for each strip of the row                    512 columns where there are sums, else the whole row
 *       16 columns a turn, four vectors, and their spikes as half a word; 4 columns a turn; 1 column a turn
 *       sums of the strip, in four float32 lanes, are added to four float64 lanes
 *
 * These loops have no call in them: none keeps a vector in its register, and all constants would be loaded again.
 * Values that all columns share are computed before the loops. Every stream is read before anything is written, so that
 * an output may lie over an input. Around them is the loop over time: some steps pass over a piece of the columns
 * before they pass to the next one.
 *
 * The arrays are found in words of a descriptor: the elements of a step, then two for each place, the address and the bytes from
 * one step to the next. The place of a number holds itself. For a stream of bits that is read (flags), the second word is an
 * offset in bits: 0 for this step, minus the elements of a step for the step before.
 */

import * as LANE from "./lanes.ts";
import { COLUMN, SCALAR, STRIP, wordOf } from "./layout.ts";
import { ARRAY, type Expression, reachable, walk } from "./terms.ts";
import * as OP from "./wasm.ts";
import { Code, I32, V128 } from "./wasm.ts";

/**
 * A value that a sweep computes, and its place: an array of a step, of its listed columns, of its columns, or of the piece that the
 * loop over time is at, a stream of bits, or four float64 lanes that it is added to; where the place's second word is 32, each strip of
 * columns has four of its own.
 */
export interface Root {
  readonly value: Expression;
  readonly place: number;
  readonly how: "element" | "listed" | "column" | "piece" | "bits" | "sum";
}

/** The upper half of a vector, and the first lane of one before zeros. */
const UPPER_HALF = [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15];
const FIRST_LANE = [0, 1, 2, 3, ...new Array(12).fill(16)];

/** In the place of a list, where no array has listed columns. */
export const NO_PLACE = -1;

/** Parameters of the function of one step. */
const DESCRIPTOR = 0;
const STEP = 1;
const SKIP = 2;
const ROWS = 3;
const COLUMNS = 4;

/**
 * Runs a sweep: `steps` steps, from t on in this direction (1 or −1), `together` at a time over each piece of the
 * elements of a step from `first` to `size`, in rows of n. A piece is whole rows, or, where nothing depends on the column, any part of a
 * step. Pieces begin `apart` elements from each other: more than a piece has where columns of a row belong to other threads.
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
 * The functions of a step, one for each part of it, and after them the loop over time; the first one has this number in its
 * module. `ofRows`: something depends on the column. `list`: the place of the bytes from the start of a step to each listed column.
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

/** An instruction that depends on how many lanes count and on the place of the vector. */
type Access = (offset: number, lanes: 1 | 4) => unknown;

/** A part of the code of a vector, from one place to another, and the access behind it. */
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
  /** Addresses of the next column in each array, by place; arrays of columns start again with each row. */
  private readonly pointers = new Map<number, number>();
  private readonly columns = new Set<number>();
  /** The place of the list of columns, addresses of arrays that it leads into, and a vector of these. */
  private readonly list: number;
  private readonly bases = new Map<number, number>();
  private readonly lanes: number;
  /** Code that runs before the loops. */
  private readonly shared = new Map<Expression, number>();
  private readonly uses = new Map<Expression, number>();
  /** The locals of the values that a vector has computed. */
  private readonly values = new Map<Expression, number>();
  /** The code of a vector. */
  private body: readonly Piece[] | null = null;
  private readonly sums = new Map<Root, number>();
  /**
   * Streams of bits that are read and written. `bit`: the number of the next element over all steps, and so of its bit
   * in streams that are written.
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

  /** Computes a value that all columns share, unless it has been computed. */
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

  /** Pushes the address of a place, or the second word. */
  private word32(place: number, second = 0): Code {
    return this.code.get(DESCRIPTOR).op(OP.load, 2, 4 * (wordOf(place) + second));
  }

  /** Pushes the address of the step in an array. */
  private step32(place: number): Code {
    this.word32(place);
    return this.word32(place, 1).get(STEP).op(OP.mul).op(OP.add);
  }

  /** Finds the first addresses. */
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

  /** Adds four float32 lanes to four float64 lanes, and starts again; the next four lie the place's second word further on. */
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

  /** The work for four columns or one, some bytes on. */
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

  /** The same for the first vector. */
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
      // The other lanes hold values of no column.
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

  /** Loads each lane from its place in the list. */
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

  /** Pushes the address of the column that the list names, at `offset` bytes in it. */
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

  /** Pushes a term; it is computed once. */
  private push(x: Expression): void {
    walk(x, this.enter, this.leave);
  }

  /** Pushes a term that is known; the arguments of others come first. */
  private readonly enter = (x: Expression): boolean => {
    const known = x.level > SCALAR ? this.values.get(x) : this.share(x);
    if (known !== undefined) this.code.get(known);
    return known === undefined;
  };

  private readonly leave = (x: Expression): void => {
    this.instruction(x);
    if ((this.uses.get(x) as number) > 1) this.code.op(OP.tee, this.hold(x));
  };

  /** The instruction of a term whose arguments are on the stack. */
  private instruction({ op, attr }: Expression): void {
    if (op === LANE.shl || op === LANE.shr) this.code.integer(Number(attr));
    this.code.simd(op.code as number);
  }
}

// Streams of bits. A sweep holds a boolean as a mask of all ones or zeros in each lane; memory holds a bit. The bits of sixteen columns are
// stored as 16 bits at once where the first is bit 0 of a byte.

/** Pushes the address of a bit's byte, from locals of a stream and of the number of the bit. */
const pushByte = (code: Code, bits: number, bit: number): Code =>
  code.get(bits).get(bit).integer(3).op(OP.shrU).op(OP.add);

/** Pushes the number of a bit in its byte. */
const pushPlace = (code: Code, bit: number): Code => code.get(bit).integer(7).op(OP.and);

/** A stream that is read: locals of its address, of its next bit, and of the bits of sixteen columns in each lane. */
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
   * Pushes the mask of the four columns that start `offset` bytes, of float32, behind the first; with an offset of 0 it loads the bits
   * of all sixteen.
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

/** A stream that is written, of zeros before: locals of its address, of the mask of a vector, and of two masks as one. */
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

  /** Packs the mask of vector i, of 0 to 3, with the masks of the vectors before it. */
  gather(i: number): void {
    const { code, mask } = this;
    const half = this.halves[i >> 1] as number;
    if (i & 1) code.get(half).get(mask).simd(OP.narrow32);
    else code.get(mask);
    code.set(half);
  }

  /** Stores the bits of sixteen columns, the first of which is in the local. */
  storeSixteen(bit: number): void {
    const { code, bits, halves, word } = this;
    code.get(halves[0]).get(halves[1]).simd(OP.narrow16).simd(OP.bitmask8).set(word);
    pushPlace(code, bit);
    code.choose(
      () => this.store(bit),
      () => pushByte(code, bits, bit).get(word).op(OP.store16, 0, 0),
    );
  }

  /** The same for the values of one vector. */
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
