/** Graphs as lists of nodes: subgraphs taken apart, edges as the inputs of each node, loops cut where their spikes come a step late. */
import { objectOf, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import type { Fields } from "./euler.ts";
import type { NIRGraph, NIRNode } from "./graph.ts";

/** A node with its name, which names the subgraphs around it too, and the names of the nodes that it reads. */
export interface Place {
  readonly name: string;
  readonly node: NIRNode;
  /** Sorted, so that sums have the same bits in whatever order a file lists the edges. */
  readonly from: Set<string>;
  /** Those among them whose output of the step before is read. */
  readonly late: Set<string>;
}

/** A graph without subgraphs. */
export interface Flat {
  readonly places: Map<string, Place>;
  readonly input: string;
  readonly output: string;
}

/** More nodes than any network has, and deeper subgraphs: objects that hold themselves have no end. */
const MOST = 2 ** 16;
const DEEPEST = 64;

/** The nodes with spikes or a membrane. */
export const NEURONS: readonly string[] = ["I", "LI", "IF", "LIF", "CubaLI", "CubaLIF"];

/** A copy of the nodes and edges of a graph, whose arrays are shared. */
export function copyOf(where: string, given: unknown, depth = 0, budget = { left: MOST }): NIRGraph {
  const { nodes, edges, ...rest } = objectOf(where, "a graph { nodes, edges }", given);
  if (rest.type !== "NIRGraph") throw wrongValue(where, 'a node of type "NIRGraph"', show(rest.type));
  if (depth > DEEPEST) throw wrongValue(where, "a graph that does not hold itself", `subgraphs ${depth} deep`);
  const copies = Object.entries(objectOf(where, "nodes by name", nodes)).map(([name, node]): [string, NIRNode] => {
    const place = `${where}: node ${show(name)}`;
    if (name === "") throw wrongValue(place, "a name", "none");
    if (--budget.left < 0) throw wrongValue(where, `at most ${MOST} nodes`, "more");
    const copy = { ...objectOf(place, "a node", node) } as unknown as NIRNode;
    const type: unknown = copy.type;
    if (typeof type !== "string") throw wrongType(place, "type as the name of a primitive", type);
    return [name, type === "NIRGraph" ? copyOf(place, copy, depth + 1, budget) : copy];
  });
  if (!Array.isArray(edges)) throw wrongType(where, "edges as a list of [from, to]", edges);
  if (edges.length > 16 * MOST) throw wrongValue(where, `at most ${16 * MOST} edges`, edges.length);
  const pairs = Array.from(edges as unknown[], (edge): readonly [string, string] => {
    const [from, to, ...more] = Array.isArray(edge) && edge.length === 2 ? [...edge] : [];
    if (typeof from === "string" && typeof to === "string" && more.length === 0) return [from, to];
    throw wrongType(where, "edges as [from, to], two names", edge);
  });
  return { ...(rest as Fields), type: "NIRGraph", nodes: Object.fromEntries(copies), edges: pairs };
}

/** The one node of a type. */
function only(where: string, nodes: ReadonlyMap<string, NIRNode>, type: string): string {
  const names = [...nodes].filter(([, node]) => node.type === type).map(([name]) => name);
  if (names.length === 1) return names[0] as string;
  throw wrongValue(where, `one node of type ${type}`, names.length === 0 ? "none" : show(names));
}

/**
 * The name of the node that an edge names. Some exporters call a node of a subgraph `lif1` and its edges `lif`: a name that no node has
 * is the single node without edges whose name begins with it.
 */
function resolver(where: string, { nodes, edges }: NIRGraph): (name: string) => string {
  const own = new Set(Object.keys(nodes));
  const named = new Set(edges.flat());
  const unknown = [...named].filter((name) => !own.has(name));
  const [lost, more] = [...own].filter((name) => !named.has(name));
  const [first] = unknown;
  if (first === undefined) return (name) => name;
  if (unknown.length > 1 || lost === undefined || more !== undefined || !lost.startsWith(first)) {
    throw wrongValue(where, `edges between nodes, ${show([...own])}`, `an edge of ${show(first)}`);
  }
  return (name) => (name === first ? lost : name);
}

/** The nodes of a graph and of its subgraphs; an edge to a subgraph leads to its Input, one from it begins at its Output. */
export function flatten(where: string, graph: NIRGraph): Flat {
  const places = new Map<string, Place>();
  const ends = { input: "", output: "" };

  function add(within: string, { nodes, edges }: NIRGraph, prefix: string): { input: string; output: string } {
    const own = new Map(Object.entries(nodes));
    const inner = new Map<string, { input: string; output: string }>();
    const ends = { input: prefix + only(within, own, "Input"), output: prefix + only(within, own, "Output") };
    for (const [name, node] of own) {
      const path = prefix + name;
      if (node.type === "NIRGraph") inner.set(name, add(`${where}: ${path}`, node, `${path}.`));
      else if (places.has(path)) throw wrongValue(where, "names of their own for all nodes", `two nodes ${show(path)}`);
      else places.set(path, { name: path, node, from: new Set(), late: new Set() });
    }
    const resolve = resolver(within, { nodes, edges } as NIRGraph);
    const sorted = edges.map(([from, to]): [string, string] => {
      const [source, target] = [resolve(from), resolve(to)];
      return [inner.get(source)?.output ?? prefix + source, inner.get(target)?.input ?? prefix + target];
    });
    sorted.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    for (const [from, to] of sorted) (places.get(to) as Place).from.add(from);
    return ends;
  }

  Object.assign(ends, add(where, graph, ""));
  return { places, ...ends };
}

/** The names of the nodes that read each node, sorted. */
export function readersOf(places: ReadonlyMap<string, Place>): Map<string, string[]> {
  const readers = new Map([...places.keys()].map((name): [string, string[]] => [name, []]));
  for (const name of [...places.keys()].sort()) {
    for (const from of (places.get(name) as Place).from) readers.get(from)?.push(name);
  }
  return readers;
}

/** Throws for a node that no value can come to, or whose values go nowhere. */
export function checkConnected(where: string, { places, input, output }: Flat): void {
  const readers = readersOf(places);
  const reached = reach([input], (name) => readers.get(name) ?? []);
  for (const [name, { from }] of places) {
    const count = readers.get(name)?.length ?? 0;
    const fail = (expected: string, got: string): never => {
      throw wrongValue(`${where}: node ${show(name)}`, expected, got);
    };
    if (name === input && from.size > 0) fail("no edge to the Input", "one");
    if (name === output && count > 0) fail("no edge from the Output", "one");
    if (name !== input && from.size === 0) fail("an edge to the node", "none");
    if (!reached.has(name)) fail("a way to the node from the Input", "none");
    if (name !== output && count === 0) fail("an edge from the node", "none");
  }
}

/** All that can be reached from these. */
export function reach(starts: Iterable<string>, next: (name: string) => Iterable<string>): Set<string> {
  const reached = new Set(starts);
  for (const name of reached) for (const other of next(name)) reached.add(other);
  return reached;
}

/**
 * Cuts every loop: an edge from its last neuron, as the search meets them from the Input in the order of names, is late; of a loop
 * without neurons, the edge that closes it. Returns the nodes in an order in which each comes after those that it reads in the step.
 */
export function cutLoops({ places, input }: Flat): Place[] {
  const readers = readersOf(places);
  for (;;) {
    const { loop, order } = search(places, input, readers);
    if (loop === null) return order;
    // From the node that closes the loop back.
    let at = loop.length - 1;
    while (at >= 0 && !NEURONS.includes((places.get(loop[at] as string) as Place).node.type)) at--;
    const cut = at < 0 ? loop.length - 1 : at;
    (places.get(loop[(cut + 1) % loop.length] as string) as Place).late.add(loop[cut] as string);
  }
}

/** A search in depth: the first loop that it finds, each node read by the next one and the last by the first; and all nodes in order. */
function search(
  places: ReadonlyMap<string, Place>,
  input: string,
  readers: ReadonlyMap<string, readonly string[]>,
): { loop: string[] | null; order: Place[] } {
  const order: Place[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const onPath = new Set<string>();
  const iterators: Iterator<string>[] = [];
  const enter = (name: string): void => {
    path.push(name);
    onPath.add(name);
    iterators.push((readers.get(name) ?? []).values());
  };
  // A node that only late edges lead to begins a search of its own.
  for (const start of [input, ...[...places.keys()].sort()]) {
    if (done.has(start)) continue;
    enter(start);
    while (path.length > 0) {
      const name = path[path.length - 1] as string;
      const { value: next } = (iterators[iterators.length - 1] as Iterator<string>).next() as { value?: string };
      if (next === undefined) {
        path.pop();
        iterators.pop();
        onPath.delete(name);
        done.add(name);
        order.push(places.get(name) as Place);
      } else if ((places.get(next) as Place).late.has(name) || done.has(next)) continue;
      else if (onPath.has(next)) return { loop: path.slice(path.indexOf(next)), order };
      else enter(next);
    }
  }
  return { loop: null, order: order.reverse() };
}
