/** The search of fuzzers for a difference between two ways to compute the same, and the cut down to what shows the difference. */
import { alone, differenceOfThreads, type Named, threadsNow } from "../support/sharing.ts";

import { again, type Part } from "./command.ts";

/** An operation on values by their numbers: first the leaves, then what the operations before gave. */
export interface Operation {
  readonly op: string;
  readonly args: readonly (number | Literal)[];
}

/** A number in the code of a step; null where a bound is left out. */
export interface Literal {
  readonly number: number | null;
}

/** Something drawn from a seed, as data. */
export interface Kind<Drawn> {
  readonly part: Part;
  generate(seed: number): Drawn;
  /** Where the two ways differ; null where they do not. */
  compare(drawn: Drawn): string | null;
  /** All that one of the ways computes, of as many values as threads share. */
  values(drawn: Drawn): Named;
  /** With a part left out or made simpler. */
  smallerThan(drawn: Drawn): Iterable<Drawn>;
  print(drawn: Drawn): string;
}

/** The name of the error that a text begins with, which differs from a difference between numbers, as from another error. */
const errorOf = (text: string): string | undefined => /^\w*Error\b/.exec(text)?.[0];

/** The same with as little as still shows a difference; an error that a part left out has brought about is no difference. */
function minimise<Drawn>(
  { smallerThan }: Kind<Drawn>,
  drawn: Drawn,
  differenceOf: (drawn: Drawn) => string | null,
  found: string,
): Drawn {
  let best = drawn;
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    for (const smaller of smallerThan(best)) {
      const text = differenceOf(smaller);
      if (text === null || errorOf(text) !== errorOf(found)) continue;
      best = smaller;
      goesOn = true;
      break;
    }
  }
  return best;
}

/**
 * The first of so many from a seed on that differs, cut down, or null. Both ways are those of one thread; where more run, one way runs on
 * all of them too, of each draw whose seed is a multiple of `every`.
 */
export function firstDiffering<Drawn>(kind: Kind<Drawn>, seed: number, count: number, every = 1): string | null {
  for (let s = seed; s < seed + count; s++) {
    const differenceOf = (drawn: Drawn): string | null =>
      alone(() => kind.compare(drawn)) ?? (s % every === 0 ? withThreads(kind, drawn) : null);
    const drawn = kind.generate(s);
    const found = differenceOf(drawn);
    if (found === null) continue;
    const smaller = minimise(kind, drawn, differenceOf, found);
    const line = again(kind.part, s, threadsNow());
    return `seed ${s}: ${differenceOf(smaller)}\n${kind.print(smaller)}\n\n${line}`;
  }
  return null;
}

function withThreads<Drawn>(kind: Kind<Drawn>, drawn: Drawn): string | null {
  if (threadsNow() === 1) return null;
  try {
    const difference = differenceOfThreads(() => kind.values(drawn));
    return difference === null ? null : `${difference.name}, ${difference.text}`;
  } catch (error) {
    return `with ${threadsNow()} threads: ${(error as Error).stack}`;
  }
}

/**
 * The operations without one of them: whoever reads it reads one of its arguments instead. `first` is the number of the value that
 * the first operation gives; `renumber` gives the new number of a value.
 */
export function* withoutOne(
  operations: readonly Operation[],
  first: number,
): Generator<{ operations: Operation[]; renumber(at: number): number }> {
  for (let i = operations.length - 1; i >= 0; i--) {
    for (const by of operations[i]?.args ?? []) {
      if (typeof by !== "number") continue;
      const renumber = (at: number) => (at === first + i ? by : at > first + i ? at - 1 : at);
      const rest = operations.filter((_, j) => j !== i);
      yield {
        operations: rest.map(({ op, args }) => ({
          op,
          args: args.map((x) => (typeof x === "number" ? renumber(x) : x)),
        })),
        renumber,
      };
    }
  }
}
