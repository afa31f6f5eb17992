/** NIR files as the Python package `nir` reads them, and files of the NIR paper, which several simulators wrote. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type NIRArray, type NIRGraph, type NIRNode, readNIR, writeNIR } from "jarvis-snn/nir";
import { describe, expect, test } from "vitest";
import { type GoldenTensor, numbersOf, readGolden } from "../support/golden.ts";
import { paperFolder, readFixture } from "../support/nir.ts";

/** A group or an array of a file. */
interface Item {
  readonly group?: boolean;
  readonly h5dtype: string;
  readonly shape: readonly number[];
  readonly value?: unknown;
  readonly first12?: readonly number[];
}

type Layout = Readonly<Record<string, Item>>;

interface GoldenNode {
  readonly type: string;
  /** The shapes that the Python package infers. */
  readonly input_type: { readonly input: readonly number[] };
  readonly output_type: unknown;
  readonly [field: string]: unknown;
}

interface GoldenGraph {
  readonly nodes: Readonly<Record<string, GoldenNode & GoldenGraph>>;
  readonly edges: readonly (readonly [string, string])[];
}

interface File {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly nir_version: string;
  readonly graph: GoldenGraph;
  readonly hdf5: Layout;
}

interface PaperFile {
  readonly file: string;
  readonly bytes: number;
  readonly node_types: Readonly<Record<string, string>> | null;
  readonly edges: readonly (readonly [string, string])[] | null;
  readonly read_error: string | null;
  readonly hdf5: Layout;
  readonly sum_abssum: Readonly<Record<string, readonly [sum: number, absolute: number]>>;
}

/** The graph in the form of the golden. */
function formOf(graph: NIRGraph): unknown {
  const nodes = Object.entries(graph.nodes).map(([name, node]) => [
    name,
    node.type === "NIRGraph" ? { type: "NIRGraph", ...(formOf(node) as object) } : node,
  ]);
  return { nodes: Object.fromEntries(nodes), edges: graph.edges };
}

/** The golden in the form of our graphs. */
function graphOf({ nodes, edges }: GoldenGraph): unknown {
  return { nodes: Object.fromEntries(Object.entries(nodes).map(([name, node]) => [name, nodeOf(node)])), edges };
}

function nodeOf({ input_type, output_type, ...node }: GoldenNode & GoldenGraph): unknown {
  if (node.type === "NIRGraph") return { type: node.type, ...(graphOf(node) as object) };
  if (node.type === "Input" || node.type === "Output") return { ...node, shape: input_type.input };
  if (node.type === "Flatten") return { ...node, input_shape: input_type.input };
  const fields = Object.entries(node).map(([name, value]) => [name, isTensor(value) ? arrayOf(value) : value]);
  return Object.fromEntries(fields);
}

const isTensor = (value: unknown): value is GoldenTensor =>
  typeof value === "object" && value !== null && "data" in value;

const arrayOf = (golden: GoldenTensor): NIRArray => ({
  shape: golden.shape,
  data: Float32Array.from(numbersOf(golden)),
});

/** The value of a graph at the path of an array in a file. */
function valueAt(graph: NIRGraph, path: string): unknown {
  const names = path.split("/").slice(1);
  if (path === "version") return graph.version;
  return names.reduce<unknown>((value, name) => {
    const node = value as Readonly<Record<string, unknown>>;
    return name === "input_type" ? node.input_shape : node[name];
  }, graph);
}

/** Compares every array of the file with the graph. */
function compare(graph: NIRGraph, layout: Layout): number {
  let compared = 0;
  for (const [path, item] of Object.entries(layout)) {
    if (item.group) continue;
    const value = valueAt(graph, path);
    const { shape, h5dtype } = item;
    if (isArray(value)) {
      expect(value.shape, path).toEqual(shape);
      expect(value.data, path).toBeInstanceOf(h5dtype === "float32" ? Float32Array : Float64Array);
      const wanted = (item.value ?? item.first12) as readonly unknown[] | undefined;
      const flat = (wanted === undefined ? [] : [wanted].flat(8)).map((x) => Math.fround(Number(x)));
      expect(Array.from(value.data.slice(0, flat.length), Math.fround), path).toEqual(flat);
    } else if (item.value !== undefined) {
      expect(value, path).toEqual(item.value);
    }
    compared++;
  }
  return compared;
}

