/** Checks graphs from files and programs once, and copies them as plain data. */
import { choiceOf, listOf, objectOf, type Range, show, WHOLE, wrongType, wrongValue } from "../../engine/arguments.ts";
import { sizeOf } from "../../engine/shape.ts";
import { FIELDS, type Field } from "./fields.ts";
import type { NIRArray, NIRGraph, NIRNode } from "./graph.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Deepest nesting of groups in a file. */
export const MAX_DEPTH = 64;

/** Deepest nesting of graphs: each graph takes two groups of a file, one for itself and one for its nodes. */
const MAX_GRAPHS = 31;

/**
 * Larger than the number of nodes of any network. Bounds the depth of searches, and objects that contain themselves.
 */
const MAX_NODES = 4096;

/** Most edges between that many nodes. */
const MAX_EDGES = MAX_NODES * MAX_NODES;

/** Most axes of an array in a file. */
const MAX_AXES = 32;

/** A path, shortened for errors. */
export const shortPath = (path: string): string => (path.length > 60 ? `…${path.slice(-60)}` : path);

/**
 * Resolves the end of an edge to the name of a node, undefined if there is none. Early writers renamed the neuron of a subgraph but not its
 * edges: a single unknown name refers to the single node without an edge.
 */
export function resolverOf(nodes: Iterable<string>, ends: Iterable<string>): (name: string) => string | undefined {
  const there = new Set(nodes);
  const used = new Set(ends);
  const strays = [...used].filter((name) => !there.has(name));
  const idle = [...there].filter((name) => !used.has(name));
  const renamed = strays.length === 1 && idle.length === 1 ? idle[0] : undefined;
  return (name) => (there.has(name) ? name : renamed);
}

/** A checked array: a copy of its shape with its data. */
export function checkedArray(where: string, path: string, value: unknown): NIRArray {
  const { shape, data } = objectOf(where, `${path} as an array { shape, data }`, value);
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw wrongType(where, `${path} as an array of floats`, data);
  }
  const sizes = listOf(where, `${path}/shape`, shape, WHOLE);
  const n = sizeOf(sizes);
  if (data.length === n && sizes.length <= MAX_AXES) return { shape: sizes, data };
  throw wrongValue(where, `${path} with ${n} values on at most ${MAX_AXES} axes`, `${data.length}, ${show(sizes)}`);
}

/** One or several integers, or a word. */
function integersOf(where: string, path: string, value: unknown, range: Range, { lengths, words }: Field): unknown {
  if (words && typeof value === "string") return choiceOf(where, path, value, ["same", "valid"]);
  const all = listOf(where, path, typeof value === "number" ? [value] : value, range);
  if (lengths?.includes(all.length) === false) {
    throw wrongValue(where, `${path} of ${lengths.join(" or ")} integers`, show(all));
  }
  return lengths?.includes(1) && all.length === 1 ? all[0] : all;
}

/** Value of a field; a missing array takes the shape of `model`. */
function fieldOf(where: string, path: string, value: unknown, field: Field, model: NIRArray | undefined): unknown {
  const { missing, range } = field;
  if (missing !== undefined && (value ?? null) === null) return model ? filled(model, model.data, missing) : missing;
  if (range) return integersOf(where, path, value, range, field);
  const array = checkedArray(where, path, value);
  // A synaptic weight may be a single number.
  const isRepeated = missing === 1 && model && array.data.length === 1 && `${array.shape}` !== `${model.shape}`;
  return isRepeated ? filled(model, array.data, array.data[0]) : array;
}

/** An array filled with one value, in the shape of an array and the type of the data. */
const filled = ({ shape, data: { length } }: NIRArray, data: NIRArray["data"], value: unknown): NIRArray => ({
  shape: [...shape],
  data: (data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)).fill(value as number),
});

function edgesOf(where: string, path: string, value: unknown, names: readonly string[]): [string, string][] {
  if (!Array.isArray(value) || value.length > MAX_EDGES) {
    throw wrongType(where, `${path} as a list of pairs of names`, value);
  }
  const edges = Array.from(value, (edge: unknown) => {
    const pair = Array.isArray(edge) ? edge.slice(0, 3) : [];
    if (pair.length === 2 && pair.every((name) => typeof name === "string")) return pair as [string, string];
    throw wrongType(where, `${path} as pairs of names`, edge);
  });
  const resolve = resolverOf(names, edges.flat());
  for (const name of edges.flat()) {
    if (resolve(name) === undefined) throw wrongValue(where, `${path} between ${show(names)}`, show(name));
  }
  return edges;
}

/**
 * Copies a graph and adds the defaults of missing fields. The copy shares metadata and the data of arrays. Every field is read once; errors
 * contain its path.
 */
export function graphOf(where: string, root: string, graph: unknown): NIRGraph {
  let left = MAX_NODES;

  function partsOf(path: string, { nodes: given, edges, version }: Fields, depth: number): Record<string, unknown> {
    if (depth > MAX_GRAPHS) throw wrongValue(where, `at most ${MAX_GRAPHS} graphs in each other`, path);
    if (version !== undefined && typeof version !== "string") {
      throw wrongType(where, `${path}/version as text`, version);
    }
    const nodes = Object.entries(objectOf(where, `${path}/nodes as an object`, given)).map(([name, node]) => {
      if (name === "" || --left < 0) throw wrongValue(where, `at most ${MAX_NODES} nodes with names`, show(name));
      return [name, nodeOf(shortPath(`${path}/nodes/${name}`), node, depth + 1)] as const;
    });
    const names = nodes.map(([name]) => name);
    return {
      nodes: Object.fromEntries(nodes),
      edges: edgesOf(where, `${path}/edges`, edges, names),
      ...(version !== undefined && { version }),
    };
  }

  function nodeOf(path: string, value: unknown, depth: number): NIRNode {
    const { type, metadata, ...given } = objectOf(where, `${path} as an object`, value);
    if (typeof type !== "string") throw wrongType(where, `${path}/type as text`, type);
    const kind = choiceOf(where, `${path}/type`, type, depth === 1 ? ["NIRGraph"] : ["NIRGraph", ...TYPES]);
    const fields: Readonly<Record<string, Field>> = kind === "NIRGraph" ? {} : FIELDS[kind];
    const names = kind === "NIRGraph" ? ["nodes", "edges", "version"] : Object.keys(fields);
    // The list that readNIR adds is not part of the graph, and metadata from files never are a list.
    if (depth === 1 && Array.isArray(given.skipped)) names.push("skipped");
    for (const name of Object.keys(given)) {
      // Skipping an unknown field would change the network.
      if (given[name] === undefined || names.includes(name)) continue;
      throw wrongType(where, `${path} with the fields type, metadata, ${names.join(", ")}`, name);
    }
    const values: Record<string, unknown> = kind === "NIRGraph" ? partsOf(path, given, depth) : {};
    for (const [name, field] of Object.entries(fields)) {
      const model = values[field.like ?? ""] as NIRArray | undefined;
      values[name] = fieldOf(where, `${path}/${name}`, given[name], field, model);
    }
    return { type, ...values, ...(metadata !== undefined && { metadata }) } as NIRNode;
  }

  return nodeOf(root, graph, 1) as NIRGraph;
}

const TYPES = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
