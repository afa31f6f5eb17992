/** LIF layers in every combination of their options, and what one run of them gives. */
import { type Tensor, tape, tensor } from "../../engine/index.ts";
import { LIF, type LIFOptions, type LIFRecord, type LIFState, surrogate } from "../../snn/index.ts";
import { composeLif } from "./lif-composed.ts";
import { numbers } from "./sides.ts";
import { gradient, values } from "./tensors.ts";

export const RESETS = ["zero", "subtract", "none"] as const;

/** Every combination of what changes the course of a neuron. */
export function everyOption(): LIFOptions[] {
  const all: LIFOptions[] = [];
  for (const reset of RESETS)
    for (const resetDelay of [false, true])
      for (const detachReset of [true, false])
        for (const refractorySteps of [0, 2])
          for (const fire of ["ge", "gt"] as const) all.push({ reset, resetDelay, detachReset, refractorySteps, fire });
  return all;
}

/** Slopes are flat, so that gradients through many resets stay of the size of one. */
export const SURROGATES = [
  surrogate.sigmoid({ slope: 3 }),
  surrogate.fastSigmoid({ slope: 2 }),
  surrogate.atan({ alpha: 1 }),
  surrogate.custom({ derivative: (x) => x.square().neg().exp() }),
];

/** What was drawn: thousands of runs ask for the same few values. */
const drawn = new Map<string, Float32Array>();

/** Values in steps of 1/4: sums and products of few of them are exact, and thresholds are met exactly. */
function quarters(shape: readonly number[], seed: number, low: number, high: number, requiresGrad = false): Tensor {
  const key = `${shape} ${seed} ${low} ${high}`;
  const size = shape.reduce((product, n) => product * n, 1);
  const values = drawn.get(key) ?? Float32Array.from(numbers(size, seed, low, high), (x) => Math.round(4 * x) / 4);
  drawn.set(key, values);
  return tensor(values, { shape, requiresGrad });
}

export const TIMESTEPS = 6;
export const BATCH = 2;
export const FEATURES = 5;
const STEP = [BATCH, FEATURES] as const;

/** β and θ of one value, or of one for each neuron; all exact in few bits. */
export function constants(perNeuron: boolean): { beta: number | Tensor; threshold: number | Tensor } {
  if (!perNeuron) return { beta: 0.5, threshold: 1 };
  return { beta: tensor([0.5, 0.75, 1, 0, 0.25]), threshold: tensor([1, 0.75, 1.25, 0.5, 1]) };
}

export type Unroll = (lif: KnownLIF, current: Tensor, state: LIFState | undefined) => LIFRecord;

export const fused: Unroll = (lif, current, state) => lif.unroll(current, state);

/** A LIF that remembers its options. */
export class KnownLIF extends LIF {
  readonly options: LIFOptions;

  constructor(options: LIFOptions = {}) {
    super(options);
    this.options = options;
  }
}

/** The same neuron written with tensor ops. */
export const composed: Unroll = (lif, current, state) =>
  composeLif({ ...lif.options, ...othersOf(lif) }, current, clampedBeta(lif), lif.threshold, state ?? null);

/** The parameters besides β and θ, by name. */
function othersOf(lif: LIF): Record<string, Tensor> {
  const names = ["rest", "inputScale", "resetValue", "lowerBound", "gradedSpikesFactor"] as const;
  return Object.fromEntries(names.filter((name) => name in lif).map((name) => [name, Reflect.get(lif, name)]));
}

const clampedBeta = (lif: LIF): Tensor => (lif.beta.isParameter ? lif.beta.clamp(0, 1) : lif.beta);

/** What a loss reads of a record. */
export const READS = ["spikes", "membrane", "v", "state", "all"] as const;
export type Read = (typeof READS)[number];

/** A weighted sum of one output, or of all; the weights are exact and differ from element to element. */
export function lossOf(record: LIFRecord, read: Read): Tensor {
  const names = read === "all" ? (["spikes", "membrane", "v", "state"] as const) : [read];
  const terms = names.map((name, i) => {
    const t = name === "state" ? record.state.v : record[name];
    return t.mul(quarters(t.shape, 31 + i, -1, 1)).sum();
  });
  return terms.reduce((sum, term) => sum.add(term));
}

export interface Gradients {
  current: number[];
  beta: number[];
  threshold: number[];
  v: number[];
  /** Of all other parameters, one after the other. */
  others: number[];
}

export interface RunOptions {
  unroll: Unroll;
  /** Starts from a state, with some neurons still held, instead of from zero. */
  initial?: boolean;
}

/** Leaves for one run: the current [T, B, N], and a state that requires a gradient. */
export function leaves(lif: KnownLIF, initial: boolean): { current: Tensor; state: LIFState | undefined } {
  const current = quarters([TIMESTEPS, ...STEP], 11, -0.5, 1.75, true);
  if (!initial) return { current, state: undefined };
  const v = quarters(STEP, 12, -0.5, 1.75, true);
  const hold = lif.options.refractorySteps ?? 0;
  const refractory = tensor(
    Float32Array.from({ length: v.size }, (_, i) => i % (hold + 1)),
    { shape: STEP },
  );
  return { current, state: { v, refractory } };
}

/** All values of one run, in the order in which a neuron goes through them. */
export function valuesOf(lif: KnownLIF, { unroll, initial = false }: RunOptions): Record<string, number[]> {
  return tape(() => {
    const { current, state } = leaves(lif, initial);
    const { spikes, membrane, v, state: last } = unroll(lif, current, state);
    const read = { spikes, membrane, v, state: last.v, refractory: last.refractory };
    // −0 and 0 are the same membrane.
    return Object.fromEntries(Object.entries(read).map(([name, t]) => [name, values(t).map((x) => x + 0)]));
  });
}

/** The gradients of every leaf and learned parameter towards what `read` reads. */
export function gradientsOf(lif: KnownLIF, read: Read, { unroll, initial = false }: RunOptions): Gradients {
  for (const parameter of lif.parameters()) parameter.zeroGrad();
  return tape(() => {
    const { current, state } = leaves(lif, initial);
    lossOf(unroll(lif, current, state), read).backward();
    return {
      current: gradient(current),
      beta: gradient(lif.beta),
      threshold: gradient(lif.threshold),
      v: state === undefined ? [] : gradient(state.v),
      others: Object.values(othersOf(lif)).flatMap(gradient),
    };
  });
}
