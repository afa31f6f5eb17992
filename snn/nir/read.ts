/** Graphs as lists of nodes: subgraphs flattened, edges as the inputs of each node, loops cut where a step's delay is inserted. */
import { show, wrongValue } from "../../engine/arguments.ts";
import { resolverOf } from "./check.ts";
import type { NIRGraph, NIRNode } from "./graph.ts";

/** A node, its name after those of its subgraphs, and the names of the nodes that it reads. */
export interface NodePlace {
  readonly name: string;
  readonly node: NIRNode;
  /** Sorted, so that sums have the same bits for any order of edges in a file. */
  readonly from: Set<string>;
  /** Nodes of `from` whose output of the previous step is read. */
  readonly late: Set<string>;
}

/** Names of the Input and Output nodes, sorted. */
interface Ends {
  readonly inputs: readonly string[];
  /** Outputs that the graph's author declared: all except dead ends, or the dead ends if nothing else is left. */
  readonly outputs: readonly string[];
}

/** A graph without subgraphs. */
export interface Flat extends Ends {
  readonly places: Map<string, NodePlace>;
  /** Outputs that the Python package has added after nodes that no other node reads, also in subgraphs. */
  readonly deadEnds: readonly string[];
}

/** For each node, the names of the nodes that read it. */
type Readers = ReadonlyMap<string, readonly string[]>;

export const nodeInErrors = (where: string, name: string): string => `${where}: node ${show(name)}`;

/** Flattens a graph and its subgraphs; an edge to a subgraph leads to its Input, one from it begins at its Output. */
export function flattened(where: string, graph: NIRGraph): Flat {
  const places = new Map<string, NodePlace>();
  const deadEnds: string[] = [];

  function add(within: string, { nodes, edges }: NIRGraph, prefix: string): Ends {
    const inner = new Map<string, Ends>();
    const ends: Record<string, string[]> = { Input: [], Output: [] };
    for (const [name, node] of Object.entries(nodes)) {
      const path = prefix + name;
      ends[node.type]?.push(name);
      if (node.type === "NIRGraph") inner.set(name, add(nodeInErrors(where, path), node, `${path}.`));
      else if (places.has(path)) throw wrongValue(where, "names of their own for all nodes", `two nodes ${show(path)}`);
      else places.set(path, { name: path, node, from: new Set(), late: new Set() });
    }
    const resolve = resolverOf(Object.keys(nodes), edges.flat());
    const pairs = edges.map((edge) => edge.map(resolve) as [string, string]);
    const dead = deadEndsOf(pairs);
    const isOwn = (name: string): boolean => !dead.has(name);
    const [inputs, all] = [ends.Input, ends.Output] as [string[], string[]];
    const outputs = all.some(isOwn) ? all.filter(isOwn) : all;
    for (const [type, names] of Object.entries({ Input: inputs, Output: outputs })) {
      // Edges refer to a subgraph by its name, not to its ends.
      if (names.length === 1 || (names.length > 1 && prefix === "")) continue;
      throw wrongValue(within, `one node of type ${type}`, show(names));
    }
    const paths = (names: readonly string[]): string[] => names.map((name) => prefix + name).sort();
    deadEnds.push(...paths(all.filter((name) => !outputs.includes(name))));
    const sorted = pairs.map(([from, to]) => [
      inner.get(from)?.outputs[0] ?? prefix + from,
      inner.get(to)?.inputs[0] ?? prefix + to,
    ]);
    for (const [from, to] of sorted.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1))) {
      places.get(to as string)?.from.add(from as string);
    }
    return { inputs: paths(inputs), outputs: paths(outputs) };
  }

  return { ...add(where, graph, ""), places, deadEnds };
}

/**
 * The Outputs that the Python package has added: after a node that nothing else reads, it adds one named `output_` plus the name of the node,
 * with a number appended if the name is taken.
 */
function deadEndsOf(edges: readonly (readonly string[])[]): Set<string | undefined> {
  const [out, into] = [0, 1].map((end) => {
    const counts = new Map<string, number>();
    for (const { [end]: name = "" } of edges) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }) as [Map<string, number>, Map<string, number>];
  const isAdded = (name: string, to: string): boolean => to.startsWith(name) && /^(_\d+)?$/.test(to.slice(name.length));
  const dead = edges.filter(
    ([from = "", to = ""]) => out.get(from) === 1 && into.get(to) === 1 && isAdded(`output_${from}`, to),
  );
  return new Set(dead.map(([, to]) => to));
}

