/** Arguments for graphs and files of NIR. */
import type * as nir from "../../../snn/nir/index.ts";
import { bool, choice, either, type Kind, list, must, num, oneOf, record, t } from "./kinds.ts";
import { surrogate } from "./objects.ts";
import type { Rows } from "./typed.ts";

const text = (value: string): Kind => ({ ...oneOf([JSON.stringify(value)], ["string"]), fixed: true });

/** Values of an array. */
const data = (code: string): Kind =>
  oneOf([code, code.replace("64", "32")], [], {
    odd: (given, g) => ({
      code: g.pick([
        `(${given}).slice(1)`,
        `Array.from(${given})`,
        `(${given}).fill(NaN)`,
        `(${given}).fill(1e300)`,
        `(${given}).fill(-1)`,
        `detached(${given})`,
      ]),
    }),
  });

const array = (...shape: readonly number[]): Kind => {
  const n = shape.reduce((product, each) => product * each, 1);
  return record({ shape: list(...shape), data: data(`Float64Array.from({ length: ${n} }, (_, i) => Math.sin(i))`) });
};

/** Values that neurons can have. */
const constant = (value: number, n: number): Kind =>
  record({ shape: list(n), data: data(`new Float64Array(${n}).fill(${value})`) });

const membrane = { tau: constant(0.01, 2), r: constant(2, 2), v_leak: constant(0, 2) };
const spikes = { v_threshold: constant(0.5, 2), v_reset: constant(0, 2) };

const input = record({ type: text("Input"), shape: list(3) });
const output = record({ type: text("Output"), shape: list(2) });
const weights = record({ type: text("Linear"), weight: array(2, 3) });
const edges = (...pairs: readonly string[]): Kind => ({ ...oneOf([`[${pairs.join(", ")}]`]), odd: oddEdges });

const oddEdges: NonNullable<Kind["odd"]> = (code, g) => ({
  code: g.pick([
    `[...${code}, ["n", "lost"]]`,
    `[...${code}, ["n"]]`,
    `[...${code}, ["n", 1]]`,
    `[...${code}, ...${code}]`,
    `${code}.slice(1)`,
    `${code}.map(([a, b]) => [b, a])`,
    "new Array(2 ** 32 - 1)",
    "cyclic()",
  ]),
});

const graphOf = (node: Readonly<Record<string, Kind>>): Kind =>
  record({
    type: text("NIRGraph"),
    nodes: record({ input, w: weights, n: record(node), output }),
    edges: edges('["input", "w"]', '["w", "n"]', '["n", "output"]'),
  });

const looped = record({
  type: text("NIRGraph"),
  nodes: record({
    input,
    w: weights,
    n: record({ type: text("LIF"), ...membrane, ...spikes }),
    back: record({ type: text("Affine"), weight: array(2, 2), bias: array(2) }),
    output,
  }),
  edges: edges('["input", "w"]', '["w", "n"]', '["n", "back"]', '["back", "n"]', '["n", "output"]'),
});

/** Two Inputs, and two Outputs. */
const several = record({
  type: text("NIRGraph"),
  nodes: record({
    input,
    more: record({ type: text("Input"), shape: list(2) }),
    w: weights,
    n: record({ type: text("LIF"), ...membrane, ...spikes }),
    output,
    output_w: output,
  }),
  edges: edges('["input", "w"]', '["w", "n"]', '["more", "n"]', '["n", "output"]', '["w", "output_w"]'),
});

/** A matrix for each place. */
const places = record({
  type: text("NIRGraph"),
  nodes: record({
    input: record({ type: text("Input"), shape: list(2, 3) }),
    n: record({ type: text("Affine"), weight: array(2, 2, 3), bias: array(2) }),
    output: record({ type: text("Output"), shape: list(2, 2) }),
  }),
  edges: edges('["input", "n"]', '["n", "output"]'),
});

/** A graph with a node of each kind, or a loop. */
const graph = either(
  graphOf({ type: text("LIF"), ...membrane, ...spikes }),
  graphOf({ type: text("LI"), ...membrane }),
  graphOf({ type: text("IF"), r: constant(9, 2), ...spikes }),
  graphOf({ type: text("Delay"), delay: constant(0.002, 2) }),
  graphOf({ type: text("Scale"), scale: array(2) }),
  graphOf({ type: text("Threshold"), threshold: array(2) }),
  looped,
  several,
  places,
);

const module_ = oneOf([
  "new Linear(3, 2)",
  "new Sequential(new Linear(3, 4), new LIF(), new Dropout(), new Linear(4, 2), new LeakyIntegrator())",
  "new Sequential(new Linear(3, 2), new RecurrentLIF({ features: 2 }), new Delay([0, 2]))",
  "fromNIR(toNIR(new Sequential(new Linear(3, 2), new Synaptic()), { dt: 1, inputShape: [3] }).graph, { dt: 1 })",
]);

