/** Training with few bits: weights on grids, membranes on levels, decays that are shifts. */
import { withDefaults } from "../../engine/arguments.ts";
import type { Module } from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { gridFrom, setGrid, type WeightOptions, weightedIn } from "./weights.ts";

/** Options of {@link quantize}; what is left out stays as it is. */
export interface QuantizeOptions {
  /** The grid of the weights; null takes it away. */
  weights?: WeightOptions | null;
}

const DEFAULTS: { weights: unknown } = { weights: undefined };

export function quantize<M extends Module>(model: M, options: QuantizeOptions): M {
  const where = "quantize";
  moduleOf(where, model);
  const { weights } = withDefaults(where, DEFAULTS, options);
  if (weights !== undefined) {
    const grid = weights === null ? null : gridFrom(where, weights);
    for (const [, layer] of weightedIn(model)) setGrid(layer, grid);
  }
  return model;
}
