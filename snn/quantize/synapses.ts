/** The products of a network: layers that multiply their input by weights, and their inputs. */
import type { Module, Tensor } from "../../engine/index.ts";
import {
  Conv1d,
  Conv2d,
  concat,
  conv1d,
  conv2d,
  Linear,
  linear,
  ones,
  tape,
  tensor,
  zeros,
} from "../../engine/index.ts";
import { isWeighted, type Watcher, type Weighted, weightOf } from "../../engine/protocol.ts";
import type { Shape } from "../../engine/shape.ts";
import type { Recurrent } from "../recurrent/recurrent.ts";
import type { DelayedLinear } from "../temporal/delayed-linear.ts";
import type { SpikingLSTM } from "../temporal/spiking-lstm.ts";
import type { Int8State } from "./int8-layers.ts";

/** A linear map of a layer. */
export interface LinearMap {
  /** Layer that the weights belong to. */
  readonly owner: Module;
  /** The weights: a parameter, or the layer itself if its weights are integers. */
  readonly key: object;
  /** Sizes of the weights. */
  readonly sizes: Shape;
  /** Weights that the map uses: masked and rounded; integers without their scales. */
  read(): Tensor;
  /** Number of trailing axes of an input that the map mixes; leading axes are steps and samples. */
  readonly axes: number;
  /** The map of x with these weights, without a bias. */
  apply(x: Tensor, weight: Tensor): Tensor;
  /** Whether the input is the layer's own output of the previous step. */
  readonly isFeedback?: true;
  /** Whether the input is a membrane, not spikes. */
  readonly isGraded?: true;
}

type See = (product: LinearMap, x: Tensor) => void;

/** Watchers of a model that pass the input of each product, [..., features], to `see`. */
export function synapseWatchers(model: Module, see: See): (module: Module) => Watcher | null {
  const modules = model.namedModules().map(([, module]) => module);
  // A recurrent layer multiplies by the weights of its `Linear` in its own op, without a call of the `Linear`, unless
  // the `Linear` overrides `forward`.
  const within = new Set(modules.flatMap((module) => (isRecurrent(module) ? [module.recurrent] : [])));
  const gates = new Map(modules.filter(isSpikingLSTM).map((lstm) => [lstm.lstm_cell as Module, gatesOf(lstm)]));
  return (module) => {
    if (isRecurrent(module)) return watcherOf("spikes", feedbackOf(module), see);
    if (isSpikingLSTM(module)) return watcherOf("v", membraneOf(module), see);
    const product = module instanceof Linear && within.has(module) ? null : (gates.get(module) ?? synapsesOf(module));
    return product === null ? null : watcherOf(null, product, see);
  };
}

/** Passes the input of each call to `see`: x, or the output `name` of the previous step. */
function watcherOf(name: "spikes" | "v" | null, product: LinearMap | null, see: See): Watcher | null {
  if (product === null) return null;
  return ({ method, x, state, run }) => {
    if (name === null || method === "step") {
      const result = run();
      see(product, name === null ? (x as Tensor) : (state as Named)[name].unsqueeze(0));
      return result;
    }
    // `unroll` gives the same bits as `forward`, and also returns the membrane.
    const result = run("unroll") as Named;
    see(product, before(result[name], (state as Named | undefined)?.[name]));
    return method === "forward" ? result.spikes : result;
  };
}

type Named = Readonly<Record<"spikes" | "v", Tensor>>;

/** All products of the model, including those that `forward` does not use. */
export const synapsesIn = (model: Module): LinearMap[] =>
  model.namedModules().flatMap(([, module]) => {
    if (isRecurrent(module)) return module.V === null ? [] : [feedbackOf(module) as LinearMap];
    if (isSpikingLSTM(module)) return [gatesOf(module), membraneOf(module)];
    return synapsesOf(module) ?? [];
  });

/** The product of a layer with its input; null for layers without one, and for subclasses that override `forward`. */
function synapsesOf(module: Module): LinearMap | null {
  if (isInt8(module)) return int8Of(module);
  if (!isWeighted(module)) return null;
  if (module instanceof Linear || isDelayed(module)) return { ...weighted(module), axes: 1, apply: linear };
  if (module instanceof Conv1d) {
    return { ...weighted(module), axes: 2, apply: (x, w) => conv1d(x, w, null, windowOf(module)) };
  }
  if (module instanceof Conv2d) {
    return { ...weighted(module), axes: 3, apply: (x, w) => conv2d(x, w, null, windowOf(module)) };
  }
  return null;
}

type Weights = Pick<LinearMap, "owner" | "key" | "sizes" | "read">;

const weighted = (owner: Weighted): Weights => ({ ...plain(owner, owner.weight), read: () => weightOf(owner) });
const plain = (owner: Module, weight: Tensor): Weights => ({
  owner,
  key: weight,
  sizes: weight.sizes,
  read: () => weight,
});