const LIF =
  '{ type: "LIF", tau: nirArray(2), r: nirArray(2), v_leak: nirArray(2), v_threshold: nirArray(2), v_reset: nirArray(2) }';
/** Graphs that a file can hold, as code. */
export const GRAPHS = [
  `{ type: "NIRGraph", nodes: { a: { type: "Input", shape: [2] }, b: ${LIF} }, edges: [["a", "b"]], version: "1" }`,
  '{ type: "NIRGraph", nodes: { a: { type: "Linear", weight: nirArray(2, 2), metadata: { b: 1, c: ["d"] } } }, edges: [["a", "a"]] }',
  `{ type: "NIRGraph", nodes: { a: { type: "NIRGraph", nodes: { b: ${LIF} }, edges: [] } }, edges: [] }`,
  '{ type: "NIRGraph", nodes: { a: { type: "SumPool2d", kernel_size: 2, stride: [2, 2], padding: 0 } }, edges: [] }',
] as const;
const stored = oneOf(GRAPHS, [], {
  odd: (code, g) => {
    const wrong = g.pick([
      "null",
      "-1",
      "[[]]",
      "2 ** 40",
      "cyclic()",
      "nirArray(2, -1)",
      '"\\ud800"',
      "new Map()",
      "throwing()",
      "[NaN]",
    ]);
    return {
      code: code.replace(g.pick([/\[2\]/, /nirArray\(.*?\)/, /\[\[.*?\]\]/, /: 0/, /\{ b: .*? \}/]), () => wrong),
    };
  },
});
const bytes = oneOf(["nirFile.slice()", "nirFile.slice().buffer", "behindBlock(nirFile)"], [], {
  odd: (_, g) => ({
    code: g.pick([
      `flipped(nirFile.slice(), ${g.int(0, 2000)}, ${1 << g.int(0, 7)})`,
      `nirFile.subarray(0, ${g.int(0, 2000)})`,
      `flipped(behindBlock(nirFile), ${g.int(0, 2500)}, ${1 << g.int(0, 7)})`,
      "new Float32Array(nirFile.buffer)",
      "new DataView(nirFile.buffer)",
      "(() => { const bytes = nirFile.slice(); structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); return bytes; })()",
    ]),
  }),
});

const NEURONS = '{ type: "IF", r: nirArray(2), v_threshold: nirArray(2), v_reset: nirArray(2) }';
/** The network of a graph with these further nodes and edges. */
const network = (nodes: string, pairs: string): string =>
  `fromNIR({ type: "NIRGraph", nodes: { a: { type: "Input", shape: [3] }, w: { type: "Linear", weight: nirArray(2, 3) }, ` +
  `n: ${NEURONS}, y: { type: "Output", shape: [2] }${nodes} }, edges: [["a", "w"], ["w", "n"], ["n", "y"]${pairs}] }, { dt: 1 })`;
const ONE = network("", "");
const SEVERAL = network(
  ', b: { type: "Input", shape: [2] }, z: { type: "Output", shape: [2] }',
  ', ["b", "n"], ["w", "z"], ["n", "n"]',
);

/** Networks of graphs, which have a class and no constructor. */
export const NETWORKS = {
  "NIRModule of one": {
    object: oneOf([ONE]),
    forward: [t(4, 2, 3)],
    unroll: [t(4, 2, 3), oneOf([`${ONE}.initialState([2, 3])`])],
    step: [t(2, 3), oneOf([`${ONE}.initialState([2, 3])`])],
    initialState: [list(2, 3)],
    run: [record({ a: t(4, 2, 3) })],
  },
  "NIRModule of several": {
    object: oneOf([SEVERAL]),
    run: [record({ a: t(4, 2, 3), b: t(4, 2, 2) })],
    runStep: [record({ a: t(2, 3), b: t(2, 2) }), oneOf([`${SEVERAL}.initialState({ a: [2, 3], b: [2, 2] })`])],
    initialState: [record({ a: list(2, 3), b: list(2, 2) })],
  },
};

export const NIR: Rows<typeof nir> = {
  fromNIR: [graph, { dt: must(num(0.001, 0.002)), surrogate, numerics: choice("nir", "spikingjelly") }],
  toNIR: [module_, { dt: must(num(0.001, 1)), inputShape: must(list(3)), strict: oneOf(["false"], bool.takes) }],
  readNIR: [bytes, { maxBytes: num(2 ** 20) }],
  writeNIR: [stored],
};
