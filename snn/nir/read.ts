/** Graphs as lists of nodes: subgraphs taken apart, edges as the inputs of each node, loops cut where their spikes come a step late. */
import { show, wrongValue } from "../../engine/arguments.ts";
import { resolverOf } from "./check.ts";
import type { NIRGraph, NIRNode } from "./graph.ts";

/** A node with its name, which names the subgraphs around it too, and the names of the nodes that it reads. */
export interface NodePlace {
  readonly name: string;
  readonly node: NIRNode;
  /** Sorted, so that sums have the same bits in whatever order a file lists the edges. */
  readonly from: Set<string>;
  /** The nodes among these whose output of the step before is read. */
  readonly late: Set<string>;
}

/** The names of the nodes where values come in and leave, sorted. */
interface Ends {
  readonly inputs: readonly string[];
  /** The Outputs of the author of the graph: all but the dead ends, or the dead ends where there are no others. */
  readonly outputs: readonly string[];
}

/** A graph without subgraphs. */
export interface Flat extends Ends {
  readonly places: Map<string, NodePlace>;
  /** Outputs that the Python package has put behind nodes that no other node reads, in subgraphs too. */
  readonly deadEnds: readonly string[];
}

/** The names of the nodes that read each node. */
type Readers = ReadonlyMap<string, readonly string[]>;

export const nodeInErrors = (where: string, name: string): string => `${where}: node ${show(name)}`;

/** The nodes of a graph and of its subgraphs; an edge to a subgraph leads to its Input, one from it begins at its Output. */
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
      // An edge names a subgraph and none of its ends.
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
 * The Outputs that the Python package has added: behind a node that nothing else reads it puts one of the name `output_` and the name of
 * the node, with a number behind it where a node has this name already.
 */
function deadEndsOf(edges: readonly (readonly string[])[]): Set<string | undefined> {
  const [out, into] = [0, 1].map((end) => {
    const counts = new Map<string, number>();
    for (const { [end]: name = "" } of edges) counts.set(name, (counts.get(name) ?? 0) + 1);
    return counts;
  }) as [Map<string, number>, Map<string, number>];
  const dead = edges.filter(
    ([from = "", to = ""]) =>
      out.get(from) === 1 && into.get(to) === 1 && [to, to.replace(/_\d+$/, "")].includes(`output_${from}`),
  );
  return new Set(dead.map(([, to]) => to));
}

/** The names of the nodes that read each node, sorted. */
export function readersOf(places: ReadonlyMap<string, { readonly from: ReadonlySet<string> }>): Readers {
  const readers = new Map([...places.keys()].sort().map((name): [string, string[]] => [name, []]));
  for (const name of readers.keys()) for (const from of places.get(name)?.from ?? []) readers.get(from)?.push(name);
  return readers;
}

/** Throws for a node that no value can come to, or whose values go nowhere. */
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

/** All nodes that can be reached from some nodes, which come first. */
export function reach(starts: Iterable<string>, next: (name: string) => Iterable<string> | undefined): Set<string> {
  const reached = new Set(starts);
  for (const name of reached) for (const other of next(name) ?? []) reached.add(other);
  return reached;
}

/** Neurons alone have a resistance. */
const isNeuron = ({ node }: NodePlace): boolean => "r" in node;

/**
 * Cuts every loop, which is an order of nodes as the search from the Inputs meets them by their names: the edge behind its last neuron is
 * late, or behind the last node after that whose output leaves the loop too, so that no edge out of a loop is; of a loop without
 * neurons, the edge that closes it. Returns the nodes in an order in which each comes after the nodes that it reads in
 * the step.
 */
export function cutLoops({ places, inputs }: Flat): NodePlace[] {
  const readers = readersOf(places);
  const at = (name: string): NodePlace => places.get(name) as NodePlace;
  /** The end of the loop, as an index. */
  const cut = (loop: readonly string[]): number => {
    const last = loop.map((name) => isNeuron(at(name))).lastIndexOf(true);
    const leaves = loop.map((name, i) => i > last && (readers.get(name)?.length ?? 0) > 1).lastIndexOf(true);
    const end = last < 0 ? loop.length - 1 : Math.max(last, leaves);
    at(loop[(end + 1) % loop.length] as string).late.add(loop[end] as string);
    return end;
  };
  const order: string[] = [];
  const done = new Set<string>();
  /** The nodes from the start of the search to the present one, and how many were done before each. */
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
        // Nothing behind the late edge was met by it.
        for (const each of path.splice(end + 1).reverse()) {
          depths.delete(each.name);
          for (const met of order.splice(each.before)) done.delete(met);
        }
      }
    }
  }
  return order.reverse().map(at);
}
