/** Reads NIR files as graphs, through the trees of hdf5.ts. */
import { BYTES, bytesOf, isPlain, numberOf, show, withDefaults } from "../../engine/arguments.ts";
import { graphOf } from "./check.ts";
import { FIELDS, type Field } from "./fields.ts";
import type { NIRGraph, NIRSkipped } from "./graph.ts";
import { READER, readTree, type Stored, type Tree } from "./hdf5.ts";

/** Options of {@link readNIR}. */
export interface ReadNIROptions {
  /**
   * Largest number of bytes of all arrays in memory, where integers take 8 and text 64 or more; default 2²⁸. Infinity means no bound except by
   * the size of the file.
   */
  maxBytes?: number;
}

const READ_NIR = { maxBytes: 2 ** 28 } satisfies Required<ReadNIROptions>;

/**
 * Reads the graph of a NIR file, which is HDF5, with the fields and the defaults of the Python package `nir`.
 *
 * float32 arrays remain float32; float64 and integer arrays become float64. A missing `v_reset` becomes zeros, a missing `w_in` ones, in the shape of
 * the other fields; a `w_in` of a single number is repeated. Names, edges and metadata are those of the file. Metadata other than text, lists of
 * text, numbers, arrays and groups of these are skipped and listed in `skipped` of the graph. `fromNIR`, not this function, checks that arrays fit
 * together.
 *
 * Untrusted files are safe to read: arrays take at most `maxBytes` together, and at most 1032 times the size of the file, the largest factor of its
 * compression. The check precedes the allocation of an array.
 *
 * @param bytes The whole file, which is copied before anything else.
 * @throws RangeError with the path in the file if it is not a NIR file, damaged, or larger than allowed; TypeError if `bytes` is neither a Uint8Array
 *   nor an ArrayBuffer; Error if the peer dependency h5wasm is missing, or an earlier file has crashed it.
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
  const most = numberOf(READER, "maxBytes", maxBytes, BYTES);
  const skipped: NIRSkipped[] = [];
  const optional = { has: isMetadata, skipped };
  const tree = await readTree(bytesOf(READER, bytes).slice(), ["node", "version"], most, optional);
  const node = nodeOf(tree.get("node"), "/node", skipped);
  const version = plainOf(tree.get("version"));
  try {
    const graph = graphOf(READER, "/node", isPlain(node) ? { ...node, version } : node);
    return skipped.length === 0 ? graph : { ...graph, skipped };
  } catch (error) {
    // A wrong type in a file is a wrong value of an argument.
    throw error instanceof TypeError ? new RangeError(error.message) : error;
  }
}

/** Whether a path is metadata, such as /node/nodes/inner/nodes/lif/metadata/note. Names contain no slash. */
const isMetadata = (path: string): boolean =>
  path.split("/").find((name, i) => i > 1 && i % 2 === 0 && name !== "nodes") === "metadata";

type Item = Tree | Stored | undefined;

/** The node of a group, with unchecked fields; anything but a group is returned unchanged. */
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

/** A single number or text, or the numbers of an integer field; anything else is returned unchanged. */
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

/** Maps the content of a group to an object; undefined values are left out. */
const mapped = (group: Tree, f: (item: Tree | Stored, name: string) => unknown, nameOf = (name: string) => name) =>
  Object.fromEntries(
    Array.from(group, ([name, item]) => [nameOf(name), f(item, name)] as const).filter(([, x]) => x !== undefined),
  );

const isTree = (item: unknown): item is Tree => item instanceof Map;
