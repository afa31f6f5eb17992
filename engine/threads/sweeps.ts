/**
 * Sweeps of compiled steps that threads share: some elements of a step each, or some rows of matrices.
 *
 * The sums of a sweep have the order of one thread. For a scalar each strip of columns has sums of its own, which are added in this order
 * when all parts are done: parts begin where strips begin. A sum for each column is made by one thread: parts are columns of all rows.
 */
import { integers, wordsAt } from "../backend.ts";
import { COLUMN, NOWHERE, STRIP, wordOf } from "../fuse/layout.ts";
import type { Shared, SharedCall, SharedRun } from "../fuse/share.ts";
import { memory } from "../wasm.ts";
import type { Parts } from "./parts.ts";

/** Bytes of the sums of a strip, four lanes of float64. */
const LANES = 32;
/** Columns that a part has at least where it has columns of all rows: each row is a call of the sweep's function. */
const NARROWEST = 64;

/** The values of whole rows of n that fill words of bits, or 0 where spikes of a row end within sixteen bits. */
export const wholeWords = (n: number): number => (n % 32 === 0 ? n : n % 16 === 0 ? 2 * n : 0);

/** The word of the descriptor with the address of this place; NOWHERE where none was noted, and without such a place. */
function addressAt(bound: SharedRun, place: number | undefined): number {
  if (place === undefined) return NOWHERE;
  const first = wordsAt(bound.at, 1);
  return integers[first + wordOf(place)] as number;
}

/** The places of sums of a run: of scalars, and of columns. */
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

/** How a sweep is cut. */
interface Cut {
  /** The arguments of the sweep for a part, behind its descriptor. */
  readonly args: (part: number) => readonly number[];
  /** Strips of a part in one step. */
  readonly strips: (part: number) => number;
  /** Steps of the part after which the other parts have their turn in the order of the sums, 0 where all steps are rows of one sum. */
  readonly together: number;
  readonly steps: (part: number) => number;
  /** The first column of a part, where parts are columns of all rows. */
  readonly column?: (part: number) => number;
}

