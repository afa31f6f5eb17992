import { LeakyIntegrator, Linear, lastMembrane, Module, RecurrentLIF, rand, surrogate, type Tensor } from "jarvis-snn";
import { INPUTS } from "./data.ts";

const CLASSES = 2;

/**
 * Two recurrent layers of LIF neurons and a leaky integrator, whose last membrane is the answer. Every neuron has a decay and a
 * threshold of its own, drawn at the start and learned from there: slow neurons keep a bit, and quick ones notice the next.
 */
export class SequenceNetwork extends Module {
  readonly fc1: Linear;
  readonly recurrent1: RecurrentLIF;
  readonly fc2: Linear;
  readonly recurrent2: RecurrentLIF;
  readonly fc3: Linear;
  readonly readout: LeakyIntegrator;

  constructor(hidden: number) {
    super();
    this.fc1 = new Linear(INPUTS, hidden);
    this.recurrent1 = recurrent(hidden);
    this.fc2 = new Linear(hidden, hidden);
    this.recurrent2 = recurrent(hidden);
    this.fc3 = new Linear(hidden, CLASSES);
    this.readout = new LeakyIntegrator({ beta: 0.9, learnBeta: true });
  }

  /** Logits [B, 2] of spikes [B, T, 8]. */
  forward(x: Tensor): Tensor {
    return lastMembrane(this.activity(x).membrane);
  }

  /** Spikes [T, B, N] of both layers, and the membrane [T, B, 2] of the readout. */
  activity(x: Tensor): { first: Tensor; second: Tensor; membrane: Tensor } {
    const first = this.recurrent1.forward(this.fc1.forward(x.transpose(0, 1)));
    const second = this.recurrent2.forward(this.fc2.forward(first));
    return { first, second, membrane: this.readout.forward(this.fc3.forward(second)) };
  }
}

/** Decays from 0.9 to 1, thresholds from 0.5 to 1. */
const recurrent = (features: number): RecurrentLIF =>
  new RecurrentLIF({
    features,
    beta: rand([features]).mul(0.1).add(0.9),
    threshold: rand([features]).mul(0.5).add(0.5),
    learnBeta: true,
    learnThreshold: true,
    reset: "subtract",
    surrogate: surrogate.fastSigmoid({ slope: 10 }),
  });
