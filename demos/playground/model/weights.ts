/** Files of weights: what they say of their network, and their arrays. */
import { loadSafetensors, noGrad } from "jarvis-snn";
import { parseValues } from "../state/fields.ts";
import type { SpikingNetwork } from "./network.ts";
import { mostTimesteps, type TrainConfig, trainFields } from "./train-fields.ts";

/** The configuration of a file's network, null where the file has none, and the steps that have trained it. */
export interface Origin {
  readonly config: TrainConfig | null;
  readonly steps: number;
}

/** @throws Error if the file is damaged, or another kind of file. */
export function originOf(file: Uint8Array): Origin {
  const { config, steps } = read(file, ({ metadata }) => metadata);
  return {
    config: config === undefined ? null : withinReach(parseValues(trainFields, config)),
    steps: /^\d{1,15}$/.test(steps ?? "") ? Number(steps) : 0,
  };
}

const withinReach = (config: TrainConfig): TrainConfig => ({
  ...config,
  timesteps: Math.min(config.timesteps, mostTimesteps(config.layers)),
});

/**
 * Puts the weights of a file into a network. Decay and threshold stay those of its configuration.
 *
 * @throws Error if they are of another network; the network then keeps its weights.
 */
export function loadWeights(model: SpikingNetwork, file: Uint8Array): void {
  const learned = new Set(model.namedParameters().map(([name]) => name));
  const fixed = Object.keys(model.stateDict()).filter((name) => !learned.has(name));
  read(file, ({ tensors }) => {
    for (const name of fixed) delete tensors[name];
    try {
      model.loadStateDict(tensors);
    } catch (cause) {
      const sizes = model.linears.map(({ weight }) => weight.shape[0]).join(", ");
      const message = `The weights of this file are of another network than this one, whose layers have ${sizes} neurons.`;
      throw new Error(message, { cause });
    }
  });
}

type Contents = ReturnType<typeof loadSafetensors>;

function read<T>(file: Uint8Array, take: (contents: Contents) => T): T {
  return noGrad(() => {
    let contents: Contents;
    try {
      contents = loadSafetensors(file);
    } catch (cause) {
      throw new Error("This file holds no weights that can be read: it is no safetensors file, or it is damaged.", {
        cause,
      });
    }
    return take(contents);
  });
}
