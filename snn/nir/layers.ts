/** Layers of nodes that have no other counterpart in the package. */
import { conv1d, conv2d, Module, ones, type Pair, parameter, type Tensor } from "../../engine/index.ts";
import { traitsOf } from "../../engine/protocol.ts";
import { type Shape, sizeOf } from "../../engine/shape.ts";
import { lazyNeuron } from "../neuron/define.ts";
import { fired, RESET, startOf } from "../neuron/reset.ts";
import type { NeuronStep } from "../neuron/types.ts";
import { Recurrent } from "../recurrent/recurrent.ts";
import { spike } from "../surrogates/spike.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";

type Membrane = NeuronStep<"v" | "beta" | "rest" | "inputScale">;

/** v_leak + β(v − v_leak). */
const decayOf =
  ({ beta, rest }: Membrane) =>
  (v: Membrane["v"]) =>
    v.sub(rest).mul(beta).add(rest);

const MEMBRANE = { beta: 1, rest: 0, inputScale: 1 };

/** A leaky integrator that starts from 0: v[t] = rest + β(v[t−1] − rest) + inputScale·I[t]. */
export const LI = lazyNeuron({
  name: "LI",
  state: { v: 0 },
  parameters: MEMBRANE,
  step(argument) {
    const v = decayOf(argument)(argument.v).add(argument.current.mul(argument.inputScale));
    return { membrane: v, v };
  },
});

/** i[t] = α·i[t−1] + synapseScale·I[t], and the input of the membrane. */
function synapse({
  current,
  i,
  alpha,
  synapseScale,
  inputScale,
}: NeuronStep<"i" | "alpha" | "synapseScale" | "inputScale">) {
  const next = i.mul(alpha).add(current.mul(synapseScale));
  return { i: next, input: next.mul(inputScale) };
}

const SYNAPTIC = { alpha: 0, synapseScale: 1, beta: 0, rest: 0, inputScale: 1 };

/** A leaky integrator of a synaptic current, i[t] = α·i[t−1] + synapseScale·I[t], from 0. */
export const CubaLI = lazyNeuron({
  name: "CubaLI",
  state: { i: 0, v: 0 },
  parameters: SYNAPTIC,
  step(argument) {
    const { i, input } = synapse(argument);
    const v = decayOf(argument)(argument.v).add(input);
    return { membrane: v, i, v };
  },
});

/** `CubaLI` with spikes at v > θ, which set v to resetValue; v starts from 0, or from resetValue as in SpikingJelly. */
export const CubaLIF = lazyNeuron({
  name: "CubaLIF",
  state: { i: 0, v: startOf },
  parameters: { ...SYNAPTIC, threshold: 1, resetValue: 0 },
  choices: { ...RESET, start: ["zero", "resetValue"] },
  step(argument, choices) {
    const { v, threshold, resetValue } = argument;
    const { i, input } = synapse(argument);
    return { ...fired(argument, choices, { v, threshold, resetValue, decay: decayOf(argument), input }), i };
  },
});

/** Neurons whose spikes are fed back through a named layer. */
export class Loop extends Recurrent<never, never> {
  protected override fields(): [string, unknown][] {
    return Object.entries(this.neuron).filter(([, value]) => value !== this.recurrent);
  }
}

/** z = scale ⊙ x. */
export class Scale extends Module {
  /** Factors, which broadcast to one step of one sample. */
  readonly scale: Tensor;

  constructor(scale: Tensor) {
    super(OF_SCALE);
    this.scale = parameter(scale);
  }

  forward(x: Tensor): Tensor {
    return x.mul(this.scale);
  }
}

const OF_SCALE = traitsOf(Scale, "pure");

/** z[…, o] = Σ_i W[…, o, i]·x[…, i] + b[…, o]: a separate matrix for each place of the axes before the last. */
export class Products extends Module {
  /** W, [places, out, in], where places may be several axes. */
  readonly weight: Tensor;
  /** b, which broadcasts to [places, out], or null. */
  readonly bias: Tensor | null;

  constructor(weight: Tensor, bias: Tensor | null) {
    super(OF_PRODUCTS);
    this.weight = parameter(weight);
    this.bias = bias && parameter(bias);
  }

  forward(x: Tensor): Tensor {
    const { weight, bias } = this;
    const [out, inputs] = weight.sizes.slice(-2) as [number, number];
    const groups = weight.size / (out * inputs);
    const lead = x.sizes.slice(0, x.ndim + 1 - weight.ndim);
    // A grouped convolution over signals of length 1, with a group for each place.
    const signals = x.reshape([sizeOf(lead), groups * inputs, 1]);
    const z = conv1d(signals, weight.reshape([groups * out, inputs, 1]), null, { groups });
    const product = z.reshape([...lead, ...weight.sizes.slice(0, -1)]);
    return bias === null ? product : product.add(bias);
  }
}

const OF_PRODUCTS = traitsOf(Products, "pure");

/** z = 1 where x > threshold, else 0. */
export class Threshold extends Module {
  /** θ, which broadcasts to one step of one sample. */
  readonly threshold: Tensor;
  readonly surrogate: Surrogate | undefined;

  constructor(threshold: Tensor, surrogate: Surrogate | undefined) {
    super(OF_THRESHOLD);
    this.threshold = parameter(threshold);
    this.surrogate = surrogate;
  }

  forward(x: Tensor): Tensor {
    const { threshold, surrogate } = this;
    return spike(x, { threshold, fire: "gt", ...(surrogate !== undefined && { surrogate }) });
  }
}

const OF_THRESHOLD = traitsOf(Threshold, "stepwise");

/** The sum of each window: a convolution of each channel with ones, which is exact for spikes, unlike n times a mean. */
export class SumPool2d extends Module {
  /** Size of the window. */
  readonly kernel: Pair;
  readonly options: { readonly stride: Pair; readonly padding: Pair };

  constructor(kernel: Pair, options: SumPool2d["options"]) {
    super(OF_SUM_POOL2D);
    this.kernel = kernel;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const [height, width] = x.sizes.slice(-2) as [number, number];
    const planes = x.reshape([x.size / (height * width), 1, height, width]);
    const z = conv2d(planes, ones([1, 1, this.kernel].flat() as Shape), null, this.options);
    return z.reshape([...x.sizes.slice(0, -2), ...z.sizes.slice(-2)]);
  }
}

const OF_SUM_POOL2D = traitsOf(SumPool2d, "stepwise");
