/** NIR files as graphs, through the trees of hdf5.ts. */
import { bytesOf, COUNT, isPlain, numberOf, show, withDefaults } from "../../engine/arguments.ts";
import { graphOf } from "./check.ts";
import { FIELDS, type Field } from "./fields.ts";
import type { NIRGraph, NIRSkipped } from "./graph.ts";
import { READER, readTree, type Stored, type Tree } from "./hdf5.ts";

/** Options of {@link readNIR}. */
export interface ReadNIROptions {
  /** Bytes that all arrays of the file may have together, unpacked; default 2²⁸. */
  maxBytes?: number;
}

const READ_NIR = { maxBytes: 2 ** 28 } satisfies Required<ReadNIROptions>;

/**
 * The graph in a NIR file, which is HDF5, with the fields and the defaults of the Python package `nir`.
 *
 * float32 arrays stay float32, float64 and integer ones become float64. A missing `v_reset` becomes zeros, a missing `w_in` ones, in
 * the shape of the other fields; a `w_in` of a single number is repeated. Names, edges and metadata stay as in the
 * file. Metadata other than text, lists of text, numbers, arrays and groups of these are left out, and `skipped` of the
 * graph lists them. Arrays are not checked against each other: `fromNIR` does that.
 *
 * The file may be of unknown origin: its arrays have at most `maxBytes` together, and at most 1032 times the size of
 * the file, the largest factor of its compression. The check comes before memory for an array is taken.
 *
 * @param bytes The whole file, which is copied at once.
 * @throws RangeError with the path in the file where it is no NIR file, or damaged, or larger than allowed; TypeError if `bytes` is
 *   neither a Uint8Array nor an ArrayBuffer; Error where the peer h5wasm is missing, or an earlier file has stopped it.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation: A unified instruction set for interoperable
 *   brain-inspired computing, Nature Communications 15, https://doi.org/10.1038/s41467-024-52259-9.
 *
 * @example
 * ```ts
 * import { Linear, Sequential } from "jarvis-snn";
 * import { readNIR, toNIR, writeNIR } from "jarvis-snn/nir";
 *
 * const network = new Sequential(new Linear(4, 2));
 * const bytes = await writeNIR(toNIR(network, { dt: 1e-3, inputShape: [4] }).graph);
 * const { edges } = await readNIR(bytes);
 * console.log(edges); // [ [ 'input', '0' ], [ '0', 'output' ] ]
 * ```
 */
export async function readNIR(bytes: Uint8Array | ArrayBuffer, options: ReadNIROptions = READ_NIR): Promise<NIRGraph> {
  const { maxBytes } = withDefaults(READER, READ_NIR, options);
  const most = numberOf(READER, "maxBytes", maxBytes, COUNT);
  const skipped: NIRSkipped[] = [];
  const optional = { paths: METADATA, skipped };
  const tree = await readTree(bytesOf(READER, bytes).slice(), ["node", "version"], most, optional);
  const node = nodeOf(tree.get("node"), "/node", skipped);
  const version = plainOf(tree.get("version"));
  try {
    const graph = graphOf(READER, "/node", isPlain(node) ? { ...node, version } : node);
    return skipped.length === 0 ? graph : { ...graph, skipped };
  } catch (error) {
    // In a file, the kind of a value is a value as others.
    throw error instanceof TypeError ? new RangeError(error.message) : error;
  }
}

/** The metadata of a node, and of graphs, which have nodes by names without a slash. */
const METADATA = /^\/node(\/nodes\/[^/]+)*\/metadata(\/|$)/;

type Item = Tree | Stored | undefined;

/** The node that a group stands for, with fields that are still to be checked; anything else as it is. */
function nodeOf(group: Item, path: string, skipped: NIRSkipped[]): unknown {
  if (!isTree(group)) return group;
  const fields: Readonly<Record<string, Field>> = FIELDS[plainOf(group.get("type")) as keyof typeof FIELDS] ?? {};
  const names = new Map(Object.entries(fields).map(([name, { file = name }]) => [file, name]));
  return mapped(
    group,
    (item, file) => {
      const at = `${path}/${file}`;
      if (file === "metadata") return metadataOf(item, at, skipped);
      if (file === "nodes" && isTree(item)) return mapped(item, (node, name) => nodeOf(node, `${at}/${name}`, skipped));
      return file === "edges" ? pairsOf(item) : plainOf(item, fields[names.get(file) ?? file]);
    },
    (file) => names.get(file) ?? file,
  );
}

/** A number or text alone, and the numbers of a field of integers; anything else as it is. */
function plainOf(item: Item, field?: Field): unknown {
  if (item === undefined || isTree(item)) return item;
  const { shape, data } = item;
  if (!ArrayBuffer.isView(data)) return data.length === 1 ? data[0] : item;
  return field?.range && shape.length < 2 ? Array.from(data as ArrayLike<number>) : item;
}

/** Text of shape [n, 2] as pairs. */
function pairsOf(item: Item): unknown {
  if (item === undefined || isTree(item)) return item;
  const { shape, data } = item;
  if (data.length === 0) return [];
  if (shape.length !== 2 || shape[1] !== 2) return item;
  return Array.from({ length: shape[0] as number }, (_, i) => [data[2 * i], data[2 * i + 1]]);
}

/** Numbers, text, lists of text, arrays, and groups of these. The metadata themselves are a group. */
function metadataOf(item: Tree | Stored, path: string, skipped: NIRSkipped[], isInner = false): unknown {
  if (isTree(item)) return mapped(item, (inner, name) => metadataOf(inner, `${path}/${name}`, skipped, true));
  const { shape, data } = item;
  const isText = !ArrayBuffer.isView(data);
  if (isInner && shape.length === 0) return data[0];
  if (isInner && !(isText && shape.length > 1)) return isText ? data : item;
  return void skipped.push({ path, got: `${isText ? "text" : "numbers"} of shape ${show(shape)}` });
}

/** An object of the content of a group; undefined values are left out. */
const mapped = (group: Tree, f: (item: Tree | Stored, name: string) => unknown, nameOf = (name: string) => name) =>
  Object.fromEntries(
    Array.from(group, ([name, item]) => [nameOf(name), f(item, name)] as const).filter(([, x]) => x !== undefined),
  );

const isTree = (item: unknown): item is Tree => item instanceof Map;
