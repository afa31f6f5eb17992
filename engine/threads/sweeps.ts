/**
 * Shares sweeps of compiled steps among threads: each part has some elements of a step, or some rows or columns of
 * matrices.
 *
 * Sums keep the order of one thread. For a scalar parameter, each strip of columns has a separate sum; parts begin at
 * strips, and all sums are added in order at the end. For a parameter with columns, one thread computes a column's
 * whole sum: a part has some columns of all rows.
 */
import { integers, wordsAt } from "../core/backend.ts";
import { memory } from "../core/wasm.ts";
import { COLUMN, NOWHERE, STRIP, wordOf } from "../fuse/layout.ts";
import type { Shared, SharedCall, SharedRun } from "../fuse/share.ts";
import type { Parts } from "./parts.ts";
import { rangesOf } from "./shared.ts";

/** Bytes of a strip's sums: four float64 lanes. */
const LANES = 32;
/** Address in the descriptor for this place; NOWHERE if none was set, or if the place is undefined. */
function addressAt(bound: SharedRun, place: number | undefined): number {
  if (place === undefined) return NOWHERE;
  const first = wordsAt(bound.at, 1);
  return integers[first + wordOf(place)] as number;
}

/** Places of a run's sums: of scalars and of columns. */
interface SumPlaces {
  readonly scalars: readonly number[];
  readonly columns: readonly number[];
}

function sumsOf(bound: SharedRun): SumPlaces {
  const { places, traced, names } = bound.plan;
  const scalars: number[] = [];
  const columns: number[] = [];
  places.get("dParameter")?.forEach((place, k) => {
    if (addressAt(bound, place) === NOWHERE) return;
    (traced.derived[k]?.level === COLUMN ? columns : scalars).push(place);
  });
  for (const name of traced.definition.summed ?? []) {
    const place = places.get("output")?.[names.indexOf(name)];
    if (addressAt(bound, place) !== NOWHERE) scalars.push(place as number);
  }
  return { scalars, columns };
}

/** Arguments of `Shared`: the steps of a sweep. */
interface Sweep {
  readonly bound: SharedRun;
  readonly call: SharedCall;
  readonly t: number;
  readonly steps: number;
  readonly direction: number;
  readonly together: number;
}

/** How a sweep is cut: part p covers positions from range(p) to range(p + 1). */
interface Cut {
  readonly count: number;
  readonly range: (part: number) => number;
  /** Arguments of a part's sweep, after the descriptor. */
  readonly args: (low: number, high: number) => readonly number[];
  /** Number of strips of a part in one step, and number of steps. */
  readonly strips: (low: number, high: number) => number;
  readonly steps: (low: number, high: number) => number;
  /** Number of steps after which the next part follows in the order of sums; 0 if all steps are rows of one sum. */
  readonly together: number;
  /** Whether parts are columns of all rows. */
  readonly isOfColumns?: boolean;
}

/** Number of parts for n positions, and their ranges; null for one part. */
function partsOf(parts: Parts, n: number, unit: number): Pick<Cut, "count" | "range"> | null {
  const count = parts.countOf(n, unit);
  return count < 2 ? null : { count, range: rangesOf(n, unit, count) };
}

/** Cuts rows of matrices, which are steps with n columns. */
function byRows(parts: Parts, { bound, t, steps }: Sweep, n: number): Cut | null {
  const own = partsOf(parts, steps, 1);
  // A state passes from row to row.
  if (own === null || bound.plan.next.length > 0) return null;
  return {
    ...own,
    args: (low, high) => [t + low, high - low, 1, 1, n, n, n, 0, n],
    strips: () => Math.ceil(n / STRIP),
    steps: (low, high) => high - low,
    together: 0,
  };
}

/** Cuts a step by elements: in whole words of bits, and for sums of scalars in whole strips and pieces. */
function byElements(parts: Parts, { bound, call, t, steps, direction, together }: Sweep, hasSums: boolean): Cut | null {
  const { size, n, plan } = bound;
  const piece = bound.pieceOf(call);
  const isWhole = piece === size;
  if (call.marks && (hasSums || size % 32 !== 0)) return null;
  const rows = plan.hasColumns ? n : 0;
  // Sixteen spikes are written at once.
  const unit = call.marks
    ? (rows || 32) * (rows % 32 === 0 ? 1 : 2)
    : hasSums
      ? isWhole
        ? rows || STRIP
        : piece
      : rows || 16;
  const own = unit % 32 !== 0 && call.marks ? null : partsOf(parts, size, unit);
  return (
    own && {
      ...own,
      args: (low, high) => {
        const some = hasSums ? (isWhole ? high - low : piece) : bound.pieceOf(call, high - low);
        return [t, steps, direction, together, high, some, n, low, some];
      },
      strips: (low, high) => (rows > 0 ? ((high - low) / n) * Math.ceil(n / STRIP) : Math.ceil((high - low) / STRIP)),
      steps: () => steps,
      together,
    }
  );
}

