/**
 * The minimum cut that chooses which values forward saves for backward.
 *
 * The graph is that of the values of one step, from the inputs and states, which backward does not have, to the values that
 * gradients are made of. A value that is saved costs what `costOf` says, everything behind it is computed again. A cut is a set
 * of values that every path meets, and the cheapest is found by the largest flow; of several, that nearest to the inputs.
 *
 * @see Ford and Fulkerson (1956), Maximal Flow Through a Network, Canadian Journal of Mathematics 8.
 */
import { ELEMENT, type Expression } from "./expression.ts";
import { reachable } from "./graph.ts";

/** Each value is an edge, from where it is made to where it is read, of the capacity of its cost. */
interface Edge {
  readonly to: number;
  readonly back: number;
  capacity: number;
}

/** The cheapest set of values from which, with parameters and what is `known`, all of `needed` can be computed. */
export function minimumCut(
  needed: readonly Expression[],
  known: (x: Expression) => boolean,
  costOf: (x: Expression) => number,
): Set<Expression> {
  const isGiven = (x: Expression) => x.level < ELEMENT || known(x);
  const values = [...reachable(needed, isGiven)].filter((x) => !isGiven(x));
  const places = new Map(values.map((x, i) => [x, 2 * i]));
  const source = 2 * values.length;
  const sink = source + 1;
  const edges: Edge[][] = Array.from({ length: sink + 1 }, () => []);
  const join = (from: number, to: number, capacity: number): void => {
    const [there, back] = [edges[from] as Edge[], edges[to] as Edge[]];
    there.push({ to, back: back.length, capacity });
    back.push({ to: from, back: there.length - 1, capacity: 0 });
  };
  for (const [x, at] of places) {
    join(at, at + 1, costOf(x));
    if (x.args.length === 0) join(source, at, Infinity);
    for (const y of x.args) {
      const from = places.get(y);
      if (from !== undefined) join(from + 1, at, Infinity);
    }
  }
  for (const x of new Set(needed)) {
    const from = places.get(x);
    if (from !== undefined) join(from + 1, sink, Infinity);
  }
  while (augment(edges, source, sink));
  const reached = pathsFrom(edges, source);
  return new Set(values.filter((_, i) => reached[2 * i] && !reached[2 * i + 1]));
}

/** Sends more along one path that has room; false where there is none. */
function augment(edges: readonly Edge[][], source: number, sink: number): boolean {
  const paths = pathsFrom(edges, source);
  const path: Edge[] = [];
  for (let e = paths[sink]; e; e = paths[reverse(edges, e).to]) path.push(e);
  if (path.length === 0) return false;
  const room = Math.min(...path.map((e) => e.capacity));
  for (const e of path) {
    e.capacity -= room;
    reverse(edges, e).capacity += room;
  }
  return true;
}

const reverse = (edges: readonly Edge[][], { to, back }: Edge): Edge => edges[to]?.[back] as Edge;

/** Breadth first: the edge over which each place is reached, null for the source. */
function pathsFrom(edges: readonly Edge[][], source: number): (Edge | null | undefined)[] {
  const path: (Edge | null | undefined)[] = [];
  path[source] = null;
  const queue = [source];
  for (const at of queue) {
    for (const edge of edges[at] as Edge[]) {
      if (edge.capacity <= 0 || path[edge.to] !== undefined) continue;
      path[edge.to] = edge;
      queue.push(edge.to);
    }
  }
  return path;
}
