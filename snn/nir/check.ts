/** Graphs from files and from programs: checked once, and copied as plain data. */
import { INTEGER, show, typeOf } from "../../engine/arguments.ts";
import { FIELDS, type Field } from "./fields.ts";
import type { NIRArray, NIRGraph, NIRNode } from "./graph.ts";

/** The fields of a node, none of which is checked. */
export type Fields = Readonly<Record<string, unknown>>;

/** Groups of a file inside of each other, counted from its root. */
export const MAX_DEPTH = 64;

/** Graphs inside of each other: each takes two groups of a file, its own and that of its nodes. */
const MAX_GRAPHS = 31;

/** More nodes than any network has: objects that hold themselves have no end, and searches are as deep as there are nodes. */
const MAX_NODES = 4096;

/** As many edges as the nodes can have. */
const MAX_EDGES = MAX_NODES * MAX_NODES;

/** The most axes of an array in a file. */
const MAX_AXES = 32;

const SIZES: Field = { lengths: [], least: 0 };

const short = (path: string): string => (path.length > 120 ? `…${path.slice(-120)}` : path || "/");

/** The error of a place in a file or a graph: what was expected there, and what came. */
export const wrong = (
  where: string,
  expected: string,
  path: string,
  got: string | number,
  Kind: ErrorConstructor = RangeError,
  cause?: unknown,
): Error =>
  new Kind(`${where}: expected ${expected} at ${short(path)}, got ${got}`, cause === undefined ? {} : { cause });

/**
 * Finds the name of the node that an end of an edge means, undefined for none. Early writers renamed the neuron of a subgraph and left
 * its edges as they were: a single unknown name is that of the single node without an edge.
 */
export function resolverOf(nodes: Iterable<string>, ends: Iterable<string>): (name: string) => string | undefined {
  const there = new Set(nodes);
  const used = new Set(ends);
  const strays = [...used].filter((name) => !there.has(name));
  const idle = [...there].filter((name) => !used.has(name));
  const renamed = strays.length === 1 && idle.length === 1 ? idle[0] : undefined;
  return (name) => (there.has(name) ? name : renamed);
}

/** The checks of a graph, and of an array by itself. */
export interface Checks {
  /** The copy of a graph, with the defaults of fields that are not there. It shares metadata and the data of arrays. */
  graph(path: string, value: unknown): NIRGraph;
  /** An array, as a copy of its shape with its data. */
  array(path: string, value: unknown): NIRArray;
}

/**
 * Checks that read every field once. Errors name the path of a field; those about values of another kind have the class `Kind`: in a
 * file, a kind is a value as others.
 */
