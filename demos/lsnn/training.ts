/** Training of networks with memory, by backpropagation through time and by e-prop, and their errors. */
import {
  Adam,
  crossEntropy,
  disposeState,
  EProp,
  type EPropState,
  LinearLR,
  maximumRate,
  noGrad,
  silence,
  type Tensor,
  tape,
} from "jarvis-snn";
import { DT_MS, type Lsnn, NONE, type Trials } from "./network.ts";

/** Recalls that were answered, and those of them with the wrong class. */
export interface Count {
  wrong: number;
  recalls: number;
}

/**
 * Errors of an output [T, B, 2] in row-major order. Each run of steps that ask for an answer is a recall; the output with the greatest sum
 * over its steps is the network's answer.
 */
export function errorsOf(output: ArrayLike<number>, { answers, x }: Trials): Count {
  const [T, B] = x.shape as [number, number];
  const count = { wrong: 0, recalls: 0 };
  for (let b = 0; b < B; b++) {
    let margin = 0;
    for (let i = b; i < T * B; i += B) {
      const answer = answers[i] as number;
      if (answer === NONE) continue;
      margin += (output[2 * i + 1] as number) - (output[2 * i] as number);
      if (i + B < T * B && answers[i + B] !== NONE) continue;
      count.recalls++;
      if (margin > 0 !== (answer === 1)) count.wrong++;
      margin = 0;
    }
  }
  return count;
}

/** Trials in a batch of those that measure. */
const TEST_BATCH = 250;

/** The share of wrong answers in so many fresh trials. */
export function measure(model: Lsnn, count: number, draw: (batch: number) => Trials): number {
  const total = { wrong: 0, recalls: 0 };
  for (let left = count; left > 0; left -= TEST_BATCH) {
    const { wrong, recalls } = noGrad(() => {
      const trials = draw(Math.min(left, TEST_BATCH));
      return errorsOf(model.forward(trials.x).toFloat32Array(), trials);
    });
    total.wrong += wrong;
    total.recalls += recalls;
  }
  return total.wrong / total.recalls;
}

/** A training: the network, its trials and the rule. */
export interface MemoryTraining {
  model: Lsnn;
  /** Fresh trials for each iteration. */
  draw: (batch: number) => Trials;
  rule: "bptt" | "eprop";
  /** How e-prop brings the error to the neurons. */
  feedback: "symmetric" | "random";
  iterations: number;
  batchSize: number;
  /** The learning rate of Adam at the start, from where it falls to zero. */
  lr: number;
}

/** The report of an iteration. */
export interface IterationReport {
  /** From 1 on. */
  iteration: number;
  /** Cross-entropy of the steps that ask for an answer. */
  loss: number;
  /** The share of wrong answers before the weights are changed. */
  error: number;
  /** Mean firing rate of the recurrent neurons, in Hz. */
  rateHz: number;
  /** The learning rate of the next iteration. */
  lr: number;
}

/** Weight of the cost of firing rates, and the rate without a cost in spikes per step: 10 Hz. */
const RATE_COST = 1;
const RATE = 10 * (DT_MS / 1000);

/**
 * Trains by Adam with the cross-entropy of the readout in the steps that ask for an answer:
 *
 *   L = mean CE(y[t], class) + Σ_n (r_n − r₀)²          r_n: the rate of neuron n in spikes per step, r₀: 10 Hz
 *
 * "bptt" unrolls a trial and goes back through time. "eprop" runs forwards alone, step by step, without the cost of rates.
 */
export function trainMemory(training: MemoryTraining, onIteration?: (report: IterationReport) => void): void {
  const { model, draw, rule, feedback, iterations, batchSize, lr } = training;
  const optimizer = new Adam(model.parameters(), { lr });
  const scheduler = new LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters: iterations });
  const learn = rule === "bptt" ? byBptt(model) : byEProp(model, feedback);
  for (let iteration = 1; iteration <= iterations; iteration++) {
    optimizer.zeroGrad();
    const { loss, errors, rate } = learn(draw(batchSize));
    optimizer.step();
    scheduler.step();
    onIteration?.({
      iteration,
      loss,
      error: errors.wrong / errors.recalls,
      rateHz: (1000 * rate) / DT_MS,
      lr: optimizer.lr,
    });
  }
}

/** Adds the gradient of a batch to `grad`, and frees the batch. */
type Learn = (trials: Trials) => { loss: number; errors: Count; rate: number };

const byBptt =
  (model: Lsnn): Learn =>
  (trials) => {
    const result = tape(() => {
      const { spikes, output } = model.activity(trials.x);
      const loss = crossEntropy(output, trials.answers);
      const tooMuch = maximumRate(spikes, { maximum: RATE, lambda: RATE_COST });
      const tooLittle = silence(spikes, { minimum: RATE, lambda: RATE_COST });
      loss.add(tooMuch).add(tooLittle).backward();
      return { loss: loss.item(), errors: errorsOf(output.toFloat32Array(), trials), rate: spikes.mean().item() };
    });
    trials.x.dispose();
    return result;
  };

/** The mean of the steps' losses, as in "bptt", is a sum of losses of single steps, each divided by the number of answers of a batch. */
function byEProp(model: Lsnn, feedback: MemoryTraining["feedback"]): Learn {
  let asked = 1;
  const loss = (output: Tensor, answers: ArrayLike<number>) =>
    crossEntropy(output, answers, { reduction: "sum" }).mul(1 / asked);
  const rule = new EProp(model, { loss, feedback });
  return (trials) => {
    const { x, answers } = trials;
    const [T, B] = x.shape as [number, number];
    asked = answers.reduce((count, answer) => (answer === NONE ? count : count + 1), 0);
    const outputs = new Float32Array(T * B * 2);
    const total = { loss: 0, rate: 0 };
    let state: EPropState | undefined;
    for (let t = 0; t < T; t++) {
      const target = answers.subarray(t * B, (t + 1) * B);
      const isAsked = target.some((answer) => answer !== NONE);
      const step = rule.step(x.select(0, t), isAsked ? target : null, state);
      state = step.state;
      outputs.set(step.output.toFloat32Array(), t * B * 2);
      step.output.dispose();
      total.loss += step.loss ?? 0;
      const { spikes } = step.state.layers[0] as { readonly spikes: Tensor };
      total.rate += noGrad(() => spikes.mean().item()) / T;
    }
    const result = { ...total, errors: errorsOf(outputs, trials) };
    disposeState(state);
    x.dispose();
    return result;
  };
}
