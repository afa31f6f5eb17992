/** Traits of each kind of neuron, which the page needs before it loads the class. */
import type { TrainConfig } from "./train-fields.ts";

export type Cells = TrainConfig["cells"];

interface CellTraits {
  /** The settings of the page that its equation has. */
  readonly settings: readonly ("beta" | "threshold" | "reset")[];
  /** Additions and multiplications of a neuron in a step, without the weights of its inputs, and additions of a spike besides its reset. */
  readonly work: readonly [additions: number, multiplications: number, spike: number];
}

const LEAKY = ["beta", "threshold", "reset"] as const;

export const cellTraits: Record<Cells, CellTraits> = {
  LIF: { settings: LEAKY, work: [0, 1, 0] },
  IF: { settings: ["threshold", "reset"], work: [0, 0, 0] },
  Lapicque: { settings: ["threshold", "reset"], work: [0, 2, 0] },
  ParametricLIF: { settings: ["threshold", "reset"], work: [0, 1, 0] },
  KLIF: { settings: LEAKY, work: [0, 3, 0] },
  Synaptic: { settings: LEAKY, work: [1, 2, 0] },
  Alpha: { settings: ["threshold", "reset"], work: [2, 3, 0] },
  AdaptiveLIF: { settings: LEAKY, work: [1, 3, 1] },
  AdLIF: { settings: ["threshold"], work: [2, 4, 2] },
  QuadraticIF: { settings: ["threshold"], work: [2, 2, 0] },
  ExponentialIF: { settings: ["threshold"], work: [3, 4, 0] },
  AdEx: { settings: [], work: [6, 6, 1] },
  Izhikevich: { settings: [], work: [6, 5, 1] },
  ConductanceLIF: { settings: ["threshold", "reset"], work: [4, 6, 0] },
  ResonateAndFire: { settings: ["beta", "threshold"], work: [2, 4, 0] },
};

/** Whether a setting of the page is one of the configuration's neurons. */
export const hasSetting = ({ cells }: Pick<TrainConfig, "cells">, name: "beta" | "threshold" | "reset"): boolean =>
  cellTraits[cells].settings.includes(name);

/** θ of the configuration's neurons. Those of Izhikevich and AdEx fire at 1: their membranes are in units of an upstroke. */
export const thresholdOf = (config: Pick<TrainConfig, "cells" | "threshold">): number =>
  hasSetting(config, "threshold") ? config.threshold : 1;
