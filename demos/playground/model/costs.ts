/** The additions and multiplications of a sample, with spikes and without. */
import { cellTraits, hasSetting } from "./cell-traits.ts";
import type { TrainConfig } from "./train-fields.ts";

export interface Cost {
  readonly additions: number;
  readonly multiplications: number;
}

export interface Costs {
  /** The network as it is: an event adds a weight a connection; each potential decays by a product in every step. */
  readonly spikes: Cost;
  /** A network without spikes of the same sizes, which answers in one pass. */
  readonly onePass: Cost;
  /** The same network with time steps, computed by full products although most inputs are zero. */
  readonly everyStep: Cost;
}

/** Horowitz (2014), 45 nm, 32-bit floats: picojoules of a sum and of a product. Memory is not in it. */
export const PICOJOULES = { addition: 0.9, multiplication: 3.7 };

export const nanojoules = ({ additions, multiplications }: Cost): number =>
  (additions * PICOJOULES.addition + multiplications * PICOJOULES.multiplication) / 1000;

/**
 * Costs of a sample from the mean number of events of the inputs and of each layer, and of the spikes of each layer before the last step, which
 * connections within the layers carry to the next one. No layer has biases.
 */
export function costsOf(
  config: TrainConfig,
  sizes: readonly number[],
  events: readonly number[],
  fed: readonly number[],
): Costs {
  const { timesteps: T, layers, reset, readout, encode, cells } = config;
  const [added, multiplied, perSpike] = cellTraits[cells].work;
  const within = config.links === "recurrent" ? layers : [];
  const products = layers.map((size, i) => size * (sizes[i] as number));
  const [last, classes] = sizes.slice(-2) as [number, number];
  const head = last * classes;
  const neurons = sum(layers);
  const fired = sum(events.slice(1));
  const state = {
    additions: T * added * neurons + fired * (perSpike + (hasSetting(config, "reset") && reset === "subtract" ? 1 : 0)),
    multiplications: T * (multiplied * neurons + (readout === "membrane" ? classes : 0)),
  };
  const graded = encode === "constant" ? (events[0] as number) * (layers[0] as number) : 0;
  const feedback = sum(within.map((size, i) => (fed[i] as number) * size));
  const hidden = sum(layers.map((size, i) => (events[i] as number) * size)) + feedback;
  const count = events.at(-1) as number;
  // Rates: the spikes of each neuron are counted, divided by the steps, and go through the readout once.
  const rate = { additions: head, multiplications: last + head };
  return {
    spikes: total(
      state,
      { additions: hidden, multiplications: graded },
      readout === "membrane" ? { additions: count * classes, multiplications: 0 } : total(rate, additions(count)),
    ),
    onePass: both(sum(products) + head),
    everyStep: total(
      state,
      both(T * sum(products) + (T - 1) * sum(within.map((size) => size * size))),
      readout === "membrane" ? both(T * head) : total(rate, additions(T * last)),
    ),
  };
}

const sum = (terms: readonly number[]): number => terms.reduce((all, term) => all + term, 0);
const both = (n: number): Cost => ({ additions: n, multiplications: n });
const additions = (n: number): Cost => ({ additions: n, multiplications: 0 });
const total = (...costs: Cost[]): Cost => ({
  additions: sum(costs.map((cost) => cost.additions)),
  multiplications: sum(costs.map((cost) => cost.multiplications)),
});
