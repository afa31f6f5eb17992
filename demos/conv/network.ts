import {
  Conv2d,
  constantEncode,
  Flatten,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  meanOverTime,
  Sequential,
  surrogate,
  type Tensor,
} from "jarvis-snn";

const CLASSES = 10;
const SIDE = 28;

export interface ConvOptions {
  /** Filters of the first and of the second convolution. */
  filters: readonly [number, number];
  timesteps: number;
}

/** The network of snnTorch's tutorial 6. */
export const TUTORIAL: ConvOptions = { filters: [12, 64], timesteps: 25 };

/**
 * 12C5-MP2-LIF, 64C5-MP2-LIF, linear: the layers of snnTorch's tutorial 6. The pixels are a constant current, so the first
 * convolution and its pool run once for all time steps. In place of the tutorial's ten output neurons the classes are read
 * from the firing rates of the 1024 neurons before them: the mean of the linear outputs over time is the linear output of the mean.
 */
export class ConvNetwork extends Module {
  readonly features: Sequential;
  readonly fc: Linear;
  readonly timesteps: number;

  constructor({ filters, timesteps }: ConvOptions) {
    super();
    const [first, second] = filters;
    const neurons = () => new LIF({ beta: 0.5, reset: "subtract", surrogate: surrogate.fastSigmoid({ slope: 25 }) });
    this.features = new Sequential(
      ...[new Conv2d(1, first, 5), new MaxPool2d(2), neurons()],
      ...[new Conv2d(first, second, 5), new MaxPool2d(2), neurons()],
      new Flatten(2),
    );
    this.fc = new Linear(16 * second, CLASSES);
    this.timesteps = timesteps;
  }

  /** Logits [B, 10] of images [B, 784]. */
  forward(x: Tensor): Tensor {
    return this.fc.forward(meanOverTime(this.spikes(x)));
  }

  /** Spikes of the second layer, [T, B, 16·filters]. */
  spikes(x: Tensor): Tensor {
    const images = x.reshape([x.shape[0] as number, 1, SIDE, SIDE]);
    return this.features.forward(constantEncode(images, { timesteps: this.timesteps }));
  }
}