/** Cuts columns of all rows. The order of a column's sum is that of single rows. */
function byColumns(parts: Parts, { bound, call, t, steps, direction, together }: Sweep): Cut | null {
  const { size, n } = bound;
  if (call.marks || (together > 1 && bound.pieceOf(call) !== n)) return null;
  const count = parts.countOf(n, parts.least.columns);
  return count < 2
    ? null
    : {
        count,
        range: rangesOf(n, 16, count),
        args: (low, high) => [t, steps, direction, together, size - n + high, high - low, high - low, low, n],
        strips: () => 0,
        steps: () => steps,
        together,
        isOfColumns: true,
      };
}

/** Moves the addresses of column arrays in a part's descriptor to the part's first column. */
function moveColumns({ plan }: SharedRun, to: number, columns: number): void {
  const first = wordsAt(to, 1);
  for (const kind of ["parameter", "dParameter"] as const) {
    plan.places.get(kind)?.forEach((place, k) => {
      const word = first + wordOf(place);
      if (plan.traced.derived[k]?.level === COLUMN && integers[word] !== NOWHERE) {
        integers[word] = (integers[word] as number) + 4 * columns;
      }
    });
  }
}

/**
 * Adds the sums of all strips in the order of one thread. `at` is the address of a part's sums, `strips` their number
 * per step.
 */
function addStrips(to: number, cut: Cut, at: (part: number) => number): void {
  const sums = new Float64Array(memory.buffer, to, 4);
  let [a, b, c, d] = sums as unknown as [number, number, number, number];
  const own = Array.from({ length: cut.count }, (_, part) => {
    const [low, high] = [cut.range(part), cut.range(part + 1)];
    const strips = cut.strips(low, high);
    const all = new Float64Array(memory.buffer, at(part), 4 * strips * cut.steps(low, high));
    return { all, turn: cut.together === 0 ? all.length : 4 * strips * cut.together };
  });
  // Parts take turns until the last one is finished.
  for (let turn = 0, isDone = false; !isDone; turn++) {
    isDone = true;
    for (const { all, turn: length } of own) {
      const end = Math.min(all.length, (turn + 1) * length);
      for (let i = turn * length; i < end; i += 4) {
        a += all[i] as number;
        b += all[i + 1] as number;
        c += all[i + 2] as number;
        d += all[i + 3] as number;
      }
      isDone &&= end === all.length;
    }
  }
  sums.set([a, b, c, d]);
}

/** Runs the parts of a sweep. A part gets its own descriptor if it needs its own arrays, sums or columns. */
function run(parts: Parts, { bound, call }: Sweep, cut: Cut, scalars: readonly number[]): void {
  const [words, pieces] = bound.ownBytes;
  const bytesOf = (part: number): number => {
    const [low, high] = [cut.range(part), cut.range(part + 1)];
    return LANES * cut.strips(low, high) * cut.steps(low, high);
  };
  const stripsAt = (part: number, i: number): number => parts.work(part, 0) + words + pieces + i * bytesOf(part);
  const isCopied = pieces > 0 || scalars.length > 0 || cut.isOfColumns === true;
  for (let part = 0; isCopied && part < cut.count; part++) {
    parts.work(part, words + pieces + scalars.length * bytesOf(part));
  }
  for (let part = 0; isCopied && part < cut.count; part++) {
    const to = parts.work(part, 0);
    bound.copyTo(to);
    if (cut.isOfColumns) moveColumns(bound, to, cut.range(part));
    scalars.forEach((place, i) => {
      const at = stripsAt(part, i);
      new Float64Array(memory.buffer, at, bytesOf(part) / 8).fill(0);
      const word = wordsAt(to, 1) + wordOf(place);
      integers[word] = at;
      integers[word + 1] = LANES;
    });
  }
  parts.run(call.run, cut.count, (part) => {
    const at = isCopied ? parts.work(part, 0) : bound.at;
    return [at, ...cut.args(cut.range(part), cut.range(part + 1))];
  });
  scalars.forEach((place, i) => {
    addStrips(addressAt(bound, place), cut, (part) => stripsAt(part, i));
  });
}

/** Shares a sweep by elements, columns or rows of matrices. */
export const sharedSweeps =
  (parts: Parts): Shared =>
  (bound, call, t, steps, direction, together, columns) => {
    if (steps * (columns || bound.size) < parts.least.work) return false;
    const { scalars, columns: ofColumns } = sumsOf(bound);
    if (scalars.length > 0 && ofColumns.length > 0) return false;
    const sweep = { bound, call, t, steps, direction, together };
    const cut =
      columns > 0
        ? byRows(parts, sweep, columns)
        : ofColumns.length > 0
          ? byColumns(parts, sweep)
          : byElements(parts, sweep, scalars.length > 0);
    if (cut !== null) run(parts, sweep, cut, scalars);
    return cut !== null;
  };
