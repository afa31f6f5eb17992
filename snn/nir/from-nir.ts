/** Modules from graphs. */
import { COUNT, INTEGER, numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import {
  AvgPool2d,
  Conv1d,
  Conv2d,
  Flatten,
  Generator,
  Linear,
  type Module,
  noGrad,
  type Tensor,
  tensor,
} from "../../engine/index.ts";
import { allOrNothing } from "../../engine/scope.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { Delay } from "../delay.ts";
import { LIF } from "../lif.ts";
import type { Neurons } from "../neuron.ts";
import { checkSurrogate, type Surrogate } from "../surrogate.ts";
import { arrayOf, each, type Fields, inFloat32, perStep, together, valuesOf } from "./euler.ts";
import type { NIRGraph, NIRNode } from "./graph.ts";
import {
  CubaLI,
  CubaLIF,
  LI,
  Loop,
  type Pair,
  SamePadding1d,
  SamePadding2d,
  Scale,
  SumPool2d,
  Threshold,
} from "./layers.ts";
import { NIRModule, type Unit } from "./module.ts";
import { checkConnected, copyOf, cutLoops, flatten, type Place, readersOf } from "./read.ts";

/** Options of {@link fromNIR}. */
export interface FromNIROptions {
  /** The time of a step in seconds, > 0, at most the smallest time constant. */
  dt: number;
  /** How spikes are differentiated, which no graph says; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
}

const DEFAULTS = { dt: Number.NaN, surrogate: undefined as Surrogate | undefined };

/** A layer of a node, made for the shape that it reads. */
interface Made {
  /** null where values stay as they are. */
  readonly layer: Module | null;
  /** Whether the layer takes maps as vectors, since each place has parameters of its own. */
  readonly isFlat?: boolean;
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

/** The shape of a node whose values keep their place, and have parameters. */
const inPlace =
  (...fields: string[]): Kind["shape"] =>
  (where, node, shape) => {
    const shapes = fields.map((field) => arrayOf(where, node, field).shape);
    if (shape === null) return shapes.find((each) => each.length > 0) ?? null;
    const [field, misfit] = Object.entries(shapes).find(([, own]) => together(shape, own) === null) ?? [];
    if (misfit === undefined) return shape;
    throw wrongValue(where, `${fields[Number(field)]} that fits values ${formatShape(shape)}`, formatShape(misfit));
  };

/** Neurons, spiking ones if they have a threshold. */
const neurons = (...fields: string[]): Kind => ({
  shape: inPlace(...fields),
  make(making) {
    const numbers = perStep(making.where, making.node, making.shape, making.dt);
    const layer = neuronOf(making, numbers);
    return { layer, isFlat: Object.values(numbers).some((values) => typeof values !== "number") };
  },
});

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

/** A number of a node, or [height, width], as numbers for each axis. */
function sizesAt(where: string, node: NIRNode, field: string, axes: number): number[] {
  const value = (node as unknown as Fields)[field];
  const list = Array.isArray(value) ? [...value] : Array.from({ length: axes }, () => value);
  if (list.length === 1 && axes === 2) list.push(list[0]);
  if (list.length !== axes) throw wrongValue(where, `${field} as a number or ${axes} of them`, show(value));
  return list.map((n: unknown) => numberOf(where, field, n, field === "padding" ? INTEGER : COUNT));
}

/** The windows of a node over maps, [out of an axis = ⌊(in + padding − width) / stride⌋ + 1]. */
function windowsOf(where: string, node: NIRNode, kernel: readonly number[], hasDilation: boolean) {
  const axes = kernel.length;
  const at = (field: string): number[] => sizesAt(where, node, field, axes);
  const stride = at("stride");
  const dilation = hasDilation ? at("dilation") : kernel.map(() => 1);
  const widths = kernel.map((k, i) => (dilation[i] as number) * (k - 1));
  const { padding: word } = node as unknown as Fields;
  const isSame = word === "same";
  if (isSame && stride.some((n) => n !== 1)) throw wrongValue(where, 'stride 1 with padding "same"', show(stride));
  const padding = isSame
    ? widths.map((n) => Math.floor(n / 2))
    : word === "valid"
      ? kernel.map(() => 0)
      : at("padding");
  // Zeros more at the end.
  const more = isSame ? widths.map((n) => n % 2) : kernel.map(() => 0);
  const places = (shape: Shape): number[] =>
    shape.slice(-axes).map((n, i) => {
      const covered = n + 2 * (padding[i] as number) + (more[i] as number) - (widths[i] as number) - 1;
      const count = Math.floor(covered / (stride[i] as number)) + 1;
      if (count >= 1) return count;
      throw wrongValue(where, `maps that a window of ${(widths[i] as number) + 1} fits`, formatShape(shape));
    });
  return { stride, dilation, padding, more, places };
}

const convolution = (axes: 1 | 2): Kind => {
  const read = (where: string, node: NIRNode) => {
    const { shape: weight } = arrayOf(where, node, "weight");
    const expected = axes === 1 ? "weight [out, in / groups, k]" : "weight [out, in / groups, kH, kW]";
    if (weight.length !== axes + 2) throw wrongValue(where, expected, formatShape(weight));
    const groups = numberOf(where, "groups", (node as unknown as Fields).groups, COUNT);
    const [out, part, ...kernel] = weight as [number, number, ...number[]];
    return { out, inputs: part * groups, groups, kernel, ...windowsOf(where, node, kernel, true) };
  };
  return {
    shape(where, node, shape) {
      if (shape === null) return null;
      const { out, inputs, places } = read(where, node);
      if (shape.length !== axes + 1 || shape[0] !== inputs) {
        throw wrongValue(
          where,
          `maps of ${inputs} channels and ${axes === 1 ? "a length" : "height and width"}`,
          formatShape(shape),
        );
      }
      const { input_shape: given = null } = node as unknown as Fields;
      if (
        given !== null &&
        !sameShape(checkShape(where, (Array.isArray(given) ? given : [given]) as Shape), shape.slice(1))
      ) {
        throw wrongValue(where, `maps of input_shape ${show(given)}`, formatShape(shape));
      }
      return [out, ...places(shape)];
    },
    make(making) {
      const { out, inputs, groups, kernel, stride, dilation, padding, more } = read(making.where, making.node);
      const generator = unused();
      if (axes === 1) {
        const [k, s, d, p, end] = [kernel, stride, dilation, padding, more].map(([n]) => n) as [
          number,
          number,
          number,
          number,
          number,
        ];
        const options = { groups, stride: s, dilation: d, padding: p, generator };
        return filled(
          making,
          end > 0 ? new SamePadding1d(inputs, out, k, options) : new Conv1d(inputs, out, k, options),
        );
      }
      const options = {
        groups,
        ...({ stride, dilation, padding } as unknown as Record<"stride" | "dilation" | "padding", Pair>),
        generator,
      };
      const size = kernel as unknown as Pair;
      return filled(
        making,
        more.some((n) => n > 0)
          ? new SamePadding2d(inputs, out, size, more, options)
          : new Conv2d(inputs, out, size, options),
      );
    },
  };
};

const pool = (make: (kernel: Pair, stride: Pair, padding: Pair) => Module): Kind => ({
  shape(where, node, shape) {
    if (shape === null) return null;
    if (shape.length < 3) throw wrongValue(where, "maps [C, H, W]", formatShape(shape));
    const { places } = windowsOf(where, node, sizesAt(where, node, "kernel_size", 2), false);
    return [...shape.slice(0, -2), ...places(shape)];
  },
  make({ where, node }) {
    const kernel = sizesAt(where, node, "kernel_size", 2);
    const { stride, padding } = windowsOf(where, node, kernel, false);
    return { layer: make(kernel as unknown as Pair, stride as unknown as Pair, padding as unknown as Pair) };
  },
});

/** The axes that a node makes one, from 0. */
function flattened(where: string, node: NIRNode, shape: Shape): [first: number, last: number] {
  const axis = (field: string): number => {
    const given = numberOf(where, field, (node as unknown as Fields)[field], INTEGER);
    const at = given < 0 ? given + shape.length : given;
    if (at >= 0 && at < shape.length) return at;
    throw wrongValue(where, `${field} among the ${shape.length} axes of ${formatShape(shape)}, without a batch`, given);
  };
  const [first, last] = [axis("start_dim"), axis("end_dim")];
  if (first <= last) return [first, last];
  throw wrongValue(where, "start_dim up to end_dim", `${first} and ${last}`);
}

/** A place of the graph where values have a shape. Exporters may count time and batch, as axes of 1 before the others. */
const end: Kind = {
  shape(where, node, shape) {
    const own = checkShape(where, (node as unknown as Fields).shape as Shape);
    if (shape === null) return own;
    const bare = (sizes: Shape): Shape =>
      sizes.slice(sizes.findIndex((n) => n !== 1) < 0 ? -1 : sizes.findIndex((n) => n !== 1));
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
  Scale: {
    shape: inPlace("scale"),
    make({ where, node }) {
      const { shape, data } = arrayOf(where, node, "scale");
      return { layer: new Scale(tensor(Float32Array.from(data), { shape })) };
    },
  },
  Threshold: {
    shape: inPlace("threshold"),
    make({ where, node, surrogate }) {
      const { shape, data } = arrayOf(where, node, "threshold");
      return { layer: new Threshold(tensor(Float32Array.from(data), { shape }), surrogate) };
    },
  },
  Delay: {
    shape: inPlace("delay"),
    make({ where, node, shape, dt }) {
      const seconds = valuesOf(where, node, "delay", shape);
      each(
        (x) => numberOf(where, "delay", x, { expected: "finite and ≥ 0", fits: (n) => n >= 0 && n < Infinity }),
        seconds,
      );
      const steps = inFloat32(
        where,
        "delay",
        each((x) => Math.round(x / dt), seconds),
      );
      if (typeof steps === "number") return { layer: new Delay(steps) };
      return { layer: new Delay(Array.from(steps)), isFlat: true };
    },
  },
  Conv1d: convolution(1),
  Conv2d: convolution(2),
  SumPool2d: pool((kernel, stride, padding) => new SumPool2d(kernel, stride, padding)),
  AvgPool2d: pool((kernel, stride, padding) => new AvgPool2d(kernel, { stride, padding })),
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
  I: neurons("r"),
  LI: neurons("tau", "r", "v_leak"),
  IF: neurons("r", "v_threshold", "v_reset"),
  LIF: neurons("tau", "r", "v_leak", "v_threshold", "v_reset"),
  CubaLI: neurons("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
  CubaLIF: neurons("tau_syn", "tau_mem", "r", "v_leak", "w_in", "v_threshold", "v_reset"),
};

const TYPES = Object.keys(KINDS);

/**
 * The network of a graph as a module, in steps of dt by forward Euler:
 *
 *   β = 1 − dt/τ      v[t] = v_leak + β(v[t−1] − v_leak) + r·dt/τ·I[t]      z[t] = 1 if v[t] > θ else 0, and v[t] = v_reset there
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output]. All states start from 0. A delay is rounded to the nearest step, a half upwards. A loop
 * takes a step: the last neuron in it before the loop closes is read as the step before has left it, zeros at the start. Nodes outside of loops
 * run over the whole sequence at once. Weights, biases, scales and thresholds of `Threshold` nodes are parameters, named after the
 * nodes, as in `fc1.weight` or, in a subgraph, `rnn.w_rec.weight`; the numbers of neurons are fixed.
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
        const { layer, isFlat = false } = kindOf(where, name, place.node).make(making);
        const after = shapes.get(name) as Shape;
        const unit = { name, from: [...from], late, shape: after, axes: isFlat ? shape.length : 0 };
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
      return new NIRModule({ graph: copy, units, input: flat.input, output: flat.output, dt });
    }),
  );
}

const nameOf = (where: string, name: string): string => `${where}: node ${show(name)}`;

function kindOf(where: string, name: string, { type }: NIRNode): Kind {
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
    const scale = valuesOf(where, node, "scale", shape);
    const V = loop.V as Tensor;
    V.copyFrom(
      new Float32Array(features).fill(0).map((_, i) => (typeof scale === "number" ? scale : (scale[i] as number))),
    );
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
    return kindOf(where, name, node).shape(nameOf(where, name), node, given(place));
  };
  // A late edge may tell the shape of a node before it; each pass tells one more.
  for (let before = -1; before < shapes.size; ) {
    before = shapes.size;
    for (const place of order) {
      const shape = shapes.has(place.name) ? null : shapeOf(place);
      if (shape !== null) shapes.set(place.name, shape);
    }
  }
  for (const place of order) {
    const { name, from } = place;
    const shape = shapes.get(name);
    if (shape === undefined) throw wrongValue(nameOf(where, name), "edges that tell its shape", "none");
    const again = shapeOf(place) as Shape;
    if (!sameShape(shape, again))
      throw wrongValue(nameOf(where, name), `values ${formatShape(shape)}`, formatShape(again));
    const [first, ...others] = from;
    for (const other of others) {
      const [a, b] = [first as string, other].map((each) => shapes.get(each) as Shape) as [Shape, Shape];
      if (sameShape(a, b)) continue;
      throw wrongValue(
        nameOf(where, name),
        `edges with values of one shape, ${formatShape(a)} of ${show(first)}`,
        `${formatShape(b)} of ${show(other)}`,
      );
    }
    const back = loops.get(name);
    if (back === undefined) continue;
    const fed = kindOf(where, back.name, back.node).shape(nameOf(where, back.name), back.node, shape) as Shape;
    if (shape.length !== 1 || !sameShape(fed, shape)) {
      throw wrongValue(
        nameOf(where, back.name),
        `a current for the neurons ${formatShape(shape)} of ${show(name)}`,
        formatShape(fed),
      );
    }
  }
  return shapes;
}
