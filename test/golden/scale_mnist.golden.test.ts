/**
 * snnTorch's tutorial 5 at full size: twenty Adam steps of 784-1000-10 on MNIST from given weights.
 *
 * The golden holds the same computation under different rounding (threads, hoisting, float64). Once a spike near the threshold
 * flips, runs part: what is computed here must lie within the spread of those runs, widened by a tolerance that grows with
 * the steps.
 */
import {
  Adam,
  constantEncode,
  DataLoader,
  type LIF,
  type Linear,
  noGrad,
  spikeCount,
  type Tensor,
  tape,
} from "jarvis-snn";
import { expect } from "vitest";
import { mnist } from "../../demos/mnist/data.ts";
import { MnistNetwork, membraneLoss } from "../../demos/mnist/network.ts";
import { observe } from "../support/conformance.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

const BATCH = 128;
const TIMESTEPS = 25;
const LEARNING_RATE = 5e-4;
const HIDDEN = 1000;
const INPUTS = 784;

type ByParameter = Readonly<Record<string, number>>;

interface Step {
  readonly loss: number;
  readonly hidden_spikes: number;
  readonly output_spikes: number;
  readonly correct_by_spike_count: number;
  /** Before the step. */
  readonly grad_norms: ByParameter;
}

interface Run {
  readonly steps: readonly Step[];
  /** [Σ w, Σ |w|] after the last step. */
  readonly final_weight_sums: Readonly<Record<string, readonly [number, number]>>;
}

interface Content {
  readonly runs: readonly Run[];
}

/** n numbers in [−1/√fanIn, 1/√fanIn) from a linear congruential generator. */
function lcg(n: number, seed: number, fanIn: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(1664525, state) + 1013904223) >>> 0;
    return ((2 * state) / 2 ** 32 - 1) / Math.sqrt(fanIn);
  });
}

/** The parameters by the golden's names, filled with the given start. */
function initialised(network: MnistNetwork): Record<string, Tensor> {
  const parameters: Record<string, Tensor> = {};
  network.linears.forEach((linear: Linear, i) => {
    const { weight, bias, inFeatures } = linear;
    weight.copyFrom(lcg(weight.size, 2 * i + 1, inFeatures));
    (bias as Tensor).copyFrom(lcg((bias as Tensor).size, 2 * i + 2, inFeatures));
    parameters[`fc${i + 1}.weight`] = weight;
    parameters[`fc${i + 1}.bias`] = bias as Tensor;
  });
  return parameters;
}

function norm({ data }: Tensor): number {
  return Math.sqrt(data.reduce((total, g) => total + g * g, 0));
}

function correct(counts: Tensor, labels: ArrayLike<number>): number {
  const classes = counts.argmax({ axis: -1 }).data;
  return classes.reduce((total, c, i) => total + (c === labels[i] ? 1 : 0), 0);
}

/** The same twenty steps here. */
function train(steps: number): Run {
  const network = new MnistNetwork(INPUTS, HIDDEN, 1);
  const parameters = initialised(network);
  const entries = Object.entries(parameters);
  const optimizer = new Adam(network.parameters(), { lr: LEARNING_RATE });
  const done: Step[] = [];
  for (const { x, y } of new DataLoader(mnist("train", steps * BATCH), { batchSize: BATCH })) {
    const labels = y as Int32Array;
    done.push(
      tape(() => {
        const input = constantEncode(x, { timesteps: TIMESTEPS });
        const { spikes, membrane } = network.unroll(input);
        const loss = membraneLoss(membrane, labels);
        optimizer.zeroGrad();
        loss.backward();
        return {
          loss: loss.item(),
          hidden_spikes: noGrad(() => hiddenSpikes(network, input)),
          output_spikes: spikes.sum().item(),
          correct_by_spike_count: correct(spikeCount(spikes), labels),
          grad_norms: Object.fromEntries(entries.map(([name, p]) => [name, norm(p.grad as Tensor)])),
        };
      }),
    );
    optimizer.step();
  }
  const sums = entries.map(([name, { data }]) => [
    name,
    [data.reduce((total, w) => total + w, 0), data.reduce((total, w) => total + Math.abs(w), 0)],
  ]);
  return { steps: done, final_weight_sums: Object.fromEntries(sums) };
}

