/** Graphs from modules. */
import { numberOf, POSITIVE, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
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
  type Module,
  noGrad,
  Sequential,
  type Tensor,
  zeros,
} from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import type { BatchNorm } from "../../engine/nn/normalize.ts";
import { checkShape, formatShape, type Shape, sameShape, sizeOf } from "../../engine/shape.ts";
import { ThresholdDependentBatchNorm1d, ThresholdDependentBatchNorm2d } from "../batch-norm.ts";
import { Delay } from "../delay.ts";
import { LeakyIntegrator } from "../leaky-integrator.ts";
import { LIF } from "../lif.ts";
import { Neurons } from "../neuron.ts";
import { IF } from "../neurons/integrate-and-fire.ts";
import { Synaptic } from "../neurons/synaptic.ts";
import { SynapticIntegrator } from "../neurons/synaptic-integrator.ts";
import { Recurrent } from "../recurrent.ts";
import { RecurrentLIF } from "../recurrent-lif.ts";
import { each, fieldOf, resistanceOf, tauOf, type Values } from "./euler.ts";
import type { NIRArray, NIRConv2d, NIRGraph, NIRNode } from "./graph.ts";
import { CubaLI, CubaLIF, LI, type Pair, Scale, SumPool2d, Threshold } from "./layers.ts";
import { NIRModule } from "./module.ts";

/** Options of {@link toNIR}. */
export interface ToNIROptions {
  /** The time of a step in seconds, > 0: decays per step become time constants by forward Euler, τ = dt / (1 − β). */
  dt: number;
  /** The shape of one step of one sample, without time and batch: [784], or [1, 28, 28]. */
  inputShape: Shape;
  /** Throws where something is lost; default false. */
  strict?: boolean;
}

const DEFAULTS = { dt: Number.NaN, inputShape: [] as Shape, strict: false };

/** Something of a module that no graph can say. */
export interface NIRLoss {
  /** The node of the layer, or the one that has taken it in. */
  readonly node: string;
  /** The class of the layer. */
  readonly layer: string;
  /** Its option. */
  readonly property: string;
  /** The value of the option. */
  readonly value: unknown;
  /** What is different in the graph, in words. */
  readonly effect: string;
}

/** The result of {@link toNIR}. */
export interface NIRExport {
  /** The network as a graph. */
  readonly graph: NIRGraph;
  /** Everything that the graph does not say. */
  readonly losses: readonly NIRLoss[];
}

type Nodes = Map<string, NIRNode>;

/** A graph on its way: the nodes so far, and the last one. */
class Writer {
  readonly nodes: Nodes = new Map();
  readonly edges: [string, string][] = [];
  readonly losses: NIRLoss[];
  readonly dt: number;
  /** The node that the next one reads, and the shape of what it gives. */
  last = "input";
  shape: Shape;
  /** Where in the network the nodes are. */
  readonly path: string;

  constructor(shape: Shape, dt: number, losses: NIRLoss[], path: string) {
    this.nodes.set(this.last, { type: "Input", shape: [...shape] });
    this.shape = shape;
    this.dt = dt;
    this.losses = losses;
    this.path = path;
  }

  /** Puts a node behind the last one. */
  add(name: string, node: NIRNode, shape = this.shape): void {
    this.nodes.set(name, node);
    this.edges.push([this.last, name]);
    this.last = name;
    this.shape = shape;
  }

  /** Another layer of which the graph says less than the module. */
  lose(name: string, layer: Module, property: string, value: unknown, effect: string): void {
    this.losses.push({ node: this.path + name, layer: layer.constructor.name, property, value, effect });
  }

  graph(): NIRGraph {
    this.add("output", { type: "Output", shape: [...this.shape] });
    return { type: "NIRGraph", nodes: Object.fromEntries(this.nodes), edges: this.edges };
  }
}

/** What is known about the place of a layer. */
interface Place {
  /** The name of the node. */
  readonly name: string;
  /** The graph that it goes into. */
  readonly to: Writer;
  /** The layer in errors. */
  readonly where: string;
}

type Write<Layer extends Module> = (layer: Layer, place: Place) => void;

