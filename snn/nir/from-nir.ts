/** Modules from graphs: a layer for each node, and `Recurrent` or the module of a graph around them. */
import { choiceOf, numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import type { Module, Pair, Tensor } from "../../engine/index.ts";
import { AvgPool2d, Conv1d, Conv2d, Flatten, Generator, Linear, noGrad, tensor } from "../../engine/index.ts";
import { allOrNothing } from "../../engine/lasting.ts";
import { windowOver } from "../../engine/protocol.ts";
import { axisOf, checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { STEPS } from "../layer/checks.ts";
import { LIF } from "../neurons/lif.ts";
import { sigmoid } from "../surrogates/known.ts";
import { checkSurrogate, type Surrogate } from "../surrogates/surrogate.ts";
import { Delay } from "../temporal/delay.ts";
import { graphOf } from "./check.ts";
import { axisPair, broadcastArray, eachNeuron, neuronField, nodeValues, perStep } from "./euler.ts";
import type { NIRAffine, NIRConv2d, NIRFlatten, NIRGraph, NIRInput, NIRNode, NIRSumPool2d } from "./graph.ts";
import { CubaLI, CubaLIF, LI, Loop, Products, Scale, SumPool2d, Threshold } from "./layers.ts";
import { groupsOf, NIRModule, type Unit } from "./module.ts";
import { checkConnected, cutLoops, flattened, type NodePlace, nodeInErrors, reach, readersOf } from "./read.ts";

/** Options of {@link fromNIR}. */
export interface FromNIROptions {
  /** Duration of a step in seconds, > 0, at most the smallest time constant. */
  dt: number;
  /** Surrogate gradient of all spikes, which a graph does not specify; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /**
   * Behaviour of spiking neurons; default "nir".
   *
   * - "nir": v starts from 0, and a neuron spikes if v > θ
   * - "spikingjelly": v starts from v_reset, a neuron spikes if v ≥ θ, and the default is surrogate.sigmoid({ slope: 4 }) with a gradient
   *   through the reset, as in the package whose exporter wrote the graph
   */
  numerics?: "nir" | "spikingjelly";
}

const DEFAULTS = {
  dt: Number.NaN,
  surrogate: undefined as Surrogate | undefined,
  numerics: "nir" as NonNullable<FromNIROptions["numerics"]>,
} satisfies Record<keyof FromNIROptions, unknown>;

/** A node, and the data from which its layer is made. */
interface Making {
  /** Name of the node in errors. */
  readonly where: string;
  readonly node: NIRNode;
  /** Shape of the node's input for one step of one sample. */
  readonly shape: Shape;
  readonly dt: number;
  readonly surrogate: Surrogate | undefined;
  /** Whether neurons behave like those of SpikingJelly. */
  readonly isJelly: boolean;
}

/** Makes the layer of one type of node, and the shape of its output if it differs from the input's. */
type Kind = (making: Making) => Pick<Unit, "layer"> & Partial<Pick<Unit, "shape" | "axes" | "padding">>;

type Neurons = new (options: never) => Module;

/** Makes neurons, spiking ones if they have a threshold. If each place has its own constants, maps are flattened to vectors. */
const neurons =
  (Layer: Neurons): Kind =>
  ({ where, node, shape, dt, surrogate, isJelly }) => {
    const numbers = Object.entries(perStep(where, node, shape, dt));
    const options = Object.fromEntries(numbers.map(([name, x]) => [name, typeof x === "number" ? x : tensor(x)]));
    const firing = "v_threshold" in node && {
      fire: isJelly ? "ge" : "gt",
      detachReset: !isJelly,
      start: isJelly ? "resetValue" : "zero",
      ...(surrogate !== undefined && { surrogate }),
    };
    const isUniform = numbers.every(([, x]) => typeof x === "number");
    const layer = new Layer({ ...options, ...firing } as never);
    return { layer, axes: isUniform ? 0 : shape.length };
  };

/** Values of a field, for broadcasting; leading axes of size 1 are added. */
function fieldTensor({ where, node, shape: of }: Making, field: string): Tensor {
  const { shape, data } = broadcastArray(where, node, field, of);
  return tensor(data, { shape: shape.slice(Math.max(0, shape.length - of.length)) });
}

function filled<Layer extends Module & { readonly weight: Tensor; readonly bias: Tensor | null }>(
  { where, node }: Making,
  layer: Layer,
): Layer {
  for (const field of ["weight", "bias"] as const) {
    const t = layer[field];
    if (t === null) continue;
    const { shape, data } = broadcastArray(where, node, field, t.sizes);
    if (!sameShape(shape, t.sizes)) throw wrongValue(where, `${field} ${formatShape(t.sizes)}`, formatShape(shape));
    t.copyFrom(data);
  }
  return layer;
}

/** A generator for initial values that are overwritten, so that the default generator does not advance. */
const unused = (): Generator => new Generator(0);

/** y = W·x, or y = W·x + b with a bias. */
const product: Kind = (making) => {
  const { where, node, shape } = making;
  const { weight } = node as NIRAffine;
  const isOne = weight.shape.length < 3;
  const out = weight.shape[weight.shape.length - 2] ?? 0;
  const inputs = shape[shape.length - 1] as number;
  const places = isOne ? [] : shape.slice(0, -1);
  const own = [...places, out, inputs];
  if (!sameShape(weight.shape, own) || out === 0) {
    throw wrongValue(where, `weight [${[...places, "out", inputs].join(", ")}]`, formatShape(weight.shape));
  }
  const after = [...shape.slice(0, -1), out];
  const hasBias = "bias" in node;
  const field = (name: string, of: Shape): Tensor => fieldTensor({ ...making, shape: of }, name);
  const layer = isOne
    ? filled(making, new Linear(inputs, out, { bias: hasBias, generator: unused() }))
    : new Products(field("weight", own), hasBias ? field("bias", after) : null);
  return { layer, shape: after };
};

/** Windows over the last axes of maps: options of the layer, the shape of the output, and the zeros that the layer does not add itself. */
function windowsOf({ where, node, shape }: Making, kernel: readonly number[]) {
  const { stride, padding, dilation = 1 } = node as NIRConv2d;
  const isSame = padding === "same";
  // Zeros of both sides together; an odd one is at the end.
  const total = kernel.map((k, axis) => (isSame ? (axisPair(dilation)[axis] as number) * (k - 1) : 0));
  const half = total.map((n) => Math.floor(n / 2));
  const zeros = half.length > 1 ? (half as unknown as Pair) : (half[0] as number);
  const options = { stride, padding: isSame ? zeros : padding === "valid" ? 0 : padding, dilation };
  if (isSame && [stride].flat().some((n) => n !== 1)) {
    throw wrongValue(where, 'stride 1 with padding "same"', show(stride));
  }
  const lead = shape.slice(0, -kernel.length);
  const places = kernel.map((k, axis) => {
    const size = (shape[lead.length + axis] as number) + ((total[axis] as number) % 2);
    return windowOver(where, axis, size, k, options).places;
  });
  const more = total.some((n) => n % 2 > 0) ? total.flatMap((n) => [n % 2, 0]).reverse() : [];
  return { options, shape: [...lead, ...places], padding: more };
}

const convolution =
  (axes: number, Layer: new (inputs: number, out: number, kernel: never, options: never) => Conv1d | Conv2d): Kind =>
  (making) => {
    const { where, node, shape } = making;
    const { weight, groups, input_shape } = node as NIRConv2d;
    const [out = 0, part = 0, ...kernel] = weight.shape;
    const inputs = part * groups;
    const maps = [inputs, ...(input_shape === null ? shape.slice(1) : [input_shape].flat())];
    if (kernel.length !== axes || shape.length !== axes + 1 || !sameShape(maps, shape)) {
      const got = `${formatShape(shape)} and weight ${formatShape(weight.shape)}`;
      throw wrongValue(where, `maps ${formatShape(maps)}`, got);
    }
    const { options, shape: after, padding } = windowsOf(making, kernel);
    const all = { ...options, groups, generator: unused() };
    const layer = new Layer(inputs, out, (axes === 1 ? kernel[0] : kernel) as never, all as never);
    return { layer: filled(making, layer), shape: [out, ...after.slice(1)], padding };
  };

const pool =
  (Layer: new (kernel: Pair, options: { readonly stride: Pair; readonly padding: Pair }) => Module): Kind =>
  (making) => {
    const { where, node, shape } = making;
    if (shape.length < 3) throw wrongValue(where, "maps [C, H, W]", formatShape(shape));
    const kernel = axisPair((node as NIRSumPool2d).kernel_size);
    const { options, shape: after } = windowsOf(making, kernel);
    const { stride, padding } = options;
    return { layer: new Layer(kernel, { stride, padding }), shape: after };
  };

/** An Input or Output. Exporters may include time and batch as leading axes of size 1. */
const end: Kind = ({ where, node, shape }) => {
  const { shape: own } = node as NIRInput;
  const bare = (sizes: Shape): Shape => sizes.slice(sizes.slice(0, -1).findIndex((n) => n !== 1));
  if (sameShape(bare(own), bare(shape))) return { layer: null };
  throw wrongValue(where, `values ${formatShape(own)}, as its shape says`, formatShape(shape));
};

const flatten: Kind = (making) => {
  const { where, node, shape } = making;
  const { start_dim, end_dim, input_shape } = node as NIRFlatten;
  if (input_shape !== null) end({ ...making, node: { type: "Input", shape: input_shape } });
  const { length } = shape;
  const [first, last] = [axisOf(where, start_dim, length), axisOf(where, end_dim, length)];
  if (first > last) throw wrongValue(where, "start_dim up to end_dim", `${first} and ${last}`);
  const after = [...shape.slice(0, first), sizeOf(shape.slice(first, last + 1)), ...shape.slice(last + 1)];
  // Counted from the end, so that any number of leading axes is allowed.
  return { layer: new Flatten(first - length, last - length), shape: after };
};

const delay: Kind = ({ where, node, shape, dt }) => {
  const stepsOf = (x: number): number => numberOf(where, "delay in steps", x < 0 ? x / dt : Math.round(x / dt), STEPS);
  const steps = eachNeuron(stepsOf, nodeValues(where, node, "delay", shape));
  return { layer: new Delay(typeof steps === "number" ? steps : [...steps]), axes: shape.length };
};

const KINDS: Readonly<Record<Exclude<NIRNode["type"], "NIRGraph">, Kind>> = {
  Input: end,
  Output: end,
  Affine: product,
  Linear: product,
  Scale: (making) => ({ layer: new Scale(fieldTensor(making, "scale")) }),
  Threshold: (making) => ({ layer: new Threshold(fieldTensor(making, "threshold"), making.surrogate) }),
  Delay: delay,
  Conv1d: convolution(1, Conv1d),
  Conv2d: convolution(2, Conv2d),
  SumPool2d: pool(SumPool2d),
  AvgPool2d: pool(AvgPool2d),
  Flatten: flatten,
  I: neurons(LI),
  LI: neurons(LI),
  IF: neurons(LIF),
  LIF: neurons(LIF),
  CubaLI: neurons(CubaLI),
  CubaLIF: neurons(CubaLIF),
};

/**
 * Makes a module of a graph, which advances in steps of dt by forward Euler:
 *
 *   β = 1 − dt/τ      v[t] = v_leak + β(v[t−1] − v_leak) + r·dt/τ·I[t]      if v[t] > θ: z[t] = 1 and v[t] = v_reset, else z[t] = 0
 *
 * Shapes: x [T, B, …Input] → z [T, B, …Output]; for several Inputs or Outputs, `run` takes and returns tensors by node name. All states start from 0,
 * except with `numerics: "spikingjelly"`. A delay is rounded to the nearest step, halves up. In a loop, the node after the last neuron reads the
 * output of the previous step, zeros at the start. Nodes outside of loops run over the whole sequence at once. Weights, biases, scales and thresholds
 * of `Threshold` nodes are parameters, named after the nodes, as in `fc1.weight` or, in a subgraph, `rnn.w_rec.weight`; the constants of neurons are
 * fixed.
 *
 * @throws RangeError unless dt is > 0 and at most each τ, for nodes of unknown types, edges to missing nodes, unconnected nodes, and shapes that do
 *   not fit, with the name of the node; TypeError for anything but a graph.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15.
 *
 * @example
 * ```ts
 * import { LIF, Linear, rand, Sequential } from "jarvis-snn";
 * import { fromNIR, toNIR } from "jarvis-snn/nir";
 *
 * const network = new Sequential(new Linear(4, 2), new LIF({ numerics: "nir" }));
 * const { graph } = toNIR(network, { dt: 1e-3, inputShape: [4] });
 * const copy = fromNIR(graph, { dt: 1e-3 });
 * const x = rand([50, 1, 4]);
 * console.log(copy.forward(x).eq(network.forward(x)).mean().item()); // 1
 * ```
 */
export function fromNIR(graph: NIRGraph, options: FromNIROptions): NIRModule {
  const where = "fromNIR";
  const { dt, numerics, ...given } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "dt", dt, POSITIVE);
  const isJelly = choiceOf(where, "numerics", numerics, ["nir", "spikingjelly"]) === "spikingjelly";
  const { surrogate = isJelly ? sigmoid({ slope: 4 }) : undefined } = given;
  if (surrogate !== undefined) checkSurrogate(where, surrogate);
  const copy = graphOf(where, "graph", graph);
  const flat = flattened(where, copy);
  const { places, inputs, outputs, deadEnds } = flat;
  checkConnected(where, flat);
  const loops = takeLoops(places);
  const order = cutLoops(flat);
  return allOrNothing(() =>
    noGrad(() => {
      const units = new Map<string, Unit>();
      const shapeAt = (name: string): Shape => (units.get(name) as Unit).shape;
      const readers = readersOf(places);
      // In this order, every node except the Inputs comes after one of the nodes that it reads, which determines its shape.
      for (const name of reach(inputs, (each) => readers.get(each))) {
        const { node, from, late } = places.get(name) as NodePlace;
        const own = nodeInErrors(where, name);
        const source = [...from].find((each) => units.has(each));
        const shape = source === undefined ? checkShape(own, (node as NIRInput).shape) : shapeAt(source);
        const making = { where: own, node, shape, dt, surrogate, isJelly };
        const made = KINDS[node.type as keyof typeof KINDS](making);
        const unit = { name, from, late, shape, axes: 0, padding: [], ...made };
        const back = loops.get(name);
        units.set(
          name,
          back === undefined
            ? withPart(unit)
            : looped(unit, back.name, {
                ...making,
                where: nodeInErrors(where, back.name),
                node: back.node,
                shape: unit.shape,
              }),
        );
      }
      for (const { name, from } of units.values()) {
        const [first = [], ...others] = [...from].map(shapeAt);
        const other = others.find((shape) => !sameShape(first, shape));
        if (other) throw wrongValue(nodeInErrors(where, name), `values ${formatShape(first)}`, formatShape(other));
      }
      const groups = groupsOf(order.map(({ name }) => units.get(name) as Unit));
      const shapesOf = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, shapeAt(name)]));
      const all = shapesOf([...outputs, ...deadEnds]);
      return new NIRModule({ graph: copy, groups, inputs: shapesOf(inputs), outputs: all, main: outputs, dt });
    }),
  );
}

