/** Online training through time, with traces of the spikes before each weight; and without. */

import { numberOf, UNIT, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { ready } from "../../engine/extend.ts";
import { type Module, noGrad, type Tensor, tape, zeros } from "../../engine/index.ts";
import { withOwnGradients } from "../../engine/lasting.ts";
import { Normalization, traceWeights, traitOf } from "../../engine/protocol.ts";
import { formatShape } from "../../engine/shape.ts";
import { Staged } from "../layer/stage.ts";
import { isStepping } from "../layer/stepping.ts";
import { Neurons } from "../neuron/neuron.ts";
import { StepRun } from "../neuron/op.ts";
import { LIF } from "../neurons/lif.ts";
import { BatchNormTT1d, BatchNormTT2d } from "../temporal/batch-norm.ts";
import { heldIn, type LayerState, type NetworkLayer, type Passed } from "./network.ts";
import { OnlineRule, type StepLoss } from "./online.ts";

/** Options of {@link SLTT}. */
export interface SLTTOptions<Target> {
  /** The loss of one time step, one number: `(output, target) => crossEntropy(output, target)`. */
  loss: StepLoss<Target>;
}

/** Options of {@link OTTT}. */
export interface OTTTOptions<Target> extends SLTTOptions<Target> {
  /** λ of all traces, in [0, 1]; by default each trace has the decay of the neurons before it. */
  lambda?: number;
  /** λ of a trace of the input, in [0, 1], for the weights before the first neurons; the default is no such trace. */
  inputLambda?: number;
}

const LOSS = { loss: undefined };
const DEFAULTS = {
  ...LOSS,
  lambda: undefined as number | undefined,
  inputLambda: undefined as number | undefined,
} satisfies Record<keyof OTTTOptions<never>, unknown>;

/**
 * Spatial learning through time: the gradient of each time step within that step, without the way back through time. The state of the step before counts as a
 * constant, so a gradient passes the neurons and layers of step t alone, and the reset never carries one:
 *
 *   δ[t] = ∂L[t]/∂u[t] with v[t−1] fixed      ∂L/∂W = Σ_t δ[t]ᵀ·s[t]      ∂L/∂b = Σ_t δ[t]
 *
 * with u[t] the membranes behind the weights W, and s[t] the spikes before them.
 *
 * `network` is a layer, or layers in `Sequential`, nested or not: neurons and other layers with `step(x, state)` and `initialState(shape)`,
 * and layers without a state, which see a sequence of one step, [1, B, …], in their mode, training or evaluation: batch statistics are
 * those of a step. A `Dropout` whose mask is shared over time keeps its mask in the state. Shapes: x [B, …] → output [B, …].
 *
 * Memory holds one step, for any number of steps.
 *
 * @throws TypeError for a model that is no module, a loss that is no function, or another option; RangeError for a
 *   module whose `forward` hides the state of a layer.
 * @see Meng et al. (2023), Towards Memory- and Time-Efficient Backpropagation for Training Spiking Neural Networks, ICCV.
 *
 * @example
 * ```ts
 * import { crossEntropy, LIF, Linear, rand, Sequential, SGD, SLTT } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(4, 16), new LIF(), new Linear(16, 2));
 * const rule = new SLTT(network, { loss: crossEntropy });
 * const optimizer = new SGD(network.parameters(), { lr: 0.1 });
 * let { output, state } = rule.step(rand([2, 4]), [0, 1]); // a step of time; adds to grad
 * for (let t = 1; t < 20; t++) ({ output, state } = rule.step(rand([2, 4]), [0, 1], state));
 * optimizer.step();
 * console.log(output.shape, state.layers.length); // [ 2, 2 ] 3
 * ```
 */
export class SLTT<Target = ArrayLike<number> | Tensor> extends OnlineRule<Target> {
  constructor(model: Module, options: SLTTOptions<Target>) {
    super("SLTT", model, withDefaults("SLTT", LOSS, options).loss);
  }

  protected override get where(): string {
    return "SLTT";
  }
}

/** Where the decay of a trace comes from: neurons, a number, or nowhere, and then there is no trace. */
type TraceDecay = NetworkLayer | number | null;

/**
 * Online training through time: {@link SLTT} with a trace â of the input a of each weight, mostly spikes, in the gradient of the weight. So
 * weights learn from all spikes that the membranes behind them still hold:
 *
 *   â[t] = λ·â[t−1] + a[t]      ∂L/∂W = Σ_t δ[t]ᵀ·â[t]      ∂L/∂b = Σ_t δ[t]
 *
 * with δ[t] as in {@link SLTT}. Traces serve the gradients of weights alone, in `Linear`, `Conv1d` and `Conv2d`; the gradients of biases, of
 * parameters of neurons and of layers before have none. All weights behind the first neurons have a trace, also those of a linear readout
 * without a membrane, as in the code of the paper. The weights before the first neurons see the input as it is, unless `inputLambda` gives it a trace.
 *
 * λ is the decay of the nearest neurons before the weight: their `beta`, or else ∂u[t]/∂v[t−1] at their initial state, which is 1 of
 * `IF` and 1 − σ(w) of `ParametricLIF`; neurons with [N] decays have as many values of λ. The option `lambda` is the λ of all traces; 0 is
 * {@link SLTT}. A trace grows by the spike itself, whatever the scale of the current. Pools and other layers between the neurons and the
 * weight come before the trace.
 *
 * Networks, shapes and memory as in {@link SLTT}; a trace takes as much as the input of its layer.
 *
 * @throws RangeError for a λ outside of [0, 1], or neurons without one, and for layers behind neurons whose weights have no traces, such
 *   as `Recurrent`; TypeError and RangeError as {@link SLTT}.
 * @see Xiao et al. (2022), Online Training Through Time for Spiking Neural Networks, NeurIPS.
 *
 * @example
 * ```ts
 * import { crossEntropy, LIF, Linear, OTTT, rand, Sequential } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(4, 16), new LIF(), new Linear(16, 2));
 * const rule = new OTTT(network, { loss: crossEntropy, lambda: 0.5 });
 * let { output, state } = rule.step(rand([2, 4]), [0, 1]); // adds to grad
 * ({ output, state } = rule.step(rand([2, 4]), null, state)); // no loss in this step
 * console.log(output.shape, state.layers.length); // [ 2, 2 ] 3
 * ```
 */
export class OTTT<Target = ArrayLike<number> | Tensor> extends OnlineRule<Target> {
  /** Where the decay of the trace of each layer comes from, null for layers without a trace. */
  private readonly sources: readonly TraceDecay[];

  constructor(model: Module, options: OTTTOptions<Target>) {
    const { loss, lambda, inputLambda } = withDefaults("OTTT", DEFAULTS, options);
    super("OTTT", model, loss);
    for (const [name, value] of Object.entries({ lambda, inputLambda })) {
      if (value !== undefined) numberOf("OTTT", name, value, UNIT);
    }
    this.sources = sourcesOf(this.layers, lambda, inputLambda ?? null);
    // A decay that cannot be a λ is an error now, not in the first step.
    for (const source of new Set(this.sources)) {
      if (typeof source === "object" && source !== null) noGrad(() => void neuronDecay(source));
    }
  }

  protected override get where(): string {
    return "OTTT";
  }

  protected override passed(layer: NetworkLayer, x: Tensor, state: LayerState | undefined): Passed {
    const source = this.sources[layer.index] ?? null;
    if (source === null) return super.passed(layer, x, state);
    // A product with an input that is the same for all samples would be another op.
    ready("OTTT", x);
    const before = heldIn(layer, "trace", state, x.sizes);
    const lambda = lambdaOf(layer, source, x);
    const input = x.detach();
    const trace = before === null ? input : before.mul(lambda).add(input);
    const z = layer.module.forward(x);
    traceWeights(z, trace);
    return [z, { trace }];
  }
}

/** Where the traces of the layers get their decay. */
function sourcesOf(
  layers: readonly NetworkLayer[],
  lambda: number | undefined,
  inputLambda: number | null,
): TraceDecay[] {
  let source: TraceDecay = inputLambda;
  return layers.map((layer) => {
    const { module, name } = layer;
    if (traitOf(module) === "product") return source;
    // Weights before the first neurons see the input as it is, in whatever layer.
    const isFirst = source === null && !isStepping(module);
    if (!isFirst && hasWeights(module)) {
      throw new RangeError(
        `OTTT: expected weights in Linear, Conv1d and Conv2d, which have traces, got those of ${name}`,
      );
    }
    if (hasMembrane(module)) source = lambda ?? layer;
    return null;
  });
}

/** Whether a layer, no product itself, multiplies its input with weights. */
const hasWeights = (module: Module): boolean =>
  !(module instanceof Neurons || isNormalization(module)) && module.parameters().length > 0;

const isNormalization = (module: Module): boolean =>
  module instanceof Normalization || module instanceof BatchNormTT1d || module instanceof BatchNormTT2d;

/** Whether a layer holds neurons: of the other layers, delays and normalisation have steps too. */
const hasMembrane = (module: Module): boolean =>
  module instanceof Neurons || (isStepping(module) && !(module instanceof Staged));

/** The decay of a trace for an input of this shape. */
function lambdaOf({ name }: NetworkLayer, source: NetworkLayer | number, x: Tensor): number | Tensor {
  if (typeof source === "number") return source;
  const decay = neuronDecay(source);
  const [first, ...others] = decay.toFloat32Array();
  if (others.every((value) => value === first)) return first as number;
  if (decay.size === x.sizes[x.ndim - 1]) return decay;
  throw wrongValue(
    "OTTT",
    `an input [B, …, ${decay.size}] of ${name}, as ${source.name} has a decay for each neuron`,
    `${formatShape(x.sizes)}; give the option lambda`,
  );
}

/**
 * λ of neurons, [] or [N].
 *
 * @throws RangeError where there is none, or none in [0, 1].
 */
function neuronDecay({ module, name }: NetworkLayer): Tensor {
  const decay = module instanceof LIF ? boundedBeta(module) : module instanceof Neurons ? leakOf(module) : null;
  const wrong = decay === null ? "none" : decay.toFloat32Array().find((value) => !UNIT.fits(value));
  if (decay !== null && wrong === undefined) return decay;
  throw wrongValue("OTTT", `a decay of ${name} in [0, 1], beta for instance`, `${wrong}; give the option lambda`);
}

/** β within its bounds: ∂u[t]/∂v[t−1] would hold the part of a delayed reset too. */
const boundedBeta = (lif: LIF): Tensor => (lif.parametersNow().beta as Tensor).detach();

/** ∂u[t]/∂v[t−1] at the initial state without a current, null of neurons without u or v. */
function leakOf(neurons: Neurons): Tensor | null {
  const size = Math.max(1, ...neurons.givenParameters().map((t) => t.size));
  if (!neurons.compiled.states.includes("v") || !neurons.compiled.outputs.includes("membrane")) return null;
  const run = () => {
    const { compiled } = neurons;
    const states = neurons.statesAtStart([1, size]);
    const v = (states.v as Tensor).detach();
    v.requiresGrad = true;
    const from = compiled.states.map((name) => (name === "v" ? v : (states[name] as Tensor)));
    const at = compiled.outputs.indexOf("membrane");
    const values = neurons.loopOf(compiled, neurons.onRecord());
    const steps = StepRun.over(compiled, zeros([1, 1, size]), 1, values, from).forward(compiled.all, [1, size]);
    const membrane = at === compiled.mainAt ? steps.z : steps.output(at);
    membrane.sum().backward();
    return v.grad?.reshape([size]).clone() ?? zeros([size]);
  };
  return withOwnGradients(neurons.parameters(), () => tape(run));
}
