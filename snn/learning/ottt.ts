/** Online training through time with traces of presynaptic spikes (OTTT), and without them (SLTT). */

import { joined, numberOf, UNIT, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { ready } from "../../engine/extend.ts";
import { type Module, noGrad, type Tensor, tape, zeros } from "../../engine/index.ts";
import { withOwnGradients } from "../../engine/lasting.ts";
import { Normalization, traceWeights, traitOf } from "../../engine/protocol.ts";
import { formatShape } from "../../engine/shape.ts";
import { Staged } from "../layer/stage.ts";
import { isStepping } from "../layer/stepping.ts";
import { Neurons } from "../neuron/neuron.ts";
import { NeuronRun } from "../neuron/run.ts";
import { LIF } from "../neurons/lif.ts";
import { BatchNormTT1d, BatchNormTT2d } from "../temporal/batch-norm.ts";
import { heldIn, type LayerState, type NetworkLayer, type Passed } from "./network.ts";
import { OnlineRule, type StepLoss } from "./online.ts";

/** Options of {@link SLTT}. */
export interface SLTTOptions<Target> {
  /** Loss of one time step, one number: `(output, target) => crossEntropy(output, target)`. */
  loss: StepLoss<Target>;
}

/** Options of {@link OTTT}. */
export interface OTTTOptions<Target> extends SLTTOptions<Target> {
  /** λ of all traces, in [0, 1]; by default each trace has the decay of the neurons before it. */
  lambda?: number;
  /** λ of a trace of the input, in [0, 1], for the weights before the first neurons; by default the input has no trace. */
  inputLambda?: number;
}

const LOSS = { loss: undefined };
const DEFAULTS = joined(LOSS, {
  lambda: undefined as number | undefined,
  inputLambda: undefined as number | undefined,
}) satisfies Record<keyof OTTTOptions<never>, unknown>;

/**
 * Spatial learning through time: the gradient of each time step within that step, without backpropagation through time. The previous state is a
 * constant, so a gradient passes only through the neurons and layers of step t, and never through the reset:
 *
 *   δ[t] = ∂L[t]/∂u[t] with v[t−1] fixed      ∂L/∂W = Σ_t δ[t]ᵀ·s[t]      ∂L/∂b = Σ_t δ[t]
 *
 * with u[t] the membranes after the weights W, and s[t] the spikes before them.
 *
 * `network` is a layer or a `Sequential`, which may be nested. Neurons and other layers with a state have `step(x,
 * state)` and `initialState(shape)`. Layers without a state process a sequence of one step, [1, B, …], in their mode,
 * training or evaluation; batch statistics are those of one step. A `Dropout` whose mask is shared over time keeps its
 * mask in the state. Shapes: x [B, …] → output [B, …].
 *
 * Memory use is that of one step, for any number of steps.
 *
 * @throws TypeError for a model that is not a module, a loss that is not a function, or an unknown option; RangeError for a module whose `forward`
 *   hides the state of a layer.
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
}

/** Source of the decay of a trace: neurons, a number, or null for no trace. */
type TraceDecay = NetworkLayer | number | null;

/**
 * Online training through time: {@link SLTT} in which the gradient of each weight uses a trace â of its input a, usually spikes. Weights thus learn
 * from all spikes that still contribute to the membranes after them:
 *
 *   â[t] = λ·â[t−1] + a[t]      ∂L/∂W = Σ_t δ[t]ᵀ·â[t]      ∂L/∂b = Σ_t δ[t]
 *
 * with δ[t] as in {@link SLTT}. Traces are used only in the gradients of weights of `Linear`, `Conv1d` and `Conv2d`,
 * not in the gradients of biases, neuron parameters and earlier layers. All weights after the first neurons have a
 * trace, including those of a linear readout without a membrane, as in the code of the paper. Weights before the first
 * neurons use the input itself, or a trace of it with `inputLambda`.
 *
 * λ is the decay of the nearest neurons before the weight: their `beta`, or else ∂u[t]/∂v[t−1] at their initial state, which is 1 for `IF` and 1 −
 * σ(w) for `ParametricLIF`. For neurons with decays [N], λ is [N]. The option `lambda` sets the λ of all traces; 0 gives {@link SLTT}. A trace adds
 * the spike itself, whatever the scale of the current. Pools and other layers between the neurons and the weight are applied before the trace.
 *
 * Networks, shapes and memory are those of {@link SLTT}; a trace takes the memory of the input of its layer.
 *
 * @throws RangeError for a λ outside of [0, 1], or neurons without one, and for layers after neurons whose weights cannot have traces, such as
 *   `Recurrent`; TypeError and RangeError as {@link SLTT}.
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
  /** Source of the decay of each layer's trace; null for layers without a trace. */
  private readonly sources: readonly TraceDecay[];

  constructor(model: Module, options: OTTTOptions<Target>) {
    const { loss, lambda, inputLambda } = withDefaults("OTTT", DEFAULTS, options);
    super("OTTT", model, loss);
    for (const [name, value] of Object.entries({ lambda, inputLambda })) {
      if (value !== undefined) numberOf("OTTT", name, value, UNIT);
    }
    this.sources = sourcesOf(this.layers, lambda, inputLambda ?? null);
    // Throws now, before the first step, for a decay that cannot be a λ.
    for (const source of new Set(this.sources)) {
      if (typeof source === "object" && source !== null) noGrad(() => void neuronDecay(source));
    }
  }

  protected override passed(layer: NetworkLayer, x: Tensor, state: LayerState | undefined): Passed {
    const source = this.sources[layer.index] ?? null;
    if (source === null) return super.passed(layer, x, state);
    // Copies an input that is shared by all samples, since products run a different op for it.
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

/** Sources of the decays of the layers' traces. */
function sourcesOf(
  layers: readonly NetworkLayer[],
  lambda: number | undefined,
  inputLambda: number | null,
): TraceDecay[] {
  let source: TraceDecay = inputLambda;
  return layers.map((layer) => {
    const { module, name } = layer;
    if (traitOf(module) === "product") return source;
    // Weights before the first neurons use the input itself, in any layer.
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

/** Whether a layer that is not a product itself multiplies its input with weights. */
const hasWeights = (module: Module): boolean =>
  !(module instanceof Neurons || isNormalization(module)) && module.parameters().length > 0;

const isNormalization = (module: Module): boolean =>
  module instanceof Normalization || module instanceof BatchNormTT1d || module instanceof BatchNormTT2d;

/** Whether a layer contains neurons; delays and normalisation have steps but no membrane. */
const hasMembrane = (module: Module): boolean =>
  module instanceof Neurons || (isStepping(module) && !(module instanceof Staged));

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
 * @throws RangeError unless the neurons have a decay in [0, 1].
 */
function neuronDecay({ module, name }: NetworkLayer): Tensor {
  const decay = module instanceof LIF ? boundedBeta(module) : module instanceof Neurons ? leakOf(module) : null;
  const wrong = decay === null ? "none" : decay.toFloat32Array().find((value) => !UNIT.fits(value));
  if (decay !== null && wrong === undefined) return decay;
  throw wrongValue("OTTT", `a decay of ${name} in [0, 1], beta for instance`, `${wrong}; give the option lambda`);
}

/** β within its bounds. ∂u[t]/∂v[t−1] would include a delayed reset. */
const boundedBeta = (lif: LIF): Tensor => (lif.parametersNow().beta as Tensor).detach();

/** ∂u[t]/∂v[t−1] at the initial state without a current; null for neurons without u or v. */
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
    const steps = new NeuronRun(compiled, zeros([1, 1, size]), 1, values, from).forward(true, [1, size]);
    const membrane = at === compiled.mainAt ? steps.z : steps.output(at);
    membrane.sum().backward();
    return v.grad?.reshape([size]).clone() ?? zeros([size]);
  };
  return withOwnGradients(neurons.parameters(), () => tape(run));
}
