/** Graphs to write: every primitive, and any graph at all. */
import fc, { type Arbitrary } from "fast-check";
import type { NIRArray, NIRGraph, NIRMetadata, NIRNode } from "jarvis-snn/nir";

export const f32 = (shape: readonly number[], ...data: number[]): NIRArray => ({
  shape,
  data: Float32Array.from(data),
});
export const f64 = (shape: readonly number[], ...data: number[]): NIRArray => ({
  shape,
  data: Float64Array.from(data),
});

const two = f32([2], 0.5, 1.5);
const leak = { r: two, v_leak: f32([2], 0, -0.25) };
const spike = { v_threshold: f64([2], 1, 0.1), v_reset: f64([2], 0, 0.2) };
const synapse = { tau_syn: f32([2], 0.002, 0.003), tau_mem: f32([2], 0.01, 0.02), ...leak, w_in: f32([2], 1, 2) };

/** A graph of one node between an input and an output. */
export const around = (node: NIRNode, from: readonly number[] = [2], to: readonly number[] = [2]): NIRGraph => ({
  type: "NIRGraph",
  nodes: { input: { type: "Input", shape: from }, node, output: { type: "Output", shape: to } },
  edges: [
    ["input", "node"],
    ["node", "output"],
  ],
  version: "1.0.7",
});

const { version: _, ...inner } = around({ type: "LIF", tau: two, ...leak, ...spike, metadata: { note: "μ ≤ θ" } });
const filter = { stride: 1, padding: 0, dilation: 1, groups: 1, bias: f32([1], 0.5) } as const;
const image = { ...filter, weight: f32([1, 1, 2, 2], 1, 2, 3, 4), input_shape: [4, 6] } as const;
const pool = { kernel_size: 2, stride: [2, 1], padding: 0 } as const;

/** A graph of every primitive, some of them in several forms. Shapes of the edges fit each other. */
export const PRIMITIVES: Readonly<Record<string, NIRGraph>> = {
  Affine: around({ type: "Affine", weight: f32([3, 2], 1, 2, 3, 4, 5, 6), bias: f32([3], 7, 8, 9) }, [2], [3]),
  Linear: around({ type: "Linear", weight: f64([1, 2], 0.1, Number.MIN_VALUE) }, [2], [1]),
  "Affine of places": around(
    { type: "Affine", weight: f32([2, 1, 3], 1, 2, 3, 4, 5, 6), bias: f32([2, 1], 7, 8) },
    [2, 3],
    [2, 1],
  ),
  Scale: around({ type: "Scale", scale: f32([2], -1, 1e-40) }),
  Conv1d: around(
    { type: "Conv1d", ...filter, weight: f32([1, 1, 2], 1, 2), stride: 2, padding: 1, input_shape: 5 },
    [1, 5],
    [1, 3],
  ),
  "Conv1d same": around(
    { type: "Conv1d", ...filter, weight: f32([1, 1, 3], 1, 2, 3), padding: "same", input_shape: 5 },
    [1, 5],
    [1, 5],
  ),
  Conv2d: around({ type: "Conv2d", ...image, stride: [2, 1], padding: [0, 1], dilation: [1, 2] }, [1, 4, 6], [1, 2, 6]),
  "Conv2d valid": around({ type: "Conv2d", ...image, padding: "valid" }, [1, 4, 6], [1, 3, 5]),
  SumPool2d: around({ type: "SumPool2d", ...pool, kernel_size: [2, 2], padding: [0, 0] }, [1, 4, 6], [1, 2, 5]),
  AvgPool2d: around(
    { type: "AvgPool2d", ...pool, stride: [2, 2], padding: [1, 1], kernel_size: [2, 2] },
    [1, 4, 6],
    [1, 3, 4],
  ),
  Flatten: around({ type: "Flatten", start_dim: 0, end_dim: -1, input_shape: [2, 3] }, [2, 3], [6]),
  Delay: around({ type: "Delay", delay: f32([2], 0, 0.001) }),
  Threshold: around({ type: "Threshold", threshold: two }),
  I: around({ type: "I", r: two }),
  LI: around({ type: "LI", tau: two, ...leak }),
  IF: around({ type: "IF", r: two, ...spike }),
  LIF: around({ type: "LIF", tau: f64([2], 0.01, 0.02), ...leak, ...spike }),
  CubaLI: around({ type: "CubaLI", ...synapse }),
  // The Python package gives w_in the wider type of its own and v_threshold.
  CubaLIF: around({ type: "CubaLIF", ...synapse, ...spike, w_in: f64([2], 1, 2) }),
  "a nested graph": around(inner),
  metadata: {
    ...around({ type: "I", r: two, metadata: { weight: 2, pi: 3.25 } }),
    metadata: { "a b": { c: ["x", "ÿ"] }, n: two },
  },
  "several ends": {
    type: "NIRGraph",
    nodes: {
      a: { type: "Input", shape: [2] },
      b: { type: "Input", shape: [2] },
      n: { type: "LIF", tau: two, ...leak, ...spike },
      x: { type: "Scale", scale: two },
      output: { type: "Output", shape: [2] },
      output_x: { type: "Output", shape: [2] },
    },
    edges: [
      ["a", "n"],
      ["b", "n"],
      ["n", "output"],
      ["n", "x"],
      ["x", "output_x"],
    ],
    version: "1.0.7",
  },
  "recurrent edges": {
    ...around({ type: "LIF", tau: two, ...leak, ...spike }),
    edges: [
      ["input", "node"],
      ["node", "node"],
      ["node", "output"],
    ],
  },
};

