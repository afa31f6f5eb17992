/** Writes graphs as NIR files, through the trees of hdf5.ts. */
import { isPlain, objectOf, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import { checkedArray, graphOf, MAX_DEPTH } from "./check.ts";
import { FIELDS, type Field } from "./fields.ts";
import type { NIRArray, NIRGraph, NIRNode } from "./graph.ts";
import { type Stored, type Tree, writeTree } from "./hdf5.ts";

const WHERE = "writeNIR";

/** Version of NIR with these primitives and fields. */
const VERSION = "1.0.7";

/**
 * Writes a graph as a NIR file that the Python package `nir` reads: groups and arrays of HDF5, names in UTF-8, 64-bit integers, float32 and float64
 * as in the arrays, without compression.
 *
 * A graph without `version` gets "1.0.7". Versions of nested graphs are not written, since a file has one version, at its root. Fields that are null
 * are omitted; the Python package infers `input_shape` of a Flatten, and requires it of convolutions.
 *
 * @throws TypeError for a field of the wrong type; RangeError for a value, a shape or a name that files cannot represent, an edge to a missing node,
 *   or graphs nested deeper than 31; Error if the peer dependency h5wasm is missing.
 * @see readNIR
 *
 * @example
 * ```ts
 * import { LIF, Linear, Sequential } from "jarvis-snn";
 * import { toNIR, writeNIR } from "jarvis-snn/nir";
 *
 * const network = new Sequential(new Linear(4, 2), new LIF({ numerics: "nir" }));
 * const { graph } = toNIR(network, { dt: 1e-3, inputShape: [4] });
 * const bytes = await writeNIR(graph); // of a file such as network.nir
 * console.log(String.fromCharCode(...bytes.subarray(1, 4))); // HDF
 * ```
 */
export async function writeNIR(graph: NIRGraph): Promise<Uint8Array> {
  const { version = VERSION, ...node } = graphOf(WHERE, "graph", graph);
  const tree = new Map<string, Tree | Stored>([["version", text(version, "graph/version")]]);
  return writeTree(WHERE, tree.set("node", nodeTree(node, "graph", 1)));
}

/** The group of a checked node. */
function nodeTree(node: NIRNode, path: string, depth: number): Tree {
  const { type, metadata } = node;
  const tree = new Map<string, Tree | Stored>([["type", text(type, path)]]);
  const group = metadata === undefined ? metadata : metadataTree(metadata, `${path}/metadata`, depth + 1);
  if (group?.size) tree.set("metadata", group);
  if (type === "NIRGraph") {
    const { nodes, edges } = node;
    for (const name of edges.flat()) text(name, `${path}/edges`);
    return tree
      .set(
        "nodes",
        treeOf(nodes, `${path}/nodes`, (inner, at) => nodeTree(inner, at, depth + 2)),
      )
      .set("edges", { shape: [edges.length, 2], data: edges.flat() });
  }
  for (const [name, { file = name }] of Object.entries<Field>(FIELDS[type])) {
    const value = (node as unknown as Record<string, unknown>)[name];
    if (Array.isArray(value)) tree.set(file, { shape: [value.length], data: BigInt64Array.from(value, BigInt) });
    else if (value !== null) tree.set(file, itemOf(value, path));
  }
  return tree;
}

/** A group of the values of an object. Checks names, since HDF5 would change some, or read them as paths. */
function treeOf<T>(
  object: Readonly<Record<string, T>>,
  path: string,
  itemOf: (value: T, path: string) => Tree | Stored,
): Tree {
  const entries = Object.entries(object).map(([name, value]) => {
    if (name === "" || name === "." || name.includes("/")) {
      throw wrongValue(WHERE, `names in ${path} with a character, without /, and not .`, show(name));
    }
    text(name, path);
    return [name, itemOf(value, `${path}/${name}`)] as const;
  });
  return new Map(entries);
}

/** Text that a file can represent: without half of a surrogate pair, and without a 0, which would end it. */
function text(value: string, path: string): Stored {
  if (/[\0\p{Surrogate}]/u.test(value)) throw wrongValue(WHERE, `${path} as text without 0`, show(value));
  return { shape: [], data: [value] };
}

/** A number (an integer type for integers, as the Python package writes them), text, or a copy of an array. */
function itemOf(value: unknown, path: string): Stored {
  if (typeof value === "string") return text(value, path);
  if (typeof value !== "number") return copyOf(value as NIRArray);
  const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
  return { shape: [], data: isInteger ? BigInt64Array.of(BigInt(value)) : Float64Array.of(value) };
}

const copyOf = ({ shape, data }: NIRArray): Stored => ({
  shape,
  // A transferred buffer is empty and cannot be copied.
  data: data.length > 0 ? data.slice() : data instanceof Float32Array ? new Float32Array(0) : new Float64Array(0),
});

function metadataTree(metadata: unknown, path: string, depth: number): Tree {
  if (depth > MAX_DEPTH) throw wrongValue(WHERE, `at most ${MAX_DEPTH} groups in each other`, path);
  return treeOf(objectOf(WHERE, `${path} as an object`, metadata), path, (value, at) => metadatum(value, at, depth));
}

function metadatum(value: unknown, path: string, depth: number): Tree | Stored {
  if (typeof value === "string" || typeof value === "number") return itemOf(value, path);
  const list: unknown[] = Array.isArray(value) ? Array.from(value) : [];
  if (Array.isArray(value) && list.every((item) => typeof item === "string")) {
    for (const item of list) text(item, path);
    return { shape: [list.length], data: list };
  }
  if (!isPlain(value))
    throw wrongType(WHERE, `${path} as text, a number, a list of text, an array or an object`, value);
  const { data } = value as { data?: unknown };
  return ArrayBuffer.isView(data) ? copyOf(checkedArray(WHERE, path, value)) : metadataTree(value, path, depth + 1);
}
