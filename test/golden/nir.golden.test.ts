/**
 * Networks of NIR files as the Python package reads them: simulations by forward Euler, in float64 and by snnTorch's import; files without
 * a simulation against the equations of the primitives.
 */
import { Generator, rand, stack, type Tensor, tensor } from "jarvis-snn";
import { fromNIR, type NIRGraph, type NIRModule } from "jarvis-snn/nir";
import { expect } from "vitest";
import { expectClose, expectSpikes } from "../support/close.ts";
import type { GoldenTensor } from "../support/golden.ts";
import { goldenSuite } from "../support/golden-suite.ts";
import { simulate } from "../support/nir-reference.ts";
import { lookUp } from "./neurons.ts";
import { graphOf, type JsonGraph } from "./nir.ts";

const TOLERANCE = { absolute: 1e-5, relative: 1e-5 };

type Results = Readonly<Record<string, unknown>>;

interface File {
  readonly graph: JsonGraph;
  readonly simulation?: {
    readonly dt: number;
    readonly input: Nested;
    readonly reference_euler_f64: Results;
    readonly snntorch_import?: Results;
  };
}

type Nested = readonly (number | Nested)[];

function nested(values: Nested): Tensor {
  const shape: number[] = [];
  for (let at: number | Nested = values; Array.isArray(at); at = at[0] as number | Nested) shape.push(at.length);
  return tensor(Float32Array.from((values as unknown[]).flat(Number.POSITIVE_INFINITY) as number[]), { shape });
}

/** Runs a network step by step: its outputs, and traces of its neurons. `forward` gives the same bits. */
function traced(
  network: NIRModule,
  x: Tensor,
): { output: Tensor; v: (node: string) => Tensor; i: (node: string) => Tensor } {
  let state = network.initialState(x.shape.slice(1));
  const states: (typeof state)[] = [];
  const steps = x.unbind(0).map((now) => {
    const [z, next] = network.step(now, state);
    state = next;
    states.push(next);
    return z;
  });
  const output = stack(steps);
  expect(network.forward(x).toFloat32Array()).toEqual(output.toFloat32Array());
  const overTime = (name: "v" | "i") => (node: string) =>
    stack(states.map(({ nodes }) => (nodes[node] as Record<string, Tensor>)[name] as Tensor));
  return { output, v: overTime("v"), i: overTime("i") };
}

const isTensor = (value: unknown): value is GoldenTensor =>
  typeof value === "object" && value !== null && "data" in value;

/** The network up to a node, as a network of its own. */
function upTo(graph: NIRGraph, name: string, shape: readonly number[]): NIRGraph {
  const edges = graph.edges.filter(([from]) => from !== name);
  const before = new Set([name]);
  for (const each of before) for (const [from, to] of edges) if (to === each) before.add(from);
  const nodes = Object.entries(graph.nodes).filter(([each, { type }]) => before.has(each) || type === "Output");
  const output = nodes.find(([, { type }]) => type === "Output")?.[0] as string;
  const kept = edges.filter(([, to]) => before.has(to)).concat([[name, output]]);
  const all = Object.fromEntries(nodes.map(([each, node]) => [each, each === output ? { ...node, shape } : node]));
  return { ...graph, nodes: all as NIRGraph["nodes"], edges: kept };
}

/** The node of a neuron, the only one in files that name none. */
const neuronOf = ({ nodes }: NIRGraph, prefix = ""): string[] =>
  Object.entries(nodes).flatMap(([name, node]) => {
    if (node.type === "NIRGraph") return neuronOf(node, `${prefix}${name}.`);
    return "v_threshold" in node ? [prefix + name] : [];
  });

function compareReference(file: File, results: Results): void {
  const graph = graphOf(file.graph);
  const { dt, input } = file.simulation as NonNullable<File["simulation"]>;
  const network = fromNIR(graph, { dt });
  const { output, v, i } = traced(network, nested(input));
  const neurons = neuronOf(graph);
  const compare = (name: string, neuron: string, field: string, expected: GoldenTensor): void => {
    const where = `${name}.${field}`;
    if (field === "spk") {
      const isLast = neuron === neurons[neurons.length - 1];
      const spikes = isLast
        ? output
        : fromNIR(upTo(graph, neuron, expected.shape.slice(2)), { dt }).forward(nested(input));
      expectSpikes(where, spikes, expected);
    } else expectClose(where, lookUp("state", { v, mem: v, i, syn: i }, field)(neuron), expected, TOLERANCE, "states");
  };
  for (const [name, value] of Object.entries(results)) {
    if (["alpha", "beta", "note", "beta1", "thr1"].includes(name)) continue;
    const [, field, number] = /^(spk|mem)(\d)$/.exec(name) ?? [];
    if (field !== undefined) compare(name, neurons[Number(number) - 1] as string, field, value as GoldenTensor);
    else if (!isTensor(value)) {
      for (const [each, expected] of Object.entries(value as Results))
        compare(name, name, each, expected as GoldenTensor);
    } else if (Object.hasOwn(graph.nodes, name)) {
      const z = fromNIR(upTo(graph, name, value.shape.slice(2)), { dt }).forward(nested(input));
      if (name === "pool") expectSpikes(name, z, value);
      else expectClose(name, z, value, TOLERANCE);
    } else compare(name, neurons[0] as string, name, value);
  }
}

/** The simulation that a file does not have: of random numbers, by the equations. */
function compareEquations({ graph: json }: File): void {
  const graph = graphOf(json);
  const dt = 1e-4;
  const [shape] = Object.values(graph.nodes).flatMap((node) => (node.type === "Input" ? [node.shape] : []));
  const x = rand([12, 2, ...(shape as readonly number[])], { generator: new Generator(1) });
  const { output } = traced(fromNIR(graph, { dt }), x);
  for (const sample of [0, 1]) {
    const steps = x.unbind(0).map((step) => Array.from(step.select(0, sample).toFloat32Array()));
    const { outputs } = simulate(graph, steps, dt);
    const values = outputs.get("output") as number[][];
    const expected = { shape: [12, ...output.shape.slice(2)], data: values.flat() };
    expectClose(`sample ${sample}`, output.select(1, sample), expected, TOLERANCE);
  }
}

const FILE = {
  file: "the bytes on disk are those of the reader's tests",
  sha256: "the bytes on disk are those of the reader's tests",
  bytes: "the bytes on disk are those of the reader's tests",
  nir_version: "the bytes on disk are those of the reader's tests",
  hdf5: "the bytes on disk are those of the reader's tests",
};

for (const name of [
  "lif_net",
  "cubalif_net",
  "rnn_flat_net",
  "rnn_subgraph_net",
  "conv_if_net",
  "conv1d",
  "primitives",
]) {
  goldenSuite<File, { readonly name: string; readonly run: (file: File) => void }>({
    file: `nir/${name}`,
    entries: ({ simulation }) => [
      { name: "equations", run: compareEquations },
      ...["reference_euler_f64", "snntorch_import"].flatMap((each) => {
        const results = simulation?.[each as "snntorch_import"];
        return results === undefined ? [] : [{ name: each, run: (file: File) => compareReference(file, results) }];
      }),
    ],
    reads: ["graph", "simulation"],
    leftOut: name === "conv_if_net" ? { ...FILE, peer_quirk: "says why snnTorch's import is no oracle here" } : FILE,
    run: ({ run }, content) => run(content),
  });
}
