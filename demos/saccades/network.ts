import {
  BatchNorm2d,
  Conv2d,
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
/** The time constant of the membranes, in ms, whatever the length of a time bin. */
const TAU_MS = 100;

export interface SaccadesOptions {
  /** Filters of the first and of the second convolution. */
  filters: readonly [number, number];
  /** Milliseconds of a time bin, which is a time step of the network. */
  binMs: number;
}

/** The network of the demo. */
export const USUAL: SaccadesOptions = { filters: [12, 32], binMs: 30 };

/**
 * 12C5-MP2-LIF, 32C5-MP2-LIF, linear: the input has spikes of both polarities, and the first convolution adds up the weights of these
 * spikes alone. Batch normalisation over batch and time behind each pool makes neurons fire at useful rates from the first step on. The
 * linear layer reads the classes from the firing rates of the last neurons.
 */
export class SaccadesNetwork extends Module {
  readonly features: Sequential;
  readonly fc: Linear;

  constructor({ filters, binMs }: SaccadesOptions) {
    super();
    const [first, second] = filters;
    const neurons = () =>
      new LIF({ tau: TAU_MS, dt: binMs, reset: "subtract", surrogate: surrogate.atan({ alpha: 2 }) });
    this.features = new Sequential(
      ...[new Conv2d(2, first, 5), new MaxPool2d(2), new BatchNorm2d(first), neurons()],
      ...[new Conv2d(first, second, 5), new MaxPool2d(2), new BatchNorm2d(second), neurons()],
      new Flatten(2),
    );
    this.fc = new Linear(25 * second, CLASSES);
  }

  /** Logits [B, 10] of spikes [T, B, 2, 34, 34]. */
  forward(x: Tensor): Tensor {
    return this.fc.forward(meanOverTime(this.features.forward(x)));
  }
}
