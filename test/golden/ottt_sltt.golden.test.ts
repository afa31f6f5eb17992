/** SpikingJelly's OTTT and SLTT: gradients of each time step, their sum, that of BPTT, and weights that learn in each step. */
import {
  crossEntropy,
  disposeState,
  LIF,
  type LIFState,
  Linear,
  mseLoss,
  type NetworkState,
  OTTT,
  Sequential,
  SGD,
  SLTT,
  surrogate,
  type Tensor,
  tensor,
  truncatedBackward,
} from "jarvis-snn";
import { expect } from "vitest";
import { expectClose, expectSpikes, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, numbersOf, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

interface Entry extends NamedEntry {
  readonly class: string;
  readonly options: {
    readonly tau: number;
    readonly decay_input: boolean;
    readonly v_threshold: number;
    readonly v_reset: number | null;
    readonly surrogate: { readonly name: string; readonly alpha: number };
    readonly output_layer: "linear" | "spiking";
    readonly input_traced: boolean;
    readonly loss_t: string;
    readonly lr: number;
  };
  readonly params: GoldenTensors;
  readonly input: GoldenTensor;
  readonly targets: GoldenTensor;
  /** spk1, v1, out, loss; of OTTT trace1, and of spiking outputs v2 and trace2. */
  readonly outputs: GoldenTensors;
  readonly grads_per_step: GoldenTensors;
  readonly grads_total: GoldenTensors;
  readonly bptt_grads: { readonly detach_reset_true: GoldenTensors; readonly detach_reset_false: GoldenTensors };
  readonly total_equals_bptt_detach_reset_true: readonly string[];
  readonly online_sgd: {
    readonly weights_after_each_step: GoldenTensors;
    readonly loss: GoldenTensor;
    readonly spk1: GoldenTensor;
  };
}

type Target = readonly number[];

/** Linear, LIF, Linear, and LIF again where the output spikes; membranes count from v_reset on, where they rest and start. */
function networkOf({ options, params }: Entry, detachReset = true): Sequential {
  const { tau, decay_input, v_threshold, v_reset, output_layer, surrogate: spike } = options;
  if (spike.name !== "Sigmoid") throw new Error(`expected the surrogate Sigmoid, got ${spike.name}`);
  const lif = () =>
    new LIF({
      numerics: "spikingjelly",
      tau,
      inputScale: decay_input ? "leak" : 1,
      threshold: v_threshold - (v_reset ?? 0),
      ...(v_reset === null ? { reset: "subtract" } : { reset: "zero" }),
      detachReset,
      surrogate: surrogate.sigmoid({ slope: spike.alpha }),
    });
  const linear = (name: string) => {
    const [outputs, inputs] = (params[`${name}.weight`] as GoldenTensor).shape as [number, number];
    return new Linear(inputs, outputs);
  };
  const layers = [linear("0"), lif(), linear("2"), ...(output_layer === "spiking" ? [lif()] : [])];
  const network = new Sequential(...layers);
  network.loadStateDict(Object.fromEntries(Object.entries(params).map(([name, t]) => [name, toTensor(t) as never])));
  return network;
}

/** The loss of one step. */
function lossOf({ options: { loss_t }, input }: Entry): (output: Tensor, labels: Target) => Tensor {
  const [T] = input.shape as [number];
  if (loss_t.startsWith("cross_entropy")) return (output, labels) => crossEntropy(output, labels).div(T);
  if (!loss_t.startsWith("mse")) throw new Error(`no such loss: ${loss_t}`);
  return (output, labels) => {
    const classes = output.shape[1] as number;
    const rows = labels.map((label) => Array.from({ length: classes }, (_, k) => (k === label ? 1 : 0)));
    return mseLoss(output, tensor(rows));
  };
}

function ruleOf(entry: Entry, network: Sequential): OTTT<Target> | SLTT<Target> {
  const loss = lossOf(entry);
  const { input_traced, tau } = entry.options;
  if (entry.class.startsWith("SLTT")) return new SLTT(network, { loss });
  return new OTTT(network, { loss, ...(input_traced && { inputLambda: 1 - 1 / tau }) });
}

type Row = (t: number) => GoldenTensor;

/** The values of one time step of a tensor [T, …]. */
const rowOf = ({ shape: [T, ...shape], data }: GoldenTensor): Row => {
  const size = data.length / (T as number);
  return (t) => ({ shape, data: data.slice(t * size, (t + 1) * size) });
};

const TOLERANCE = { absolute: 0, relative: 1e-5 };

/**
 * Within a fraction of the largest gradient: sums that cancel lose digits of their terms, and far above the threshold the peer's 1 − σ
 * has those of 1 alone, so the gradients of all steps are one tensor here.
 */
const gradientsClose = (name: string, got: Tensor | null, expected: GoldenTensor) => {
  expect(got, `${name} has a gradient`).not.toBeNull();
  expectClose(name, got as Tensor, expected, withinLargest(expected, 1e-5), "gradients");
};

/** The steps of an entry: the gradient of each, their sum, spikes, states and traces. */
function checkGradients(entry: Entry): void {
  const { input, targets, outputs, grads_per_step, grads_total } = entry;
  const network = networkOf(entry);
  const rule = ruleOf(entry, network);
  const labels = numbersOf(targets);
  const lossNow = lossOf(entry);
  const known = ["spk1", "v1", "trace1", "out", "v2", "trace2", "loss"];
  expect(Object.keys(outputs).filter((name) => !known.includes(name))).toEqual([]);
  const [x, T] = [toTensor(input).unbind(0), input.shape[0] as number];
  let state: NetworkState | undefined;
  const hidden = network.modules[0] as Linear;
  const neurons = network.modules[1] as LIF;
  let plain: LIFState = neurons.initialState(hidden.forward(x[0] as Tensor).shape);
  // The gradients of single steps, one behind the other, and added up.
  const single = Object.fromEntries(Object.keys(grads_total).map((name) => [name, [] as number[]]));
  const sums = Object.fromEntries(Object.entries(grads_total).map(([name, { data }]) => [name, data.map(() => 0)]));
  for (let t = 0; t < T; t++) {
    network.zeroGrad();
    const next = rule.step(x[t] as Tensor, labels, state);
    const at = (name: string) => rowOf(outputs[name] as GoldenTensor)(t);
    const [spikes, after] = neurons.step(hidden.forward(x[t] as Tensor), plain);
    plain = after;
    expectSpikes("spk1", spikes, at("spk1"));
    const layers = next.state.layers as readonly { readonly v: Tensor; readonly trace: Tensor }[];
    const membrane = (i: number) => (layers[i] as { v: Tensor }).v.add(entry.options.v_reset ?? 0);
    expectClose("v1", membrane(1), at("v1"), withinLargest(at("v1"), 1e-5), "states");
    if (outputs.trace1) expectClose("trace1", layers[2]?.trace as Tensor, at("trace1"), TOLERANCE, "states");
    if (outputs.v2) expectClose("v2", membrane(3), at("v2"), withinLargest(at("v2"), 1e-5), "states");
    expectClose("out", next.output, at("out"), withinLargest(at("out"), 1e-5));
    expectClose("loss", lossNow(next.output, labels), at("loss"), TOLERANCE);
    for (const [name, p] of network.namedParameters()) {
      expect(p.grad, `${name} has a gradient at ${t}`).not.toBeNull();
      const sum = sums[name] as number[];
      p.grad?.toFloat32Array().forEach((value, i) => {
        single[name]?.push(value);
        sum[i] = (sum[i] as number) + value;
      });
    }
    state = next.state;
  }
  for (const [name, p] of network.namedParameters()) {
    const steps = tensor(single[name] as number[], { shape: [T, ...p.shape] });
    gradientsClose(`${name} of each step`, steps, grads_per_step[name] as GoldenTensor);
  }
  network.zeroGrad();
  state = undefined;
  for (let t = 0; t < T; t++) ({ state } = rule.step(x[t] as Tensor, labels, state));
  for (const [name, p] of network.namedParameters()) gradientsClose(name, p.grad, grads_total[name] as GoldenTensor);
  for (const [name, p] of network.namedParameters()) {
    gradientsClose(name, tensor(sums[name] as number[], { shape: p.shape }), grads_total[name] as GoldenTensor);
  }
}

/** BPTT of the same network: by a tape, by one piece, and where the rule drops nothing the rule's own gradient. */
function checkBackpropagation(entry: Entry): void {
  const { input, targets, bptt_grads, grads_total } = entry;
  const [T] = input.shape as [number];
  const x = toTensor(input);
  const lossNow = lossOf(entry);
  const labels = numbersOf(targets);
  const total = (z: Tensor) => z.unbind(0).reduce((sum, now) => sum.add(lossNow(now, labels)), tensor(0));
  for (const [kind, expected] of Object.entries(bptt_grads)) {
    const network = networkOf(entry, kind === "detach_reset_true");
    truncatedBackward(network, x, total, { steps: T });
    for (const [name, p] of network.namedParameters()) {
      gradientsClose(`${kind}: ${name}`, p.grad, expected[name] as GoldenTensor);
    }
  }
  for (const name of entry.total_equals_bptt_detach_reset_true) {
    const bptt = toTensor(bptt_grads.detach_reset_true[name] as GoldenTensor);
    gradientsClose(name, bptt, grads_total[name] as GoldenTensor);
  }
}

/** An optimizer step after each time step. */
function checkOnlineLearning(entry: Entry): void {
  const { input, targets, online_sgd, options } = entry;
  const network = networkOf(entry);
  const rule = ruleOf(entry, network);
  const optimizer = new SGD(network.parameters(), { lr: options.lr });
  const labels = numbersOf(targets);
  const lossNow = lossOf(entry);
  let state: NetworkState | undefined;
  for (const [t, x] of toTensor(input).unbind(0).entries()) {
    optimizer.zeroGrad();
    const next = rule.step(x, labels, state);
    optimizer.step();
    disposeState(state);
    state = next.state;
    expectClose("loss", lossNow(next.output, labels), rowOf(online_sgd.loss)(t), TOLERANCE);
    for (const [name, p] of network.namedParameters()) {
      const expected = rowOf(online_sgd.weights_after_each_step[name] as GoldenTensor)(t);
      expectClose(`${name} after ${t}`, p, expected, withinLargest(expected, 1e-5));
    }
  }
}

goldenSuite<{ readonly entries: readonly Entry[] }, Entry>({
  file: "spikingjelly/ottt_sltt",
  entries: ({ entries }) => entries,
  reads: ["entries"],
  leftOut: {},
  run(entry) {
    checkGradients(entry);
    checkBackpropagation(entry);
    checkOnlineLearning(entry);
  },
});
