/**
 * Graphs in float64, node after node and step after step, by the equations of the primitives: the oracle of `fromNIR`. A connection
 * that closes a loop reads the neurons of the step before.
 */
import type { NIRArray, NIRGraph, NIRNode } from "jarvis-snn/nir";

/** One step of one sample: values in row-major order. */
interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** A neuron over time. */
interface State {
  i: number[];
  v: number[];
}

/** The values of a graph, by the names of its nodes: outputs and states, [T][values]. */
export interface Simulation {
  readonly outputs: Map<string, number[][]>;
  readonly states: Map<string, { readonly v: number[][]; readonly i: number[][] }>;
}

type Field = (name: string, at: number) => number;

const size = (shape: readonly number[]): number => shape.reduce((n, each) => n * each, 1);

/** A value of an array that broadcasts to a shape. */
function fieldsOf(node: NIRNode, shape: readonly number[]): Field {
  return (name, at) => {
    const { shape: own, data } = (node as unknown as Record<string, NIRArray>)[name] as NIRArray;
    let [rest, index, stride] = [at, 0, 1];
    for (let axis = 1; axis <= shape.length; axis++) {
      const n = shape[shape.length - axis] as number;
      const m = own[own.length - axis] ?? 1;
      if (m > 1) index += (rest % n) * stride;
      stride *= m;
      rest = Math.floor(rest / n);
    }
    return data[index] as number;
  };
}

const NEURONS = ["I", "LI", "IF", "LIF", "CubaLI", "CubaLIF"];

/** A graph without subgraphs, as far as edges name nodes that are there. */
function flat(
  graph: NIRGraph,
  prefix = "",
): { nodes: Map<string, NIRNode>; edges: [string, string][]; ends: [string, string] } {
  const nodes = new Map<string, NIRNode>();
  const edges: [string, string][] = [];
  const inner = new Map<string, [string, string]>();
  const ends: [string, string] = ["", ""];
  for (const [name, node] of Object.entries(graph.nodes)) {
    if (node.type === "NIRGraph") {
      const part = flat(node, `${prefix}${name}.`);
      for (const [key, each] of part.nodes) nodes.set(key, each);
      edges.push(...part.edges);
      inner.set(name, part.ends);
    } else nodes.set(prefix + name, node);
    if (node.type === "Input") ends[0] = prefix + name;
    if (node.type === "Output") ends[1] = prefix + name;
  }
  for (const [from, to] of graph.edges)
    edges.push([inner.get(from)?.[1] ?? prefix + from, inner.get(to)?.[0] ?? prefix + to]);
  return { nodes, edges, ends };
}

/** Runs a graph on the steps of one sample. Loops are cut behind their neurons. */
export function simulate(graph: NIRGraph, steps: readonly (readonly number[])[], dt: number): Simulation {
  const { nodes, edges, ends } = flat(graph);
  const inputs = (name: string): string[] => edges.filter(([, to]) => to === name).map(([from]) => from);
  const outputs = new Map([...nodes.keys()].map((name): [string, number[][]] => [name, []]));
  const states = new Map<string, State>();
  const recorded = new Map<string, { v: number[][]; i: number[][] }>();
  const delays = new Map<string, number[][]>();
  let before = new Map<string, Values>();
  for (const step of steps) {
    const now = new Map<string, Values>();
    const resultOf = (name: string, path: readonly string[]): Values => {
      const done = now.get(name);
      if (done !== undefined) return done;
      const node = nodes.get(name) as NIRNode;
      const read = inputs(name).map((from): Values => {
        // The path leads from the node that is wanted back to this one.
        const loop = path.indexOf(from);
        if (loop < 0) return resultOf(from, [...path, from]);
        return before.get(from) ?? { shape: shapeOf(nodes.get(from) as NIRNode), data: [] };
      });
      const x: Values =
        name === ends[0]
          ? { shape: (node as { shape: readonly number[] }).shape, data: [...step] }
          : read.reduce(
              (a, b) => ({
                shape: a.shape,
                data: Array.from({ length: size(a.shape) }, (_, i) => (a.data[i] ?? 0) + (b.data[i] ?? 0)),
              }),
              { shape: (read[0] as Values).shape, data: [] },
            );
      const z = apply(name, node, x);
      now.set(name, z);
      return z;
    };
    const apply = (name: string, node: NIRNode, x: Values): Values => {
      if (NEURONS.includes(node.type)) {
        const n = size(x.shape);
        const state = states.get(name) ?? { i: new Array(n).fill(0), v: new Array(n).fill(0) };
        const z = neuron(node, x, state, dt);
        states.set(name, state);
        const record = recorded.get(name) ?? { v: [], i: [] };
        record.v.push([...state.v]);
        record.i.push([...state.i]);
        recorded.set(name, record);
        return { shape: x.shape, data: z };
      }
      if (node.type === "Delay") {
        const past = delays.get(name) ?? [];
        past.push([...x.data]);
        delays.set(name, past);
        const field = fieldsOf(node, x.shape);
        const data = x.data.map((_, i) => past[past.length - 1 - Math.round(field("delay", i) / dt)]?.[i] ?? 0);
        return { shape: x.shape, data };
      }
      return stateless(node, x);
    };
    // Neurons first: a loop is entered at them, and read back there.
    for (const [name, node] of nodes) if (NEURONS.includes(node.type)) resultOf(name, [name]);
    for (const name of nodes.keys()) resultOf(name, [name]);
    for (const [name, { data }] of now) outputs.get(name)?.push([...data]);
    before = now;
  }
  return { outputs, states: recorded };
}