function hiddenSpikes(network: MnistNetwork, input: Tensor): number {
  return (network.neurons[0] as LIF)
    .forward((network.linears[0] as Linear).forward(input))
    .sum()
    .item();
}

/** Before any spike has flipped, only rounding differs. */
const ROUNDING = 1e-5;
const EXACT_STEPS = 2;

/**
 * How far runs are apart after twenty steps, relatively. Measured on twelve runs whose first weights differed by 1e-7 of
 * their size: as much as these lay apart, a run may lie outside the few runs of the golden.
 */
const PARTED = { loss: 4e-3, hidden_spikes: 5e-4, output_spikes: 3e-3, grad_norms: 1e-2 } as const;

/** The tolerance in a step: it grows evenly after the first steps. */
function toleranceAt(step: number, parted: number): number {
  return step < EXACT_STEPS ? ROUNDING : (parted * (step + 1 - EXACT_STEPS)) / (20 - EXACT_STEPS);
}

/** Fails unless min − slack ≤ got ≤ max + slack over the peers' values. */
function expectWithin(where: string, got: number, peers: readonly number[], slack: number): void {
  const outside = Math.max(0, got - Math.max(...peers), Math.min(...peers) - got);
  observe({ kind: "outputs", deviation: outside / Math.max(...peers.map(Math.abs)) });
  const low = Math.min(...peers) - slack;
  const high = Math.max(...peers) + slack;
  if (!(got >= low && got <= high)) expect.fail(`${where}: got ${got}, expected [${low}, ${high}]`);
}

function compareSteps(run: Run, { runs }: Content): void {
  run.steps.forEach((step, i) => {
    const peers = runs.map((peer) => peer.steps[i] as Step);
    const check = (what: string, read: (step: Step) => number, parted: number): void => {
      const values = peers.map(read);
      expectWithin(`step ${i}: ${what}`, read(step), values, toleranceAt(i, parted) * Math.max(...values));
    };
    for (const name of ["loss", "hidden_spikes", "output_spikes"] as const) check(name, (s) => s[name], PARTED[name]);
    for (const name of Object.keys((peers[0] as Step).grad_norms)) {
      check(`gradient norm of ${name}`, (s) => s.grad_norms[name] as number, PARTED.grad_norms);
    }
    // One sample whose two best classes have the same number of spikes.
    const slack = i < EXACT_STEPS ? 0 : 1;
    expectWithin(
      `step ${i}: correct`,
      step.correct_by_spike_count,
      peers.map((s) => s.correct_by_spike_count),
      slack,
    );
  });
}

/** The sums of twenty steps of size 5e-4, in which single weights differ. */
const WEIGHT_SUMS = 2e-4;

function compareWeights(run: Run, { runs }: Content): void {
  for (const [name, [sum, absolute]] of Object.entries(run.final_weight_sums)) {
    const peers = runs.map((peer) => peer.final_weight_sums[name] as readonly [number, number]);
    const slack = WEIGHT_SUMS * Math.max(...peers.map(([, size]) => size));
    expectWithin(
      `Σ ${name}`,
      sum,
      peers.map(([value]) => value),
      slack,
    );
    expectWithin(
      `Σ |${name}|`,
      absolute,
      peers.map(([, size]) => size),
      slack,
    );
  }
}

goldenSuite<Content, NamedEntry>({
  file: "snntorch/scale_mnist_20steps",
  entries: () => [{ name: "twenty steps, beyond the spread of the peer's runs" }],
  reads: ["runs"],
  leftOut: {},
  run(_entry, content) {
    const run = train((content.runs[0] as Run).steps.length);
    compareSteps(run, content);
    compareWeights(run, content);
  },
});