const arrayOf = (t: Tensor): NIRArray => ({ shape: [...t.sizes], data: t.toFloat32Array() });

/** The values of a parameter of neurons: one for all, or one for each place of the last axis. */
function valuesOf(t: Tensor, shape: Shape): Values {
  const data = t.toFloat32Array();
  if (data.length === 1) return data[0] as number;
  return Float64Array.from({ length: sizeOf(shape) }, (_, i) => data[i % data.length] as number);
}

/** The shape of one step of one sample behind a layer. Its errors get the name of the node. */
function behind(layer: Module, { to, where }: Place): Shape {
  try {
    return layer.evaluating(() => layer.forward(zeros([1, 1, ...to.shape]))).sizes.slice(2);
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${where}: ${error.message}`) : error;
  }
}

const weightsOf = ({ weight, bias }: Linear): NIRNode =>
  bias === null
    ? { type: "Linear", weight: arrayOf(weight) }
    : { type: "Affine", weight: arrayOf(weight), bias: arrayOf(bias) };

const writeLinear: Write<Linear> = (layer, place) => {
  const { to, where, name } = place;
  if (to.shape.length !== 1)
    throw wrongValue(where, "a vector, as NIR has it; a Flatten before?", formatShape(to.shape));
  to.add(name, weightsOf(layer), behind(layer, place));
};

const pair = (n: number | readonly [number, number]): readonly [number, number] =>
  typeof n === "number" ? [n, n] : [n[0], n[1]];

/** Filters and their bias, which NIR always has. */
const filtersOf = ({ weight, bias }: Conv1d | Conv2d): Pick<NIRConv2d, "weight" | "bias"> => ({
  weight: arrayOf(weight),
  bias: arrayOf(bias ?? zeros([weight.sizes[0] as number])),
});

const writeConv1d: Write<Conv1d> = (layer, place) => {
  const { stride, padding, dilation, groups } = layer;
  const shape = behind(layer, place);
  const { name, to } = place;
  const sizes = { stride, padding, dilation, groups, input_shape: to.shape[1] as number };
  to.add(name, { type: "Conv1d", ...filtersOf(layer), ...sizes }, shape);
};

const writeConv2d: Write<Conv2d> = (layer, place) => {
  const shape = behind(layer, place);
  const { name, to } = place;
  const [stride, padding, dilation] = [layer.stride, layer.padding, layer.dilation].map(pair) as [Pair, Pair, Pair];
  const sizes = { stride, padding, dilation, groups: layer.groups, input_shape: to.shape.slice(1) as unknown as Pair };
  to.add(name, { type: "Conv2d", ...filtersOf(layer), ...sizes }, shape);
};

const writeAvgPool: Write<AvgPool2d> = (layer, place) => {
  const { kernel, options } = layer;
  const shape = behind(layer, place);
  const { name, to, where } = place;
  const { stride = kernel, padding = 0, ceilMode = false, countIncludePad = true } = options;
  if (ceilMode && !sameShape(shape, behind(new AvgPool2d(kernel, { stride, padding }), place))) {
    throw wrongValue(where, "ceilMode false, since windows of NIR do not reach out", "true");
  }
  if (!countIncludePad && pair(padding).some((n) => n > 0)) {
    to.lose(name, layer, "countIncludePad", false, "zeros of the padding count in the means");
  }
  to.add(name, { type: "AvgPool2d", kernel_size: pair(kernel), stride: pair(stride), padding: pair(padding) }, shape);
};

const writeSumPool: Write<SumPool2d> = (layer, place) => {
  const { kernel, stride, padding } = layer;
  place.to.add(place.name, { type: "SumPool2d", kernel_size: kernel, stride, padding }, behind(layer, place));
};

const writeFlatten: Write<Flatten> = (layer, place) => {
  const { name, to, where } = place;
  const { length } = to.shape;
  const at = (axis: number): number => (axis < 0 ? axis + length : axis - 2);
  const [start_dim, end_dim] = [at(layer.startAxis), at(layer.endAxis)];
  if (start_dim < 0) throw wrongValue(where, "a startAxis behind time and batch, such as 2", layer.startAxis);
  to.add(name, { type: "Flatten", start_dim, end_dim, input_shape: [...to.shape] }, behind(layer, place));
};

/** Seconds of each place. */
function delaysOf({ delays, axis }: Delay, shape: Shape, dt: number): NIRArray {
  const steps = delays.toFloat32Array();
  const first = axis < 0 ? axis + shape.length : axis - 2;
  const inner = sizeOf(shape.slice(first + 1));
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    return (steps[steps.length === 1 ? 0 : Math.floor(i / inner) % steps.length] as number) * dt;
  });
  return { shape: [...shape], data };
}

const writeDelay: Write<Delay> = (layer, place) => {
  const shape = behind(layer, place);
  place.to.add(place.name, { type: "Delay", delay: delaysOf(layer, shape, place.to.dt) });
};

const writeDropout: Write<Dropout> = (layer, { name, to }) => {
  if (layer.training && layer.p > 0) to.lose(name, layer, "p", layer.p, "no value is dropped in training");
};

/** The axis of the channels of a batch normalisation of [T, B, …], counted from the end. */
function channelAxis(layer: BatchNorm, axes: number): number {
  if (layer instanceof BatchNorm1d) return layer.axis ?? -2;
  return layer instanceof ThresholdDependentBatchNorm1d ? -axes : -3;
}

/** A batch normalisation goes into the weights before it: W ← W·γ/σ, b ← (b − mean)·γ/σ + β. */
const writeBatchNorm: Write<BatchNorm> = (layer, { to, where }) => {
  const { runningMean, runningVar, weight, bias, eps, channels } = layer;
  if (runningMean === null || runningVar === null) throw wrongValue(where, "running statistics", "none");
  const node = to.nodes.get(to.last) as NIRNode;
  const axes = to.shape.length;
  const axis = channelAxis(layer, axes);
  const fits = (axis < 0 ? axis + axes : axis - 2) === 0 && to.shape[0] === channels;
  if (!("weight" in node) || !fits) {
    const got = `values ${formatShape(to.shape)} of ${"weight" in node ? to.last : node.type}`;
    throw wrongValue(where, `a Linear or a convolution of ${channels} channels before, which takes it in`, got);
  }
  const [means, variances] = [runningMean, runningVar].map((t) => t.toFloat32Array()) as [Float32Array, Float32Array];
  const [scales, shifts] = [weight, bias].map((t) => t?.toFloat32Array());
  const factor = (c: number): number => (scales?.[c] ?? 1) / Math.sqrt((variances[c] as number) + eps);
  const { shape, data } = node.weight;
  const each = data.length / channels;
  const before = "bias" in node ? node.bias.data : null;
  const folded = {
    ...node,
    ...(node.type === "Linear" && { type: "Affine" }),
    weight: { shape, data: Float32Array.from(data, (w, i) => w * factor(Math.floor(i / each))) },
    bias: {
      shape: [channels],
      data: Float32Array.from(means, (mean, c) => ((before?.[c] ?? 0) - mean) * factor(c) + (shifts?.[c] ?? 0)),
    },
  };
  to.nodes.set(to.last, folded as NIRNode);
  to.lose(to.last, layer, "training", layer.training, "the running statistics are part of the weights, rounded");
};

/** Options of neurons that a graph has no word for: the value that it has for all, and what that changes. */
const EFFECTS: Readonly<Record<string, readonly [usual: unknown, effect: string]>> = {
  reset: ["zero", "a spike sets v to v_reset"],
  resetDelay: [false, "v is reset in the step of the spike"],
  resetInput: [false, "a reset leaves the input of the step"],
  detachReset: [true, "no gradient goes through the reset"],
  lowerBound: [undefined, "v has no lower bound"],
  synapse: ["decayFirst", "the membrane takes the synaptic current of the step, with the input in it"],
  fire: ["gt", "a neuron with v = θ does not fire"],
  refractorySteps: [0, "a neuron may fire in each step"],
  refractory: ["hold", "there are no refractory steps"],
  inhibition: [null, "all neurons above θ fire"],
  spiking: [true, "spikes are 0 or 1"],
  surrogate: ["sigmoid, 10", "gradients of spikes are those of the reader's surrogate"],
};

/** The options of neurons that count. */
function optionsOf({ chosen, firing, compiled }: Neurons): Record<string, unknown> {
  const equation = chosen as Readonly<Record<string, unknown>>;
  if (compiled.main !== "spikes") return { synapse: equation.synapse };
  const { surrogate, strict, hold, leaks, inhibition, spiking } = firing;
  const { reset, resetDelay, resetInput, detachReset, lowerBound, synapse } = equation;
  return {
    ...{ lowerBound, synapse, inhibition, spiking },
    ...{ reset, ...(reset !== "none" && { resetDelay, detachReset }), ...(resetDelay === true && { resetInput }) },
    ...{ fire: strict ? "gt" : "ge", refractorySteps: hold, refractory: leaks ? "leak" : "hold" },
    surrogate: `${surrogate.name}, ${surrogate.slope}`,
  };
}

/** Notes all that the node of neurons does not say. */
function loseOptions(layer: Neurons, { name, to }: Place): void {
  for (const [option, value] of Object.entries(optionsOf(layer))) {
    const [usual, effect] = EFFECTS[option] as readonly [unknown, string];
    if (value !== usual && value !== undefined) {
      to.lose(name, layer, option, value === null ? `tensor ${option}` : value, effect);
    }
  }
  const learned = layer.namedParameters().map(([parameter]) => parameter);
  if (learned.length > 0) to.lose(name, layer, "learn", learned, "the parameters are fixed numbers, without bounds");
}

/** The node of neurons of this shape. */
function neuronNode(layer: Neurons, place: Place): NIRNode {
  const { to, name } = place;
  const { shape, dt } = to;
  const parameters = layer.parametersNow();
  const chosen = layer.chosen as Readonly<Record<string, unknown>>;
  const value = (key: string, usual: number): Values => {
    const fixed = chosen[key];
    if (typeof fixed === "number") return fixed;
    return key in parameters ? valuesOf(parameters[key] as Tensor, shape) : usual;
  };
  const field = (values: Values): NIRArray => fieldOf(values, shape);
  const beta = value("beta", 1);
  // Kernels compute 1 − β in float32.
  const scale = chosen.inputScale === "leak" ? each((b) => Math.fround(1 - b), beta) : value("inputScale", 1);
  const isSynaptic = "alpha" in parameters;
  const isSpiking = layer.compiled.main === "spikes";
  const slow = (decay: string) => () =>
    to.lose(name, layer, decay, 1, `the decay is 1 − 2⁻²⁴, as ${decay} = 1 has no time constant`);
  const threshold = isSpiking && { v_threshold: field(value("threshold", 1)), v_reset: field(value("resetValue", 0)) };
  if (!isSynaptic && (typeof beta === "number" ? beta === 1 : beta.every((b) => b === 1))) {
    const r = field(each((s) => s / dt, scale));
    return { type: isSpiking ? "IF" : "I", r, ...threshold } as NIRNode;
  }
  const tau = tauOf(beta, dt, slow("beta"));
  const rest = value("rest", 0);
  const membrane = { r: field(resistanceOf(scale, tau, dt)), v_leak: field(rest), ...threshold };
  const startsAtRest =
    layer instanceof LeakyIntegrator || layer instanceof Synaptic || layer instanceof SynapticIntegrator;
  if (startsAtRest && (typeof rest === "number" ? rest !== 0 : rest.some((v) => v !== 0))) {
    to.lose(name, layer, "rest", rest, "v starts from 0, not from rest");
  }
  if (!isSynaptic) return { type: isSpiking ? "LIF" : "LI", tau: field(tau), ...membrane } as NIRNode;
  const tauSyn = tauOf(value("alpha", 0), dt, slow("alpha"));
  const w = field(resistanceOf(value("synapseScale", 1), tauSyn, dt));
  const both = { tau_syn: field(tauSyn), tau_mem: field(tau), w_in: w };
  return { type: isSpiking ? "CubaLIF" : "CubaLI", ...both, ...membrane } as NIRNode;
}

const writeNeurons: Write<Neurons> = (layer, place) => {
  const { to, name, where } = place;
  try {
    layer.checkNeurons([1, 1, ...to.shape]);
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`${where}: ${error.message}`) : error;
  }
  loseOptions(layer, place);
  to.add(name, neuronNode(layer, place));
  const { gradedSpikesFactor: factor } = layer.parametersNow();
  if (factor === undefined) return;
  to.add(`${name}.gradedSpikesFactor`, { type: "Scale", scale: fieldOf(valuesOf(factor, to.shape), to.shape) });
};

/** A graph of its own: the neurons, and the way from their spikes back to them. */
const writeRecurrent: Write<Recurrent<never, never>> = (layer, { name, to, where }) => {
  const { neuron, recurrent, V } = layer;
  const inner = new Writer(to.shape, to.dt, to.losses, `${to.path}${name}.`);
  write(neuron as Module, "lif", inner);
  const { last, shape } = inner;
  if (recurrent !== null) write(recurrent, "w_rec", inner);
  else inner.add("w_rec", { type: "Scale", scale: fieldOf(valuesOf(V as Tensor, shape), shape) });
  if (!sameShape(inner.shape, shape)) {
    throw wrongValue(where, `a connection that gives ${formatShape(shape)}`, formatShape(inner.shape));
  }
  inner.edges.push([inner.last, "lif"]);
  inner.last = last;
  to.add(name, inner.graph());
};

const writeSequential: Write<Sequential> = ({ modules }, { name, to }) => {
  for (const [i, module] of modules.entries()) write(module, name === "" ? String(i) : `${name}.${i}`, to);
};

const writeGraph: Write<NIRModule> = (layer, place) => {
  place.to.add(place.name, graphOf(layer, place), behind(layer, place));
};

/** The graph of a network that came from one, with the numbers of today. */
function graphOf(layer: NIRModule, { to, name }: Place): NIRGraph {
  const rebuilt = (graph: NIRGraph, prefix: string): NIRGraph => {
    const nodes = Object.entries(graph.nodes).map(([each, node]): [string, NIRNode] => {
      const path = prefix + each;
      if (node.type === "NIRGraph") return [each, rebuilt(node, `${path}.`)];
      return [each, nodeOf(layer, path, node, new Writer([], to.dt, to.losses, `${to.path}${name}${name && "."}`))];
    });
    return { ...graph, nodes: Object.fromEntries(nodes) };
  };
  return rebuilt(layer.graph, "");
}

/** A node of a network that came from a graph: as it was, unless something has written to its layer. */
function nodeOf(network: NIRModule, path: string, node: NIRNode, to: Writer): NIRNode {
  const part = network.partOf(path);
  if (part === null) return node;
  const { layer: whole, shape, isUntouched } = part;
  const layer = whole instanceof Recurrent ? (whole.neuron as Module) : whole;
  to.shape = shape;
  const place = { name: path, to, where: path };
  if (layer instanceof Neurons) loseOptions(layer, place);
  if (isUntouched && to.dt === network.dt) return node;
  const fresh = freshNode(layer, place);
  // The numbers that a node may have become another primitive by do not take its fields along.
  const { metadata } = node;
  if (layer instanceof Neurons) return { ...fresh, ...(metadata !== undefined && { metadata }) } as NIRNode;
  return { ...node, ...fresh } as NIRNode;
}

/** The fields of a node that are numbers of its layer. */
function freshNode(layer: Module, place: Place): Partial<NIRNode> {
  const { shape, dt } = place.to;
  if (layer instanceof Neurons) return neuronNode(layer, place);
  if (layer instanceof Linear) return weightsOf(layer);
  if (layer instanceof Conv1d || layer instanceof Conv2d) return filtersOf(layer);
  if (layer instanceof Scale) return { scale: arrayOf(layer.scale) };
  if (layer instanceof Threshold) return { threshold: arrayOf(layer.threshold) };
  return layer instanceof Delay ? { delay: delaysOf(layer, shape, dt) } : {};
}

/** Classes of layers and their way into a graph, where `forward` is still that of the class. */
const WRITERS: readonly (readonly [of: unknown, write: Write<never>])[] = [
  [LIF, writeNeurons],
  [IF, writeNeurons],
  [Synaptic, writeNeurons],
  [LeakyIntegrator, writeNeurons],
  [SynapticIntegrator, writeNeurons],
  [LI, writeNeurons],
  [CubaLI, writeNeurons],
  [CubaLIF, writeNeurons],
  [BatchNorm1d, writeBatchNorm],
  [BatchNorm2d, writeBatchNorm],
  [ThresholdDependentBatchNorm1d, writeBatchNorm],
  [ThresholdDependentBatchNorm2d, writeBatchNorm],
  [Sequential, writeSequential],
  [Linear, writeLinear],
  [Conv1d, writeConv1d],
  [Conv2d, writeConv2d],
  [AvgPool2d, writeAvgPool],
  [SumPool2d, writeSumPool],
  [Flatten, writeFlatten],
  [Delay, writeDelay],
  [Dropout, writeDropout],
  [RecurrentLIF, writeRecurrent],
  [Recurrent, writeRecurrent],
  [NIRModule, writeGraph],
];

type Class = abstract new (...args: never[]) => Module;

/** Puts a module behind the last node of a graph. */
function write(module: Module, name: string, to: Writer): void {
  const where = `toNIR: ${module.constructor.name}${name === "" ? "" : ` at ${to.path}${name}`}`;
  const isOf = (of: Class): boolean => module instanceof of && module.forward === of.prototype.forward;
  const [, found] = WRITERS.find(([of]) => isOf(of as Class)) ?? [];
  if (found !== undefined) return (found as Write<Module>)(module, { name, to, where });
  const hint =
    module instanceof MaxPool2d ? "; AvgPool2d has one" : "; networks are written layer by layer, as a Sequential";
  throw wrongValue(where, "a layer that NIR has a node for", `${module.constructor.name}${hint}`);
}

/**
 * The graph of a module, and all that the graph does not say. Decays per step become time constants by forward Euler, as other readers
 * of NIR take them:
 *
 *   τ = dt / (1 − β)      r = inputScale·τ / dt      w_in = τ_syn / dt
 *
 * so that {@link fromNIR} with the same dt gives the same numbers, and where nothing is lost the same spikes. Neurons with β = 1 become
 * `IF` or `I`. The layers are `Linear`, `Conv1d`, `Conv2d`, `AvgPool2d`, `Flatten`, `Delay`, `LIF`, `IF`, `Synaptic`, `LeakyIntegrator`,
 * `SynapticIntegrator`, `Recurrent` and `RecurrentLIF`, as subgraphs, `Sequential`, and networks of fromNIR; batch normalisation goes
 * into the weights before it, and `Dropout` is left out. Nodes have the names of the layers in a state dict; `input` and `output`
 * are the others.
 *
 * @throws RangeError for a layer that NIR has no node for, a shape that does not fit, or with strict anything that is lost, all of them
 *   by name; TypeError for anything but a module, or an option of another kind.
 * @see Pedersen et al. (2024), Neuromorphic intermediate representation, Nature Communications 15.
 */
export function toNIR(module: Module, options: ToNIROptions): NIRExport {
  const where = "toNIR";
  const own = moduleOf(where, module);
  const { dt, inputShape, strict } = withDefaults(where, DEFAULTS, options);
  numberOf(where, "dt", dt, POSITIVE);
  const to = new Writer(checkShape(`${where}: inputShape`, inputShape), dt, [], "");
  const graph = noGrad(() => {
    const isGraph = own instanceof NIRModule && own.forward === NIRModule.prototype.forward;
    if (isGraph) behind(own, { name: "", to, where });
    if (isGraph) return graphOf(own, { name: "", to, where });
    write(own, own instanceof Sequential ? "" : "0", to);
    return to.graph();
  });
  const { losses } = to;
  if (strict && losses.length > 0) {
    const list = losses.map(
      ({ node, layer, property, value, effect }) => `${layer} at ${node}: ${property} ${show(value)} (${effect})`,
    );
    throw new RangeError(`toNIR: expected a module that NIR can say, got ${list.join("; ")}`);
  }
  return { graph, losses };
}
