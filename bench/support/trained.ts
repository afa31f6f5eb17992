/** Networks of the rows of training, which tests compare peers with. */
import {
  Conv2d,
  Flatten,
  LIF,
  Linear,
  MaxPool2d,
  Module,
  RecurrentLIF,
  Sequential,
  type Surrogate,
  surrogate,
  type Tensor,
} from "jarvis-snn";
import { leaky } from "./training.ts";

/** 20-64-2. */
export const smallNetwork = (): Sequential =>
  new Sequential(new Linear(20, 64), new LIF(leaky(0.9)), new Linear(64, 2), new LIF(leaky(0.9)));

/** 700-256-20, whose hidden neurons are recurrent. */
export class RecurrentNetwork extends Module {
  readonly fc1: Linear;
  readonly hidden: RecurrentLIF;
  readonly fc2: Linear;
  readonly out: LIF;

  constructor(spike?: Surrogate) {
    super();
    this.fc1 = new Linear(700, 256);
    this.hidden = new RecurrentLIF({ features: 256, ...leaky(0.95, spike) });
    this.fc2 = new Linear(256, 20);
    this.out = new LIF(leaky(0.95));
  }

  /** The membrane of the output neurons, [T, B, K]. */
  forward(x: Tensor): Tensor {
    return this.out.unroll(this.fc2.forward(this.hidden.forward(this.fc1.forward(x)))).membrane;
  }
}

/** 12C5-MP2-64C5-MP2-10. */
export function convNetwork(): Sequential {
  const neurons = () => new LIF({ ...leaky(0.5), surrogate: surrogate.fastSigmoid({ slope: 25 }) });
  return new Sequential(
    ...[new Conv2d(1, 12, 5), new MaxPool2d(2), neurons()],
    ...[new Conv2d(12, 64, 5), new MaxPool2d(2), neurons()],
    ...[new Flatten(2), new Linear(1024, 10), neurons()],
  );
}
