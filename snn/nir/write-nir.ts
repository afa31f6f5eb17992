/** Graphs as NIR files. */
import { INTEGER, isPlain, numberOf, objectOf, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import { FIELDS, type Field, MAX_DEPTH, strayName } from "./fields.ts";
import type { NIRGraph } from "./graph.ts";
import { type Stored, type Tree, writeTree } from "./hdf5.ts";

const WHERE = "writeNIR";

/** The version of NIR with these primitives and fields. */
const VERSION = "1.0.7";

/**
 * A NIR file with the graph, as the Python package `nir` reads it: groups and arrays of HDF5, names in UTF-8, integers of 64 bits,
 * float32 and float64 as the arrays have them, without compression.
 *
 * A graph without `version` gets "1.0.7". The version of nested graphs is not written: files have one, at their root. Fields that
 * are null are left out; the Python package infers `input_shape` of a Flatten, and asks for that of convolutions.
 *
 * @throws TypeError for a field of another kind than NIR has; RangeError for a value, a shape or a name that files cannot hold, an edge
 *   that names no node, or graphs deeper in each other than 31; Error where the peer h5wasm is missing.
 * @see readNIR
 */
export async function writeNIR(graph: NIRGraph): Promise<Uint8Array> {
  const given = objectOf(WHERE, "graph as an object", graph);
  const { version } = given;
  const node = nodeTree(given, "graph", 1);
  const tree = new Map<string, Tree | Stored>([
    ["version", text(version === undefined ? VERSION : version, "graph.version")],
    ["node", node],
  ]);
  return writeTree(WHERE, tree);
}

type Fields = Readonly<Record<string, unknown>>;

/** The group of a node. Every field is read once, and copied. */
function nodeTree(node: Fields, path: string, depth: number): Tree {
  const { type, metadata } = node;
  if (typeof type !== "string") throw wrongType(WHERE, `${path}.type as text`, type);
  if (depth === 1 && type !== "NIRGraph") throw wrongValue(WHERE, 'a graph of type "NIRGraph"', show(type));
  const tree = new Map<string, Tree | Stored>([["type", text(type, `${path}.type`)]]);
  if (metadata !== undefined) {
    const group = metadataTree(metadata, `${path}.metadata`, depth + 1);
    if (group.size > 0) tree.set("metadata", group);
  }
  if (type === "NIRGraph") {
    const nodes = nodesTree(node.nodes, `${path}.nodes`, depth + 1);
    checkNames(node, ["nodes", "edges", "version"], path);
    return tree.set("nodes", nodes).set("edges", edges(node.edges, nodes, `${path}.edges`));
  }
  if (!Object.keys(FIELDS).includes(type)) {
    throw wrongValue(WHERE, `${path}.type NIRGraph, ${Object.keys(FIELDS).join(", ")}`, show(type));
  }
  const fields: Readonly<Record<string, Field>> = FIELDS[type as keyof typeof FIELDS];
  checkNames(node, Object.keys(fields), path);
  for (const [name, field] of Object.entries(fields)) {
    const value = node[name];
    if (value === null && field.missing === null) continue;
    tree.set(
      field.file ?? name,
      field.lengths ? integers(value, field, `${path}.${name}`) : array(value, `${path}.${name}`),
    );
  }
  return tree;
}

/** Throws where a node has more than these fields, which a file would lose. */
function checkNames(node: Fields, names: readonly string[], path: string): void {
  for (const name of Object.keys(node)) {
    if (name !== "type" && name !== "metadata" && !names.includes(name) && node[name] !== undefined) {
      throw new TypeError(
        `${WHERE}: expected ${path} with the fields type, metadata, ${names.join(", ")}, got ${show(name)}`,
      );
    }
  }
}

function nodesTree(nodes: unknown, path: string, depth: number): Tree {
  if (depth + 1 > MAX_DEPTH) throw wrongValue(WHERE, "at most 31 graphs in each other", "more");
  const entries = Object.entries(objectOf(WHERE, `${path} as an object`, nodes));
  return new Map(
    entries.map(([name, node]) => {
      checkName(name, path);
      const at = `${path}.${name}`;
      return [name, nodeTree(objectOf(WHERE, `${at} as an object`, node), at, depth + 1)];
    }),
  );
}

function edges(list: unknown, nodes: Tree, path: string): Stored {
  if (!Array.isArray(list)) throw wrongType(WHERE, `${path} as a list of pairs of names`, list);
  const names = Array.from(list as unknown[], (edge, i) => {
    if (!Array.isArray(edge) || edge.length !== 2) throw wrongType(WHERE, `${path}[${i}] as a pair of names`, edge);
    return [edge[0], edge[1]] as unknown[];
  }).flat();
  const ends = Array.from(names, (name) => text(name, path).data[0] as string);
  const stray = strayName(nodes.keys(), ends);
  if (stray !== undefined)
    throw wrongValue(WHERE, `${path} between ${show([...nodes.keys()])}`, `one with ${show(stray)}`);
  return { shape: [names.length / 2, 2], data: ends };
}

/** Throws for a name that HDF5 cannot hold: it would be another name, or a path. */
function checkName(name: string, path: string): void {
  if (name === "" || name === "." || /[/\0]/.test(name) || !isText(name)) {
    throw wrongValue(WHERE, `names in ${path} with a character, without / and 0, and not .`, show(name));
  }
}

/** Whether UTF-8 can hold a text: not with half of a surrogate pair. */
const isText = (value: string): boolean => !/\p{Surrogate}/u.test(value);

function text(value: unknown, path: string): Stored {
  if (typeof value !== "string") throw wrongType(WHERE, `${path} as text`, value);
  if (value.includes("\0") || !isText(value)) throw wrongValue(WHERE, `${path} as text without 0`, show(value));
  return { shape: [], data: [value] };
}

function array(value: unknown, path: string): Stored {
  const { shape, data } = objectOf(WHERE, `${path} as an array { shape, data }`, value);
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw wrongType(WHERE, `${path}.data as a Float32Array or a Float64Array`, data);
  }
  const sizes = list(shape, `${path}.shape`, 0);
  const n = sizes.reduce((product, size) => product * size, 1);
  if (sizes.length > 32) throw wrongValue(WHERE, `${path}.shape of at most 32 axes`, `${sizes.length}`);
  if (data.length !== n) throw wrongValue(WHERE, `${n} values in ${path}, of shape ${show(sizes)}`, `${data.length}`);
  return {
    shape: sizes,
    data: n === 0 ? new (data instanceof Float32Array ? Float32Array : Float64Array)(0) : data.slice(),
  };
}

