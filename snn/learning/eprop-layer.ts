/** A layer of neurons under e-prop: its step, its traces, and their gradients. */
import { wrongValue } from "../../engine/arguments.ts";
import { k, type Op, touch } from "../../engine/extend.ts";
import { concat, type Linear, linear, matmul, noGrad, ones, Tensor, tape, zeros } from "../../engine/index.ts";
import { weightOf } from "../../engine/protocol.ts";
import { applyOp, emptyOf, gradientAt, SAVES } from "../../engine/unchecked.ts";
import { own } from "../layer/stage.ts";
import type { Neurons } from "../neuron/neuron.ts";
import type { Named } from "../neuron/parameters.ts";
import { type Advance, CURRENT, Derived } from "./derived.ts";
import { Eligibility, eligibilityName, SharedTraces } from "./eligibility.ts";
import type { Hidden, Readout } from "./eprop-model.ts";
import type { Workspace } from "./workspace.ts";

/** Name of the previous step's spikes in the state of neurons with recurrent connections. */
const SPIKES = "spikes";

/** A term to add to the gradient of a bias, or of the weight that a layer uses. */
export interface Gradient {
  readonly of: Tensor | Linear;
  readonly gradient: Tensor;
}

/** A step of a layer before any write: its outputs, and its inputs [B, P]. */
export interface LayerRun {
  readonly step: Advance;
  readonly pre: Tensor | null;
}

/** E-prop in a hidden layer; ē follows the states of the readout, if it has any. */
export class HiddenRule {
  readonly derived: Derived;
  readonly layer: Hidden;
  /** P, the number of inputs of each neuron. */
  private readonly inputs: number;
  private readonly shared: SharedTraces;
  private readonly eligibility: Eligibility;

  constructor(layer: Hidden, readout: Derived | null, work: Workspace) {
    this.layer = layer;
    this.derived = new Derived(layer.neurons);
    if (this.derived.names.length === 0) {
      const name = layer.neurons.constructor.name;
      throw wrongValue("EProp", "neurons whose spikes depend on their current", `${name}, whose derivatives are 0`);
    }
    const { linear: before, recurrent } = layer;
    this.inputs = (before?.inFeatures ?? 0) + (recurrent?.inFeatures ?? 0) + Number(hasBias(before, recurrent));
    this.shared = new SharedTraces(this.derived, this.inputs, work);
    this.eligibility = new Eligibility(this.derived, readout, this.inputs, work);
  }

  /** Number of neurons for an input of `inputs` values. */
  featuresOf(inputs: number): number {
    return this.layer.recurrent?.outFeatures ?? this.layer.linear?.outFeatures ?? inputs;
  }

  /** Throws unless a signal can pass through the layer to the previous one in the same step. */
  checkSymmetric(where: string): void {
    if (this.derived.of(this.derived.main, CURRENT) !== null && this.layer.linear !== null) return;
    const got = `${this.layer.neurons.constructor.name} whose spikes wait for the next step, or without Linear`;
    throw wrongValue(where, 'feedback "random", or a Linear and neurons that pass a symmetric signal on', got);
  }

  /** Initial state of `batch` samples, for an input of `inputs` values. */
  start(batch: number, inputs: number): Named {
    return zeroState(this.layer.neurons, this.shapesOf(batch, inputs));
  }

  /** Shapes of the tensors of a state: states of the neurons, spikes that are fed back, and traces. */
  shapesOf(batch: number, inputs: number): TraceShapes {
    const { layer, derived, eligibility, inputs: pre } = this;
    const n = this.featuresOf(inputs);
    const isLearned = pre > 0;
    return {
      ...alike(layer.neurons.compiled.states, [batch, n]),
      ...(layer.recurrent !== null && { [SPIKES]: [batch, n] }),
      ...(isLearned && alike(derived.shared.map(eligibilityName), [batch, pre])),
      ...(isLearned && alike(eligibility.traces, [batch, n, pre])),
    };
  }

