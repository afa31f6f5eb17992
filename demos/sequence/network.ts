import {
  LeakyIntegrator,
  Linear,
  lastMembrane,
  Module,
  RecurrentLIF,
  rand,
  Sequential,
  surrogate,
  type Tensor,
} from "jarvis-snn";
import { INPUTS } from "./data.ts";

const CLASSES = 2;

/**
 * Two recurrent layers of LIF neurons and a leaky integrator, whose last membrane is the answer. Every neuron has a decay and a
 * threshold of its own, drawn at the start and learned from there: slow neurons keep a bit, and quick ones notice the next.
 */
export class SequenceNetwork extends Module {
  readonly layers: Sequential;
  readonly fc: Linear;
  readonly readout: LeakyIntegrator;

  constructor(hidden: number) {
    super();
    this.layers = new Sequential(
      ...[new Linear(INPUTS, hidden), recurrent(hidden)],
      ...[new Linear(hidden, hidden), recurrent(hidden)],
    );
    this.fc = new Linear(hidden, CLASSES);
    this.readout = new LeakyIntegrator({ beta: 0.9, learnBeta: true });
  }

  /** Logits [B, 2] of spikes [B, T, 8]. */
  forward(x: Tensor): Tensor {
    const spikes = this.layers.forward(x.transpose(0, 1));
    return lastMembrane(this.readout.forward(this.fc.forward(spikes)));
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