/** The shape of neurons with parameters of their own. */
const shapeOf = (node: NIRNode): readonly number[] => (node as unknown as { r: NIRArray }).r.shape;

function neuron(node: NIRNode, x: Values, state: State, dt: number): number[] {
  const field = fieldsOf(node, x.shape);
  const isSynaptic = node.type === "CubaLI" || node.type === "CubaLIF";
  return x.data.map((current, n) => {
    let input = current;
    if (isSynaptic) {
      const i = state.i[n] as number;
      state.i[n] = i + (dt / field("tau_syn", n)) * (-i + field("w_in", n) * current);
      input = state.i[n] as number;
    }
    const v = state.v[n] as number;
    const drive = field("r", n) * input;
    const u =
      node.type === "I" || node.type === "IF"
        ? v + dt * drive
        : v + (dt / field(isSynaptic ? "tau_mem" : "tau", n)) * (field("v_leak", n) - v + drive);
    state.v[n] = u;
    if (!("v_threshold" in node)) return u;
    const fires = u > field("v_threshold", n);
    if (fires) state.v[n] = field("v_reset", n);
    return fires ? 1 : 0;
  });
}

const pair = (value: unknown): [number, number] => (Array.isArray(value) ? value : [value, value]) as [number, number];

function stateless(node: NIRNode, x: Values): Values {
  const field = fieldsOf(node, x.shape);
  switch (node.type) {
    case "Input":
    case "Output":
      return x;
    case "Affine":
    case "Linear": {
      const [out, inputs] = node.weight.shape as [number, number];
      const bias = node.type === "Affine" ? node.bias.data : [];
      const data = Array.from({ length: out }, (_, o) =>
        x.data.reduce((sum, value, i) => sum + value * (node.weight.data[o * inputs + i] as number), bias[o] ?? 0),
      );
      return { shape: [out], data };
    }
    case "Scale":
      return { shape: x.shape, data: x.data.map((value, i) => value * field("scale", i)) };
    case "Threshold":
      return { shape: x.shape, data: x.data.map((value, i) => (value > field("threshold", i) ? 1 : 0)) };
    case "Flatten": {
      const at = (n: number) => (n < 0 ? n + x.shape.length : n);
      const [first, last] = [at(node.start_dim), at(node.end_dim)];
      return {
        shape: [...x.shape.slice(0, first), size(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)],
        data: x.data,
      };
    }
    case "Conv1d":
    case "Conv2d":
      return convolution(node as never, x, node.type === "Conv1d");
    case "SumPool2d":
    case "AvgPool2d":
      return pool(node as never, x, node.type === "AvgPool2d");
    default:
      throw new Error(`no equation for ${node.type}`);
  }
}

