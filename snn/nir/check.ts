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

/** The check of one graph, which reads every field of it once. Errors name the path of a field. */
export class GraphCheck {
  readonly where: string;
  /** A value in errors. */
  readonly show: (value: unknown) => string;
  /** The class of errors about values of another kind: in a file, a kind is a value as others. */
  readonly Kind: ErrorConstructor;
  private left = MAX_NODES;

  constructor(where: string, shown = show, Kind: ErrorConstructor = TypeError) {
    this.where = where;
    this.show = shown;
    this.Kind = Kind;
  }

  /** The copy of a graph, with the defaults of fields that are not there. It shares metadata and the data of arrays. */
  graph(path: string, value: unknown): NIRGraph {
    return this.node(path, value, 1) as NIRGraph;
  }

  /** An array, as a copy of its shape with its data. */
  array(path: string, value: unknown): NIRArray {
    const { shape, data } = Object(value) as Fields;
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      throw this.error("an array { shape, data } of float32 or float64 numbers", path, value, this.Kind);
    }
    const sizes = this.integers(`${path}/shape`, shape, SIZES) as number[];
    const n = sizes.reduce((product, size) => product * size, 1);
    if (data.length === n) return { shape: sizes, data };
    throw wrong(this.where, `${n} values of shape ${show(sizes)}`, path, data.length);
  }

  private error(expected: string, path: string, value: unknown, Kind?: ErrorConstructor): Error {
    return wrong(this.where, expected, path, this.show(value), Kind);
  }

  private object(path: string, value: unknown): Fields {
    if (typeOf(value) === "object") return value as Fields;
    throw this.error("an object", path, value, this.Kind);
  }

  private list(expected: string, path: string, value: unknown, most: number): unknown[] {
    if (!Array.isArray(value)) throw this.error(expected, path, value, this.Kind);
    if (value.length > most) throw this.error(`at most ${most} entries`, path, value.length);
    return Array.from(value);
  }

  private node(path: string, value: unknown, depth: number): NIRNode {
    const { type, metadata, ...given } = this.object(path, value);
    const isGraph = type === "NIRGraph";
    const types: unknown[] = ["NIRGraph", ...(depth === 1 ? [] : Object.keys(FIELDS))];
    if (!types.includes(type)) {
      const Kind = typeof type === "string" ? RangeError : this.Kind;
      throw this.error(`a type that is ${types.join(", ")}`, path, type, Kind);
    }
    const fields: Readonly<Record<string, Field>> = isGraph ? {} : FIELDS[type as keyof typeof FIELDS];
    const names = isGraph ? ["nodes", "edges", "version"] : Object.keys(fields);
    // A reader that left some out would change the network.
    const other = Object.keys(given).find((name) => given[name] !== undefined && !names.includes(name));
    if (other !== undefined)
      throw this.error(`no fields but type, metadata, ${names.join(", ")}`, path, other, this.Kind);
    const values: Record<string, unknown> = isGraph ? this.parts(path, given, depth) : {};
    for (const [name, field] of Object.entries(fields)) {
      values[name] = this.field(
        `${path}/${name}`,
        given[name],
        field,
        values[field.like ?? ""] as NIRArray | undefined,
      );
    }
    return { type, ...values, ...(metadata !== undefined && { metadata }) } as NIRNode;
  }

  /** The fields of a graph. */
  private parts(path: string, { nodes: given, edges, version }: Fields, depth: number): Record<string, unknown> {
    if (depth > MAX_GRAPHS) throw wrong(this.where, `at most ${MAX_GRAPHS} graphs in each other`, path, "more");
    const nodes = Object.entries(this.object(`${path}/nodes`, given)).map(([name, node]) => {
      const at = `${path}/nodes/${name}`;
      if (name === "" || --this.left < 0)
        throw wrong(this.where, `at most ${MAX_NODES} nodes with names`, at, "others");
      return [name, this.node(at, node, depth + 1)] as const;
    });
    if (version !== undefined && typeof version !== "string") {
      throw this.error("text", `${path}/version`, version, this.Kind);
    }
    const copy = { nodes: Object.fromEntries(nodes), edges: this.edges(`${path}/edges`, edges, nodes) };
    return version === undefined ? copy : { ...copy, version };
  }

  private edges(path: string, value: unknown, nodes: readonly (readonly [string, NIRNode])[]): [string, string][] {
    const edges = this.list("pairs of names", path, value, MAX_EDGES).map((edge) => {
      const pair = Array.isArray(edge) ? edge.slice(0, 3) : [];
      if (pair.length === 2 && pair.every((name) => typeof name === "string")) return pair as [string, string];
      throw this.error("pairs of names", path, edge, this.Kind);
    });
    const names = nodes.map(([name]) => name);
    const resolve = resolverOf(names, edges.flat());
    const stray = edges.flat().find((name) => resolve(name) === undefined);
    if (stray === undefined) return edges;
    throw wrong(this.where, `edges between ${show(names)}`, path, `one with ${show(stray)}`);
  }

  /** The value of a field; `model` gives an array that is not there its shape. */
  private field(path: string, value: unknown, field: Field, model: NIRArray | undefined): unknown {
    const { missing, lengths } = field;
    if (missing !== undefined && (value ?? null) === null) return model ? filled(model, model.data, missing) : missing;
    if (lengths) return this.integers(path, value, field);
    const array = this.array(path, value);
    // Weights of synapses may be a single one.
    const isRepeated = missing === 1 && model && array.data.length === 1 && `${array.shape}` !== `${model.shape}`;
    return isRepeated ? filled(model, array.data, array.data[0]) : array;
  }

  /** One integer or several, or a word. */
  private integers(path: string, value: unknown, { lengths = [], least = -Infinity, words }: Field): unknown {
    if (words && typeof value === "string") {
      if (value === "same" || value === "valid") return value;
      throw this.error('"same" or "valid"', path, value);
    }
    const expected =
      lengths.map((n) => (n === 0 ? "an integer" : `${n} integers`)).join(" or ") || "a list of integers";
    const list = typeof value === "number" ? [value] : this.list(expected, path, value, MAX_AXES);
    const isAlone = lengths.includes(0) && list.length === 1;
    if (!isAlone && lengths.length > 0 && (list.length === 0 || !lengths.includes(list.length))) {
      throw this.error(expected, path, value);
    }
    const wrongs = list.filter((x) => !(INTEGER.fits(x as number) && (x as number) >= least));
    if (wrongs.length > 0) throw this.error(`integers${least === -Infinity ? "" : ` ≥ ${least}`}`, path, wrongs[0]);
    return isAlone ? list[0] : list;
  }
}

/** An array of the shape of another one, of the type of the data, with one value. */
const filled = ({ shape, data: { length } }: NIRArray, data: NIRArray["data"], value: unknown): NIRArray => ({
  shape: [...shape],
  data: (data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)).fill(value as number),
});
