/**
 * E-prop: gradients of recurrent networks from traces that run forward in time.
 *
 * @module
 */
import { functionOf, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, generatorOf, inReference, persist, ready } from "../../engine/extend.ts";
import { type Generator, linear, type Module, matmul, noGrad, randn, Tensor, tape } from "../../engine/index.ts";
import { rootOf, takeOver } from "../../engine/lasting.ts";
import { weightOf } from "../../engine/protocol.ts";
import { formatShape, sameShape } from "../../engine/shape.ts";
import { checkNotUsedUp, checkState } from "../layer/checks.ts";
import { checkKept, type Kept, tensorsIn } from "../layer/kept.ts";
import type { Named } from "../neuron/parameters.ts";
import { contribute, HiddenRule, type LayerRun, ReadoutRule, type TraceShapes } from "./eprop-layer.ts";
import { epropLayers, type Hidden, keptIn, type Layers } from "./eprop-model.ts";
import { Workspace } from "./workspace.ts";

/** Options of {@link EProp}. */
export interface EPropOptions<Target> {
  /** L of the output [B, K] of one step and its target, a tensor with one element: `crossEntropy`, `mseLoss`, or any tensor ops. */
  loss: (output: Tensor, target: Target) => Tensor;
  /**
   * Path of the error ∂L/∂y [B, K] to the neurons of a hidden layer. "symmetric" (default): the weights of the readout
   * and, between hidden layers, the weights between them. "random": fixed random weights [N, K] for each layer. Or
   * weights of your own: a tensor [N, K], or a list with one for each hidden layer.
   */
  feedback?: "symmetric" | "random" | Tensor | readonly Tensor[];
  /** Generator of random weights; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  loss: undefined as unknown,
  feedback: undefined as "symmetric" | "random" | Tensor | readonly Tensor[] | undefined,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof EPropOptions<never>, unknown>;

const WHERE = "EProp";

/** Result of {@link EProp.step}. */
export interface EPropStep {
  /** y, the output of the readout in this step, [B, K]. */
  readonly output: Tensor;
  /** The state after the step. */
  readonly state: EPropState;
  /** L of this step; null without a target. */
  readonly loss: number | null;
}

/**
 * State of a network between two steps of {@link EProp}: states of neurons and eligibility traces, tensors outside of
 * tapes. A step reuses the memory of the given state, and its tensors then count as freed. To continue from a state
 * twice, clone it.
 */
export interface EPropState {
  /**
   * Tensors of each layer by name: states of neurons [B, N], and `spikes` [B, N] of the previous step if they are fed back; `ε x` of a state x,
   * [B, P] if all neurons share it, else [B, N, P]; `ē y` [B, N, P] of a state y of the readout. P is the number of inputs, plus that of the
   * neurons if they are fed back, plus 1 for a bias. The last entry belongs to the readout.
   */
  readonly layers: readonly Readonly<Record<string, Tensor>>[];
}

/**
 * Trains recurrent spiking networks without backpropagation through time: each synapse keeps an eligibility trace of its influence on the state of
 * its neuron, and multiplies it by a learning signal of the same step to get a gradient.
 *
 *   ε_ji[t] = ∂x_j[t]/∂x_j[t−1]·ε_ji[t−1] + ∂x_j[t]/∂I_j[t]·pre_i[t]        x: the states of neuron j, I: its current
 *   e_ji[t] = ∂s_j[t]/∂x_j[t−1]·ε_ji[t−1] + ∂s_j[t]/∂I_j[t]·pre_i[t]        ē[t] = κ·ē[t−1] + e[t]
 *   signal_j[t] = Σ_k feedback_jk·∂L/∂y_k[t]        W_ji.grad += Σ_B signal_j[t]·ē_ji[t]
 *
 * pre is the input of this step, the spikes of the previous step for recurrent connections, or 1 for a bias. κ is the decay of the readout;
 * in general, the states of the readout filter ē as the states of a neuron filter ε. All derivatives are derived from the step of the
 * neuron and compiled. Spikes that are fed back count as constants. The reset also counts as a constant if the neurons detach it (the
 * default). The derivative of a spike that raises the threshold is included.
 *
 * If weights are masked or on a grid, the neurons use the masked or rounded weight, and the gradient of that weight passes to the
 * parameter.
 *
 * The model is a `Sequential` or a list: `Linear` alternates with neurons or a {@link Recurrent} of neurons; the end is `Linear` and
 * {@link LeakyIntegrator}, or only `Linear`. The gradients of the readout's weights are exact.
 *
 * If the derivatives ∂x/∂x and ∂x/∂I are constants that all neurons of a layer share, as in `LIF` with reset "subtract", ε is stored for
 * each input, not for each synapse. Memory holds the traces, B·N·P values each, and does not grow with T.
 *
 * @throws TypeError for a loss that is not a function, feedback of the wrong type, or a model without modules; RangeError for layers that the rule
 *   does not support, learned parameters of neurons, or feedback of the wrong shape.
 * @see Bellec et al. (2020), A solution to the learning dilemma for recurrent networks of spiking neurons, Nature Communications 11.
 *
 * @example
 * ```ts
 * import { Adam, EProp, LeakyIntegrator, LIF, Linear } from "jarvis-snn";
 * import { mseLoss, rand, Recurrent, Sequential, type Tensor } from "jarvis-snn";
 *
 * const hidden = new Recurrent(new LIF(), { features: 16 });
 * const model = new Sequential(new Linear(4, 16), hidden, new Linear(16, 1), new LeakyIntegrator());
 * const rule = new EProp(model, { loss: (output: Tensor, target: Tensor) => mseLoss(output, target) });
 * const optimizer = new Adam(model.parameters());
 * let { state, loss } = rule.step(rand([2, 4]), rand([2, 1])); // a step of time; adds to grad
 * for (let t = 1; t < 20; t++) ({ state, loss } = rule.step(rand([2, 4]), rand([2, 1]), state));
 * optimizer.step();
 * console.log(loss !== null, hidden.parameters().every((p) => p.grad !== null)); // true true
 * ```
 */
export class EProp<Target = Tensor | ArrayLike<number>> {
  /** Fixed weights [N, K] from the error to each hidden layer; null for symmetric feedback. */
  readonly feedback: readonly Tensor[] | null;
  private readonly work = new Workspace();
  private readonly loss: (output: Tensor, target: Target) => Tensor;
  private readonly layers: Layers;
  private readonly kept: readonly Kept[];
  /** Weights, biases and parameters of neurons. */
  private readonly tensors: readonly Tensor[];
  private readonly rules: readonly HiddenRule[];
  private readonly readout: ReadoutRule;
  private known: { readonly key: string; readonly shapes: readonly TraceShapes[] } | null = null;