interface Window {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly start: readonly [number, number];
  readonly places: readonly [number, number];
}

function windowOf(
  kernel: readonly [number, number],
  given: { stride: unknown; padding: unknown; dilation?: unknown },
  image: readonly [number, number],
): Window {
  const [stride, dilation] = [pair(given.stride), pair(given.dilation ?? 1)];
  const both = [0, 1].map((a) => {
    const width = (dilation[a] as number) * ((kernel[a] as number) - 1);
    const { padding } = given;
    const total = padding === "same" ? width : padding === "valid" ? 0 : 2 * (pair(padding)[a] as number);
    const places = Math.floor(((image[a] as number) + total - width - 1) / (stride[a] as number)) + 1;
    return { start: -Math.floor(total / 2), places };
  }) as [{ start: number; places: number }, { start: number; places: number }];
  return { kernel, stride, dilation, start: [both[0].start, both[1].start], places: [both[0].places, both[1].places] };
}

/** The sum of f(row, column, value) under the window at a place of an image. */
function under(
  w: Window,
  image: readonly [number, number],
  plane: (at: number) => number,
  y: number,
  x: number,
  f: (i: number, j: number) => number,
): number {
  let sum = 0;
  for (let i = 0; i < w.kernel[0]; i++) {
    for (let j = 0; j < w.kernel[1]; j++) {
      const row = w.start[0] + y * w.stride[0] + i * w.dilation[0];
      const column = w.start[1] + x * w.stride[1] + j * w.dilation[1];
      if (row < 0 || column < 0 || row >= image[0] || column >= image[1]) continue;
      sum += plane(row * image[1] + column) * f(i, j);
    }
  }
  return sum;
}

function convolution(
  node: { weight: NIRArray; bias: NIRArray; groups: number; stride: unknown; padding: unknown; dilation: unknown },
  x: Values,
  isFlat: boolean,
): Values {
  const [out, part, ...kernel] = node.weight.shape as [number, number, ...number[]];
  const flat = (value: unknown): unknown =>
    isFlat && typeof value === "number" ? [value === node.padding ? 0 : 1, value] : value;
  const image = (isFlat ? [1, x.shape[1]] : x.shape.slice(1)) as [number, number];
  const size = (isFlat ? [1, kernel[0]] : kernel) as [number, number];
  const given = {
    stride: flat(node.stride),
    dilation: flat(node.dilation),
    padding: isFlat && typeof node.padding === "number" ? [0, node.padding] : node.padding,
  };
  const w = windowOf(size, given, image);
  const data: number[] = [];
  for (let o = 0; o < out; o++) {
    const group = Math.floor(o / (out / node.groups));
    for (let y = 0; y < w.places[0]; y++) {
      for (let q = 0; q < w.places[1]; q++) {
        let sum = node.bias.data[o] as number;
        for (let c = 0; c < part; c++) {
          const plane = (at: number) => x.data[(group * part + c) * image[0] * image[1] + at] as number;
          sum += under(
            w,
            image,
            plane,
            y,
            q,
            (i, j) => node.weight.data[((o * part + c) * size[0] + i) * size[1] + j] as number,
          );
        }
        data.push(sum);
      }
    }
  }
  return { shape: [out, ...(isFlat ? [w.places[1]] : w.places)], data };
}

function pool(node: { kernel_size: unknown; stride: unknown; padding: unknown }, x: Values, isMean: boolean): Values {
  const kernel = pair(node.kernel_size);
  const image = x.shape.slice(-2) as [number, number];
  const w = windowOf(kernel, node, image);
  const planes = size(x.shape.slice(0, -2));
  const data: number[] = [];
  for (let p = 0; p < planes; p++) {
    for (let y = 0; y < w.places[0]; y++) {
      for (let q = 0; q < w.places[1]; q++) {
        const sum = under(
          w,
          image,
          (at) => x.data[p * image[0] * image[1] + at] as number,
          y,
          q,
          () => 1,
        );
        data.push(isMean ? sum / (kernel[0] * kernel[1]) : sum);
      }
    }
  }
  return { shape: [...x.shape.slice(0, -2), ...w.places], data };
}
