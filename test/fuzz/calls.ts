/**
 * What the ops of a program call: the registry, and layers as functions of tensors and plain options. A layer's own
 * tensors are among its results, so that their gradients are compared and their memory is freed.
 */

import { inReference } from "../../engine/core/backend.ts";
import { scope } from "../../engine/core/scope.ts";
import { Generator } from "../../engine/generator.ts";
import { type Tensor, tape } from "../../engine/index.ts";
import { ops } from "../../engine/ops/index.ts";
import type { BatchNormOptions } from "../../engine/ops/normalize.ts";
import * as snn from "../../snn/index.ts";
import {
  LeakyIntegrator,
  type LeakyIntegratorOptions,
  LIF,
  type LIFOptions,
  type LIFRecord,
  type LIFState,
  RecurrentLIF,
  type RecurrentLIFOptions,
  type RecurrentLIFState,
  type Surrogate,
  type surrogate,
} from "../../snn/index.ts";
import { bordersOf, latencyBorders } from "../support/encoders.ts";
import type { NeuronName } from "../support/layers.ts";
import { SURROGATE_ROWS } from "../support/surrogates.ts";

export type Call = (...args: never[]) => unknown;

/** A surrogate by its name and slope. */
export type Slope = readonly [name: keyof typeof surrogate, slope: number];

export const SURROGATE_NAMES = Object.keys(SURROGATE_ROWS) as (keyof typeof surrogate)[];

export const surrogateOf = ([name, slope]: Slope): Surrogate => SURROGATE_ROWS[name].make(slope);

/** Options as data. */
type Plain<Options> = Omit<Options, "surrogate"> & { surrogate?: Slope };

function optionsOf<Options extends { surrogate?: Slope }>({ surrogate: slope, ...options }: Options) {
  return slope === undefined ? options : { ...options, surrogate: surrogateOf(slope) };
}

export const READS = ["spikes", "membrane", "v", "state"] as const;
export type Read = (typeof READS)[number];

/** How a neuron runs: at once, at once with more than spikes, or step by step. */
export type Mode = "forward" | "unroll" | "step";

const read = (record: LIFRecord, reads: readonly Read[]): Tensor[] =>
  reads.map((name) => (name === "state" ? record.state.v : record[name]));

function run<State extends LIFState>(
  layer: {
    forward: LIF["forward"];
    unroll(x: Tensor, s?: State): LIFRecord;
    initialState(shape: readonly number[]): State;
    step(x: Tensor, s: State): [Tensor, State];
  },
  current: Tensor,
  mode: Mode,
  reads: readonly Read[],
  state: State | undefined,
): Tensor[] {
  if (mode === "forward") return [layer.forward(current)];
  if (mode === "unroll") return read(layer.unroll(current, state), reads);
  let now = state ?? layer.initialState(current.shape.slice(1));
  const spikes = current.unbind(0).map((x) => {
    const [s, next] = layer.step(x, now);
    now = next;
    return s;
  });
  return [...spikes, now.v];
}

/**
 * Outputs of a compiled layer require a gradient where one of its operands does. Composed, in the reference, some depend on none that
 * does: these get a gradient that goes nowhere.
 */
function alike(outputs: readonly Tensor[], operands: readonly (Tensor | undefined)[]): Tensor[] {
  const wants = (t: Tensor | undefined) => t?.requiresGrad === true;
  const source = operands.find(wants);
  if (!inReference() || !scope.recording || source === undefined) return [...outputs];
  return outputs.map((z) => {
    if (wants(z)) return z;
    const other = source.reshape([source.size]).select(0, 0).expand(z.shape);
    return ops.stack([z, other]).select(0, 0);
  });
}

function lif(current: Tensor, options: Plain<LIFOptions>, mode: Mode, reads: Read[], state?: LIFState): Tensor[] {
  const layer = new LIF(optionsOf(options));
  const { beta, threshold } = layer;
  return [...alike(run(layer, current, mode, reads, state), [current, beta, threshold, state?.v]), beta, threshold];
}

function recurrentLif(
  current: Tensor,
  options: Plain<RecurrentLIFOptions>,
  weights: Tensor[],
  mode: Mode,
  reads: Read[],
  state?: RecurrentLIFState,
): Tensor[] {
  const layer = new RecurrentLIF({ ...optionsOf(options), features: options.features });
  const own = layer.recurrent === null ? [layer.V as Tensor] : [layer.recurrent.weight, layer.recurrent.bias as Tensor];
  own.forEach((t, i) => {
    t.copyFrom(weights[i] as Tensor);
  });
  const { beta, threshold } = layer;
  const operands = [current, beta, threshold, ...own, state?.v, state?.spikes];
  return [...alike(run(layer, current, mode, reads, state), operands), beta, threshold, ...own];
}

function leakyIntegrator(current: Tensor, options: LeakyIntegratorOptions, mode: Mode, state?: Tensor): Tensor[] {
  const layer = new LeakyIntegrator(options);
  const own = layer.givenParameters();
  const results = (): Tensor[] => {
    if (mode === "forward") return [layer.forward(current)];
    if (mode === "unroll") return Object.values(layer.unroll(current, state));
    let now = state ?? layer.initialState(current.shape.slice(1));
    for (const x of current.unbind(0)) [, now] = layer.step(x, now);
    return [now];
  };
  return [...alike(results(), [current, ...own, state]), ...own];
}