  constructor(model: Module | readonly Module[], options: EPropOptions<Target>) {
    const { loss, feedback = "symmetric", generator } = withDefaults(WHERE, DEFAULTS, options);
    const source = generatorOf(WHERE, generator);
    this.loss = functionOf(WHERE, "loss", loss) as EPropOptions<Target>["loss"];
    this.layers = epropLayers(WHERE, model);
    const { hidden, readout } = this.layers;
    this.kept = keptIn(this.layers);
    this.tensors = tensorsIn(this.kept);
    const { work } = this;
    try {
      this.readout = new ReadoutRule(readout, work);
      const { derived } = this.readout;
      if (derived !== null && !derived.isShared) {
        throw wrongValue(WHERE, "a linear readout whose neurons share their parameters", String(readout.neurons));
      }
      this.rules = hidden.map((layer) => new HiddenRule(layer, derived, work));
      if (feedback === "symmetric") for (const rule of this.rules.slice(1)) rule.checkSymmetric(WHERE);
      this.feedback = feedback === "symmetric" ? null : this.feedbackOf(feedback, source);
    } catch (error) {
      work.free();
      throw error;
    }
  }

  private feedbackOf(given: unknown, generator: Generator): readonly Tensor[] {
    const { hidden, readout } = this.layers;
    const outputs = readout.linear.outFeatures;
    const sizes = hidden.map(({ features }, i) => {
      const next = hidden.slice(i + 1).find((layer) => layer.linear !== null)?.linear ?? readout.linear;
      return features ?? next.inFeatures;
    });
    if (given === "random") {
      return noGrad(() => sizes.map((n) => persist(randn([n, outputs], { generator }).mul(1 / Math.sqrt(n)))));
    }
    const list = given instanceof Tensor ? [given] : given;
    if (!Array.isArray(list))
      throw wrongType(WHERE, 'feedback "symmetric", "random", a tensor or a list of tensors', given);
    if (list.length !== sizes.length) {
      throw wrongValue(WHERE, `feedback for ${sizes.length} hidden layers`, `${list.length} tensors`);
    }
    for (const [i, n] of sizes.entries()) {
      const t = list[i] as Tensor;
      alive(t, WHERE);
      if (!sameShape(t.sizes, [n, outputs])) {
        throw wrongValue(WHERE, `feedback of shape ${formatShape([n, outputs])}`, formatShape(t.sizes));
      }
    }
    return noGrad(() => (list as readonly Tensor[]).map((t) => persist(t.clone())));
  }

  /**
   * One time step of the network: x [B, in] → output [B, K]. With a target, adds to `grad` of all weights and biases; with null, there is no learning
   * signal in this step, but the traces advance. Without a state, the network starts from its initial state.
   *
   * The given state is consumed: the next one reuses its memory. If an error is thrown, the state and all gradients are as before.
   *
   * @throws RangeError for an x of the wrong shape, a state of a different model or batch size, or errors of the loss for its target; TypeError for
   *   anything but tensors, an undefined target, or anything but a state; Error for a state that was consumed or freed, a parameter that was freed or
   *   replaced, neurons or weights that were quantized or masked since the rule was made, or inside of `gradcheck`.
   */
  step(x: Tensor, target: Target | null, state?: EPropState): EPropStep {
    if (inReference()) throw new Error(`${WHERE}: it keeps its state in linear memory, which gradcheck does not use`);
    if (target === undefined) throw wrongType(WHERE, "a target, or null for no learning signal", target);
    alive(x, WHERE);
    const inputs = (this.layers.hidden[0] as Hidden).linear?.inFeatures ?? (this.layers.hidden[0] as Hidden).features;
    if (x.ndim !== 2 || (inputs !== null && x.sizes[1] !== inputs)) {
      throw wrongValue(WHERE, `the input of one step, [B, ${inputs ?? "in"}]`, formatShape(x.sizes));
    }
    const [batch, features] = x.sizes as [number, number];
    checkKept(WHERE, WHERE, this.kept);
    for (const t of this.tensors) ready(WHERE, t);
    return noGrad(() =>
      this.advance(x, target, state === undefined ? this.start(batch, features) : this.read(state, batch, features)),
    );
  }

