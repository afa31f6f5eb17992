/** The Leaky neuron of snnTorch, 12 steps in every variant: spikes, membranes and gradients. */
import {
  add,
  arange,
  argmax,
  clamp,
  detach,
  eq,
  gt,
  LIF,
  type LIFOptions,
  mul,
  noGrad,
  parameter,
  spike,
  stack,
  sub,
  type Tensor,
  unbind,
  zeros,
} from "jarvis-snn";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { compareNeurons, type NeuronRun } from "./neurons.ts";
import { noSurrogate, surrogateOf } from "./snntorch.ts";

interface Entry extends NamedEntry {
  readonly class: string;
  readonly surrogate: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** beta, threshold and graded_spikes_factor: fixed ones here, learned ones in params. */
  readonly buffers: GoldenTensors;
  readonly params: GoldenTensors;
  readonly input: GoldenTensor;
  readonly init_state: { readonly mem: GoldenTensor } | null;
  /** spk and mem in each step. */
  readonly outputs: GoldenTensors;
  readonly upstream: GoldenTensors;
  readonly loss?: GoldenTensor;
  readonly grads?: Readonly<Record<string, GoldenTensor | null>>;
}

interface Leaky {
  readonly input: Tensor;
  readonly beta: Tensor;
  readonly threshold: Tensor;
  readonly graded: Tensor;
  readonly initial: Tensor | null;
  readonly options: LIFOptions;
}

/** Options of the constructor whose meaning `leakyOf` and `unroll` know. */
const KNOWN = new Set([
  "beta",
  "threshold",
  "reset_mechanism",
  "reset_delay",
  "learn_beta",
  "learn_threshold",
  "inhibition",
  "graded_spikes_factor",
  "learn_graded_spikes_factor",
  "surrogate_disable",
]);

/** The value of a fixed or learned quantity. */
function quantityOf({ buffers, params }: Entry, name: string): Tensor {
  const golden = params[name] ?? buffers[name];
  if (golden === undefined) throw new Error(`leaky: expected ${name} among buffers and params`);
  const t = toTensor(golden);
  return name in params ? parameter(t) : t;
}

function leakyOf(entry: Entry, input: Tensor): Leaky {
  if (entry.class !== "Leaky") throw new Error(`leaky: expected the class Leaky, got ${entry.class}`);
  const unknown = Object.keys(entry.kwargs).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw new Error(`leaky: no counterpart of ${unknown.join(", ")}`);
  const { reset_mechanism: reset = "subtract", reset_delay: delay = true, surrogate_disable: disabled } = entry.kwargs;
  return {
    input,
    beta: quantityOf(entry, "beta"),
    threshold: quantityOf(entry, "threshold"),
    graded: quantityOf(entry, "graded_spikes_factor"),
    initial: entry.init_state === null ? null : toTensor(entry.init_state.mem, true),
    options: {
      reset: reset as "subtract" | "zero" | "none",
      resetDelay: delay === true,
      // The delayed reset is detached, the immediate one is not.
      detachReset: delay === true,
      fire: "gt",
      surrogate: disabled === true ? noSurrogate : surrogateOf(entry.surrogate),
    },
  };
}

function unroll(entry: Entry, input: Tensor): NeuronRun {
  const leaky = leakyOf(entry, input);
  const { graded, initial, options } = leaky;
  if (options.reset === "subtract" && options.resetDelay === false) return unrollSubtractAtOnce(leaky);
  const learnBeta = leaky.beta.isParameter;
  const lif = new LIF({
    ...options,
    // A fixed β outside [0, 1] is an error here; the peer clamps it.
    beta: learnBeta ? leaky.beta : clamp(leaky.beta, 0, 1),
    threshold: leaky.threshold,
    learnBeta,
    learnThreshold: leaky.threshold.isParameter,
  });
  const state = initial === null ? undefined : { v: initial, refractory: zeros(initial.shape) };
  const record = lif.unroll(input, state);
  const mem = options.resetDelay === true ? record.membrane : record.v;
  const spk =
    entry.kwargs.inhibition === true
      ? mul(record.spikes, largest(sub(record.membrane, lif.threshold)))
      : mul(record.spikes, graded);
  const { beta, threshold } = lif;
  return { outputs: { spk, mem }, leaves: { input, beta, threshold, graded_spikes_factor: graded, init_mem: initial } };
}

/** 1 at the neuron with the largest value in each step and sample, [T, B, N]. */
function largest(x: Tensor): Tensor {
  return noGrad(() => eq(argmax(x, { axis: 2, keepdim: true }), arange(0, x.shape[2] as number)));
}

/**
 * reset_mechanism "subtract" with reset_delay false, a mode that LIF does not have: a membrane that is still above the
 * threshold after its reset loses θ again before it may fire, and the gradient flows through the reset.
 */
function unrollSubtractAtOnce({ input, beta, threshold, graded, initial, options }: Leaky): NeuronRun {
  const surrogate = options.surrogate ?? noSurrogate;
  let mem = initial ?? zeros(input.shape.slice(1));
  const spikes: Tensor[] = [];
  const membranes: Tensor[] = [];
  for (const current of unbind(input, 0)) {
    const pending = detach(gt(mem, threshold));
    const u = sub(add(mul(mem, clamp(beta, 0, 1)), current), mul(threshold, pending));
    const s = spike(u, { threshold, surrogate, fire: "gt" });
    mem = sub(u, mul(sub(s, pending), threshold));
    spikes.push(mul(s, graded));
    membranes.push(mem);
  }
  const leaves = { input, beta, threshold, graded_spikes_factor: graded, init_mem: initial };
  return { outputs: { spk: stack(spikes), mem: stack(membranes) }, leaves };
}

/** Twelve steps of the same float32 recursion. */
const TIGHT = { states: 2e-6, gradients: 5e-5 };

goldenSuite<{ entries: Entry[] }, Entry>({
  file: "snntorch/leaky",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run: (entry) => compareNeurons(entry, (input) => unroll(entry, input), TIGHT),
});
