/** The spiking classifier of the figure Train. */
import {
  Adam,
  AdamW,
  constantEncode,
  type Generator,
  LeakyIntegrator,
  LIF,
  Linear,
  Module,
  maxMembrane,
  meanOverTime,
  type Optimizer,
  poissonEncode,
  RMSprop,
  SGD,
  type SpikingLayer,
  type SpikingResult,
  type Surrogate,
  surrogate,
  type Tensor,
  tensor,
  ttfsEncode,
} from "jarvis-snn";
import type { TrainConfig } from "./train-fields.ts";

/** A layer of neurons of any kind. */
export type Neurons = SpikingLayer<object, SpikingResult<object> & { readonly membrane: Tensor }>;

interface CellLayer {
  readonly neurons: Neurons;
  /** Factor of the current. */
  readonly gain: number;
  /** Weights [N, N] of the connections within the layer; null without them. */
  readonly within: Tensor | null;
}

/** Makes a layer of `size` neurons by the configuration. */
export type CellsOf = (config: TrainConfig, size: number) => CellLayer;

/** What a layer of neurons did, [T, B, N]. */
interface LayerTrace {
  readonly spikes: Tensor;
  /** u, before the reset. */
  readonly membrane: Tensor;
}

export interface Trace {
  readonly layers: LayerTrace[];
  /** The readout of each class, [T, B, K]: a leaky sum of what has arrived, or the weights of the rates until then. */
  readonly readout: Tensor;
}

/** Values up to this give no first spike: receptive fields have tails that never end. */
const SILENT = 0.05;

export const forwardLIF = (config: TrainConfig): LIF => {
  const { beta, threshold, reset, refractory } = config;
  return new LIF({ beta, threshold, reset, refractorySteps: refractory, surrogate: surrogateOf(config) });
};

/** Layers of LIF without connections within them, which a page can run before it loads other neurons. */
export const isPlain = ({ cells, links }: TrainConfig): boolean => cells === "LIF" && links === "forward";

export const plainCells: CellsOf = (config) => ({ neurons: forwardLIF(config), gain: 1, within: null });

/**
 * Linear → neurons, once a layer, then a linear readout: of the mean of the last spikes ("rate"), or leaky integrated and judged
 * by its largest value ("membrane"). No layer has biases: a bias is a current in every step, so neurons would fire without
 * an input, and before a spike can have reached them.
 */
export class SpikingNetwork extends Module {
  readonly linears: Linear[];
  readonly neurons: Neurons[];
  readonly head: Linear;
  readonly integrator: LeakyIntegrator | null;
  /** Masks [N] of the layers whose spikes are taken away in part: 0 for a silenced neuron, 1 for the others. */
  masks: readonly (Float32Array | undefined)[] = [];
  private readonly gains: readonly number[];
  /** Weights within the layers. */
  private readonly within: readonly (Tensor | null)[];

  constructor(config: TrainConfig, features: number, classes: number, cellsOf: CellsOf = plainCells) {
    super();
    const { layers, beta, readout } = config;
    const sizes = [features, ...layers];
    this.linears = layers.map((size, i) => new Linear(sizes[i] as number, size, { bias: false }));
    const cells = layers.map((size) => cellsOf(config, size));
    this.neurons = cells.map(({ neurons }) => neurons);
    this.gains = cells.map(({ gain }) => gain);
    this.within = cells.map(({ within }) => within);
    this.head = new Linear(sizes[layers.length] as number, classes, { bias: false });
    this.integrator = readout === "membrane" ? new LeakyIntegrator({ beta }) : null;
  }

  /** Scores [B, K] of inputs [T, B, N]. */
  forward(x: Tensor): Tensor {
    const spikes = this.spikesOf(x, this.linears.length - 1);
    if (this.integrator === null) return this.head.forward(meanOverTime(spikes));
    // A class whose membrane never rises is at its maximum, 0, in all silent steps. The first of them has no spikes to learn from.
    return maxMembrane(this.integrator.forward(this.head.forward(spikes)), { ties: "share" });
  }

