/** Layers with few bits, masks and integers. */
import { Conv2d, DelayedLinear, type Generator, LIF, Linear, RecurrentLIF, Sequential, Synaptic } from "jarvis-snn";
import { Int8, prune, quantize } from "jarvis-snn/quantize";
import { type Cases, driving, fed, maps, NEURONS } from "./cases.ts";

/** Weights on grids and behind masks, states on levels, decays that are shifts, integers. */
export const QUANTIZED: Cases = {
  "4 bits": (generator) => quantize(network(generator), { weights: { bits: 4 } }),
  ternary: (generator) => quantize(network(generator), { weights: { bits: "ternary", perChannel: false } }),
  states: (generator) => quantize(network(generator), { state: { bits: 4 } }),
  "states at the threshold": (generator) => quantize(network(generator), { state: { bits: 3, uniform: false } }),
  shifts: (generator) => quantize(network(generator), { decays: "shift" }),
  all: (generator) => quantize(network(generator), { weights: { bits: 8 }, state: { bits: 8 }, decays: "shift" }),
  "states of neurons": fed(() => quantize(new Synaptic({ learn: ["beta"] }), { state: { bits: 5 }, decays: "shift" })),
  "4 bits of Recurrent": fed((generator) => {
    return quantize(new RecurrentLIF({ features: NEURONS, generator }), { weights: { bits: 4 } });
  }),
  "4 bits of DelayedLinear": fed((generator) => {
    return quantize(new DelayedLinear(NEURONS, 3, { maxDelay: 2, generator }), { weights: { bits: 4 } });
  }),
  masks: (generator) => pruned(network(generator)),
  "masks and 4 bits": (generator) => quantize(pruned(network(generator)), { weights: { bits: 4 } }),
  "masks of filters": maps((generator) => {
    const conv = new Conv2d(2, 3, 3, { padding: 1, generator });
    prune(conv, { amount: 0.3, unit: "output" });
    return conv;
  }),
  Int8: (generator) => {
    const floats = new Sequential(driving(generator), new LIF());
    return new Sequential(new Int8(floats), new Linear(NEURONS, 3, { generator }));
  },
};

const network = (generator: Generator): Sequential =>
  new Sequential(
    driving(generator),
    new LIF({ threshold: 0.6, reset: "subtract", learnBeta: true }),
    new Linear(NEURONS, 3, { generator }),
  );

function pruned(model: Sequential): Sequential {
  prune(model, { amount: 0.4 });
  return model;
}
