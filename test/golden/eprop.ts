/** Networks, losses and comparisons of the goldens of e-prop. */
import {
  crossEntropy,
  EProp,
  type EPropState,
  LeakyIntegrator,
  LIF,
  Linear,
  type Module,
  neuron,
  Recurrent,
  Sequential,
  surrogate,
  type Tensor,
  tape,
} from "jarvis-snn";
import { expectClose, expectGradients, expectSpikes, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { lookUp } from "./neurons.ts";

interface Options {
  readonly alpha: number;
  readonly rho: number;
  readonly kappa: number;
  readonly v_th: number;
  readonly gamma: number;
  /** Of each neuron; 0 for LIF. */
  readonly beta: readonly number[];
  readonly n_ref: number;
  readonly loss: string;
  readonly loss_mask: readonly number[];
  readonly feedback: string;
}

type Weights = Readonly<Record<"in" | "rec" | "out" | "bias", GoldenTensor>>;

interface Entry extends NamedEntry {
  readonly options: Options;
  readonly weights: Weights;
  readonly feedback: GoldenTensor;
  readonly input: GoldenTensor;
  readonly target: GoldenTensor;
  readonly outputs: GoldenTensors;
  readonly loss: number;
  readonly grads: Readonly<Record<"eprop" | "bptt_cut" | "bptt_reset_detached", Weights | undefined>>;
  readonly eprop_cumulative: Weights & { readonly t: readonly number[] };
  readonly sample0?: GoldenTensors;
}

/** The neuron of the goldens, whose spike of the step before is a state: it is cut in the reset and kept in the adaptation. */
const Adaptive = neuron({
  name: "Adaptive",
  state: { v: 0, a: 0, z: 0, r: 0 },
  parameters: { alpha: 0.9, rho: 0.97, threshold: 1, beta: 0, steps: 0 },
  step({ current, v, a, z, r, alpha, rho, threshold, beta, steps, spike, where }) {
    const u = v.mul(alpha).add(current).sub(z.detach().mul(threshold));
    const raised = a.mul(rho).add(z);
    const s = spike(u.sub(raised.mul(beta).add(threshold))).mul(r.eq(0));
    return { spikes: s, v: u, a: raised, z: s, r: where(s, steps, r.sub(1).relu()).detach() };
  },
});

function surrogateOf({ gamma, v_th }: Options) {
  const height = gamma / v_th;
  return surrogate.custom({
    derivative: (x) =>
      x
        .abs()
        .mul(-1 / v_th)
        .add(1)
        .relu()
        .mul(height),
  });
}

function adaptive(options: Options) {
  const { alpha, rho, v_th, beta, n_ref } = options;
  return new Adaptive({
    alpha,
    rho,
    threshold: v_th,
    beta: toTensor({ shape: [beta.length], data: beta, dtype: "float64" }),
    steps: n_ref,
    surrogate: surrogateOf(options),
  });
}

/** The same neuron where it does not adapt: a reset that comes with the next step. */
const plain = (options: Options) =>
  new LIF({
    beta: options.alpha,
    threshold: options.v_th,
    reset: "subtract",
    resetDelay: true,
    surrogate: surrogateOf(options),
  });

interface Network {
  readonly model: Module;
  readonly weights: Readonly<Record<string, Tensor>>;
}

function networkOf({ weights, options }: Entry, neurons: ConstructorParameters<typeof Recurrent>[0]): Network {
  const [n, inputs] = weights.in.shape as [number, number];
  const [outputs] = weights.out.shape as [number];
  const before = new Linear(inputs, n, { bias: false });
  const recurrent = new Recurrent(neurons, { features: n, bias: false });
  const last = new Linear(n, outputs);
  const named = {
    in: before.weight,
    rec: (recurrent.recurrent as Linear).weight,
    out: last.weight,
    bias: last.bias as Tensor,
  };
  for (const [name, t] of Object.entries(named)) t.copyFrom(toTensor(lookUp("weight", weights as GoldenTensors, name)));
  return {
    model: new Sequential(before, recurrent, last, new LeakyIntegrator({ beta: options.kappa })),
    weights: named,
  };
}

/** Losses of one step, summed over samples. */
const LOSSES: Readonly<Record<string, (y: Tensor, target: never) => Tensor>> = {
  regression: (y, target: Tensor) => y.sub(target).square().sum().mul(0.5),
  classification: (y, target: readonly number[]) => crossEntropy(y, target, { reduction: "sum" }),
};

/** The target of a step: a row of the target over time, or the classes of all steps. */
function targetOf({ target, options }: Entry, t: number): unknown {
  if (options.loss === "classification") return numbersOf(target);
  return toTensor(target)
    .slice(0, t, t + 1)
    .squeeze(0);
}

/** How far gradients may be off, as a part of the largest one of each weight. */
const GRADIENTS = 1e-5;
const STATES = 1e-5;

const rowOf = (golden: GoldenTensor, t: number): GoldenTensor => {
  const [, ...shape] = golden.shape;
  const size = shape.reduce((product, n) => product * n, 1);
  return { ...golden, shape, data: golden.data.slice(t * size, (t + 1) * size) };
};

function compareGradients(where: string, weights: Network["weights"], wanted: GoldenTensors): void {
  // Before the first target there is no gradient yet.
  const isNone = (golden: GoldenTensor) => golden.data.every((x) => x === 0);
  const own = mapValues(weights, ({ grad }, name) => {
    const golden = lookUp("gradient", wanted, name);
    return grad === null && isNone(golden) ? null : golden;
  });
  expectGradients(where, weights, own, GRADIENTS);
}

/** Runs e-prop over an entry and compares each step. */
function compareOnline(entry: Entry, neurons: ConstructorParameters<typeof Recurrent>[0], isWhole: boolean): void {
  const { name, options, input, outputs, eprop_cumulative: cumulative, grads, feedback, sample0 } = entry;
  const { model, weights } = networkOf(entry, neurons);
  const isRandom = options.feedback !== "symmetric";
  const rule = new EProp<never>(model, {
    loss: lookUp("loss", LOSSES, options.loss),
    feedback: isRandom ? toTensor(feedback) : "symmetric",
  });
  const sequence = toTensor(input);
  let state: EPropState | undefined;
  let total = 0;
  for (let t = 0; t < options.loss_mask.length; t++) {
    const where = `${name} t=${t}`;
    const target = options.loss_mask[t] === 0 ? null : (targetOf(entry, t) as never);
    const step = rule.step(sequence.slice(0, t, t + 1).squeeze(0), target, state);
    state = step.state;
    total += step.loss ?? 0;
    const [hidden, readout] = state.layers as [Record<string, Tensor>, Record<string, Tensor>];
    const close = (what: string, got: Tensor, golden: GoldenTensor) =>
      expectClose(`${where}: ${what}`, got, golden, withinLargest(golden, STATES), "states");
    const goldenOf = (from: GoldenTensors, what: string) => rowOf(lookUp("output", from, what), t);
    expectSpikes(`${where}: z`, hidden.spikes as Tensor, goldenOf(outputs, "z"));
    close("v", hidden.v as Tensor, goldenOf(outputs, "v"));
    const y = goldenOf(outputs, "y");
    expectClose(`${where}: y`, step.output, y, withinLargest(y, STATES));
    const n = weights.rec?.shape[0] as number;
    close("filtered z", (readout["ε v"] as Tensor).slice(1, 0, n), goldenOf(outputs, "filtered_z"));
    if (isWhole && sample0 !== undefined) compareTraces(close, hidden, sample0, weights.in?.shape[1] as number, t);
    const at = cumulative.t.indexOf(t);
    if (at >= 0) compareGradients(where, weights, cumulativeOf(cumulative, at));
  }
  compareGradients(name, weights, grads.eprop as Weights);
  if (grads.bptt_cut !== undefined) compareGradients(`${name}, by backpropagation`, weights, grads.bptt_cut);
  expectClose(`${name}: loss`, total, entry.loss, withinLargest(entry.loss, STATES));
}

const cumulativeOf = ({ t: _, ...weights }: Entry["eprop_cumulative"], at: number): GoldenTensors =>
  mapValues(weights, (golden) => rowOf(golden, at));

/** Eligibility of the first sample: those of the inputs before those of the spikes. */
function compareTraces(
  close: (what: string, got: Tensor, golden: GoldenTensor) => void,
  hidden: Readonly<Record<string, Tensor>>,
  sample0: GoldenTensors,
  inputs: number,
  t: number,
): void {
  const names = { eps_v: "ε v", eps_a: "ε a", e: "ε z", e_bar: "ē v" };
  for (const [golden, own] of Object.entries(names)) {
    const trace = hidden[own];
    const wanted = sample0[`${golden}_in`];
    if (trace === undefined || wanted === undefined) continue;
    const first = trace.slice(0, 0, 1).squeeze(0);
    const end = trace.shape.at(-1);
    close(`${own} in`, first.slice(-1, 0, inputs), rowOf(wanted, t));
    close(`${own} rec`, first.slice(-1, inputs, end), rowOf(lookUp("trace", sample0, `${golden}_rec`), t));
  }
}

/** Backpropagation through time of the same network, with the reset alone cut. */
function compareBackpropagation(entry: Entry): void {
  const { name, options, input, grads } = entry;
  if (grads.bptt_reset_detached === undefined) return;
  const { model, weights } = networkOf(entry, adaptive(options));
  tape(() => {
    const outputs = model.forward(toTensor(input)).unbind(0);
    const loss = lookUp("loss", LOSSES, options.loss);
    const losses = outputs.flatMap((y, t) =>
      options.loss_mask[t] === 0 ? [] : [loss(y, targetOf(entry, t) as never)],
    );
    losses.reduce((sum, x) => sum.add(x)).backward();
  });
  compareGradients(`${name}, reset detached`, weights, grads.bptt_reset_detached);
}

export function epropSuite(file: string): void {
  goldenSuite<{ entries: Entry[] }, Entry>({
    file,
    entries: ({ entries }) => entries,
    reads: ["entries"],
    leftOut: {},
    run(entry) {
      const { options } = entry;
      compareOnline(entry, adaptive(options), true);
      const isPlain = options.n_ref === 0 && options.beta.every((x) => x === 0);
      if (isPlain) compareOnline(entry, plain(options), false);
      compareBackpropagation(entry);
    },
  });
}
