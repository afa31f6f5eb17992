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
  type Surrogate,
  surrogate,
  type Tensor,
  tensor,
  ttfsEncode,
} from "jarvis-snn";
import type { TrainConfig } from "./train-fields.ts";

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

/**
 * Linear → LIF, once a layer, then a linear readout: of the mean of the last spikes ("rate"), or leaky integrated and judged
 * by its largest value ("membrane"). No layer has biases: a bias is a current in every step, so neurons would fire without
 * an input, and before a spike can have reached them.
 */
export class SpikingNetwork extends Module {
  readonly linears: Linear[];
  readonly neurons: LIF[];
  readonly head: Linear;
  readonly integrator: LeakyIntegrator | null;
  /** Masks [N] of the layers whose spikes are taken away in part: 0 for a silenced neuron, 1 for the others. */
  masks: readonly (Float32Array | undefined)[] = [];

  constructor(config: TrainConfig, features: number, classes: number) {
    super();
    const { layers, beta, threshold, reset, refractory, readout } = config;
    const sizes = [features, ...layers];
    this.linears = layers.map((size, i) => new Linear(sizes[i] as number, size, { bias: false }));
    this.neurons = layers.map(
      () => new LIF({ beta, threshold, reset, refractorySteps: refractory, surrogate: surrogateOf(config) }),
    );
    this.head = new Linear(sizes[layers.length] as number, classes, { bias: false });
    this.integrator = readout === "membrane" ? new LeakyIntegrator({ beta }) : null;
  }

  /** Frees what lives outside the tapes. */
  override dispose(): void {
    const held = [...this.neurons.flatMap(({ beta, threshold }) => [beta, threshold]), this.integrator?.beta];
    for (const t of [...this.parameters(), ...held]) t?.dispose();
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
    const layers = this.linears.map((linear, i) => {
      const record = (this.neurons[i] as LIF).unroll(linear.forward(spikes));
      spikes = this.masked(i, record.spikes);
      return { spikes, membrane: record.membrane };
    });
    return { layers, readout: this.readoutOf(spikes) };
  }

  /** Spikes [T, B, N] of a layer. */
  spikesOf(x: Tensor, layer: number): Tensor {
    let spikes = x;
    for (const [i, linear] of this.linears.slice(0, layer + 1).entries()) {
      spikes = this.masked(i, (this.neurons[i] as LIF).forward(linear.forward(spikes)));
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
