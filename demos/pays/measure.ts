/** Measures a case: accuracies and energies, means over seeds, and times on this CPU. */
import { DataLoader, noGrad, tensor } from "jarvis-snn";
import { leaderOf } from "../playground/model/decision.ts";
import { nanojoules, type Operations, operationsOf } from "./energy.ts";
import type { Case, Trained } from "./networks.ts";

/** Test samples that run at once. */
const BATCH = 250;

/** Means over seeds. */
export interface Outcome {
  readonly name: string;
  readonly parameters: number;
  readonly accuracies: readonly number[];
  readonly accuracy: number;
  readonly spikes: boolean;
  /** Operations: a dense network computes all products, a spiking one those of its spikes. */
  readonly operations: Operations;
  readonly nJ: number;
  /** The energy if a dense network skipped zeros; that of a spiking network again. */
  readonly nJSkipping: number;
  /** The network of the last seed. */
  readonly last: Trained;
}

/** Share of test samples whose class leads. */
export function accuracyOf({ model, encode, scoresOf, test }: Trained): number {
  let right = 0;
  for (const { x, y } of new DataLoader(test, { batchSize: BATCH })) {
    const labels = y as Int32Array;
    const scores = noGrad(() => scoresOf(model.forward(encode(x))).toFloat32Array());
    const classes = scores.length / labels.length;
    right += labels.filter((label, i) => leaderOf(scores.subarray(i * classes, (i + 1) * classes)) === label).length;
  }
  return right / test.length;
}

/** Trains a network of a case with each seed. */
export async function outcomeOf(
  { name, train }: Case["networks"][number],
  seeds: readonly number[],
  onSeed: () => void = () => {},
): Promise<Outcome> {
  const runs: { network: Trained; accuracy: number; counts: ReturnType<typeof operationsOf> }[] = [];
  for (const seed of seeds) {
    const network = await train(seed);
    network.model.eval();
    const counts = operationsOf(network, new DataLoader(network.test, { batchSize: BATCH }));
    runs.push({ network, accuracy: accuracyOf(network), counts });
    onSeed();
  }
  const { network: last } = runs.at(-1) as (typeof runs)[number];
  const spikes = last.timesteps > 1;
  const operations = meanOf(runs.map(({ counts }) => (spikes ? counts.counted : counts.full)));
  const accuracies = runs.map(({ accuracy }) => accuracy);
  return {
    ...{ name, accuracies, spikes, operations, last },
    parameters: last.model.parameters().reduce((sum, { size }) => sum + size, 0),
    accuracy: mean(accuracies),
    nJ: nanojoules(operations),
    nJSkipping: nanojoules(meanOf(runs.map(({ counts }) => counts.counted))),
  };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meanOf(all: readonly Operations[]): Operations {
  const of = (name: keyof Operations) => mean(all.map((operations) => operations[name]));
  return { macs: of("macs"), acs: of("acs"), updates: of("updates"), biases: of("biases") };
}

/** Rounds of a time, and samples of a round. */
const [ROUNDS, SAMPLES] = [21, 100];

/** CPU microseconds of one sample alone, for each network: medians of rounds in which the networks take turns. */
export function microseconds(networks: readonly Trained[]): number[] {
  const turns = networks.map(({ model, encode, scoresOf, test }) => {
    const { x } = test.batch(Array.from({ length: Math.min(SAMPLES, test.length) }, (_, i) => i));
    const [count = 0, features = 0] = x.sizes;
    const values = x.toFloat32Array();
    const samples = Array.from({ length: count }, (_, i) => values.subarray(i * features, (i + 1) * features));
    return () => {
      const start = process.cpuUsage();
      for (const sample of samples) {
        noGrad(() => scoresOf(model.forward(encode(tensor(sample, { shape: [1, features] })))).toFloat32Array());
      }
      const { user, system } = process.cpuUsage(start);
      return (user + system) / count;
    };
  });
  const times = turns.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) for (const [i, turn] of turns.entries()) times[i]?.push(turn());
  return times.map((all) => all.sort((a, b) => a - b)[ROUNDS >> 1] as number);
}
