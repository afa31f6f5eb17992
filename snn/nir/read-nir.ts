/** NIR files as graphs. */
import { COUNT, INTEGER, numberOf, show, withDefaults, wrongType } from "../../engine/arguments.ts";
import { FIELDS, type Field, strayName } from "./fields.ts";
import type { NIRArray, NIRGraph, NIRMetadata, NIRNode } from "./graph.ts";
import { READ, readTree, type Stored, type Tree, wrong } from "./hdf5.ts";

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
 * the shape of the other fields; a `w_in` of a single number is repeated. Names, edges and metadata are those of the file. Arrays
 * are not checked against each other: `fromNIR` does that.
 *
 * The file may come from strangers: its arrays have at most `maxBytes` together, and at most 1032 times the size of the file, the
 * largest factor of its compression. The check comes before memory for an array is taken.
 *
 * @param bytes The whole file, which is copied at once.
 * @throws RangeError with the path in the file where it is no NIR file, or damaged, or larger than allowed; TypeError if `bytes` is
 *   neither a Uint8Array nor an ArrayBuffer; Error where the peer h5wasm is missing, or an earlier file has stopped it.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation: A unified instruction set for interoperable
 *   brain-inspired computing, Nature Communications 15, https://doi.org/10.1038/s41467-024-52259-9.
 */
export async function readNIR(bytes: Uint8Array | ArrayBuffer, options: ReadNIROptions = READ_NIR): Promise<NIRGraph> {
  const { maxBytes } = withDefaults(READ, READ_NIR, options);
  const most = numberOf(READ, "maxBytes", maxBytes, COUNT);
  const tree = await readTree(copyOf(bytes), ["node", "version"], most);
  const graph = nodeAt(groupAt(tree, "node", ""), "/node");
  if (graph.type !== "NIRGraph") throw wrong("a NIRGraph", "/node", `a node of type ${graph.type}`);
  return tree.has("version") ? { ...graph, version: textAt(tree, "version", "") } : graph;
}

function copyOf(bytes: unknown): Uint8Array {
  const isBuffer = Object.prototype.toString.call(bytes) === "[object ArrayBuffer]";
  if (!isBuffer && !(bytes instanceof Uint8Array)) {
    throw wrongType(READ, "bytes as a Uint8Array or an ArrayBuffer", bytes);
  }
  // A buffer that was detached is empty, and cannot be copied.
  const given = bytes as Uint8Array | ArrayBuffer;
  return given.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(isBuffer ? (given as ArrayBuffer) : given).slice();
}

/** The node of a group. */
function nodeAt(group: Tree, path: string): NIRNode {
  const type = textAt(group, "type", path);
  const metadata = group.has("metadata")
    ? { metadata: metadataOf(groupAt(group, "metadata", path), `${path}/metadata`) }
    : {};
  if (type === "NIRGraph") {
    checkNames(group, ["nodes", "edges"], path);
    return { type, ...graphOf(group, path), ...metadata };
  }
  if (!Object.keys(FIELDS).includes(type)) {
    throw wrong(`a type that is NIRGraph, ${Object.keys(FIELDS).join(", ")}`, path, show(type));
  }
  const fields: Readonly<Record<string, Field>> = FIELDS[type as keyof typeof FIELDS];
  checkNames(
    group,
    Object.entries(fields).map(([name, { file = name }]) => file),
    path,
  );
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) values[name] = fieldAt(group, name, field, values, path);
  return { type, ...values, ...metadata } as NIRNode;
}

/** Throws where a group has more than these fields: a reader that left some out would change the network. */
function checkNames(group: Tree, names: readonly string[], path: string): void {
  for (const name of group.keys()) {
    if (name !== "type" && name !== "metadata" && !names.includes(name)) {
      throw wrong(`no fields but ${["type", "metadata", ...names].join(", ")}`, path, show(name));
    }
  }
}

function graphOf(group: Tree, path: string): Pick<NIRGraph, "nodes" | "edges"> {
  const names = [...groupAt(group, "nodes", path).keys()];
  const nodes = names.map((name) => {
    const at = `${path}/nodes`;
    return [name, nodeAt(groupAt(groupAt(group, "nodes", path), name, at), `${at}/${name}`)] as const;
  });
  return { nodes: Object.fromEntries(nodes), edges: edgesOf(arrayAt(group, "edges", path), names, `${path}/edges`) };
}

