/** LIF over arrays that no cache holds: forward against a textbook step, backward as a share of the memory bandwidth. */
import { warmup } from "jarvis-snn";
import { alloc, kernels, kinds, LIF_DESCRIPTOR_BYTES, type LIFDescriptor, lifDescriptor } from "jarvis-snn/kernels";
import { block, uniforms } from "./support/blocks.ts";
import { calls, interleave } from "./support/interleave.ts";
import { probes } from "./support/probes.ts";
import { type Measured, report } from "./support/report.ts";

const ROUNDS = 15;
const T = 25;
/** Neurons, and neuron-steps: 51 MB an array. */
const N = 256 * 2000;
const SIZE = T * N;
const ATAN = { kind: kinds.ATAN, slope: 2 };
const SIGMOID = { kind: kinds.SIGMOID, slope: 10 };

const random = uniforms(1);
const beta = block(1, () => 0.95);
const theta = block(1, () => 1);
const current = block(SIZE, () => random() / 4);
const over = block(SIZE);
const membrane = block(SIZE);
const spikes = block(SIZE);
const gradient = block(SIZE, () => random() - 0.5);
const work = block(SIZE);
const state = block(N);
/** Reset by subtraction, at once; fires at u ≥ θ. */
const layer = { T, rows: 1, n: N, beta, threshold: theta, reset: kinds.SUBTRACT };
const descriptor = alloc(LIF_DESCRIPTOR_BYTES);
const described = (run: Omit<LIFDescriptor, keyof typeof layer>) => lifDescriptor(descriptor, { ...layer, ...run });

/** The steps of u are `stepU` apart: 0 where only the last one is kept. The bits lie where the textbook has numbers. */
function forward(u: number, stepU: number, input = current): void {
  kernels.lifForward(described({ u, stepU, spikes, current: input }));
}

function textbook(): void {
  kernels.fill(state, N, 0);
  for (let t = 0; t < T; t++) {
    const at = 4 * t * N;
    probes.lifStep(membrane + at, spikes + at, state, current + at, N, 0.95, 1);
  }
}

/** From ∂L/∂s to ∂L/∂I, in place. */
function backward(surrogate: { readonly kind: number; readonly slope: number }): void {
  kernels.lifBackward(described({ u: membrane, ...surrogate, dSpikes: work, dU: work }));
}

/** Backward ends where it began: with the gradient of the spikes. */
const prepare = (): void => kernels.copy(work, gradient, SIZE);

warmup();
const run = await interleave(
  [
    calls("textbook step", textbook),
    calls("copy", () => kernels.copy(work, current, SIZE)),
    calls("forward", () => forward(membrane, N)),
    calls("forwardOver", () => forward(over, N, over), { prepare: () => kernels.copy(over, current, SIZE) }),
    calls("forwardLast", () => forward(state, 0)),
    calls("triad", () => probes.triad(work, current, gradient, SIZE)),
    calls("backward", () => backward(ATAN), { prepare }),
    calls("backwardSigmoid", () => backward(SIGMOID), { prepare }),
  ],
  ROUNDS,
);

/** What another takes, divided by what we take. Backward reads two arrays and writes one, as the triad does. */
const against = (other: string, name: string): Measured => ({
  value: run.ratio(other, name),
  times: run.medians(name, other),
});

report({
  forward: against("textbook step", "forward"),
  forwardCopy: against("copy", "forward"),
  forwardOver: against("textbook step", "forwardOver"),
  forwardLast: against("textbook step", "forwardLast"),
  backward: against("triad", "backward"),
  backwardSigmoid: against("triad", "backwardSigmoid"),
});