export function checksOf(where: string, Kind: ErrorConstructor = TypeError): Checks {
  let left = MAX_NODES;

  const fail = (expected: string, path: string, value: unknown, Class?: ErrorConstructor): Error =>
    wrong(where, expected, path, show(value), Class);

  function object(path: string, value: unknown): Fields {
    if (typeOf(value) === "object") return value as Fields;
    throw fail("an object", path, value, Kind);
  }

  function list(expected: string, path: string, value: unknown, most: number): unknown[] {
    if (!Array.isArray(value)) throw fail(expected, path, value, Kind);
    if (value.length > most) throw fail(`at most ${most} entries`, path, value.length);
    return Array.from(value);
  }

  function array(path: string, value: unknown): NIRArray {
    const { shape, data } = Object(value) as Fields;
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      throw fail("an array { shape, data } of floats", path, value, Kind);
    }
    const sizes = integers(`${path}/shape`, shape, SIZES) as number[];
    const n = sizes.reduce((product, size) => product * size, 1);
    if (data.length === n) return { shape: sizes, data };
    throw fail(`${n} values of shape ${show(sizes)}`, path, data.length);
  }

  /** One integer or several, or a word. */
  function integers(path: string, value: unknown, { lengths = [], least = -Infinity, words }: Field): unknown {
    if (words && typeof value === "string") {
      if (value === "same" || value === "valid") return value;
      throw fail('"same" or "valid"', path, value);
    }
    const expected =
      lengths.map((n) => (n === 0 ? "an integer" : `${n} integers`)).join(" or ") || "a list of integers";
    const all = typeof value === "number" ? [value] : list(expected, path, value, MAX_AXES);
    const isAlone = lengths.includes(0) && all.length === 1;
    if (!isAlone && lengths.length > 0 && (all.length === 0 || !lengths.includes(all.length))) {
      throw fail(expected, path, value);
    }
    const others = all.filter((x) => !(INTEGER.fits(x as number) && (x as number) >= least));
    if (others.length > 0) throw fail(`integers${least === -Infinity ? "" : ` ≥ ${least}`}`, path, others[0]);
    return isAlone ? all[0] : all;
  }

  /** The value of a field; `model` gives an array that is not there its shape. */
  function fieldOf(path: string, value: unknown, field: Field, model: NIRArray | undefined): unknown {
    const { missing, lengths } = field;
    if (missing !== undefined && (value ?? null) === null) return model ? filled(model, model.data, missing) : missing;
    if (lengths) return integers(path, value, field);
    const own = array(path, value);
    // Weights of synapses may be a single one.
    const isRepeated = missing === 1 && model && own.data.length === 1 && `${own.shape}` !== `${model.shape}`;
    return isRepeated ? filled(model, own.data, own.data[0]) : own;
  }

  function edgesOf(path: string, value: unknown, names: readonly string[]): [string, string][] {
    const pairs = "pairs of names";
    const edges = list(pairs, path, value, MAX_EDGES).map((edge) => {
      const [from, to] = list(pairs, path, edge, 2);
      if (typeof from === "string" && typeof to === "string") return [from, to] as [string, string];
      throw fail(pairs, path, edge, Kind);
    });
    const resolve = resolverOf(names, edges.flat());
    for (const name of edges.flat()) {
      if (resolve(name) === undefined) throw fail(`edges between ${show(names)}`, path, name);
    }
    return edges;
  }

  /** The fields of a graph. */
  function partsOf(path: string, { nodes: given, edges, version }: Fields, depth: number): Record<string, unknown> {
    if (depth > MAX_GRAPHS) throw fail(`at most ${MAX_GRAPHS} graphs in each other`, path, depth);
    if (version !== undefined && typeof version !== "string") throw fail("text", `${path}/version`, version, Kind);
    const nodes = Object.entries(object(`${path}/nodes`, given)).map(([name, node]) => {
      if (name === "" || --left < 0) throw fail(`at most ${MAX_NODES} nodes with names`, `${path}/nodes`, name);
      return [name, nodeOf(`${path}/nodes/${name}`, node, depth + 1)] as const;
    });
    const names = nodes.map(([name]) => name);
    return {
      nodes: Object.fromEntries(nodes),
      edges: edgesOf(`${path}/edges`, edges, names),
      ...(version !== undefined && { version }),
    };
  }

  function nodeOf(path: string, value: unknown, depth: number): NIRNode {
    const { type, metadata, ...given } = object(path, value);
    const types: unknown[] = ["NIRGraph", ...(depth === 1 ? [] : Object.keys(FIELDS))];
    if (!types.includes(type)) {
      throw fail(`a type that is ${types.join(", ")}`, path, type, typeof type === "string" ? RangeError : Kind);
    }
    const isGraph = type === "NIRGraph";
    const fields: Readonly<Record<string, Field>> = isGraph ? {} : FIELDS[type as keyof typeof FIELDS];
    const names = isGraph ? ["nodes", "edges", "version"] : Object.keys(fields);
    for (const name of Object.keys(given)) {
      // A reader that left some out would change the network.
      if (given[name] === undefined || names.includes(name)) continue;
      throw fail(`no fields but type, metadata, ${names.join(", ")}`, path, name, Kind);
    }
    const values: Record<string, unknown> = isGraph ? partsOf(path, given, depth) : {};
    for (const [name, field] of Object.entries(fields)) {
      values[name] = fieldOf(`${path}/${name}`, given[name], field, values[field.like ?? ""] as NIRArray | undefined);
    }
    return { type, ...values, ...(metadata !== undefined && { metadata }) } as NIRNode;
  }

  return { graph: (path, value) => nodeOf(path, value, 1) as NIRGraph, array };
}

/** An array of the shape of another one, of the type of the data, with one value. */
const filled = ({ shape, data: { length } }: NIRArray, data: NIRArray["data"], value: unknown): NIRArray => ({
  shape: [...shape],
  data: (data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)).fill(value as number),
});