function edgesOf({ shape, data }: Stored, names: readonly string[], path: string): [string, string][] {
  if (data.length === 0) return [];
  if (shape.length !== 2 || shape[1] !== 2 || typeof data[0] !== "string") {
    throw wrong("pairs of names", path, `${kindOf(data)} of shape ${show(shape)}`);
  }
  const text = data as readonly string[];
  const edges = Array.from({ length: text.length / 2 }, (_, i): [string, string] => [
    text[2 * i] as string,
    text[2 * i + 1] as string,
  ]);
  const stray = strayName(names, text);
  if (stray !== undefined) throw wrong(`edges between ${show(names)}`, path, `one with ${show(stray)}`);
  return edges;
}

/** The value of a field; arrays of `values`, the fields before it, give a missing one its shape. */
function fieldAt(
  group: Tree,
  name: string,
  field: Field,
  values: Readonly<Record<string, unknown>>,
  path: string,
): unknown {
  const { file = name, missing, like, lengths } = field;
  const model = like === undefined ? undefined : (values[like] as NIRArray);
  if (!group.has(file) && missing !== undefined) return model ? filled(model, model.data, missing as number) : missing;
  const stored = arrayAt(group, file, path);
  if (lengths !== undefined) return integersOf(stored, field, `${path}/${file}`);
  const array = numbersOf(stored, `${path}/${file}`);
  const { shape, data } = array;
  const isRepeated = name === "w_in" && model && data.length === 1 && `${shape}` !== `${model.shape}`;
  return isRepeated ? filled(model, data, data[0] as number) : array;
}

/** An array of the shape of another one, of the type of the data, with one value. */
const filled = ({ shape, data: { length } }: NIRArray, data: NIRArray["data"], value: number): NIRArray => ({
  shape: [...shape],
  data: (data instanceof Float32Array ? new Float32Array(length) : new Float64Array(length)).fill(value),
});

function numbersOf({ shape, data }: Stored, path: string): NIRArray {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) throw wrong("numbers", path, kindOf(data));
  return { shape, data };
}

/** One integer or several, as the field wants them. */
function integersOf(stored: Stored, { lengths = [], least = -Infinity, words }: Field, path: string): unknown {
  if (words && typeof stored.data[0] === "string") {
    const word = stored.data[0];
    if (word === "same" || word === "valid") return word;
    throw wrong('"same" or "valid"', path, show(word));
  }
  const { shape, data } = numbersOf(stored, path);
  const alone = lengths.includes(0) && data.length === 1;
  if (shape.length > 1 || !(alone || lengths.length === 0 || lengths.includes(data.length))) {
    const counts = lengths.map((n) => (n === 0 ? "an integer" : `${n} integers`)).join(" or ");
    throw wrong(counts || "a list of integers", path, `an array of shape ${show(shape)}`);
  }
  const bad = data.find((x: number) => !(INTEGER.fits(x) && x >= least));
  if (bad !== undefined) throw wrong(`integers${least === -Infinity ? "" : ` ≥ ${least}`}`, path, String(bad));
  return alone ? data[0] : Array.from(data);
}

/** Numbers, text, lists of text, arrays, and groups of these. */
function metadataOf(group: Tree, path: string): NIRMetadata {
  const entries = Array.from(group, ([name, item]) => {
    if (isTree(item)) return [name, metadataOf(item, `${path}/${name}`)];
    const { shape, data } = item;
    if (shape.length === 0) return [name, data[0]];
    if (ArrayBuffer.isView(data)) return [name, { shape, data }];
    if (shape.length > 1) throw wrong("text or a list of text", `${path}/${name}`, `text of shape ${show(shape)}`);
    return [name, data];
  });
  return Object.fromEntries(entries) as NIRMetadata;
}

const isTree = (item: Tree | Stored | undefined): item is Tree => item instanceof Map;

const kindOf = (data: Stored["data"]): string => (ArrayBuffer.isView(data) ? "numbers" : "text");

function itemAt(group: Tree, name: string, path: string, expected: string): Tree | Stored {
  const item = group.get(name);
  if (item === undefined) throw wrong(expected, `${path}/${name}`, "none");
  return item;
}

function groupAt(group: Tree, name: string, path: string): Tree {
  const item = itemAt(group, name, path, "a group");
  if (!isTree(item)) throw wrong("a group", `${path}/${name}`, `${kindOf(item.data)} of shape ${show(item.shape)}`);
  return item;
}

function arrayAt(group: Tree, name: string, path: string): Stored {
  const item = itemAt(group, name, path, "an array");
  if (isTree(item)) throw wrong("an array", `${path}/${name}`, "a group");
  return item;
}

function textAt(group: Tree, name: string, path: string): string {
  const { shape, data } = arrayAt(group, name, path);
  const text = data[0];
  if (typeof text === "string" && data.length === 1) return text;
  throw wrong("text", `${path}/${name}`, `${kindOf(data)} of shape ${show(shape)}`);
}