  /** Runs one step of the neurons. */
  run(x: Tensor, state: Named): LayerRun {
    const { linear: before, recurrent } = this.layer;
    const current = before === null ? x : multiply(x, before);
    const fired = state[SPIKES] ?? null;
    const all = recurrent === null ? current : current.add(multiply(fired as Tensor, recurrent));
    const pre = inputsWith(before && x, fired, hasBias(before, recurrent));
    return { step: this.derived.run(all, state), pre };
  }

  /** Writes the state and, with a signal [B, N], returns the gradients. */
  learn({ step, pre }: LayerRun, state: Named, readout: Named, signal: Tensor | null): Gradient[] {
    const { layer, derived, shared, eligibility } = this;
    const connections = [layer.linear, layer.recurrent].filter((each) => each !== null);
    let gradients: Gradient[] = [];
    if (pre !== null) {
      const columns = derived.shared.map((x) => state[eligibilityName(x)] as Tensor);
      const [n] = step.z.sizes.slice(1) as [number];
      const sources = { neurons: step.derivatives, readout };
      if (eligibility.traces.length > 0) {
        const traces = eligibility.traces.map((name) => state[name] as Tensor);
        const gradient = signal && zeros([n, pre.sizes[1] as number]);
        eligibility.sweep(traces, columns, pre, sources, signal && { signal, gradient: gradient as Tensor });
        if (gradient !== null) gradients = gradientParts(gradient, connections);
        for (const t of traces) touch(t);
      } else if (signal !== null) {
        gradients = gradientParts(product(derived, columns, pre, step.derivatives, signal), connections);
      }
      shared.advance(columns, pre, step.derivatives, null);
      for (const t of columns) touch(t);
    }
    write(state, { ...step.next, ...(layer.recurrent !== null && { [SPIKES]: step.z }) });
    return gradients;
  }

  /** Signal of the previous layer: this layer's signal, passed back through its weights in this step. */
  before(signal: Tensor, { step }: LayerRun): Tensor {
    const { main } = this.derived;
    const slope = step.derivatives[this.derived.of(main, CURRENT) as string] as Tensor;
    return matmul(signal.mul(slope), weightOf(this.layer.linear as Linear));
  }
}

/** E-prop in the readout: its weights, and its neurons without spikes if it has them. */
export class ReadoutRule {
  /** Null if the readout is only a `Linear`. */
  readonly derived: Derived | null;
  private readonly layer: Readout;
  /** P, the number of inputs of each neuron. */
  private readonly inputs: number;
  private readonly shared: SharedTraces | null;

  constructor(layer: Readout, work: Workspace) {
    this.layer = layer;
    this.derived = layer.neurons && new Derived(layer.neurons);
    const { inFeatures, bias } = layer.linear;
    this.inputs = inFeatures + Number(bias !== null);
    this.shared = this.derived && new SharedTraces(this.derived, this.inputs, work);
  }

  /** Initial state of `batch` samples. */
  start(batch: number): Named {
    const { neurons } = this.layer;
    return neurons === null ? {} : zeroState(neurons, this.shapesOf(batch));
  }

  /** Shapes of the tensors of a state: states of the neurons, and traces. */
  shapesOf(batch: number): TraceShapes {
    const { derived, layer } = this;
    if (layer.neurons === null || derived === null) return {};
    return {
      ...alike(layer.neurons.compiled.states, [batch, layer.linear.outFeatures]),
      ...alike(derived.shared.map(eligibilityName), [batch, this.inputs]),
    };
  }

  /** Runs one step of the readout. */
  run(x: Tensor, state: Named): Advance {
    const current = multiply(x, this.layer.linear);
    return this.derived?.run(current, state) ?? { z: current, next: {}, derivatives: {} };
  }

