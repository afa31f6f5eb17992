/** LIF neurons with recurrent connections: `Recurrent` around `LIF`, with the options of both. */
import { choiceOf } from "../../engine/arguments.ts";
import { generatorOf } from "../../engine/extend.ts";
import type { Generator, Linear, Tensor } from "../../engine/index.ts";
import { type NeuronSpec, OPTIONS, readOptions } from "../neuron/form.ts";
import { LIF_FORM } from "../neuron/plain-forms.ts";
import { LIF, type LIFOptions, type LIFRecord, type LIFState } from "../neurons/lif.ts";
import { Recurrent, type RecurrentRecord, type RecurrentState } from "./recurrent.ts";

/** Options of {@link RecurrentLIF}. */
export interface RecurrentLIFOptions extends LIFOptions {
  /** N, the neurons of the layer: the size of the last axis of the current. */
  readonly features: number;
  /** "all": every neuron feeds every neuron (default). "one": each neuron feeds only itself. */
  readonly connection?: "all" | "one";
  /** Whether neurons feed themselves too in the connection "all"; default true. */
  readonly selfConnections?: boolean;
  /** Generator of the initial weights; the default generator if not given. */
  readonly generator?: Generator;
}

const OWN = {
  features: Number.NaN,
  connection: "all" as "all" | "one",
  selfConnections: true,
  generator: undefined as Generator | undefined,
} satisfies Partial<Record<keyof RecurrentLIFOptions, unknown>>;

const FORM = fedBack(LIF_FORM);

/** The LIF form with the options of both. snnTorch's `RLeaky` drops the input of a step that resets to 0; its `Leaky` keeps it. */
/* @__NO_SIDE_EFFECTS__ */
function fedBack(form: NeuronSpec): NeuronSpec {
  const numerics = { ...form.numerics, snntorch: { ...form.numerics?.snntorch, resetInput: true } };
  return { ...form, numerics, common: { ...OPTIONS, ...OWN }, shared: [] };
}

/** State between time steps: the neurons' state, and the spikes that are fed back. */
export type RecurrentLIFState = RecurrentState<LIFState>;

/** The result of {@link RecurrentLIF.unroll}. */
export type RecurrentLIFRecord = RecurrentRecord<LIFState, LIFRecord>;

/**
 * LIF neurons whose spikes are fed back with a delay of one step:
 *
 *   I[t] = current[t] + W·s[t−1] + b   (connection "all")
 *   I[t] = current[t] + V ⊙ s[t−1]     (connection "one")
 *
 * W [N, N] is `recurrent.weight` and b [N] `recurrent.bias`; beta and threshold are named as in {@link LIF}, and the rest is as in LIF and
 * {@link Recurrent}. `numerics: "snntorch"` gives `RLeaky`, with resetInput. Shapes: current [T, B, …, N] → spikes [T, B, …, N].
 *
 * @throws RangeError unless features is a positive integer, for an unknown connection, or as {@link LIF} does; TypeError for a generator of
 *   the wrong type.
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
  /** β, [] or [N]; a parameter, stored raw, if it is learned. */
  readonly beta: Tensor;
  /** θ, [] or [N]; a parameter if it is learned. */
  readonly threshold: Tensor;
  /** N, the neurons of the layer. */
  declare readonly features: number;
  /** W and b of the connection "all", else null. */
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
