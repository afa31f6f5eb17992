/** The search of fuzzers for a difference between two ways to compute the same, and the cut down to what shows the difference. */

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
  /** With a part left out or made simpler. */
  smallerThan(drawn: Drawn): Iterable<Drawn>;
  print(drawn: Drawn): string;
}

/** The name of the error that a text begins with, which differs from a difference between numbers, as from another error. */
const errorOf = (text: string): string | undefined => /^\w*Error\b/.exec(text)?.[0];

/** The same with as little as still shows a difference; an error that a part left out has brought about is no difference. */
function minimise<Drawn>({ compare, smallerThan }: Kind<Drawn>, drawn: Drawn, found: string): Drawn {
  let best = drawn;
  for (let goesOn = true; goesOn; ) {
    goesOn = false;
    for (const smaller of smallerThan(best)) {
      const text = compare(smaller);
      if (text === null || errorOf(text) !== errorOf(found)) continue;
      best = smaller;
      goesOn = true;
      break;
    }
  }
  return best;
}

/** The first of so many from a seed on that differs, cut down, or null. */
export function firstDiffering<Drawn>(kind: Kind<Drawn>, seed: number, count: number): string | null {
  for (let s = seed; s < seed + count; s++) {
    const drawn = kind.generate(s);
    const found = kind.compare(drawn);
    if (found === null) continue;
    const smaller = minimise(kind, drawn, found);
    return `seed ${s}: ${kind.compare(smaller)}\n${kind.print(smaller)}\n\n${again(kind.part, s)}`;
  }
  return null;
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
