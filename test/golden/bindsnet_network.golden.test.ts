/** Networks of BindsNET: inputs, a layer with lateral inhibition behind them, PostPre between, normalised after each run. */
import { add, Plastic, type PlasticState, STDP, type Tensor, tensor, zeros } from "jarvis-snn";
import { expectClose, withinLargest } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";
import { type NodeOptions, Nodes } from "./bindsnet.ts";
import { linearOf, Recorder, transposed } from "./plasticity.ts";

/** Weights [pre, post] before and after a normalisation, and after a second one. */
interface Normalize {
  readonly note: string;
  readonly w0: GoldenTensor;
  /** For all neurons behind, or of each. */
  readonly norm: number | GoldenTensor;
  readonly w_after: GoldenTensor;
  readonly w_after_twice: GoldenTensor;
}

interface Network extends NamedEntry {
  readonly options: {
    readonly target: string;
    readonly target_options: Omit<NodeOptions, "dt" | "lbound" | "learning"> & Partial<NodeOptions>;
    readonly tc_trace: number;
    readonly nu: readonly [number, number];
    readonly wmin: number;
    readonly wmax: number;
    readonly norm: number;
    readonly reduction: "sum" | "mean";
    readonly dt: number;
    /** Lengths of the runs, at the end of which weights are normalised. */
    readonly runs: readonly number[];
    readonly inhibition: number;
  };
  readonly w0: GoldenTensor;
  /** Spikes of the inputs, [T, B, n]. */
  readonly input: GoldenTensor;
  /** Y_s, Y_v, X_x, Y_x, Y_theta, w after each step, and w_after_run. */
  readonly outputs: GoldenTensors;
}

interface Content {
  readonly normalize: readonly Normalize[];
  readonly networks: readonly Network[];
}

/** Either of both, by name. */
type Entry = NamedEntry & { readonly normalize?: Normalize; readonly network?: Network };

function runNormalize(name: string, { w0, norm, w_after, w_after_twice }: Normalize): void {
  const layer = linearOf(transposed(w0));
  const sum = typeof norm === "number" ? norm : toTensor(norm);
  const plastic = new Plastic(layer, new STDP(), { normalize: { sum, every: Infinity } });
  for (const expected of [w_after, w_after_twice]) {
    plastic.normalize();
    expectClose(name, layer.weight.transpose(0, 1), expected, withinLargest(expected, 1e-5), "states");
  }
}

function runNetwork({ name, options, w0, input, outputs }: Network): void {
  const { nu, dt, norm, tc_trace: tau, inhibition, runs } = options;
  const layer = linearOf(transposed(w0));
  const [n] = layer.weight.shape as [number, number];
  const lateral = linearOf(
    tensor(Array.from({ length: n }, (_, j) => Array.from({ length: n }, (_, i) => (i === j ? 0 : -inhibition)))),
  );
  const nodes = new Nodes(options.target, { dt, lbound: null, learning: true, ...options.target_options });
  const rule = new STDP({ numerics: "bindsnet", dt, aMinus: nu[0], aPlus: nu[1], tauPlus: tau, tauMinus: tau });
  const plastic = new Plastic(layer, rule, {
    bounds: [options.wmin, options.wmax],
    normalize: { sum: norm, every: Infinity },
    reduction: options.reduction,
  });
  const steps = toTensor(input).unbind(0);
  const [B] = (steps[0] as Tensor).shape as [number];
  const recorder = new Recorder();
  let state: PlasticState = plastic.initialState(B);
  let neurons = nodes.start([B, n]);
  let [before, behind] = [zeros((steps[0] as Tensor).shape), zeros([B, n])];
  const ends = new Set(runs.map((_, i) => runs.slice(0, i + 1).reduce((a, b) => a + b, 0)));
  for (const [t, pre] of steps.entries()) {
    // Both connections deliver the spikes of the step before.
    const [post, next] = nodes.step(add(layer.forward(before), lateral.forward(behind)), neurons);
    neurons = next;
    state = plastic.step(pre, post, state);
    const w = layer.weight.transpose(0, 1);
    const { x: X_x, y: Y_x } = state.traces as { x: Tensor; y: Tensor };
    recorder.note({ Y_s: post, Y_v: neurons.v as Tensor, X_x, Y_x, Y_theta: nodes.theta(neurons), w });
    [before, behind] = [pre, post];
    if (!ends.has(t + 1)) continue;
    plastic.normalize();
    recorder.note({ w_after_run: layer.weight.transpose(0, 1) });
  }
  for (const [output, expected] of Object.entries(outputs)) recorder.compare(name, output, expected);
}

goldenSuite<Content, Entry>({
  file: "bindsnet/network",
  entries: ({ normalize, networks }) => [
    ...normalize.map((entry) => ({ name: `normalize: ${entry.note}`, normalize: entry })),
    ...networks.map((entry) => ({ name: entry.name, network: entry })),
  ],
  reads: ["normalize", "networks"],
  leftOut: {},
  run({ name, normalize, network }) {
    if (normalize !== undefined) runNormalize(name, normalize);
    if (network !== undefined) runNetwork(network);
  },
});
