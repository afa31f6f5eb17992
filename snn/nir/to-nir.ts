/** Graphs from modules: a node for each layer, and a list of options that NIR cannot express. */
import { numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import type { BatchNorm, Module, Pair, Tensor } from "../../engine/index.ts";
import {
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  MaxPool2d,
  noGrad,
  Sequential,
  zeros,
} from "../../engine/index.ts";
import { moduleOf, readingAt, weightOf } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { Neurons } from "../neuron/neuron.ts";
import { startOf } from "../neuron/reset.ts";
import { IF } from "../neurons/integrate-and-fire.ts";
import { LeakyIntegrator } from "../neurons/leaky-integrator.ts";
import { LIF } from "../neurons/lif.ts";
import { Synaptic } from "../neurons/synaptic.ts";
import { SynapticIntegrator } from "../neurons/synaptic-integrator.ts";
import { Recurrent } from "../recurrent/recurrent.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import { ThresholdDependentBatchNorm1d, ThresholdDependentBatchNorm2d } from "../temporal/batch-norm.ts";
import { Delay } from "../temporal/delay.ts";
import { axisPair, eachNeuron, MAX_NEURONS, type NeuronValues, neuronField, tauOf } from "./euler.ts";
import type { NIRArray, NIRGraph, NIRNode } from "./graph.ts";
import { CubaLI, CubaLIF, LI, Products, Scale, SumPool2d, Threshold } from "./layers.ts";
import { NIRModule } from "./module.ts";

/** Options of {@link toNIR}. */
export interface ToNIROptions {
  /** Duration of a step in seconds, > 0: decays per step become time constants by forward Euler, τ = dt / (1 − β). */
  dt: number;
  /** Shape of one step of one sample, without time and batch: [784], or [1, 28, 28]. Networks of `fromNIR` do not need it. */
  inputShape?: Shape;
  /** Whether to throw if the graph cannot express an option; default false. */
  strict?: boolean;
}

const DEFAULTS = { dt: Number.NaN, inputShape: undefined as Shape | undefined, strict: false };

/** An option of a layer that a graph cannot express. */
export interface NIRLoss {
  /** Node of the layer, or the node that the layer was merged into. */
  readonly node: string;
  /** The class of the layer. */
  readonly layer: string;
  /** Name of the option. */
  readonly property: string;
  /** Its value. */
  readonly value: unknown;
  /** The behaviour of the graph in this case, as a sentence. */
  readonly effect: string;
}

/** Result of {@link toNIR}. */
export interface NIRExport {
  /** The network as a graph. */
  readonly graph: NIRGraph;
  /** Options that the graph cannot express. */
  readonly losses: readonly NIRLoss[];
}

/** A graph under construction: its nodes so far, and the last one. */
class Writer {
  readonly nodes = new Map<string, NIRNode>();
  readonly edges: [string, string][] = [];
  /** Name of the last node; `shape` is the shape of its output. */
  last = "input";
  shape: Shape;
  readonly dt: number;
  /** Prefix of node names of this graph in losses and errors. */
  readonly path: string;
  readonly losses: NIRLoss[];

  constructor(shape: Shape, { dt, losses }: Pick<Writer, "dt" | "losses">, path = "") {
    this.nodes.set(this.last, { type: "Input", shape: [...shape] });
    this.shape = shape;
    this.dt = dt;
    this.path = path;
    this.losses = losses;
  }

  /** Adds a node after the last one. */
  add(name: string, node: NIRNode, shape = this.shape): void {
    this.nodes.set(name, node);
    this.edges.push([this.last, name]);
    this.last = name;
    this.shape = shape;
  }

  graph(): NIRGraph {
    this.add("output", { type: "Output", shape: [...this.shape] });
    return { type: "NIRGraph", nodes: Object.fromEntries(this.nodes), edges: this.edges };
  }
}

/** Where a layer is written. */
interface Place {
  readonly name: string;
  /** The graph that receives the node. */
  readonly to: Writer;
  /** Name of the layer in errors. */
  readonly where: string;
}

/** Makes the node of a layer; null if the layer has no node. */
type Write<Layer extends Module> = (layer: Layer, place: Place) => NIRNode | null;

function lose({ name, to }: Place, layer: Module, property: string, value: unknown, effect: string): void {
  to.losses.push({ node: to.path + name, layer: layer.constructor.name, property, value, effect });
}

const arrayOf = (t: Tensor): NIRArray => ({ shape: [...t.sizes], data: t.toFloat32Array() });

/** Values of a parameter: one for all neurons, or one for each index of an axis, the last one by default. */
function valuesOf(t: Tensor, shape: Shape, axis = shape.length - 1): NeuronValues {
  const data = t.toFloat32Array();
  if (data.length === 1) return data[0] as number;
  const inner = sizeOf(shape.slice(axis + 1));
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => data[Math.floor(i / inner) % data.length] as number);
}

