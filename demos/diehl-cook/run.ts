/** Learning from images shown once, labels for the neurons, and the accuracy. */
import { Generator, noGrad } from "jarvis-snn";
import type { Samples } from "../training.ts";
import { type DigitNetwork, sumOf } from "./network.ts";
import { Votes } from "./votes.ts";

/** Images between two reports. */
const WINDOW = 5000;
/** Images that are shown at a time where nothing is learned. */
const SHOWN = 500;

export interface WindowReport {
  readonly done: number;
  /** By the votes of the window before, for the images of this one as they were learned; of the first by those of its own images so far. */
  readonly accuracy: number;
  /** Spikes that an image caused. */
  readonly spikes: number;
}

export interface LearnCallbacks {
  readonly onImage?: (done: number) => void;
  readonly onWindow?: (report: WindowReport) => void;
}

/** Shows `count` of the samples in random order, each once. Returns their indices. Labels serve the reports alone. */
export function learnDigits(
  network: DigitNetwork,
  samples: Samples,
  count: number,
  callbacks: LearnCallbacks = {},
): number[] {
  const { neurons, seed } = network.settings;
  const order = Array.from(new Generator(seed).permutation(samples.length)).slice(0, count);
  const window = Math.min(WINDOW, Math.max(1, Math.floor(count / 4)));
  let now = new Votes(neurons);
  let before = now;
  let [right, spikes] = [0, 0];
  order.forEach((index, i) => {
    const { x } = noGrad(() => samples.batch([index]));
    const counts = network.learn(x);
    x.dispose();
    const label = samples.y[index] as number;
    right += Number(before.weighted(counts) === label);
    spikes += sumOf(counts);
    now.add(counts, label);
    callbacks.onImage?.(i + 1);
    if ((i + 1) % window !== 0) return;
    callbacks.onWindow?.({ done: i + 1, accuracy: right / window, spikes: spikes / window });
    [before, now, right, spikes] = [now, new Votes(neurons), 0, 0];
  });
  return order;
}

/** Shares of right answers, by both ways to count votes. */
export interface Accuracies {
  readonly assigned: number;
  readonly weighted: number;
}

/** The accuracy on `test`, with votes from the samples of `train` with these indices; weights stay as they are. */
export function measureDigits(
  network: DigitNetwork,
  train: Samples,
  labelled: readonly number[],
  test: Samples,
  onImage: (done: number, total: number) => void = () => {},
): Accuracies {
  const total = labelled.length + test.length;
  const votes = new Votes(network.settings.neurons);
  let done = 0;
  const respond = (
    samples: Samples,
    indices: readonly number[],
    each: (counts: Float32Array, label: number) => void,
  ) => {
    for (let from = 0; from < indices.length; from += SHOWN) {
      const chosen = indices.slice(from, from + SHOWN);
      const { x } = noGrad(() => samples.batch(chosen));
      const counts = network.respond(x);
      x.dispose();
      const { neurons } = network.settings;
      for (const [i, index] of chosen.entries()) {
        each(counts.subarray(i * neurons, (i + 1) * neurons), samples.y[index] as number);
      }
      done += chosen.length;
      onImage(done, total);
    }
  };
  respond(train, labelled, (counts, label) => votes.add(counts, label));
  const right = { assigned: 0, weighted: 0 };
  respond(
    test,
    Array.from({ length: test.length }, (_, i) => i),
    (counts, label) => {
      right.assigned += Number(votes.assigned(counts) === label);
      right.weighted += Number(votes.weighted(counts) === label);
    },
  );
  return { assigned: right.assigned / test.length, weighted: right.weighted / test.length };
}
