/**
 * The minimum cut that chooses which values forward saves for backward.
 *
 * The graph contains the values of one step: from inputs and states, which backward lacks, to the values that
 * gradients need. Saving value x costs `costOf(x)`; values after a saved one are recomputed. A cut is a set of values
 * that meets every path. A maximum flow finds the cheapest cut; if several are cheapest, the one nearest to the
 * inputs.
 *
 * @see Ford and Fulkerson (1956), Maximal Flow Through a Network, Canadian Journal of Mathematics 8.
 */
import { ELEMENT } from "./layout.ts";
import { type Expression, reachable } from "./terms.ts";

/** The cheapest set of values to save: with parameters and `known` values, it suffices to compute all of `needed`. */
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
  // Each value is an edge from its definition to its uses; the edge's capacity is the value's cost.
  const network = new Network(sink + 1);
  values.forEach((x, i) => {
    const at = 2 * i;
    network.join(at, at + 1, costOf(x));
    if (x.args.length === 0) network.join(source, at, Infinity);
    x.args.forEach((y) => {
      const from = places.get(y);
      if (from !== undefined) network.join(from + 1, at, Infinity);
    });
  });
  new Set(needed).forEach((x) => {
    const from = places.get(x);
    if (from !== undefined) network.join(from + 1, sink, Infinity);
  });
  const by = network.fill(source, sink);
  return new Set(values.filter((_, i) => by[2 * i] !== undefined && by[2 * i + 1] === undefined));
}

/** A flow network: nodes, and edges with residual capacity; the reverse of edge e is e ^ 1. */
class Network {
  /** The edges that leave a node form a linked list: `last` of the node, then the previous edge of each edge. */
  private readonly last: number[];
  private readonly before: number[] = [];
  private readonly ends: number[] = [];
  private readonly room: number[] = [];

  constructor(places: number) {
    this.last = new Array<number>(places).fill(NONE);
  }

  join(from: number, to: number, capacity: number): void {
    this.leave(from, to, capacity);
    this.leave(to, from, 0);
  }

  private leave(from: number, to: number, capacity: number): void {
    const { last, before, ends, room } = this;
    before.push(last[from] as number);
    last[from] = ends.push(to) - 1;
    room.push(capacity);
  }

  /**
   * Subtracts the maximum flow from the capacities. Returns the nodes that the source still reaches, in the form of
   * `reached`.
   */
  fill(source: number, sink: number): readonly (number | undefined)[] {
    const { ends, room } = this;
    for (;;) {
      const by = this.reached(source);
      if (by[sink] === undefined) return by;
      const path: number[] = [];
      for (let at = sink; at !== source; at = ends[(by[at] as number) ^ 1] as number) path.push(by[at] as number);
      const least = Math.min(...path.map((e) => room[e] as number));
      for (const e of path) {
        (room[e] as number) -= least;
        (room[e ^ 1] as number) += least;
      }
    }
  }

  /** Breadth-first search: for each node that the source reaches by residual capacity, the edge used. */
  private reached(source: number): (number | undefined)[] {
    const { last, before, ends, room } = this;
    const by = new Array<number | undefined>(last.length);
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
  }
}

const NONE = -1;