/** Translates an axis of [T, B, …shape] to one of the shape. */
const axisOf = (axis: number, { length }: Shape): number => (axis < 0 ? axis + length : axis - 2);

/** Shape of one step of one sample after a layer. If the layer throws, the message contains the name of the node. */
function behind(layer: Module, { to, where }: Place): Shape {
  try {
    return layer.evaluating(() => layer.forward(zeros([1, 1, ...to.shape]))).sizes.slice(2);
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${where}: ${error.message}`) : error;
  }
}

const writeLinear: Write<Linear | Products> = (layer) => ({
  ...(layer.bias === null ? { type: "Linear" } : { type: "Affine", bias: arrayOf(layer.bias) }),
  weight: arrayOf(layer instanceof Linear ? weightOf(layer) : layer.weight),
});

const writeConvolution: Write<Conv1d | Conv2d> = (layer, { to }) => {
  const { bias, groups } = layer;
  const weight = weightOf(layer);
  const isFlat = layer instanceof Conv1d;
  const size = (n: Pair): Pair => (isFlat ? n : axisPair(n));
  return {
    type: isFlat ? "Conv1d" : "Conv2d",
    weight: arrayOf(weight),
    // NIR requires a bias.
    bias: arrayOf(bias ?? zeros([weight.sizes[0] as number])),
    stride: size(layer.stride),
    padding: size(layer.padding),
    dilation: size(layer.dilation),
    groups,
    input_shape: isFlat ? to.shape[1] : to.shape.slice(1),
  } as NIRNode;
};

const writePool: Write<AvgPool2d | SumPool2d> = (layer, place) => {
  const { kernel } = layer;
  const { stride = kernel, padding = 0, ceilMode, countIncludePad }: AvgPool2d["options"] = layer.options;
  if (ceilMode && !sameShape(behind(layer, place), behind(new AvgPool2d(kernel, { stride, padding }), place))) {
    throw wrongValue(place.where, "windows that do not reach out", "ceilMode");
  }
  if (countIncludePad === false && [padding].flat().some((n) => n > 0))
    lose(place, layer, "countIncludePad", false, "zeros of the padding count");
  return {
    type: layer instanceof SumPool2d ? "SumPool2d" : "AvgPool2d",
    kernel_size: axisPair(kernel),
    stride: axisPair(stride),
    padding: axisPair(padding),
  };
};

const writeFlatten: Write<Flatten> = (layer, { to, where }) => {
  const [start_dim, end_dim] = [layer.startAxis, layer.endAxis].map((axis) => axisOf(axis, to.shape)) as [
    number,
    number,
  ];
  if (start_dim < 0) throw wrongValue(where, "a startAxis behind time and batch, such as 2", layer.startAxis);
  return { type: "Flatten", start_dim, end_dim, input_shape: [...to.shape] };
};

const writeDelay: Write<Delay> = ({ delays, axis }, { to: { shape, dt } }) => ({
  type: "Delay",
  delay: neuronField(
    eachNeuron((steps) => steps * dt, valuesOf(delays, shape, axisOf(axis, shape))),
    shape,
  ),
});

const writeDropout: Write<Dropout> = (layer, place) => {
  if (layer.training && layer.p > 0) lose(place, layer, "p", layer.p, "no value is dropped in training");
  return null;
};

/** The axis of the channels of a batch normalisation of [T, B, …]. */
function channelAxis(layer: BatchNorm, axes: number): number {
  if (layer instanceof BatchNorm1d) return layer.axis ?? -2;
  return layer instanceof ThresholdDependentBatchNorm1d ? -axes : -3;
}

/** Merges a batch normalisation into the weights before it: W ← W·γ/σ, b ← (b − mean)·γ/σ + β. */
const writeBatchNorm: Write<BatchNorm> = (layer, place) => {
  const { to, where } = place;
  const node = to.nodes.get(to.last) as NIRNode;
  const axes = to.shape.length;
  const fits = axisOf(channelAxis(layer, axes), to.shape) === 0 && to.shape[0] === layer.channels;
  const [mean, variance, scale, shift] = [layer.runningMean, layer.runningVar, layer.weight, layer.bias].map((t) =>
    t?.toFloat32Array(),
  );
  if (!("weight" in node) || !fits || mean === undefined || variance === undefined) {
    const expected = `running statistics of ${layer.channels} channels behind a Linear or a convolution`;
    throw wrongValue(where, expected, `${node.type} ${formatShape(to.shape)}`);
  }
  const factors = variance.map((v, c) => (scale?.[c] ?? 1) / Math.sqrt(v + layer.eps));
  const { shape, data } = node.weight;
  const bias = "bias" in node ? node.bias.data : [];
  const folded = {
    ...node,
    ...(node.type === "Linear" && { type: "Affine" }),
    weight: {
      shape,
      data: Float32Array.from(data, (w, i) => w * (factors[Math.floor((i * factors.length) / data.length)] as number)),
    },
    bias: {
      shape: [layer.channels],
      data: mean.map((m, c) => ((bias[c] ?? 0) - m) * (factors[c] as number) + (shift?.[c] ?? 0)),
    },
  };
  to.nodes.set(to.last, folded as NIRNode);
  lose({ ...place, name: to.last }, layer, "training", layer.training, "the weights contain the statistics, rounded");
  return null;
};

/** Options of neurons that a graph cannot express, and the values that it implies. */
const USUAL: Readonly<Record<string, unknown>> = {
  reset: "zero",
  resetDelay: false,
  resetInput: false,
  detachReset: true,
  lowerBound: undefined,
  synapse: "decayFirst",
  fire: "gt",
  refractorySteps: 0,
  inhibition: null,
  levels: Number.POSITIVE_INFINITY,
  spiking: true,
  surrogate: "sigmoid 10",
};

/** Records the options whose values differ from these. */
function loseUnusual(options: Readonly<Record<string, unknown>>, layer: Module, place: Place): void {
  for (const [option, value] of Object.entries(options)) {
    const usual = USUAL[option];
    if (!(option in USUAL) || value === usual || value === undefined) continue;
    lose(place, layer, option, value ?? "a tensor", `graphs stand for ${option} ${show(usual)}`);
  }
}

const wordsOf = ({ name, slope }: Surrogate): string => `${name} ${slope}`;

/** Records everything that the node of the neurons cannot express. */
function loseOptions(layer: Neurons, place: Place): void {
  const { chosen, firing, compiled } = layer;
  const { reset, resetDelay, ...others } = { ...chosen, ...(layer as Marked).inGraph };
  const { surrogate, strict, hold, inhibition, spiking } = firing;
  const spikes = compiled.main === "spikes" && {
    inhibition: inhibition === "fire" || inhibition,
    spiking,
    fire: strict ? "gt" : "ge",
    refractorySteps: hold,
    reset,
    resetDelay: resetDelay === true && reset !== "none",
    surrogate: wordsOf(surrogate),
  };
  const { initial } = layer.parametersNow();
  if (initial?.toFloat32Array().some((x) => x !== 0))
    lose(place, layer, "initial", initial.toArray(), "v starts from 0");
  const isFromZero = layer instanceof LI || layer instanceof CubaLI;
  const { start = isFromZero ? "zero" : "rest" } = chosen as Readonly<Record<string, string>>;
  const own = (key: string) => ownValues(layer, key, 0, place.to.shape);
  const from = startOf({ rest: own("rest"), resetValue: own("resetValue") }, { start, reset: String(reset) });
  if (!every(from, 0)) lose(place, layer, start, "not 0", `v starts from 0, not from ${start}`);
  loseUnusual({ ...others, ...spikes }, layer, place);
  const learned = layer.namedParameters().map(([name]) => name);
  if (learned.length > 0) lose(place, layer, "learn", learned, "numbers are fixed");
}

/** The number of this name, or the values of the parameter, one for each neuron in a step of this shape. */
function ownValues(layer: Neurons, key: string, usual: number, shape: Shape): NeuronValues {
  const fixed = layer.chosen[key];
  if (typeof fixed === "number") return fixed;
  const parameter = layer.parametersNow()[key];
  return parameter === undefined ? usual : valuesOf(parameter, shape);
}

const every = (values: NeuronValues, x: number): boolean =>
  typeof values === "number" ? values === x : values.every((each) => each === x);

function neuronNode(layer: Neurons, place: Place): NIRNode {
  const { shape, dt } = place.to;
  const value = (key: string, usual: number): NeuronValues => ownValues(layer, key, usual, shape);
  const beta = value("beta", 1);
  // Kernels compute 1 − β in float32.
  const scale =
    layer.chosen.inputScale === "leak" ? eachNeuron((b) => Math.fround(1 - b), beta) : value("inputScale", 1);
  const isSynaptic = "alpha" in layer.parametersNow();
  const isLeaky = isSynaptic || !every(beta, 1);
  const isSpiking = layer.compiled.main === "spikes";
  const fields: Record<string, NeuronValues> = {};
  /** x[t] = decay·x[t−1] + scale·I[t] as τ·dx/dt = −x + gain·I. */
  const filter = (name: string, decay: NeuronValues, scale: NeuronValues, tau: string, gain: string): void => {
    const note = () => lose(place, layer, name, 1, "the decay is 1 − 2⁻²⁴");
    fields[tau] = tauOf(decay, dt, note);
    const ratio = eachNeuron((t) => t / dt, fields[tau]);
    fields[gain] = eachNeuron((s, n) => s * n, scale, ratio);
  };
  if (isLeaky) filter("beta", beta, scale, isSynaptic ? "tau_mem" : "tau", "r");
  else fields.r = eachNeuron((s) => s / dt, scale);
  if (isSynaptic) filter("alpha", value("alpha", 0), value("synapseScale", 1), "tau_syn", "w_in");
  const rest = value("rest", 0);
  if (isLeaky) fields.v_leak = rest;
  if (isSpiking) {
    fields.v_threshold = value("threshold", 1);
    fields.v_reset = value("resetValue", 0);
  }
  const type = `${isSynaptic ? "CubaL" : isLeaky ? "L" : ""}I${isSpiking ? "F" : ""}`;
  const arrays = Object.entries(fields).map(([field, values]) => [field, neuronField(values, shape)]);
  return { type, ...Object.fromEntries(arrays) } as NIRNode;
}

const scaleOf = (t: Tensor, shape: Shape): NIRNode => ({
  type: "Scale",
  scale: neuronField(valuesOf(t, shape), shape),
});

/** Inside of a loop the factors of maps are flattened to a vector. */
const writeScale: Write<Scale> = ({ scale }, { to: { shape } }) => ({
  type: "Scale",
  scale: { ...arrayOf(scale), ...(scale.size === sizeOf(shape) && { shape: [...shape] }) },
});

const writeNeurons: Write<Neurons> = (layer, place) => {
  const { to, name } = place;
  behind(layer, place);
  loseOptions(layer, place);
  const node = neuronNode(layer, place);
  const { gradedSpikesFactor: factor } = layer.parametersNow();
  if (factor === undefined) return node;
  to.add(name, node);
  to.add(`${name}.gradedSpikesFactor`, scaleOf(factor, to.shape));
  return null;
};

/** A subgraph with the neurons and the path from their spikes back to them. */
const writeRecurrent: Write<Recurrent<never, never>> = (layer, place) => {
  const { name, to, where } = place;
  const { neuron, recurrent, V } = layer;
  if (recurrent instanceof Linear && readingAt(recurrent, "connections") !== null) {
    lose(place, layer, "selfConnections", false, "W has zeros on its diagonal, which may learn there");
  }
  const inner = new Writer(to.shape, to, `${to.path}${name}.`);
  write(neuron as Module, "lif", inner);
  const { last, shape } = inner;
  if (recurrent !== null) write(recurrent, "w_rec", inner);
  else inner.add("w_rec", scaleOf(V as Tensor, shape));
  if (!sameShape(inner.shape, shape)) {
    throw wrongValue(where, `a connection that gives ${formatShape(shape)}`, formatShape(inner.shape));
  }
  inner.edges.push([inner.last, "lif"]);
  inner.last = last;
  return inner.graph();
};

const writeSequential: Write<Sequential> = ({ modules }, { name, to }) => {
  for (const [i, module] of modules.entries()) write(module, name === "" ? String(i) : `${name}.${i}`, to);
  return null;
};

/** The graph that a network was made from; layers that were written to since then get new nodes. */
const writeGraph: Write<NIRModule> = (network, { name, to }) => {
  const parts = new Map(network.parts().map((part) => [part.name, part]));
  const rebuilt = (graph: NIRGraph, prefix: string): NIRGraph => {
    const nodes = Object.entries(graph.nodes).map(([each, node]): [string, NIRNode] => {
      const path = prefix + each;
      if (node.type === "NIRGraph") return [each, rebuilt(node, `${path}.`)];
      const part = parts.get(path);
      if (part === undefined) return [each, node];
      const layer = part.layer instanceof Recurrent ? (part.layer.neuron as Module) : part.layer;
      const place = { name: path, where: path, to: new Writer(part.shape, to, `${to.path}${name}${name && "."}`) };
      if (layer instanceof Neurons) loseOptions(layer, place);
      if (layer instanceof Threshold && layer.surrogate) {
        loseUnusual({ surrogate: wordsOf(layer.surrogate) }, layer, place);
      }
      if (layer instanceof Flatten || (part.isNew && to.dt === network.dt)) return [each, node];
      const fresh = layer instanceof Neurons ? neuronNode(layer, place) : (writerOf(layer)?.(layer, place) ?? node);
      const arrays = Object.entries(fresh).filter(([field, value]) => field === "type" || Object(value).data);
      const { metadata } = node;
      const kept = fresh.type === node.type ? node : metadata && { metadata };
      return [each, { ...kept, ...Object.fromEntries(arrays) } as NIRNode];
    });
    return { ...graph, nodes: Object.fromEntries(nodes) };
  };
  return rebuilt(network.graph, "");
};

const WRITERS: readonly (readonly [of: unknown, write: Write<never>])[] = [
  ...[LIF, IF, Synaptic, LeakyIntegrator, SynapticIntegrator, LI, CubaLI, CubaLIF].map(
    (of) => [of, writeNeurons] as const,
  ),
  [BatchNorm1d, writeBatchNorm],
  [BatchNorm2d, writeBatchNorm],
  [ThresholdDependentBatchNorm1d, writeBatchNorm],
  [ThresholdDependentBatchNorm2d, writeBatchNorm],
  [Sequential, writeSequential],
  [Linear, writeLinear],
  [Products, writeLinear],
  [Conv1d, writeConvolution],
  [Conv2d, writeConvolution],
  [AvgPool2d, writePool],
  [SumPool2d, writePool],
  [Flatten, writeFlatten],
  [Delay, writeDelay],
  [Dropout, writeDropout],
  [Recurrent, writeRecurrent],
  [NIRModule, writeGraph],
  [Scale, writeScale],
  [Threshold, ({ threshold }: Threshold) => ({ type: "Threshold", threshold: arrayOf(threshold) })],
];

type Class = abstract new (...args: never[]) => Module;

/**
 * A layer of another entry that supports graphs: options of neurons that graphs cannot express, or null for a layer
 * without a node.
 */
interface Marked extends Module {
  readonly inGraph?: Readonly<Record<string, unknown>> | null;
}

/** How to write a layer, unless a subclass has overridden `forward`. */
function writerOf(layer: Module): Write<Module> | undefined {
  const { inGraph } = layer as Marked;
  if (inGraph === null) return () => null;
  const isOf = (of: Class): boolean => layer instanceof of && layer.forward === of.prototype.forward;
  if (inGraph && isOf(Neurons)) return writeNeurons as Write<Module>;
  return WRITERS.find(([of]) => isOf(of as Class))?.[1] as Write<Module> | undefined;
}

/** Writes a module after the last node of a graph and returns its node, or null. A subgraph without a name has no node. */
function write(module: Module, name: string, to: Writer): NIRNode | null {
  const kind = module.constructor.name;
  const place = { name, to, where: `toNIR: ${kind}${name && ` at ${to.path}${name}`}` };
  const writer = writerOf(module);
  if (writer === undefined) {
    const hint =
      module instanceof MaxPool2d ? "AvgPool2d has one" : "a network is written as the Sequential of its layers";
    throw wrongValue(place.where, "a layer that NIR has a node for", `${kind}; ${hint}`);
  }
  if (module instanceof Linear && to.shape.length !== 1) {
    throw wrongValue(place.where, "a vector; a Flatten before?", formatShape(to.shape));
  }
  // The layer runs on a step of this shape, and each constant of neurons becomes an array of this shape.
  if (sizeOf(to.shape) > MAX_NEURONS) {
    throw wrongValue(place.where, `at most ${MAX_NEURONS} values in a step`, formatShape(to.shape));
  }
  const node = writer(module, place);
  if (node !== null) to.add(name, node, name === "" ? to.shape : behind(module, place));
  return node;
}

/**
 * Converts a module to a graph, and lists the options that the graph cannot express. Decays per step become time constants such that the forward
 * Euler of readers gives the same decays:
 *
 *   τ = dt / (1 − β)      r = inputScale·τ / dt      w_in = τ_syn / dt
 *
 * With the same dt, {@link fromNIR} gives the same numbers and, if nothing is lost, the same spikes. Neurons with β = 1 become `IF` or `I`. The
 * layers are `Linear`, `Conv1d`, `Conv2d`, `AvgPool2d`, `Flatten`, `Delay`, `LIF`, `IF`, `Synaptic`, `LeakyIntegrator`, `SynapticIntegrator`,
 * `Recurrent` and `RecurrentLIF`, as subgraphs, `Sequential`, and networks of fromNIR; batch normalisation is merged into the weights before it, and
 * `Dropout` is left out. Nodes have the layer names of a state dict, and `input` and `output` are at the ends.
 *
 * @throws RangeError for a layer without a NIR node, a shape that does not fit, more than 2²⁴ values in a step, or, with `strict`, any loss, all
 *   listed by name; TypeError for anything but a module, an unknown option or a value of the wrong type.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15.
 *
 * @example
 * ```ts
 * import { LIF, Linear, Sequential } from "jarvis-snn";
 * import { toNIR } from "jarvis-snn/nir";
 *
 * const network = new Sequential(new Linear(4, 2), new LIF({ numerics: "nir" }));
 * const { graph, losses } = toNIR(network, { dt: 1e-3, inputShape: [4] }); // steps of 1 ms
 * console.log(Object.keys(graph.nodes), losses.length); // [ '0', '1', 'input', 'output' ] 0
 * ```
 */
export function toNIR(module: Module, options: ToNIROptions): NIRExport {
  const where = "toNIR";
  const own = moduleOf(where, module);
  const { dt, inputShape, strict } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "dt", dt, POSITIVE);
  const losses: NIRLoss[] = [];
  const isGraph = own instanceof NIRModule;
  // A graph carries the shapes of its Inputs.
  const shape = isGraph ? (inputShape ?? [1]) : inputShape;
  const to = new Writer(checkShape(`${where}: inputShape`, shape as Shape), { dt, losses });
  const graph = noGrad(() => {
    if (isGraph && inputShape !== undefined) own.initialState(inputShape);
    const node = write(own, isGraph || own instanceof Sequential ? "" : "0", to);
    return isGraph ? (node as NIRGraph) : to.graph();
  });
  if (strict && losses.length > 0) {
    const list = losses.map(({ node, layer, property, value }) => `${property} ${show(value)} of ${layer} at ${node}`);
    throw wrongValue(where, "a module of which nothing is lost", list.join(", "));
  }
  return { graph, losses };
}
