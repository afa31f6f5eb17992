import {
  BatchNorm2d,
  Conv2d,
  Delay,
  Flatten,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  meanOverTime,
  noGrad,
  RecurrentLIF,
  rand,
  Sequential,
  surrogate,
  type Tensor,
  tensor,
} from "jarvis-snn";

export interface GestureOptions {
  /** Filters of the two convolutions. */
  filters: readonly [number, number];
  /** Recurrent neurons. */
  hidden: number;
  classes: number;
  /** Pixels of a side of the sensor, a multiple of 8. */
  side: number;
  /** Length of a step. */
  stepMs: number;
  /** Whether channels between the convolutions have delays; default true. */
  isDelayed?: boolean;
}

/** The network of the demo. */
export const USUAL = { filters: [12, 24], hidden: 128 } as const;

/** τ of the neurons behind convolutions. */
const TAU_MS = 60;
/** The bounds of τ of the recurrent neurons at the start. */
const SLOW_MS = [60, 1000] as const;
/** Delays of the channels between the convolutions. */
const DELAYS_MS = [0, 40, 80] as const;

/** exp(−Δt/τ), by the exponential of tensors, which has the same bits on every engine. */
const decayOf = (stepMs: number, tauMs: Tensor): Tensor => noGrad(() => tauMs.reciprocal().mul(-stepMs).exp());

/** n time constants between two, uniform in their logarithm. */
const tausBetween = ([fast, slow]: readonly [number, number], n: number): Tensor =>
  noGrad(() =>
    rand([n])
      .mul(tensor(slow / fast).log())
      .exp()
      .mul(fast),
  );

/**
 * Two convolutions of 5 × 5 with stride 2, batch normalisation and LIF neurons, a max pool, recurrent LIF neurons of different speed, and a
 * linear readout of their firing rates. Channels between the convolutions have different delays, so the second convolution gets the present
 * and earlier places of an edge in one step, and its filters can tell the direction of a movement.
 *
 * @see Hassenstein and Reichardt (1956), whose detectors of movement compare a delayed signal with the signal of a neighbouring place.
 */
export class GestureNetwork extends Module {
  readonly features: Sequential;
  readonly fc1: Linear;
  readonly recurrent: RecurrentLIF;
  readonly fc2: Linear;

  constructor({ filters, hidden, classes, side, stepMs, isDelayed = true }: GestureOptions) {
    super();
    const [first, second] = filters;
    const window = { stride: 2, padding: 2 };
    const beta = decayOf(stepMs, tensor(TAU_MS)).item();
    const neurons = () => new LIF({ beta, reset: "subtract", surrogate: surrogate.atan({ alpha: 2 }) });
    const delays = isDelayed ? DELAYS_MS : [0];
    const delayOf = (channel: number) => Math.round((delays[channel % delays.length] as number) / stepMs);
    this.features = new Sequential(
      ...[new Conv2d(2, first, 5, window), new BatchNorm2d(first), neurons()],
      new Delay(
        Array.from({ length: first }, (_, channel) => delayOf(channel)),
        { axis: -3 },
      ),
      ...[new Conv2d(first, second, 5, window), new BatchNorm2d(second), neurons()],
      ...[new MaxPool2d(2), new Flatten(2)],
    );
    this.fc1 = new Linear((side / 8) ** 2 * second, hidden);
    this.recurrent = new RecurrentLIF({
      features: hidden,
      beta: decayOf(stepMs, tausBetween(SLOW_MS, hidden)),
      learnBeta: true,
      reset: "subtract",
      surrogate: surrogate.atan({ alpha: 2 }),
    });
    this.fc2 = new Linear(hidden, classes);
  }

  /** Logits [B, K] of spikes [T, B, 2, H, W]. */
  forward(x: Tensor): Tensor {
    return this.fc2.forward(meanOverTime(this.recurrent.forward(this.fc1.forward(this.features.forward(x)))));
  }
}