/** A layer of {@link Int8}, with integer weights for each group of a convolution. */
interface Int8Layer extends Module {
  readonly axes: number;
  readonly weights: readonly unknown[];
  readonly options?: Pick<Conv2d, "stride" | "padding" | "dilation">;
  read(): Int8State;
}

function int8Of(layer: Int8Layer): LinearMap {
  const { axes, weights, options } = layer;
  const { q, shape } = layer.read();
  const common = { owner: layer, key: layer, sizes: shape, axes, read: () => tensor(q, { shape }) };
  const window = { ...options, groups: weights.length };
  if (axes === 1) return { ...common, apply: linear };
  const [stride, padding, dilation] = [window.stride, window.padding, window.dilation] as Conv2d["stride"][];
  if (axes === 3) return { ...common, apply: (x, w) => conv2d(x, w, null, { ...window, stride, padding, dilation }) };
  return { ...common, apply: (x, w) => conv1d(x, w, null, window as object) };
}

/** Bytes and count of the integers in a layer's state; null for a layer without them. */
export function integersIn(module: Module): { readonly bytes: number; readonly count: number } | null {
  if (!isInt8(module)) return null;
  const { q, scales, bias } = module.read();
  const added = bias?.length ?? 0;
  return { bytes: q.length + Float32Array.BYTES_PER_ELEMENT * (scales.length + added), count: q.length + added };
}

const windowOf = <Size>({ stride, padding, dilation, groups }: ConvolutionWindow<Size>): ConvolutionWindow<Size> => ({
  stride,
  padding,
  dilation,
  groups,
});

interface ConvolutionWindow<Size> {
  readonly stride: Size;
  readonly padding: Size;
  readonly dilation: Size;
  readonly groups: number;
}

type AnyRecurrent = Recurrent<{ readonly spikes?: Tensor }, { readonly spikes: Tensor; readonly state: object }>;

// Layers are recognised by their fields, so that a profile does not load classes that a page does not use.

const isInt8 = (module: Module): module is Int8Layer => "read" in module && "plan" in module && "axes" in module;

/** Whether `forward` belongs to the class that has the steps of the layer, not to a subclass. */
const isUnrolled = (module: Module): boolean => {
  const [first, ...others] = ["unroll", "step", "forward"].map((name) => definedIn(module, name));
  return first !== null && first !== module && others.every((each) => each === first);
};

/** The object in a prototype chain that defines a name; null if there is none. */
function definedIn(module: object, name: string): object | null {
  let at: object | null = module;
  while (at !== null && Object.getOwnPropertyDescriptor(at, name) === undefined) at = Object.getPrototypeOf(at);
  return at;
}

const isRecurrent = (module: Module): module is AnyRecurrent =>
  "recurrent" in module && "V" in module && isUnrolled(module);

const isSpikingLSTM = (module: Module): module is SpikingLSTM => "lstm_cell" in module && isUnrolled(module);

const isDelayed = (module: Module): module is Module & DelayedLinear => "maxDelay" in module;

/** Product of the previous step's spikes with the recurrent weights; null if a module with inner layers connects the neurons. */
function feedbackOf(layer: AnyRecurrent): LinearMap | null {
  const { recurrent, V } = layer;
  if (V !== null) return { ...plain(layer, V), axes: 1, apply: (x, weight) => x.mul(weight), isFeedback: true };
  const product = recurrent instanceof Linear ? synapsesOf(recurrent) : null;
  return product && { ...product, isFeedback: true };
}

/** Product of a spiking LSTM's input with the weights of its gates. */
const gatesOf = ({ lstm_cell }: SpikingLSTM): LinearMap => ({
  ...plain(lstm_cell, lstm_cell.weight_ih),
  axes: 1,
  apply: linear,
});

/** Product of a spiking LSTM's membrane with the weights of its gates. */
const membraneOf = ({ lstm_cell }: SpikingLSTM): LinearMap => ({
  ...plain(lstm_cell, lstm_cell.weight_hh),
  axes: 1,
  apply: linear,
  isFeedback: true,
  isGraded: true,
});

/** x [T, B, …] one step later; step 0 is `first`, or zeros. */
function before(x: Tensor, first?: Tensor): Tensor {
  const [T, ...shape] = x.sizes as [number, ...number[]];
  const start = (first ?? zeros(shape)).unsqueeze(0);
  return T === 1 ? start : concat([start, x.slice(0, 0, T - 1)]);
}

/**
 * Fan-out of each input of a product, [features]: the number of its non-zero weights. `weights` are ones and zeros. It
 * is the gradient of the sum of all outputs, so the layer's own op accounts for borders, strides, dilation and groups
 * of convolutions.
 */
export function fanOutOf({ apply, axes }: LinearMap, weights: Tensor, shape: Shape): Tensor {
  return tape(() => {
    const x = ones(shape.slice(-axes), { requiresGrad: true });
    apply(x, weights.detach()).sum().backward();
    return (x.grad as Tensor).clone();
  });
}

/** Ones where a weight is not zero. */
export const presentOf = (product: LinearMap): Tensor => product.read().detach().eq(0).neg().add(1);
