/** LIF neurons that feed each other: `Recurrent` of `LIF`, with the options of both. */
import { choiceOf } from "../../engine/arguments.ts";
import { generatorOf } from "../../engine/extend.ts";
import type { Generator, Linear, Tensor } from "../../engine/index.ts";
import { type Form, OPTIONS, readOptions } from "../neuron/form.ts";
import { LIF, LIF_FORM, type LIFOptions, type LIFRecord, type LIFState } from "../neurons/lif.ts";
import { Recurrent, type RecurrentRecord, type RecurrentState } from "./recurrent.ts";

/** Options of {@link RecurrentLIF}. */
export interface RecurrentLIFOptions extends LIFOptions {
  /** N, the neurons of the layer: the size of the last axis of the current. */
  readonly features: number;
  /** "all": every neuron feeds every neuron (default). "one": each feeds itself. */
  readonly connection?: "all" | "one";
  /** Whether neurons feed themselves too in the connection "all"; default true. */
  readonly selfConnections?: boolean;
  /** Where the initial weights come from; the default generator if not given. */
  readonly generator?: Generator;
}

const OWN = {
  features: Number.NaN,
  connection: "all" as "all" | "one",
  selfConnections: true,
  generator: undefined as Generator | undefined,
} satisfies Partial<Record<keyof RecurrentLIFOptions, unknown>>;

const FORM = /* @__PURE__ */ fedBack(LIF_FORM);

/**
 * The same neurons with the options of both. snnTorch's `RLeaky` drops the input of a step that resets it to 0, `Leaky`
 * does not.
 */
function fedBack(form: Form): Form {
  const numerics = { ...form.numerics, snntorch: { ...form.numerics?.snntorch, resetInput: true } };
  return { ...form, numerics, common: { ...OPTIONS, ...OWN } };
}

/** State between time steps: the neurons' state, and the spikes that are fed back. */
export type RecurrentLIFState = RecurrentState<LIFState>;

/** The result of {@link RecurrentLIF.unroll}. */
export type RecurrentLIFRecord = RecurrentRecord<LIFState, LIFRecord>;

/**
 * LIF neurons that are fed back their spikes of the step before:
 *
 *   I[t] = current[t] + W·s[t−1] + b   (connection "all")
 *   I[t] = current[t] + V ⊙ s[t−1]     (connection "one")
 *
 * and the rest as in {@link LIF} and {@link Recurrent}; `numerics: "snntorch"` is `RLeaky`, with resetInput. Shapes: current [T, B, …, N] → spikes [T, B, …, N]. W [N, N] is `recurrent.weight` and b [N] `recurrent.bias`; beta and
 * threshold are named as in `LIF`.
 *
 * @throws RangeError unless features is a positive integer, for an unknown connection, or as {@link LIF} does; TypeError for
 *   a generator that is none.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { full, RecurrentLIF } from "jarvis-snn";
 *
 * const layer = new RecurrentLIF({ features: 2, beta: 0.5 });
 * layer.recurrent?.weight.copyFrom([0, 0, -2, 0]); // neuron 0 inhibits neuron 1
 * layer.recurrent?.bias?.copyFrom([0, 0]);
 * console.log(layer.forward(full([3, 1, 2], 1)).reshape([3, 2]).toArray()); // [ [ 1, 1 ], [ 1, 0 ], [ 1, 0 ] ]
 * ```
 */
export class RecurrentLIF extends Recurrent<LIFState, LIFRecord, LIF> {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  readonly beta: Tensor;
  /** θ, [] or [N]; a parameter if it is learned. */
  readonly threshold: Tensor;
  /** N, the neurons of the layer. */
  declare readonly features: number;
  /** W and b where every neuron feeds every neuron, else null. */
  declare readonly recurrent: Linear | null;

  constructor(options: RecurrentLIFOptions) {
    const read = readOptions(FORM, options, "RecurrentLIF");
    const { features, connection, selfConnections, generator: source } = read.given as unknown as typeof OWN;
    choiceOf("RecurrentLIF", "connection", connection, ["all", "one"]);
    const generator = generatorOf("RecurrentLIF", source);
    const neuron = new LIF(read as LIFOptions);
    try {
      super(neuron, { features, connection, selfConnections, generator });
    } catch (error) {
      for (const t of neuron.givenParameters()) t.dispose();
      throw error;
    }
    this.beta = neuron.beta;
    this.threshold = neuron.threshold;
  }

  protected override get where(): string {
    return "RecurrentLIF";
  }

  protected override fields(): [string, unknown][] {
    const { neuron, recurrent, V } = this;
    return [...neuron.namedState(), ["recurrent", recurrent], ["V", V]];
  }
}
