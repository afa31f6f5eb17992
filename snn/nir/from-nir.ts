/** Modules from graphs. */
import { COUNT, numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import {
  AvgPool2d,
  Conv1d,
  Conv2d,
  type ConvLayerOptions,
  Flatten,
  Generator,
  Linear,
  type Module,
  noGrad,
  type Tensor,
  tensor,
} from "../../engine/index.ts";
import { type Pair, sizeOption, windowOver } from "../../engine/ops/windows.ts";
import { allOrNothing } from "../../engine/scope.ts";
import { axisOf, checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { STEPS } from "../checks.ts";
import { Delay } from "../delay.ts";
import { LIF } from "../lif.ts";
import type { Neurons } from "../neuron.ts";
import { checkSurrogate, type Surrogate } from "../surrogate.ts";
import { arrayOf, each, type Fields, fieldOf, fitsInto, perStep, valuesOf } from "./euler.ts";
import { FIELDS } from "./fields.ts";
import type { NIRFlatten, NIRGraph, NIRNode } from "./graph.ts";
import { CubaLI, CubaLIF, LI, Loop, Scale, SumPool2d, Threshold } from "./layers.ts";
import { groupsOf, NIRModule, type Unit } from "./module.ts";
import { checkConnected, copyOf, cutLoops, flatten, nameOf, type Place, readersOf } from "./read.ts";

/** Options of {@link fromNIR}. */
export interface FromNIROptions {
  /** The time of a step in seconds, > 0, at most the smallest time constant. */
  dt: number;
  /** The surrogate gradient of all spikes, which a graph does not have; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
}

const DEFAULTS = { dt: Number.NaN, surrogate: undefined as Surrogate | undefined };

/** A layer of a node, made for the shape that it reads. */
interface Made {
  /** null where values stay as they are. */
  readonly layer: Module | null;
  /** Whether the layer takes maps as vectors, since each place has parameters of its own. */
  readonly isFlat?: boolean;
  /** Zeros around the input that the layer does not put there, as `pad` takes them. */
  readonly padding?: readonly number[];
}

/** What a node is made from. */
interface Making {
  /** The node, in errors. */
  readonly where: string;
  readonly node: NIRNode;
  /** One step of one sample, as the node reads it. */
  readonly shape: Shape;
  readonly dt: number;
  readonly surrogate: Surrogate | undefined;
}

/** A kind of node. */
interface Kind {
  /** The shape that a node gives for the one that it reads, null where that is not known and tells it. */
  shape(where: string, node: NIRNode, shape: Shape | null): Shape | null;
  make(making: Making): Made;
}

/** The shape of a node whose values keep their place, all fields of which broadcast to them. */
const inPlace: Kind["shape"] = (where, node, shape) => {
  for (const field of Object.keys(FIELDS[node.type as keyof typeof FIELDS])) {
    const own = arrayOf(where, node, field).shape;
    if (shape === null) {
      if (own.length > 0) return own;
    } else if (!fitsInto(shape, own)) {
      throw wrongValue(where, `${field} that fits values ${formatShape(shape)}`, formatShape(own));
    }
  }
  return shape;
};

/** Neurons, spiking ones if they have a threshold. */
const neurons: Kind = {
  shape: inPlace,
  make(making) {
    const numbers = perStep(making.where, making.node, making.shape, making.dt);
    const layer = neuronOf(making, numbers);
    return { layer, isFlat: Object.values(numbers).some((values) => typeof values !== "number") };
  },
};

/** The values of a field as they are, to be broadcast. */
function fieldTensor({ where, node }: Making, field: string): Tensor {
  const { shape, data } = arrayOf(where, node, field);
  return tensor(Float32Array.from(data), { shape });
}

function neuronOf({ node, surrogate }: Making, numbers: Record<string, number | Float32Array>): Module {
  const options: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(numbers)) options[name] = typeof x === "number" ? x : tensor(x);
  const { type } = node;
  if (type === "I" || type === "LI") return new LI(options);
  if (type === "CubaLI") return new CubaLI(options);
  const firing = { ...options, fire: "gt" as const, ...(surrogate !== undefined && { surrogate }) };
  return type === "CubaLIF" ? new CubaLIF(firing) : new LIF(firing);
}

/** The weights of a layer that was made. */
function filled<Layer extends Module & { readonly weight: Tensor; readonly bias: Tensor | null }>(
  { where, node }: Making,
  layer: Layer,
): Made {
  for (const field of ["weight", "bias"] as const) {
    const t = layer[field];
    if (t === null) continue;
    const { shape, data } = arrayOf(where, node, field);
    if (!sameShape(shape, t.sizes)) throw wrongValue(where, `${field} ${formatShape(t.sizes)}`, formatShape(shape));
    t.copyFrom(Float32Array.from(data));
  }
  return { layer };
}

/** Initial values that are overwritten take no number from the default generator. */
const unused = (): Generator => new Generator(0);

/** y = W·x, and + b where there is a bias. */
const product = (bias: boolean): Kind => ({
  shape(where, node, shape) {
    const [out, inputs] = matrixOf(where, node);
    if (shape === null) return [out];
    if (shape[shape.length - 1] === inputs) return [...shape.slice(0, -1), out];
    throw wrongValue(where, `${inputs} values for weight [${out}, ${inputs}]`, formatShape(shape));
  },
  make(making) {
    const [out, inputs] = matrixOf(making.where, making.node);
    return filled(making, new Linear(inputs, out, { bias, generator: unused() }));
  },
});

function matrixOf(where: string, node: NIRNode): [out: number, inputs: number] {
  const { shape } = arrayOf(where, node, "weight");
  if (shape.length !== 2) throw wrongValue(where, "weight [out, in]", formatShape(shape));
  return shape as unknown as [number, number];
}

/** The windows of a node over the last axes of maps: for each, the zeros more at its end, and the options of the layer. */
function windowsOf(where: string, node: NIRNode, kernel: readonly number[]) {
  const {
    stride,
    padding: given,
    dilation = 1,
  } = Object.fromEntries(
    Object.entries(node).map(([field, value]) => [
      field,
      Array.isArray(value) && value.length === 1 ? value[0] : value,
    ]),
  ) as unknown as Windows;
  const isSame = given === "same";
  const size = (value: Pair | number, axis: number): number =>
    Number(Array.isArray(value) ? (value[axis] ?? value[0]) : value);
  // Zeros on both sides together.
  const total = kernel.map((k, i) => size(dilation, i) * (k - 1));
  const half = total.map((n) => Math.floor(n / 2));
  const padding = isSame ? (half.length > 1 ? half : half[0]) : given === "valid" ? 0 : given;
  const options = { stride, padding: padding as Pair, dilation };
  const more = total.map((n) => (isSame ? n % 2 : 0));
  if (isSame && kernel.some((_, i) => size(stride, i) !== 1)) {
    throw wrongValue(where, 'stride 1 with padding "same"', show(stride));
  }
  const first = 2 - kernel.length;
  const places = (shape: Shape): number[] =>
    shape
      .slice(-kernel.length)
      .map((n, i) => windowOver(where, first + i, n + (more[i] as number), kernel[i] as number, options).places);
  return { options, more, places };
}

interface Windows {
  readonly stride: Pair;
  readonly padding: Pair | "same" | "valid";
  readonly dilation?: Pair;
}

const convolution = (axes: 1 | 2): Kind => {
  const read = (where: string, node: NIRNode) => {
    const { shape } = arrayOf(where, node, "weight");
    if (shape.length !== axes + 2) {
      throw wrongValue(where, `weight [out, in / groups, ${axes === 1 ? "k" : "kH, kW"}]`, formatShape(shape));
    }
    const groups = numberOf(where, "groups", (node as unknown as Fields).groups, COUNT);
    const [out, part, ...kernel] = shape as [number, number, ...number[]];
    return { out, inputs: part * groups, groups, kernel, ...windowsOf(where, node, kernel) };
  };
  return {
    shape(where, node, shape) {
      const { out, inputs, places } = read(where, node);
      const { input_shape: given } = node as unknown as Fields;
      if (shape === null) return null;
      const sizes = given === null || given === undefined ? shape.slice(1) : [given].flat();
      const expected = [inputs, ...sizes] as number[];
      if (shape.length === axes + 1 && sameShape(expected, shape)) return [out, ...places(shape)];
      throw wrongValue(where, `maps ${formatShape(expected)}`, formatShape(shape));
    },
    make(making) {
      const { out, inputs, groups, kernel, options, more } = read(making.where, making.node);
      const all = { ...options, groups, generator: unused() };
      const [size] = kernel as [number];
      const layer =
        axes === 1
          ? new Conv1d(inputs, out, size, all as ConvLayerOptions<number>)
          : new Conv2d(inputs, out, kernel as unknown as Pair, all);
      const padding = more.some((n) => n > 0) ? more.flatMap((n) => [n, 0]).reverse() : [];
      return { ...filled(making, layer), padding };
    },
  };
};

const pool = (make: (kernel: Pair, options: { readonly stride: Pair; readonly padding: Pair }) => Module): Kind => {
  const read = (where: string, node: NIRNode) => {
    const { kernel_size: kernel } = node as unknown as { readonly kernel_size: Pair };
    const sizes = [0, 1].map((axis) => sizeOption(where, "kernel_size", kernel, axis, 1));
    return { sizes: sizes as unknown as Pair, ...windowsOf(where, node, sizes) };
  };
  return {
    shape(where, node, shape) {
      if (shape === null) return null;
      if (shape.length < 3) throw wrongValue(where, "maps [C, H, W]", formatShape(shape));
      return [...shape.slice(0, -2), ...read(where, node).places(shape)];
    },
    make({ where, node }) {
      const { sizes, options } = read(where, node);
      return { layer: make(sizes, { stride: options.stride, padding: options.padding }) };
    },
  };
};

/** The axes that a node makes one, from 0. */
function flattened(where: string, node: NIRNode, shape: Shape): [first: number, last: number] {
  const { start_dim, end_dim } = node as NIRFlatten;
  const [first, last] = [axisOf(where, start_dim, shape.length), axisOf(where, end_dim, shape.length)];
  if (first <= last) return [first, last];
  throw wrongValue(where, "start_dim up to end_dim", `${first} and ${last}`);
}

/** A place of the graph where values have a shape. Exporters may count time and batch, as axes of 1 before the others. */
const end: Kind = {
  shape(where, node, shape) {
    const own = checkShape(where, (node as unknown as Fields).shape as Shape);
    if (shape === null) return own;
    const bare = (sizes: Shape): Shape => sizes.slice(sizes.slice(0, -1).findIndex((n) => n !== 1));
    if (sameShape(bare(own), bare(shape))) return shape;
    throw wrongValue(where, `values ${formatShape(own)}, as its shape says`, formatShape(shape));
  },
  make: () => ({ layer: null }),
};

const KINDS: Readonly<Record<string, Kind>> = {
  Input: end,
  Output: end,
  Affine: product(true),
  Linear: product(false),
  Scale: { shape: inPlace, make: (making) => ({ layer: new Scale(fieldTensor(making, "scale")) }) },
  Threshold: {
    shape: inPlace,
    make: (making) => ({ layer: new Threshold(fieldTensor(making, "threshold"), making.surrogate) }),
  },
  Delay: {
    shape: inPlace,
    make({ where, node, shape, dt }) {
      const steps = each(
        (x) => numberOf(where, "delay in steps", Math.round(x / dt), STEPS),
        valuesOf(where, node, "delay", shape),
      );
      return { layer: new Delay(typeof steps === "number" ? steps : [...steps]), isFlat: true };
    },
  },
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  SumPool2d: pool((kernel, options) => new SumPool2d(kernel, options)),
  AvgPool2d: pool((kernel, options) => new AvgPool2d(kernel, options)),
  Flatten: {
    shape(where, node, shape) {
      if (shape === null) return null;
      const [first, last] = flattened(where, node, shape);
      return [...shape.slice(0, first), sizeOf(shape.slice(first, last + 1)), ...shape.slice(last + 1)];
    },
    make({ where, node, shape }) {
      const [first, last] = flattened(where, node, shape);
      // Counted from the end, for any number of leading axes.
      return { layer: new Flatten(first - shape.length, last - shape.length) };
    },
  },
  ...{ I: neurons, LI: neurons, IF: neurons, LIF: neurons, CubaLI: neurons, CubaLIF: neurons },
};

const TYPES = Object.keys(KINDS);

/**
 * The network of a graph as a module, in steps of dt by forward Euler:
 *
 *   β = 1 − dt/τ      v[t] = v_leak + β(v[t−1] − v_leak) + r·dt/τ·I[t]      z[t] = 1 if v[t] > θ else 0, and v[t] = v_reset there
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output]. All states start from 0. A delay is rounded to the nearest step, a half upwards. In a
 * loop, the node behind the last neuron reads the output of the step before, zeros at the start. Nodes outside of loops
 * run over the whole sequence at once. Weights, biases, scales and thresholds of `Threshold` nodes are parameters, named after the
 * nodes, as in `fc1.weight` or, in a subgraph, `rnn.w_rec.weight`; the constants of neurons are fixed.
 *
 * @throws RangeError unless dt is > 0 and at most each τ, for nodes of unknown types, edges to nodes that are not there, nodes that
 *   nothing connects, and shapes that do not fit each other, with the name of the node; TypeError for anything but a graph.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15.
 */
export function fromNIR(graph: NIRGraph, options: FromNIROptions): NIRModule {
  const where = "fromNIR";
  const { dt, surrogate } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "dt", dt, POSITIVE);
  if (surrogate !== undefined) checkSurrogate(where, surrogate);
  const copy = copyOf(where, graph);
  const flat = flatten(where, copy);
  checkConnected(where, flat);
  const loops = takeLoops(flat.places);
  const order = cutLoops(flat);
  const shapes = shapesOf(where, order, loops);
  return allOrNothing(() =>
    noGrad(() => {
      const units = order.map((place): Unit => {
        const { name, from, late } = place;
        const shape = shapes.get([...from][0] ?? name) as Shape;
        const making = { where: nameOf(where, name), node: place.node, shape, dt, surrogate };
        const { layer, isFlat = false, padding = [] } = kindOf(where, place).make(making);
        const after = shapes.get(name) as Shape;
        const unit = { name, from, late, shape: after, axes: isFlat ? shape.length : 0, padding };
        const back = loops.get(name);
        if (back === undefined) return { ...unit, layer, parts: layer === null ? [] : [[name, layer]] };
        const connecting = { ...making, where: nameOf(where, back.name), node: back.node, shape: after };
        const [looped, connection] = loopOf(layer as Neurons, connecting);
        return {
          ...unit,
          layer: looped,
          parts: [
            [name, looped],
            [back.name, connection],
          ],
        };
      });
      const ends = { shape: shapes.get(flat.input) as Shape, output: flat.output };
      return new NIRModule({ graph: copy, groups: groupsOf(units), ...ends, dt });
    }),
  );
}

function kindOf(where: string, { name, node: { type } }: Place): Kind {
  if (TYPES.includes(type)) return KINDS[type] as Kind;
  throw wrongValue(nameOf(where, name), `a type among ${TYPES.join(", ")}, NIRGraph`, show(type));
}

/**
 * Takes out of the places the layers that connect neurons with themselves and read nothing else, by the names of the neurons: such
 * neurons and their connection run as one op.
 */
function takeLoops(places: Map<string, Place>): Map<string, Place> {
  const loops = new Map<string, Place>();
  const readers = readersOf(places);
  for (const [name, place] of [...places].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { node, from } = place;
    const [source] = from;
    if (!["Affine", "Linear", "Scale"].includes(node.type) || from.size !== 1 || source === undefined) continue;
    const { node: neuron, from: fed } = places.get(source) as Place;
    if (!["LIF", "IF", "CubaLIF"].includes(neuron.type) || loops.has(source) || fed.size < 2) continue;
    const [reader, more] = readers.get(name) as string[];
    if (reader !== source || more !== undefined) continue;
    loops.set(source, place);
    fed.delete(name);
    places.delete(name);
  }
  return loops;
}

/** Neurons and their connection as one layer, and the connection by itself. */
function loopOf(neuron: Neurons, making: Making): [loop: Loop, connection: Module] {
  const { where, node, shape } = making;
  const features = sizeOf(shape);
  if (node.type === "Scale") {
    const loop = new Loop(neuron as never, { features, connection: "one" });
    const V = loop.V as Tensor;
    V.copyFrom(Float32Array.from(fieldOf(valuesOf(where, node, "scale", shape), shape).data));
    return [loop, new Scale(V)];
  }
  const loop = new Loop(neuron as never, { features, bias: node.type === "Affine", generator: unused() });
  const connection = loop.recurrent as Linear;
  filled(making, connection);
  return [loop, connection];
}

/** The shape of one step of one sample that each node gives. */
function shapesOf(where: string, order: readonly Place[], loops: ReadonlyMap<string, Place>): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  const given = ({ from }: Place): Shape | null => {
    for (const name of from) if (shapes.has(name)) return shapes.get(name) as Shape;
    return null;
  };
  const shapeOf = (place: Place): Shape | null => {
    const { name, node } = place;
    return kindOf(where, place).shape(nameOf(where, name), node, given(place));
  };
  // A late edge may tell the shape of a node before it; each pass tells one more.
  for (let before = -1; before < shapes.size; ) {
    before = shapes.size;
    for (const place of order) {
      const shape = shapes.has(place.name) ? null : shapeOf(place);
      if (shape !== null) shapes.set(place.name, shape);
    }
  }
  const check = (name: string, expected: Shape | undefined, got: Shape | null | undefined): void => {
    if (expected && got && sameShape(expected, got)) return;
    throw wrongValue(nameOf(where, name), `values ${formatShape(expected ?? [])}`, formatShape(got ?? []));
  };
  for (const place of order) {
    const { name, from } = place;
    const shape = shapes.get(name);
    check(name, shape, shapeOf(place));
    for (const other of from) check(name, given(place) as Shape, shapes.get(other));
    const back = loops.get(name);
    if (back === undefined || shape === undefined) continue;
    check(back.name, [sizeOf(shape)], kindOf(where, back).shape(nameOf(where, back.name), back.node, shape));
  }
  return shapes;
}