  /** The same, with all that happens on the way. */
  trace(x: Tensor): Trace {
    let spikes = x;
    const layers = this.linears.map((_, i) => {
      // Outputs are computed when they are read.
      const record = this.run(i, spikes, (neurons, current) => {
        const { spikes, membrane } = neurons.unroll(current);
        return { spikes, membrane };
      });
      spikes = this.masked(i, record.spikes);
      return { spikes, membrane: record.membrane };
    });
    return { layers, readout: this.readoutOf(spikes) };
  }

  /** Spikes [T, B, N] of a layer. */
  spikesOf(x: Tensor, layer: number): Tensor {
    let spikes = x;
    for (let i = 0; i <= layer; i++) {
      spikes = this.masked(
        i,
        this.run(i, spikes, (neurons, current) => neurons.forward(current)),
      );
    }
    return spikes;
  }

  /** The readout [T, B, K] of the last layer's spikes. */
  readoutOf(spikes: Tensor): Tensor {
    if (this.integrator !== null) return this.integrator.forward(this.head.forward(spikes));
    const T = spikes.shape[0] as number;
    const steps = tensor(
      Array.from({ length: T }, (_, t) => t + 1),
      { shape: [T, 1, 1] },
    );
    return this.head.forward(spikes.cumsum({ axis: 0 }).div(steps));
  }

  /** Runs the neurons of a layer on its inputs. Silenced neurons do not reach their own layer either. */
  private run<R>(layer: number, x: Tensor, over: (neurons: Neurons, current: Tensor) => R): R {
    const neurons = this.neurons[layer] as Neurons;
    const within = this.within[layer];
    const mask = this.masks[layer];
    const gain = this.gains[layer] as number;
    const fed = (this.linears[layer] as Linear).forward(x);
    const current = gain === 1 ? fed : fed.mul(gain);
    if (within === null || within === undefined || mask === undefined) return over(neurons, current);
    const weights = within.toFloat32Array();
    within.copyFrom(weights.map((weight, i) => weight * (mask[i % mask.length] as number)));
    try {
      return over(neurons, current);
    } finally {
      within.copyFrom(weights);
    }
  }

  private masked(layer: number, spikes: Tensor): Tensor {
    const mask = this.masks[layer];
    return mask === undefined ? spikes : spikes.mul(tensor(mask));
  }
}

/** Triangle and box end 2 / slope and 1 / slope away from the threshold. */
export function surrogateOf({ surrogate: kind, slope }: TrainConfig): Surrogate {
  // Each by its own name: a bundler leaves the others out.
  if (kind === "triangular") return surrogate.triangular({ width: 2 / slope });
  if (kind === "boxcar") return surrogate.boxcar({ width: 2 / slope });
  if (kind === "atan") return surrogate.atan({ alpha: slope });
  return kind === "sigmoid" ? surrogate.sigmoid({ slope }) : surrogate.fastSigmoid({ slope });
}

export function makeOptimizer({ optimizer, lr }: TrainConfig, model: Module): Optimizer {
  const parameters = model.parameters();
  if (optimizer === "adam") return new Adam(parameters, { lr });
  if (optimizer === "adamw") return new AdamW(parameters, { lr });
  if (optimizer === "sgd") return new SGD(parameters, { lr, momentum: 0.9 });
  return new RMSprop(parameters, { lr });
}

/** Inputs over time [T, B, N] of samples [B, N]. */
export function encodeSamples({ encode, timesteps }: TrainConfig, x: Tensor, generator: Generator): Tensor {
  if (encode === "poisson") return poissonEncode(x, { timesteps, generator });
  if (encode === "ttfs") return ttfsEncode(x, { timesteps, eps: SILENT });
  return constantEncode(x, { timesteps });
}
