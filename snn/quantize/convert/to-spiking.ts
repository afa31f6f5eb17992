/** Converts trained networks of rectified linear units to spiking networks. */
import { choiceOf, numberOf, type Range, UNIT, withDefaults, wrongValue } from "../../../engine/arguments.ts";
import type { Batches, Dataset, Encode, Module, Tensor } from "../../../engine/index.ts";
import { noGrad, Sequential } from "../../../engine/index.ts";
import { STEP_COUNTS } from "../../coding/spikes.ts";
import { LeakyIntegrator } from "../../neurons/leaky-integrator.ts";
import type { Activations } from "./activations.ts";
import { chainOf } from "./chain.ts";
import { measuredActivations } from "./measure.ts";
import { rebuilt } from "./rebuild.ts";
import { Repeated } from "./repeated.ts";
import { SpikingReLU } from "./spiking-relu.ts";

/** Options of {@link toSpiking}. */
export interface ToSpikingOptions {
  /** Samples [B, …] on which activations are measured: a tensor, a dataset, or batches of a loader. Targets are ignored. */
  data: Tensor | Dataset<unknown> | Batches<unknown>;
  /** T, the number of steps for which a sample is shown, an integer in [1, 2²⁴]. */
  timesteps: number;
  /**
   * Scale λ of activations. "max": the largest one. "percentile" (default): `percentile` per cent of the positive ones
   * are at most λ.
   */
  mode?: "percentile" | "max";
  /** The percentile of mode "percentile", in (0, 100]; default 99. */
  percentile?: number;
  /** Whether λ is per channel (default) or, with false, per layer. */
  perChannel?: boolean;
  /** Initial membrane, in thresholds, in [0, 1]; default 0.5. */
  initial?: number;
  /** "spikes" keeps MaxPool2d as the maximum of spikes; "refuse" (default) throws for it. */
  maxPool?: "refuse" | "spikes";
  /** Makes the input of the model from a batch, as in `evaluate`; by default the batch is the input. */
  encode?: Encode;
}

const WHERE = "toSpiking";

const DEFAULTS = {
  data: undefined as unknown,
  timesteps: Number.NaN,
  mode: "percentile" as "percentile" | "max",
  percentile: undefined as number | undefined, // 99 in mode "percentile"
  perChannel: true,
  initial: 0.5,
  maxPool: "refuse" as "refuse" | "spikes",
  encode: ((x) => x) as Encode,
} satisfies Record<keyof ToSpikingOptions, unknown>;

const PERCENTILE: Range = { expected: "in (0, 100]", fits: (x) => x > 0 && x <= 100 };

/**
 * Converts a trained network of rectified linear units to a spiking network whose rates approximate its activations.
 *
 *   a = relu(W·a′ + b)  →  I[t] = W·(λ′/λ)·s′[t] + b/λ      u[t] = v[t−1] + I[t]      s[t] = 1 if u[t] ≥ 1 else 0
 *                          v[t] = u[t] − s[t]      v[−1] = initial      a ≈ λ·Σ_t s[t] / T
 *
 * λ is the scale of the activations of a channel on `data`, or of a layer with `perChannel: false`; λ′ is that of the
 * previous layer. Batch normalisation is folded into the weights. The last layer with weights is followed by a sum over
 * time, z[t] = Σ_{τ ≤ t} I[τ], not by neurons. So z[t] / (t + 1) approximates the outputs of the model, and one run of
 * T steps has the answers after every number of steps up to T. ReLU, pools and Flatten after that layer are applied to
 * the sum.
 *
 * `model` is a chain: Linear, Conv1d, Conv2d, BatchNorm1d, BatchNorm2d, AvgPool2d, Flatten, Dropout and ReLU, in Sequential or in a list,
 * nested or not. The model does not change; the result has copies of its weights, is in evaluation mode, and can be trained further.
 *
 * Shapes: samples [B, …], repeated for T steps, or sequences [T, B, …] of any length → z [T, B, …]. Defaults: mode "percentile" with percentile 99,
 * perChannel true, initial 0.5, maxPool "refuse". A channel without a positive activation on the data has the λ of its layer; for a layer without
 * one, λ = 1.
 *
 * @throws TypeError for a layer of an unsupported class or with an overridden `forward`, an unknown option, a value of the wrong type, and
 *   unsupported data; RangeError for options out of range, MaxPool2d unless `maxPool` is "spikes", batch normalisation without running statistics or
 *   that cannot be folded into a neighbour, a network without weights, data without batches or with activations that are not finite, and errors of
 *   the layers.
 * @see Rueckauer et al. (2017), Conversion of Continuous-Valued Deep Networks to Efficient Event-Driven Networks for Image Classification,
 *   Frontiers in Neuroscience 11.
 * @see Han, Srinivasan, Roy (2020), RMP-SNN: Residual Membrane Potential Neuron for Enabling Deeper High-Accuracy and Low-Latency Spiking
 *   Neural Network, CVPR.
 * @see Bu, Ding, Yu, Huang (2022), Optimized Potential Initialization for Low-Latency Spiking Neural Networks, AAAI 36(1).
 *
 * @example
 * ```ts
 * import { accuracy, Linear, rand, ReLU, Sequential } from "jarvis-snn";
 * import { toSpiking } from "jarvis-snn/quantize";
 *
 * const model = new Sequential(new Linear(16, 32), new ReLU(), new Linear(32, 4)); // trained before
 * const x = rand([50, 16]);
 * const labels = model.forward(x).argmax({ axis: -1 });
 * const spiking = toSpiking(model, { data: x, timesteps: 64 });
 * const z = spiking.forward(x); // [64, 50, 4]
 * console.log(accuracy(z.select(0, 63), labels) > 0.8); // true
 * ```
 */
export function toSpiking(model: Module | readonly Module[], options: ToSpikingOptions): Sequential {
  const given = withDefaults(WHERE, DEFAULTS, options);
  const { perChannel, encode, percentile: asked = 99 } = given;
  const timesteps = numberOf(WHERE, "timesteps", given.timesteps, STEP_COUNTS);
  const initial = numberOf(WHERE, "initial", given.initial, UNIT);
  const isMax = choiceOf(WHERE, "mode", given.mode, ["percentile", "max"]) === "max";
  if (isMax && given.percentile !== undefined) throw wrongValue(WHERE, 'mode "percentile" with percentile', '"max"');
  const percentile = isMax ? 100 : numberOf(WHERE, "percentile", asked, PERCENTILE);
  const chain = chainOf(WHERE, model, choiceOf(WHERE, "maxPool", given.maxPool, ["refuse", "spikes"]));
  const { axes, activations } = measuredActivations(
    WHERE,
    chain,
    given.data as ToSpikingOptions["data"],
    encode,
    perChannel,
  );
  return noGrad(() => {
    const modules = rebuilt(WHERE, chain, {
      axes,
      scalesOf: (i, mayDiffer) => (activations[i] as Activations).scales(percentile, perChannel && mayDiffer),
      activation: (threshold) => new SpikingReLU({ threshold, initial }),
      sum: new LeakyIntegrator({ beta: 1 }),
      before: 1,
    });
    return new Sequential(new Repeated(timesteps, (axes[0] as number) - 1), ...modules).eval();
  });
}
