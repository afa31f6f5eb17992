import {
  BatchNorm2d,
  bernoulli,
  Conv2d,
  constantEncode,
  Flatten,
  flip,
  full,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  meanOverTime,
  Sequential,
  surrogate,
  type Tensor,
  where,
} from "jarvis-snn";
import { CLASSES, PIXELS } from "./data.ts";

const SIDE = 28;

export interface FashionOptions {
  network: "fc" | "conv";
  timesteps: number;
  /** Neurons of the hidden layer (fc). */
  hidden: number;
  /** Filters of the two convolutions (conv). */
  filters: readonly [number, number];
  /** Whether a training image is mirrored in half of all cases. */
  mirror: boolean;
}

/** Settings by network, chosen on the validation set. */
export const DEFAULTS = {
  fc: { epochs: 3, lr: 2e-3, timesteps: 10, mirror: false },
  conv: { epochs: 5, lr: 5e-3, timesteps: 5, mirror: true },
} as const;

/**
 * Spiking layers behind a constant current of the pixels; the classes are read from the firing rates of the last ones by a linear
 * layer. fc: 784-1000-10. conv: 12C5-MP2-64C5-MP2-10, its currents normalised over batch and time behind each pool, so that
 * neurons fire at useful rates from the first step on and five time steps suffice.
 */
export class FashionNetwork extends Module {
  readonly layers: Sequential;
  readonly fc: Linear;
  readonly mirror: Mirror | null;
  readonly timesteps: number;

  constructor({ network, timesteps, hidden, filters, mirror }: FashionOptions) {
    super();
    const [first, second] = filters;
    this.mirror = mirror ? new Mirror() : null;
    this.layers =
      network === "fc"
        ? new Sequential(new Flatten(2), new Linear(PIXELS, hidden), neurons())
        : new Sequential(
            ...[new Conv2d(1, first, 5), new MaxPool2d(2), new BatchNorm2d(first), neurons()],
            ...[new Conv2d(first, second, 5), new MaxPool2d(2), new BatchNorm2d(second), neurons()],
            new Flatten(2),
          );
    this.fc = new Linear(network === "fc" ? hidden : 16 * second, CLASSES);
    this.timesteps = timesteps;
  }

  /** Logits [B, 10] of images [B, 784]. */
  forward(x: Tensor): Tensor {
    const images = x.reshape([x.shape[0] as number, 1, SIDE, SIDE]);
    const seen = this.mirror === null ? images : this.mirror.forward(images);
    return this.fc.forward(meanOverTime(this.layers.forward(constantEncode(seen, { timesteps: this.timesteps }))));
  }
}

const neurons = (): LIF => new LIF({ beta: 0.8, reset: "subtract", surrogate: surrogate.atan({ alpha: 2 }) });

/** In training, left and right of each image [B, 1, H, W] change places with probability 1/2: a mirrored shoe is a shoe. */
export class Mirror extends Module {
  forward(x: Tensor): Tensor {
    if (!this.training) return x;
    return where(bernoulli(full([x.shape[0] as number, 1, 1, 1], 0.5)), flip(x, -1), x);
  }
}