  private start(batch: number, inputs: number): EPropState {
    const layers = this.rules.map((rule, i) => rule.start(batch, this.inputsOf(i, inputs)));
    return { layers: [...layers, this.readout.start(batch)] };
  }

  /** Shapes of the tensors of a state; cached, since successive steps mostly have the same shapes. */
  private shapesOf(batch: number, inputs: number): readonly TraceShapes[] {
    const { rules, readout } = this;
    const key = `${batch} ${inputs}`;
    if (this.known?.key !== key) {
      const hidden = rules.map((rule, i) => rule.shapesOf(batch, this.inputsOf(i, inputs)));
      this.known = { key, shapes: [...hidden, readout.shapesOf(batch)] };
    }
    return this.known.shapes;
  }

  private inputsOf(index: number, inputs: number): number {
    return this.rules.slice(0, index).reduce((n, rule) => rule.featuresOf(n), inputs);
  }

  /** The state, read once; throws unless it fits the network and the batch size. */
  private read(state: EPropState, batch: number, inputs: number): EPropState {
    const given: unknown = Object(state).layers;
    if (!Array.isArray(given)) throw wrongType(WHERE, "a state as step returns it, { layers }", state);
    const expected = this.shapesOf(batch, inputs);
    if (given.length !== expected.length) {
      throw wrongValue(WHERE, `a state of ${expected.length} layers`, `${given.length}; is it that of another model?`);
    }
    const seen = new Set<Tensor>();
    const layers = expected.map((shapes, i) => {
      const layer = Object(given[i]) as Named;
      return Object.fromEntries(
        Object.entries(shapes).map(([name, shape]) => {
          const t = layer[name] as Tensor;
          if (!(t instanceof Tensor)) throw wrongType(WHERE, `a state with ${name} as a tensor in layer ${i}`, t);
          checkNotUsedUp(WHERE, t);
          checkState(WHERE, name, t, shape);
          if (seen.has(t)) throw wrongValue(WHERE, "a state of different tensors", `${name} twice`);
          seen.add(t);
          return [name, t];
        }),
      );
    });
    return { layers };
  }

  private advance(x: Tensor, target: Target | null, state: EPropState): EPropStep {
    const { rules, readout } = this;
    const states = state.layers;
    // Clones an input that is a part of the state, since the state is freed.
    let input = states.some((layer) => Object.values(layer).includes(rootOf(x))) ? x.clone() : x;
    const runs = rules.map((rule, i) => {
      const run = rule.run(input, states[i] as Named);
      input = run.step.z;
      return run;
    });
    const last = states[rules.length] as Named;
    const end = readout.run(input, last);
    const found = target === null ? null : this.errorOf(end.z, target);
    const signals = found && this.signalsOf(found.error, runs);
    const next = states.map((layer) =>
      Object.fromEntries(Object.entries(layer).map(([name, t]) => [name, takeOver(t)])),
    );
    const gradients = rules.flatMap((rule, i) =>
      rule.learn(runs[i] as LayerRun, next[i] as Named, end.derivatives, signals && (signals[i] as Tensor)),
    );
    gradients.push(...readout.learn(input, end, next[rules.length] as Named, found?.error ?? null));
    contribute(gradients);
    return { output: end.z, state: { layers: next }, loss: found?.loss ?? null };
  }

  /** ∂L/∂y [B, K], and L. */
  private errorOf(output: Tensor, target: Target): { error: Tensor; loss: number } {
    return tape(() => {
      const y = output.clone();
      y.requiresGrad = true;
      const loss = this.loss(y, target);
      if (!(loss instanceof Tensor)) throw wrongType(WHERE, "a loss that gives a tensor", loss);
      if (loss.requiresGrad) loss.backward();
      if (y.grad === null) throw new Error(`${WHERE}: expected a loss that depends on the output`);
      return { error: y.grad.clone(), loss: loss.item() };
    });
  }

  /** Learning signal of each hidden layer, [B, N]. */
  private signalsOf(error: Tensor, runs: readonly LayerRun[]): Tensor[] {
    const { feedback, rules } = this;
    if (feedback !== null) return feedback.map((weights) => linear(error, weights));
    const signals: Tensor[] = [matmul(error, weightOf(this.layers.readout.linear))];
    for (let i = rules.length - 1; i > 0; i--) {
      signals.unshift((rules[i] as HiddenRule).before(signals[0] as Tensor, runs[i] as LayerRun));
    }
    return signals;
  }
}
