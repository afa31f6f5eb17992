/**
 * The minimum cut that chooses which values forward saves for backward.
 *
 * The graph has the values of one step, from the inputs and states, which backward does not have, to the values that
 * gradients are made of. A value that is saved costs `costOf` of it, everything behind it is computed again. A cut is a
 * set of values that every path meets, and the cheapest is found by the largest flow; of several, the one nearest to
 * the inputs.
 *
 * @see Ford and Fulkerson (1956), Maximal Flow Through a Network, Canadian Journal of Mathematics 8.
 */
import { ELEMENT } from "./layout.ts";
import { type Expression, reachable } from "./terms.ts";

/** The cheapest set of values from which, with parameters and `known` values, all of `needed` can be computed. */
export function minimumCut(
  needed: readonly Expression[],
  known: (x: Expression) => boolean,
  costOf: (x: Expression) => number,
): Set<Expression> {
  if (needed.length === 0) return new Set();
  const isGiven = (x: Expression) => x.level < ELEMENT || known(x);
  const values = reachable(needed, isGiven).filter((x) => !isGiven(x));
  const places = new Map(values.map((x, i) => [x, 2 * i]));
  const source = 2 * values.length;
  const sink = source + 1;
  // Each value is an edge, from where it is made to where it is read, of the capacity of its cost; the way back of edge e is e ^ 1.
  // The edges that leave a place are a list: the last one, and for each the one before it.
  const last = new Array<number>(sink + 1).fill(NONE);
  const before: number[] = [];
  const ends: number[] = [];
  const room: number[] = [];
  const leave = (from: number, to: number, capacity: number): void => {
    before.push(last[from] as number);
    last[from] = ends.push(to) - 1;
    room.push(capacity);
  };
  const join = (from: number, to: number, capacity: number): void => {
    leave(from, to, capacity);
    leave(to, from, 0);
  };
  values.forEach((x, i) => {
    const at = 2 * i;
    join(at, at + 1, costOf(x));
    if (x.args.length === 0) join(source, at, Infinity);
    x.args.forEach((y) => {
      const from = places.get(y);
      if (from !== undefined) join(from + 1, at, Infinity);
    });
  });
  new Set(needed).forEach((x) => {
    const from = places.get(x);
    if (from !== undefined) join(from + 1, sink, Infinity);
  });

  // For each node reachable in the residual graph: the edge used (breadth first).
  const reached = (): (number | undefined)[] => {
    const by = new Array<number | undefined>(sink + 1);
    by[source] = NONE;
    const queue = [source];
    for (let i = 0; i < queue.length; i++) {
      for (let e = last[queue[i] as number] as number; e !== NONE; e = before[e] as number) {
        const to = ends[e] as number;
        if ((room[e] as number) <= 0 || by[to] !== undefined) continue;
        by[to] = e;
        queue.push(to);
      }
    }
    return by;
  };
  for (;;) {
    const by = reached();
    if (by[sink] === undefined) {
      return new Set(values.filter((_, i) => by[2 * i] !== undefined && by[2 * i + 1] === undefined));
    }
    const path: number[] = [];
    for (let at = sink; at !== source; at = ends[(by[at] as number) ^ 1] as number) path.push(by[at] as number);
    const least = Math.min(...path.map((e) => room[e] as number));
    for (const e of path) {
      (room[e] as number) -= least;
      (room[e ^ 1] as number) += least;
    }
  }
}

const NONE = -1;