function delay(x: Tensor, ...args: ConstructorParameters<typeof snn.Delay>): Tensor {
  const layer = new snn.Delay(...args);
  const z = layer.forward(x);
  layer.delays.dispose();
  return z;
}

/** The gradient of a function of x by a pass in a tape of its own. */
function innerBackward(x: Tensor): Tensor {
  return tape(() => {
    const leaf = x.detach().clone();
    leaf.requiresGrad = true;
    leaf.mul(leaf).tanh().backward(x.detach());
    return (leaf.grad as Tensor).clone();
  });
}

/** Random numbers come from a generator with a seed of their own. */
const seeded =
  <Options>(fn: (x: Tensor, options: Options & { generator: Generator }) => Tensor) =>
  (x: Tensor, { seed, ...options }: Options & { seed: number }): Tensor =>
    fn(x, { ...(options as unknown as Options), generator: new Generator(seed) });

const { surrogate: _, Stream: __, Recurrent: ___, EProp: ____, ...others } = snn;

/** Layers that are composed of ops which the programs have. */
export type Composed =
  | "ThresholdDependentBatchNorm1d"
  | "ThresholdDependentBatchNorm2d"
  | "BatchNormTT1d"
  | "BatchNormTT2d"
  | "DelayedLinear"
  | "PSN"
  | "SpikingLSTM"
  | "CurrentNoise";
/** Rules for synapses, and `Rule`, their class. */
export type RuleName = {
  [Name in keyof typeof snn]: (typeof snn)[Name] extends abstract new (...args: never[]) => snn.Rule ? Name : never;
}[keyof typeof snn];
/** They change weights, without a gradient; rules.ts draws rules. */
export type Plasticity = RuleName | "plasticity" | "Plastic" | "PlasticLayer";
/** Rules that run backward themselves, and blocks of time, which take a whole network. */
export type Rules = "OTTT" | "SLTT" | "truncatedBackward" | "inBlocks" | "disposeState";
/** Neurons as such, which neurons.ts draws. */
export type Compiled = Exclude<NeuronName, "LIF">;
type Patterns = "adExPatterns" | "izhikevichPatterns";
const layers = others as Omit<typeof others, Composed | Compiled | Patterns | Rules | Plasticity>;

/** Running statistics are written: into copies, which are results too. */
function batchNorm(x: Tensor, { running, ...options }: BatchNormOptions & { running?: Running }): Tensor[] {
  if (running === undefined) return [ops.batchNorm(x, options)];
  const [runningMean, runningVar] = [running.mean.detach().clone(), running.variance.detach().clone()];
  return [ops.batchNorm(x, { ...options, runningMean, runningVar }), runningMean, runningVar];
}

interface Running {
  mean: Tensor;
  variance: Tensor;
}

export const CALLS: Readonly<Record<string, Call>> = {
  ...ops,
  ...layers,
  batchNorm,
  dropout: seeded(ops.dropout),
  backward: innerBackward,
  LIF: lif,
  RecurrentLIF: recurrentLif,
  LeakyIntegrator: leakyIntegrator,
  Delay: delay,
  poissonEncode: seeded(snn.poissonEncode),
  spike: (x: Tensor, options: Plain<snn.SpikeOptions>) => snn.spike(x, optionsOf(options)),
};

/**
 * Where a decision is taken inside an op, after roundings: distances from it, in the reference. Everywhere else both sides
 * decide about the same float32 numbers, and so alike.
 */
export const DECISIONS: Readonly<Record<string, (...args: never[]) => number[]>> = {
  LIF: (current: Tensor, options: Plain<LIFOptions>, _mode: Mode, _reads: Read[], state?: LIFState) =>
    options.spiking === false ? [] : distances(lif(current, options, "unroll", ["membrane"], state), options),
  RecurrentLIF: (
    current: Tensor,
    options: Plain<RecurrentLIFOptions>,
    weights: Tensor[],
    _mode: Mode,
    _reads: Read[],
    state?: RecurrentLIFState,
  ) => distances(recurrentLif(current, options, weights, "unroll", ["membrane"], state), options),
  ...bordersOf(),
  latencyTargets: (_: unknown, options: snn.LatencyTargetOptions) => latencyBorders([0, 1], options),
};

/**
 * |u − θ|, and how far that is from the edge of a boxcar or a triangle. A membrane that is exactly on the threshold is so on both sides, as β·v + I has to be a short number for that;
 * not with a resting value or a scale, where float32 rounds on the way to it.
 */
function distances(
  [membrane, _beta, threshold]: Tensor[],
  { rest = 0, inputScale = 1, surrogate: [name, width] = ["sigmoid", 1] }: Plain<LIFOptions>,
): number[] {
  const met = rest === 0 && inputScale === 1 ? Infinity : 0;
  const above = (membrane as Tensor).sub(threshold as Tensor);
  const borders = [0, ...(SURROGATE_ROWS[name].jumps?.(width) ?? [])];
  return borders.flatMap((border) => Array.from(above.data, (d) => Math.abs(d - border) || met));
}