  /** Writes the state and, with an error ∂L/∂z [B, K], returns the gradients. */
  learn(x: Tensor, { next, derivatives }: Advance, state: Named, error: Tensor | null): Gradient[] {
    const { derived, shared } = this;
    const { linear: last } = this.layer;
    const pre = inputsWith(x, null, last.bias !== null) as Tensor;
    let moved: Tensor | null = pre;
    if (derived !== null && shared !== null) {
      const traces = derived.shared.map((y) => state[eligibilityName(y)] as Tensor);
      moved = error && emptyOf(pre.sizes);
      shared.advance(traces, pre, derivatives, moved);
      for (const t of traces) touch(t);
      write(state, next);
    }
    return error === null ? [] : gradientParts(matmul(error.transpose(), moved as Tensor), [last]);
  }
}

const hasBias = (...connections: readonly (Linear | null)[]): boolean =>
  connections.some((each) => each !== null && each.bias !== null);

/** Product of x with the weight that a layer uses. */
const multiply = (x: Tensor, layer: Linear): Tensor => linear(x, weightOf(layer), layer.bias);

/** Inputs of a layer's weights, concatenated, [B, P]; null without weights. */
function inputsWith(x: Tensor | null, fired: Tensor | null, bias: boolean): Tensor | null {
  const all = [x, fired].filter((t) => t !== null);
  const [first] = all;
  if (first === undefined) return null;
  if (bias) all.push(ones([first.sizes[0] as number, 1]));
  return all.length === 1 ? first : concat(all, 1);
}

export type TraceShapes = Readonly<Record<string, readonly number[]>>;

const alike = (names: readonly string[], shape: readonly number[]): TraceShapes =>
  Object.fromEntries(names.map((name) => [name, shape]));

/** Zeros of these shapes in persistent memory, and the initial state of neurons. */
function zeroState(neurons: Neurons, shapes: TraceShapes): Named {
  const state = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, own(shape)]));
  const { states } = neurons.compiled;
  if (states.length === 0) return state;
  // A layer may list more states than it has.
  const start = noGrad(() => neurons.statesAtStart(shapes[states[0] as string] as readonly number[]));
  for (const name of states) (state[name] as Tensor).copyFrom(start[name] as Tensor);
  return state;
}

function write(state: Named, next: Named): void {
  for (const [name, t] of Object.entries(next)) (state[name] as Tensor).copyFrom(t);
}

/** Gradients of weights and biases, from the gradients of all inputs of a layer, [N, P]. */
function gradientParts(all: Tensor, connections: readonly Linear[]): Gradient[] {
  const gradients: Gradient[] = [];
  let at = 0;
  for (const layer of connections) {
    const end = at + layer.inFeatures;
    gradients.push({ of: layer, gradient: all.slice(1, at, end) });
    at = end;
  }
  for (const { bias } of connections)
    if (bias !== null) gradients.push({ of: bias, gradient: all.slice(1, at, at + 1) });
  return gradients;
}

/** Σ_B signal·e [N, P], where e is the product of a value of the neuron and a value of the input. */
function product(derived: Derived, traces: readonly Tensor[], pre: Tensor, derivatives: Named, signal: Tensor): Tensor {
  const { main, shared } = derived;
  const inputs = [...traces, pre];
  let sum: Tensor | null = null;
  for (const [i, y] of [...shared, CURRENT].entries()) {
    const name = derived.of(main, y);
    if (name === null) continue;
    const part = matmul(signal.mul(derivatives[name] as Tensor).transpose(), inputs[i] as Tensor);
    sum = sum === null ? part : sum.add(part);
  }
  return sum ?? zeros([signal.sizes[1] as number, pre.sizes[1] as number]);
}

const contributeOp: Op<{ readonly shape: readonly number[]; readonly gradient: Tensor }> = {
  name: "EProp",
  saves: SAVES.nothing,
  forward() {},
  backward: (_, x, _b, _c, { gradient }) => k.addTo(gradientAt(x), gradient.ptr, x.size),
};

/**
 * Adds to the gradients of parameters, like a backward pass: the gradient of a weight passes through its reparametrizations.
 */
export function contribute(gradients: readonly Gradient[]): void {
  tape(() => {
    for (const { of, gradient } of gradients) {
      const read = of instanceof Tensor ? of : weightOf(of);
      if (read.requiresGrad) applyOp(contributeOp, { shape: [1], gradient }, read).backward();
    }
  });
}
