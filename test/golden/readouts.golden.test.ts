/** The largest membrane over time where steps tie, as PyTorch's `max(0).values` and `amax(0)` differentiate it. */
import { crossEntropy, LeakyIntegrator, LIF, linear, maxMembrane, surrogate } from "jarvis-snn";
import { expect } from "vitest";
import { present } from "../support/close.ts";
import { type OpCase, opSuite } from "./op-suite.ts";

interface Attrs {
  readonly ties: "first" | "share";
  /** How many outputs have several largest steps. */
  readonly tied: number;
  readonly labels: readonly number[];
  readonly beta: number;
  readonly threshold: number;
  readonly slope: number;
}

const largest: OpCase = (inputs, attrs) => {
  const { ties, tied, labels, beta, threshold, slope } = attrs as unknown as Attrs;
  expect(tied).toBeGreaterThan(1);
  const lif = new LIF({ beta, threshold, surrogate: surrogate.fastSigmoid({ slope }) });
  const readout = new LeakyIntegrator({ beta });
  const [x, w1, w2] = ["x", "w1", "w2"].map((name) => present(inputs, name)) as [never, never, never];
  const membrane = readout.forward(linear(lif.forward(linear(x, w1)), w2));
  const values = maxMembrane(membrane, { ties });
  return { membrane, largest: values, loss: crossEntropy(values, labels) };
};

// A gradient that takes another path through the steps differs by half of its size.
const tolerance = {
  forward: { absolute: 2e-7, relative: 2e-7 },
  gradient: { absolute: 2e-7, relative: 1e-5 },
};

opSuite({ file: "torch/readouts", cases: { largest }, leftOut: {}, tolerance });