/** Sweeps of compiled steps, by elements of a step, by columns or by rows of matrices. */
export function sharedSweeps(parts: Parts): Shared {
  const { least } = parts;

  /** Rows of matrices, which are steps, of so many columns. */
  const byRows = (bound: SharedRun, first: number, rows: number, n: number): Cut | null => {
    // A state goes from row to row.
    if (rows < 2 * parts.count || rows * n < least.values || bound.plan.next.length > 0) return null;
    const steps = (part: number): number => parts.first(part + 1, rows) - parts.first(part, rows);
    return {
      args: (part) => [first + parts.first(part, rows), steps(part), 1, 1, n, n, n, 0, n],
      strips: () => Math.ceil(n / STRIP),
      together: 0,
      steps,
    };
  };

  /** Elements of a step; the sums of scalars ask for parts of whole strips and pieces. */
  const byElements = (
    bound: SharedRun,
    call: SharedCall,
    t: number,
    steps: number,
    direction: number,
    together: number,
    hasSums: boolean,
  ): Cut | null => {
    const { size, n, plan } = bound;
    const piece = bound.pieceOf(call);
    const isWhole = piece === size;
    if (call.marks && (hasSums || size % 32 !== 0)) return null;
    const rows = plan.hasColumns ? n : 0;
    const unit = call.marks ? wholeWords(rows || 32) : hasSums ? (isWhole ? rows || STRIP : piece) : rows || 16;
    if (unit === 0 || size < 2 * parts.count * unit) return null;
    const count = (part: number): number => parts.first(part + 1, size, unit) - parts.first(part, size, unit);
    return {
      args: (part) => {
        const own = hasSums ? (isWhole ? count(part) : piece) : bound.pieceOf(call, count(part));
        const first = parts.first(part, size, unit);
        return [t, steps, direction, together, first + count(part), own, n, first, own];
      },
      strips: (part) => (rows > 0 ? (count(part) / n) * Math.ceil(n / STRIP) : Math.ceil(count(part) / STRIP)),
      together,
      steps: () => steps,
    };
  };

  /** Columns of all rows, where the order of a column's sum is that of single rows. */
  const byColumns = (
    bound: SharedRun,
    call: SharedCall,
    t: number,
    steps: number,
    direction: number,
    together: number,
  ): Cut | null => {
    const { size, n } = bound;
    if (call.marks || n < NARROWEST * parts.count || (together > 1 && bound.pieceOf(call) !== n)) return null;
    return {
      args: (part) => {
        const [first, end] = [parts.first(part, n, 16), parts.first(part + 1, n, 16)];
        return [t, steps, direction, together, size - n + end, end - first, end - first, first, n];
      },
      strips: () => 0,
      together,
      steps: () => steps,
      column: (part) => parts.first(part, n, 16),
    };
  };

  /** Moves the addresses of arrays of columns in a part's descriptor to its first column. */
  const moveColumns = ({ plan }: SharedRun, to: number, columns: number): void => {
    const first = wordsAt(to, 1);
    for (const kind of ["parameter", "dParameter"] as const) {
      plan.places.get(kind)?.forEach((place, k) => {
        const word = first + wordOf(place);
        if (plan.traced.derived[k]?.level === COLUMN && integers[word] !== NOWHERE) {
          integers[word] = (integers[word] as number) + 4 * columns;
        }
      });
    }
  };

  /** Adds the sums of all strips in the order of one thread. */
  const addStrips = (bound: SharedRun, place: number, cut: Cut, at: (part: number) => number): void => {
    const sums = new Float64Array(memory.buffer, addressAt(bound, place), 4);
    let [a, b, c, d] = sums as unknown as [number, number, number, number];
    const own = Array.from({ length: parts.count }, (_, part) => {
      const count = cut.strips(part) * cut.steps(part);
      return new Float64Array(memory.buffer, at(part), 4 * count);
    });
    const begun = new Array<number>(parts.count).fill(0);
    for (;;) {
      let isDone = true;
      for (let part = 0; part < parts.count; part++) {
        const strips = own[part] as Float64Array;
        const from = begun[part] as number;
        const end =
          cut.together === 0 ? strips.length : Math.min(strips.length, from + 4 * cut.strips(part) * cut.together);
        for (let i = from; i < end; i += 4) {
          a += strips[i] as number;
          b += strips[i + 1] as number;
          c += strips[i + 2] as number;
          d += strips[i + 3] as number;
        }
        begun[part] = end;
        isDone &&= end === strips.length;
      }
      if (isDone) break;
    }
    sums.set([a, b, c, d]);
  };

  return (bound, call, t, steps, direction, together, columns) => {
    if (steps * (columns || bound.size) < least.values) return false;
    const sums = sumsOf(bound);
    const hasScalars = sums.scalars.length > 0;
    if (hasScalars && sums.columns.length > 0) return false;
    const cut =
      columns > 0
        ? byRows(bound, t, steps, columns)
        : sums.columns.length > 0
          ? byColumns(bound, call, t, steps, direction, together)
          : byElements(bound, call, t, steps, direction, together, hasScalars);
    if (cut === null) return false;
    const [words, pieces] = bound.ownBytes;
    const stripBytes = (part: number): number => LANES * cut.strips(part) * cut.steps(part);
    const isCopied = pieces > 0 || hasScalars || cut.column !== undefined;
    if (isCopied) {
      const bytes = (part: number): number => words + pieces + sums.scalars.length * stripBytes(part);
      for (let part = 0; part < parts.count; part++) parts.work(part, bytes(part));
      for (let part = 0; part < parts.count; part++) {
        const to = parts.work(part, 0);
        bound.copyTo(to);
        if (cut.column !== undefined) moveColumns(bound, to, cut.column(part));
        sums.scalars.forEach((place, i) => {
          const at = to + words + pieces + i * stripBytes(part);
          new Float64Array(memory.buffer, at, stripBytes(part) / 8).fill(0);
          const word = wordsAt(to, 1) + wordOf(place);
          integers[word] = at;
          integers[word + 1] = LANES;
        });
      }
    }
    parts.run(call.run, (part) => [isCopied ? parts.work(part, 0) : bound.at, ...cut.args(part)]);
    sums.scalars.forEach((place, i) => {
      addStrips(bound, place, cut, (part) => parts.work(part, 0) + words + pieces + i * stripBytes(part));
    });
    return true;
  };
}
