/** Norse's cells in terms of this package: parameters, initial states, weights, surrogates. */
import { expand, Linear, Recurrent, type SpikingLayer, type Surrogate, surrogate, type Tensor } from "jarvis-snn";
import { present, type Tensors } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, numbersOf, toTensor } from "../support/golden.ts";
import { lookUp, type NeuronGolden, type NeuronRun } from "./neurons.ts";

const { scaled } = surrogate;

export interface NorseEntry extends NeuronGolden {
  /** The time step in seconds. */
  readonly dt: number;
  readonly params: Readonly<Record<string, number | string | GoldenTensor>>;
  readonly init_state: GoldenTensors;
  /** Of recurrent cells: input [N, NI] and recurrent [N, N]. */
  readonly weights: GoldenTensors;
}

/** The number of that name among the parameters. */
export function numberAt({ params, name: entry }: NorseEntry, name: string): number {
  const value = params[name];
  if (value === undefined) throw new Error(`${entry}: expected a parameter ${name}`);
  const numbers = typeof value === "object" ? numbersOf(value) : [Number(value)];
  if (numbers.length !== 1) throw new Error(`${entry}: expected a single value of ${name}, got ${numbers.length}`);
  return numbers[0] as number;
}

/** A test's names of kinds of entries: the first beginning of an entry's name that is among them, or else the whole name. */
export const kindOf =
  (kinds: readonly string[]) =>
  ({ name }: { readonly name: string }): string =>
    kinds.find((kind) => name.startsWith(kind)) ?? name;

/** 1 − dt/τ, which Norse writes as an inverse time constant in 1/s. */
export const decayAt = (entry: NorseEntry, name: string): number => 1 - entry.dt * numberAt(entry, name);

/** By the method's name, as functions of alpha. */
const SURROGATES: Readonly<Record<string, (alpha: number) => Surrogate>> = {
  heaviside: () => surrogate.custom({ derivative: () => 0 }),
  super: (alpha) => surrogate.superSpike({ alpha }),
  triangle: (alpha) => scaled(surrogate.triangular(), alpha),
  // 1 − tanh²(αx) = 4·σ(2αx)·(1 − σ(2αx))
  tanh: (alpha) => scaled(surrogate.sigmoid({ slope: 2 * alpha }), 2 / alpha),
  circ: (alpha) => surrogate.circ({ alpha }),
  heavi_erfc: (alpha) => scaled(surrogate.erf({ alpha }), 2 / alpha),
};

/** The surrogate of Norse's method and its alpha. */
export const norseSurrogate = (method: string, alpha: number): Surrogate =>
  lookUp("surrogate", SURROGATES, method)(alpha);

/** The surrogate of an entry. */
export const surrogateAt = (entry: NorseEntry): Surrogate =>
  norseSurrogate(String(entry.params.method), numberAt(entry, "alpha"));

/** Looks up a tensor by its name. */
type Lookup = (name: string) => Tensor;

/** A layer of neurons, with what leads from Norse's names to its own. */
export interface NorseCell {
  readonly neuron: object;
  /** The state before the first step. */
  readonly state: (given: Lookup) => object;
  readonly outputs: (record: Lookup) => Readonly<Record<string, Tensor>>;
}

type Layer = SpikingLayer<object, Readonly<Record<string, unknown>>>;

/** Runs a cell: on the input as its current, or behind weights, and recurrently where there are such weights. */
export function runCell({ neuron, state, outputs }: NorseCell, entry: NorseEntry, input: Tensor): NeuronRun {
  const { weights, init_state } = entry;
  const shape = [...input.shape.slice(1, -1), weights.input?.shape[0] ?? (input.shape.at(-1) as number)];
  const given = mapValues(init_state, (values) => expand(toTensor(values), shape));
  const own = state((name) => present(given, name));
  const unrolled = (layer: Layer, current: Tensor, from: object) => {
    const record = layer.unroll(current, from) as Tensors;
    return outputs((name) => present(record, name));
  };
  if (weights.input === undefined) return { outputs: unrolled(neuron as Layer, input, own), leaves: { input } };
  const into = linearOf(weights.input);
  const current = into.forward(input);
  const leaves = { input: into.weight };
  if (weights.recurrent === undefined) return { outputs: unrolled(neuron as Layer, current, own), leaves };
  const features = weights.recurrent.shape[0] as number;
  const layer = new Recurrent(neuron as Layer as never, { features, bias: false });
  const among = (layer.recurrent as Linear).weight;
  among.copyFrom(toTensor(weights.recurrent));
  return {
    outputs: unrolled(layer as unknown as Layer, current, { ...own, spikes: given.z }),
    leaves: { ...leaves, recurrent: among },
  };
}

function linearOf(weight: GoldenTensor): Linear {
  const [rows, columns] = weight.shape as [number, number];
  const linear = new Linear(columns, rows, { bias: false });
  linear.weight.copyFrom(toTensor(weight));
  return linear;
}
