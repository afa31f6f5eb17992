/** The window of the rule by which the fields learn: what one spike before and one behind do to a synapse. */
import { Linear, noGrad, Plastic, tensor } from "jarvis-snn";
import { DiehlCookRule } from "../diehl-cook/network.ts";
import { SETTINGS } from "./neighbours.ts";

/** Milliseconds between the two spikes, at most. */
export const RANGE = 60;
/** The weight before. */
export const WEIGHT = 0.5;

/** Δw for post − pre = −RANGE … RANGE ms. The package takes all pairs at once, a synapse each. */
export function pairWindow(): Float32Array {
  const pairs = 2 * RANGE + 1;
  const layer = new Linear(pairs, 1, { bias: false });
  noGrad(() => layer.weight.copyFrom(new Float32Array(pairs).fill(WEIGHT)));
  const { eta, target } = SETTINGS;
  const plastic = new Plastic(layer, new DiehlCookRule({ eta, target }), { bounds: [0, 1] });
  let state = plastic.initialState(1);
  // The spike behind comes in step RANGE, that of synapse i before it by i − RANGE steps.
  for (let t = 0; t <= 2 * RANGE; t++) {
    const before = new Float32Array(pairs);
    before[2 * RANGE - t] = 1;
    state = plastic.step(tensor(before, { shape: [1, pairs] }), tensor([[Number(t === RANGE)]]), state);
  }
  return layer.weight.toFloat32Array().map((w) => w - WEIGHT);
}
