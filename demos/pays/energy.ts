/**
 * The energy of a sample, from counted operations, at 45 nm with floats of 32 bits:
 *
 *   E = 4.6 pJ·MACs + 0.9 pJ·ACs + (3.7 + 0.9) pJ·updates + 0.9 pJ·biases
 *
 * An update is a step of a neuron: a product for the leak, a sum for the threshold. Each bias is a sum in each step. Not counted: memory, the
 * code of the input, and the reset of a neuron that fired, a sum for each spike.
 *
 * @see Horowitz (2014), Computing's Energy Problem (and What We Can Do about It), ISSCC.
 */
import type { DataLoader, Module, Tensor } from "jarvis-snn";
import { profile } from "jarvis-snn/quantize";

/** Joules of a product and of a sum. */
const [PRODUCT, SUM] = [3.7e-12, 0.9e-12];

/** Operations of a sample. */
export interface Operations {
  readonly macs: number;
  readonly acs: number;
  readonly updates: number;
  readonly biases: number;
}

export const nanojoules = ({ macs, acs, updates, biases }: Operations): number =>
  1e9 * ((PRODUCT + SUM) * (macs + updates) + SUM * (acs + biases));

/** A network with the code of its input: `timesteps` is 1 for a dense network. */
export interface Network {
  readonly model: Module;
  readonly timesteps: number;
  /** The input of the model, from samples [B, …]. */
  encode(x: Tensor): Tensor;
}

/**
 * Operations of a sample, means over data: `counted` skips zeros of inputs and of hidden layers, and zero weights, as `profile` does; `full`
 * has all products, as a dense pass computes them.
 */
export function operationsOf(
  { model, timesteps, encode }: Network,
  data: DataLoader,
): Record<"counted" | "full", Operations> {
  const { neuronUpdates, synapticOperations } = profile(model, data, { encode }).total;
  const { dense, effectiveMACs, effectiveACs } = synapticOperations;
  const ofBiases = model.namedParameters().filter(([name]) => name.endsWith("bias"));
  const biases = timesteps * ofBiases.reduce((sum, [, bias]) => sum + bias.size, 0);
  return {
    counted: { macs: effectiveMACs, acs: effectiveACs, updates: neuronUpdates, biases },
    full: { macs: dense, acs: 0, updates: neuronUpdates, biases },
  };
}