const withPart = (unit: Omit<Unit, "parts">): Unit => ({
  ...unit,
  parts: unit.layer === null ? [] : [[unit.name, unit.layer]],
});

/**
 * Removes the layers that only connect neurons with themselves. Returns them by the names of the neurons: such neurons
 * and their connection run as one op.
 */
function takeLoops(places: Map<string, NodePlace>): Map<string, NodePlace> {
  const loops = new Map<string, NodePlace>();
  const readers = readersOf(places);
  for (const [name, place] of [...places].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { node, from } = place;
    const [source] = from;
    if (!["Affine", "Linear", "Scale"].includes(node.type) || from.size !== 1 || source === undefined) continue;
    const { node: neuron, from: fed } = places.get(source) as NodePlace;
    if (!("v_threshold" in neuron) || loops.has(source) || fed.size < 2) continue;
    // These products work on the last axis of maps, not on all neurons.
    if ("weight" in node && node.weight.shape.length > 2) continue;
    if (node.type !== "Scale" && neuron.v_threshold.shape.filter((n) => n > 1).length > 1) continue;
    const [reader, more] = readers.get(name) as string[];
    if (reader !== source || more !== undefined) continue;
    loops.set(source, place);
    fed.delete(name);
    places.delete(name);
  }
  return loops;
}

function looped(unit: Omit<Unit, "parts">, name: string, making: Making): Unit {
  const { where, node, shape } = making;
  const isScale = node.type === "Scale";
  const layer = new Loop(unit.layer as never, {
    features: sizeOf(shape),
    bias: "bias" in node,
    connection: isScale ? "one" : "all",
    generator: unused(),
  });
  const { V, recurrent } = layer;
  V?.copyFrom(neuronField(nodeValues(where, node, "scale", shape), shape).data);
  const connection = V === null ? filled(making, recurrent as Linear) : new Scale(V);
  return {
    ...unit,
    layer,
    axes: shape.length,
    parts: [
      [unit.name, layer],
      [name, connection],
    ],
  };
}