/** Values of float32 and float64, NaN and infinities among them. */
const array = (shape: readonly number[]): Arbitrary<NIRArray> => {
  const n = shape.reduce((product, size) => product * size, 1);
  const values = (x: Arbitrary<number>) => fc.array(x, { minLength: n, maxLength: n });
  return fc.oneof(
    values(fc.float()).map((data) => ({ shape, data: Float32Array.from(data) })),
    values(fc.double()).map((data) => ({ shape, data: Float64Array.from(data) })),
  );
};

const anyShape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });
const anyArray = anyShape.chain(array);

const count = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const margin = fc.integer({ min: 0, max: 9 });
const pair = (x: Arbitrary<number>) => fc.oneof(x, fc.tuple(x, x));
const word = fc.constantFrom("same", "valid");

/** Text that UTF-8 holds, without a 0. */
const text = fc.string({ unit: "grapheme", maxLength: 8 }).filter((s) => !/\0|\p{Surrogate}/u.test(s));
const name = fc
  .oneof(text, fc.constantFrom("__proto__", "constructor", "toString", "..", " ", "type", "metadata", "0", "a.b"))
  .filter((s) => s !== "" && s !== "." && !s.includes("/"));

const dictionary = <T>(value: Arbitrary<T>, maxLength: number): Arbitrary<Readonly<Record<string, T>>> =>
  fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength }).map((all) => Object.fromEntries(all));

const integer = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER });
/** An array without axes is a number in metadata. */
const listed = anyShape.filter((shape) => shape.length > 0).chain(array);
const datum = fc.oneof(text, fc.double(), integer, fc.array(text, { maxLength: 3 }), listed);
const metadata: Arbitrary<NIRMetadata> = fc
  .oneof(dictionary(datum, 3), dictionary(dictionary(datum, 2), 2))
  .filter((all) => Object.keys(all).length > 0);

/** Arrays of one shape, as neurons have them. */
const neuron = <Name extends string>(...names: Name[]) =>
  anyShape.chain((shape) =>
    fc.record(Object.fromEntries(names.map((key) => [key, array(shape)])) as Record<Name, Arbitrary<NIRArray>>),
  );

const convolution = { weight: anyArray, bias: anyArray, groups: count };

const fields: Readonly<Record<Exclude<NIRNode["type"], "NIRGraph">, Arbitrary<object>>> = {
  Input: fc.record({ shape: fc.array(count, { maxLength: 4 }) }),
  Output: fc.record({ shape: fc.array(count, { maxLength: 4 }) }),
  Affine: fc.record({ weight: anyArray, bias: anyArray }),
  Linear: fc.record({ weight: anyArray }),
  Scale: fc.record({ scale: anyArray }),
  Conv1d: fc.record({
    ...convolution,
    ...{ stride: count, dilation: count, padding: fc.oneof(margin, word), input_shape: fc.option(count) },
  }),
  Conv2d: fc.record({
    ...convolution,
    ...{ stride: pair(count), dilation: pair(count), padding: fc.oneof(pair(margin), word) },
    input_shape: fc.option(fc.tuple(count, count)),
  }),
  SumPool2d: fc.record({ kernel_size: pair(count), stride: pair(count), padding: pair(margin) }),
  AvgPool2d: fc.record({ kernel_size: pair(count), stride: pair(count), padding: pair(margin) }),
  Flatten: fc.record({
    start_dim: fc.integer({ min: -4, max: 4 }),
    end_dim: fc.integer({ min: -4, max: 4 }),
    input_shape: fc.option(fc.array(count, { maxLength: 4 })),
  }),
  Delay: fc.record({ delay: anyArray }),
  Threshold: fc.record({ threshold: anyArray }),
  I: fc.record({ r: anyArray }),
  LI: neuron("tau", "r", "v_leak"),
  IF: neuron("r", "v_threshold", "v_reset"),
  LIF: neuron("tau", "r", "v_leak", "v_threshold", "v_reset"),
  CubaLI: neuron("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
  CubaLIF: neuron("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
};

const primitive: Arbitrary<NIRNode> = fc
  .constantFrom(...(Object.keys(fields) as (keyof typeof fields)[]))
  .chain((type) =>
    fc
      .tuple(fields[type], fc.option(metadata))
      .map(([own, more]) => ({ type, ...own, ...(more === null ? {} : { metadata: more }) }) as NIRNode),
  );

const graphOf = (node: Arbitrary<NIRNode>): Arbitrary<NIRGraph> =>
  fc.tuple(dictionary(node, 4), fc.option(metadata)).chain(([nodes, more]) => {
    const names = Object.keys(nodes);
    const ends = fc.tuple(fc.constantFrom(...names, ""), fc.constantFrom(...names, ""));
    const edges =
      names.length === 0
        ? fc.constant([])
        : fc.array(ends, { maxLength: 6 }).map((list) => list.filter((edge) => !edge.includes("")));
    return edges.map(
      (list) => ({ type: "NIRGraph", nodes, edges: list, ...(more === null ? {} : { metadata: more }) }) as const,
    );
  });

/** Any graph, with graphs in graphs. */
export const graphs: Arbitrary<NIRGraph> = fc
  .tuple(graphOf(fc.oneof(primitive, graphOf(fc.oneof(primitive, graphOf(primitive))))), text)
  .map(([graph, version]) => ({ ...graph, version }));