function list(value: unknown, path: string, least: number): number[] {
  if (!Array.isArray(value)) throw wrongType(WHERE, `${path} as a list of integers`, value);
  return Array.from(value as unknown[], (x, i) => integer(x, `${path}[${i}]`, least));
}

function integer(value: unknown, path: string, least: number): number {
  const x = numberOf(WHERE, path, value, INTEGER);
  if (x < least) throw wrongValue(WHERE, `${path} ≥ ${least}`, x);
  return x;
}

function integers(value: unknown, { lengths = [], least = -Infinity, words }: Field, path: string): Stored {
  if (words && typeof value === "string") {
    if (value !== "same" && value !== "valid") throw wrongValue(WHERE, `${path} "same" or "valid"`, show(value));
    return text(value, path);
  }
  if (lengths.includes(0) && typeof value === "number") return stored(integer(value, path, least));
  const several = list(value, path, least);
  if (lengths.length > 0 && (several.length === 0 || !lengths.includes(several.length))) {
    throw wrongValue(
      WHERE,
      `${path} of ${lengths.filter((n) => n > 0).join() || "no"} entries, or a number`,
      `${several.length}`,
    );
  }
  return { shape: [several.length], data: BigInt64Array.from(several, BigInt) };
}

/** A number: integers as such, as the Python package writes them. */
const stored = (value: number): Stored => {
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return { shape: [], data: isInteger ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value) };
};

function metadataTree(metadata: unknown, path: string, depth: number): Tree {
  if (depth > MAX_DEPTH)
    throw wrongValue(WHERE, `at most ${MAX_DEPTH} groups in each other`, `more in ${path.slice(0, 80)}`);
  const entries = Object.entries(objectOf(WHERE, `${path} as an object`, metadata));
  return new Map(
    entries.map(([name, value]) => {
      checkName(name, path);
      return [name, metadatum(value, `${path}.${name}`, depth)];
    }),
  );
}

function metadatum(value: unknown, path: string, depth: number): Tree | Stored {
  if (typeof value === "string") return text(value, path);
  if (typeof value === "number") return stored(value);
  if (Array.isArray(value)) {
    const texts = Array.from(value as unknown[], (item, i) => text(item, `${path}[${i}]`).data[0] as string);
    return { shape: [texts.length], data: texts };
  }
  if (!isPlain(value))
    throw wrongType(WHERE, `${path} as text, a number, a list of text, an array or an object`, value);
  const { data } = value as { data?: unknown };
  return ArrayBuffer.isView(data) ? array(value, path) : metadataTree(value, path, depth + 1);
}
