import {
  Conv2d,
  constantEncode,
  Flatten,
  LIF,
  Linear,
  Module,
  meanOverTime,
  Sequential,
  surrogate,
  type Tensor,
} from "jarvis-snn";

const CLASSES = 10;
const SIDE = 28;

export interface EnergyOptions {
  /** Filters of the first and of the second convolution. */
  filters: readonly [number, number];
  timesteps: number;
}

/** The network of the demo. */
export const USUAL: EnergyOptions = { filters: [6, 24], timesteps: 4 };

/**
 * Two convolutions of 5 × 5 with stride 2, LIF neurons behind each, and a linear readout of the firing rates. Strides take the place of
 * pools, so that all inputs of the second convolution are spikes.
 */
export class EnergyNetwork extends Module {
  readonly features: Sequential;
  readonly fc: Linear;
  readonly timesteps: number;

  constructor({ filters, timesteps }: EnergyOptions) {
    super();
    const [first, second] = filters;
    const window = { stride: 2, padding: 2 };
    const neurons = () => new LIF({ beta: 0.5, reset: "subtract", surrogate: surrogate.fastSigmoid({ slope: 25 }) });
    this.features = new Sequential(
      ...[new Conv2d(1, first, 5, window), neurons()],
      ...[new Conv2d(first, second, 5, window), neurons()],
      new Flatten(2),
    );
    this.fc = new Linear((SIDE / 4) ** 2 * second, CLASSES);
    this.timesteps = timesteps;
  }

  /** Logits [B, 10] of images [B, 784], the mean of the readout over time. */
  forward(x: Tensor): Tensor {
    const images = x.reshape([x.shape[0] as number, 1, SIDE, SIDE]);
    return meanOverTime(this.fc.forward(this.features.forward(constantEncode(images, { timesteps: this.timesteps }))));
  }
}