/** For each node, the sorted names of the nodes that read it. */
export function readersOf(places: ReadonlyMap<string, { readonly from: ReadonlySet<string> }>): Readers {
  const readers = new Map([...places.keys()].sort().map((name): [string, string[]] => [name, []]));
  for (const name of readers.keys()) for (const from of places.get(name)?.from ?? []) readers.get(from)?.push(name);
  return readers;
}

/** Throws for a node that no Input reaches, or that reaches no Output. */
export function checkConnected(where: string, { places, inputs, outputs, deadEnds }: Flat): void {
  const readers = readersOf(places);
  const ends = [...outputs, ...deadEnds];
  const reached = reach(inputs, (name) => readers.get(name));
  const leading = reach(ends, (name) => places.get(name)?.from);
  for (const [name, { from }] of places) {
    const isAcross =
      (inputs.includes(name) && from.size > 0) || (ends.includes(name) && readers.get(name)?.length !== 0);
    if (reached.has(name) && leading.has(name) && !isAcross) continue;
    const got = isAcross ? "others" : reached.has(name) ? "none from the node on" : "none up to the node";
    throw wrongValue(nodeInErrors(where, name), "edges that lead from the Input to the Output", got);
  }
}

/** All nodes that can be reached from the start nodes, which come first. */
export function reach(starts: Iterable<string>, next: (name: string) => Iterable<string> | undefined): Set<string> {
  const reached = new Set(starts);
  for (const name of reached) for (const other of next(name) ?? []) reached.add(other);
  return reached;
}

/** Whether a node is a neuron; only neurons have a resistance. */
const isNeuron = ({ node }: NodePlace): boolean => "r" in node;

/**
 * Cuts every loop at one edge, which then reads the previous step. A depth-first search from the Inputs, in the order of names, finds the
 * loops. The cut is after the last neuron of the loop, or after a later node whose output also leaves the loop, so that no edge out of a loop
 * is delayed; in a loop without neurons it is the closing edge. Returns the nodes in topological order, without the delayed edges.
 */
export function cutLoops({ places, inputs }: Flat): NodePlace[] {
  const readers = readersOf(places);
  const at = (name: string): NodePlace => places.get(name) as NodePlace;
  /** Index of the node in the loop after which it is cut. */
  const cut = (loop: readonly string[]): number => {
    const last = loop.map((name) => isNeuron(at(name))).lastIndexOf(true);
    const leaves = loop.map((name, i) => i > last && (readers.get(name)?.length ?? 0) > 1).lastIndexOf(true);
    const end = last < 0 ? loop.length - 1 : Math.max(last, leaves);
    at(loop[(end + 1) % loop.length] as string).late.add(loop[end] as string);
    return end;
  };
  const order: string[] = [];
  const done = new Set<string>();
  /** Nodes from the start of the search to the current one, and how many were finished before each. */
  const path: { readonly name: string; readonly before: number; readonly left: string[] }[] = [];
  const depths = new Map<string, number>();
  const enter = (name: string): void => {
    depths.set(name, path.length);
    path.push({ name, before: order.length, left: [...(readers.get(name) ?? [])].reverse() });
  };
  for (const start of [...inputs, ...readers.keys()]) {
    if (!done.has(start)) enter(start);
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const { name } = top;
      const reader = top.left.pop();
      if (reader === undefined) {
        path.pop();
        depths.delete(name);
        done.add(name);
        order.push(name);
      } else if (!done.has(reader) && !at(reader).late.has(name)) {
        const from = depths.get(reader);
        if (from === undefined) {
          enter(reader);
          continue;
        }
        const end = from + cut(path.slice(from).map((each) => each.name));
        // The nodes after the late edge were not reached by it, so they are searched again.
        for (const each of path.splice(end + 1).reverse()) {
          depths.delete(each.name);
          for (const met of order.splice(each.before)) done.delete(met);
        }
      }
    }
  }
  return order.reverse().map(at);
}
