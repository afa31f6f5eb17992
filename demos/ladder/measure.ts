/** The times of the rungs: they take turns, so that a machine that slows down favours none, and the median of their steps counts. */
import { DataLoader, Generator } from "jarvis-snn";
import { mnist } from "../mnist/data.ts";
import { type Batch, toyBatch } from "./batches.ts";
import { B, type Make, TOY, type Training } from "./rung.ts";
import * as threads from "./rungs/threads.ts";
import { RUNGS, type Rung } from "./rungs.ts";
import { LADDER, type RungName, type Words } from "./words.ts";

export type Network = "toy" | "tutorial5";

/** Milliseconds of a step by rung. */
export type Times = Partial<Record<RungName, number>>;

/** Steps of a turn that count: one before them, which does not, brings the rung's memory into the caches. */
const TURN = 4;

interface Runner {
  readonly name: RungName;
  readonly rung: Rung;
  readonly training: Training;
  readonly batch: Batch;
  /** A whole step takes as many times longer. */
  readonly factor: number;
  readonly times: number[];
}

export const allRungs: Readonly<Record<RungName, Rung>> = { ...RUNGS, threads };

function runnerOf(
  { name, part }: Words & { name: RungName },
  network: Network,
  seed: number,
  whole: Batch,
): Runner | null {
  const rung = allRungs[name];
  const make: Make | undefined = rung[network];
  if (make === undefined) return null;
  const batch = part === undefined ? whole : toyBatch(part.rows, new Generator(seed));
  const factor = part === undefined ? 1 : (B / part.rows) * (TOY.T / part.T);
  return { name, rung, training: make(seed, part), batch, factor, times: [] };
}

/** The first images of MNIST. */
export function mnistBatch(): Batch {
  const [batch] = new DataLoader(mnist("train", B), { batchSize: B });
  if (batch === undefined) throw new Error("ladder: expected images of MNIST, got none");
  return { x: batch.x.toFloat32Array(), y: Uint8Array.from(batch.y) };
}

/** The median milliseconds of a whole step of each rung that has this network, after `steps` steps that count, and what it has learned. */
export async function measure(
  network: Network,
  whole: Batch,
  seed: number,
  steps: number,
  progress: (done: number) => void = () => {},
): Promise<{ readonly times: Times; readonly trainings: Partial<Record<RungName, Training>> }> {
  const runners = LADDER.map((words) => runnerOf(words, network, seed, whole)).filter((runner) => runner !== null);
  for (let done = 0; done < steps; done += TURN) {
    for (const runner of runners) await takeTurn(runner, Math.min(TURN, steps - done));
    progress(Math.min(steps, done + TURN));
  }
  return {
    times: Object.fromEntries(runners.map(({ name, times, factor }) => [name, factor * median(times)])),
    trainings: Object.fromEntries(runners.map(({ name, training }) => [name, training])),
  };
}

async function takeTurn({ rung, training, batch, times }: Runner, steps: number): Promise<void> {
  await rung.enter?.();
  training.step(batch.x, batch.y);
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    training.step(batch.x, batch.y);
    times.push(performance.now() - start);
  }
  await rung.leave?.();
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] as number;
}

/** The rungs whose weights have the bits of the package. */
export function equalToPackage(trainings: Partial<Record<RungName, Training>>): RungName[] {
  const bitsOf = ({ weights }: Training) =>
    weights.map(({ data }) => new Uint32Array(Float32Array.from(data).buffer).join()).join();
  const { package: packaged } = trainings;
  if (packaged === undefined) return [];
  const bits = bitsOf(packaged);
  return Object.entries(trainings).flatMap(([name, training]) => (bitsOf(training) === bits ? [name as RungName] : []));
}