const isArray = (value: unknown): value is NIRArray =>
  typeof value === "object" && value !== null && "data" in value && ArrayBuffer.isView(value.data);

const FILES = ["conv1d", "conv_if_net", "cubalif_net", "lif_net", "primitives", "rnn_flat_net", "rnn_subgraph_net"];
/** What the tests of simulations read. */
const ELSEWHERE = ["simulation", "peer_quirk"];

for (const name of FILES) {
  describe(`nir/${name}`, () => {
    const { content, replaced } = readGolden<File>(`nir/${name}`);
    const bytes = readFixture(basename(content.file));

    test("the file is the one that the golden describes", () => {
      expect(bytes.length).toBe(content.bytes);
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(content.sha256);
      const known = [
        "source",
        "case",
        "schema",
        "file",
        "sha256",
        "bytes",
        "nir_version",
        "graph",
        "hdf5",
        ...ELSEWHERE,
      ];
      expect(Object.keys(content).filter((key) => !known.includes(key))).toEqual([]);
    });

    test("the graph is the one that the Python package reads", async () => {
      const graph = await readNIR(bytes);
      expect(graph.version).toBe(content.nir_version);
      expect(formOf(graph)).toEqual(graphOf(content.graph));
    });

    test("every array and text of the file is in the graph", async () => {
      const compared = compare(await readNIR(bytes), content.hdf5);
      expect(compared).toBeGreaterThan(replaced ? 0 : 10);
    });

    test("the graph is the same after it has been written", async () => {
      const graph = await readNIR(bytes);
      expect(await readNIR(await writeNIR(graph))).toStrictEqual(graph);
    });
  });
}

const { content: paper } = readGolden<{ files: readonly PaperFile[] }>("nir/paper_files");

describe("nir/paper_files", () => {
  const reason = paperFolder === undefined ? "; skipped: the files of the paper are not there, see $GOLDENS" : "";
  for (const entry of paper.files) {
    test.skipIf(paperFolder === undefined)(`${entry.file}${reason}`, async () => {
      const bytes = readFileSync(join(paperFolder as string, basename(entry.file)));
      expect(bytes.length).toBe(entry.bytes);
      const graph = await readNIR(bytes);
      compare(graph, entry.hdf5);
      if (entry.node_types !== null) {
        expect(Object.fromEntries(Object.entries(graph.nodes).map(([name, { type }]) => [name, type]))).toEqual(
          entry.node_types,
        );
      }
      if (entry.edges !== null) expect(graph.edges).toEqual(entry.edges);
      let compared = 0;
      for (const [path, sums] of Object.entries(entry.sum_abssum)) {
        const [sum, absolute] = sumsOf(valueAt(graph, path));
        expect(Math.abs(sum - sums[0]), path).toBeLessThanOrEqual(1e-6 * Math.max(1, sums[1]));
        expect(Math.abs(absolute - sums[1]), path).toBeLessThanOrEqual(1e-6 * Math.max(1, sums[1]));
        compared++;
      }
      expect(compared).toBeGreaterThan(0);
      expect(await readNIR(await writeNIR(graph))).toStrictEqual(graph);
    });
  }
});

function sumsOf(value: unknown): [sum: number, absolute: number] {
  const values = isArray(value) ? Array.from(value.data) : ([value].flat() as number[]);
  return [values.reduce((sum, x) => sum + x, 0), values.reduce((sum, x) => sum + Math.abs(x), 0)];
}

/** Nodes of the fixtures, to see that no primitive was forgotten. */
test("nir: the fixtures hold every primitive", async () => {
  const types = new Set<NIRNode["type"]>();
  const visit = (node: NIRNode): void => {
    types.add(node.type);
    if (node.type === "NIRGraph") Object.values(node.nodes).forEach(visit);
  };
  for (const name of FILES) visit(await readNIR(readFixture(`${name}.nir`)));
  expect([...types].sort()).toEqual([
    "Affine",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "CubaLI",
    "CubaLIF",
    "Delay",
    "Flatten",
    "I",
    "IF",
    "Input",
    "LI",
    "LIF",
    "Linear",
    "NIRGraph",
    "Output",
    "Scale",
    "SumPool2d",
    "Threshold",
  ]);
});
