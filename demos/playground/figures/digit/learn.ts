/** The training of the network of the figure, and how well it reads. */
import {
  Adam,
  crossEntropy,
  DataLoader,
  fit,
  Generator,
  lastMembrane,
  type Module,
  manualSeed,
  OneCycleLR,
  type Progress,
  rand,
  type Tensor,
} from "jarvis-snn";
import { quantize, quantizedWeights } from "jarvis-snn/quantize";
import { leaderOf } from "../../model/decision.ts";
import type { Strokes } from "../../model/image.ts";
import { digitsOf } from "./doubt.ts";
import { seen } from "./ink.ts";
import { DigitNetwork, type Reader } from "./net.ts";
import { type PenDigits, penDigits, strokesOf, Writing } from "./pen-digits.ts";
import { encodeWeights } from "./weights.ts";

const BATCH = 128;
const LR = 1e-2;
/** Pictures that are read at once. */
const READ = 500;

export interface Training {
  readonly seed: number;
  readonly epochs: number;
  /** Digits to learn from, 0 for all of MNIST's training set. */
  readonly limit: number;
}

/** Trains a network whose weights are rounded to a byte in each pass, and returns its weights as bytes. */
export async function learn(
  { limit, ...training }: Training,
  progress: (report: Progress) => void = () => {},
): Promise<Uint8Array> {
  const network = await trained(
    { make: () => new DigitNetwork(), scoresOf: lastMembrane },
    penDigits("train", limit),
    training,
    progress,
  );
  return encodeWeights([quantizedWeights(network.hidden), quantizedWeights(network.head)]);
}

/** A network that is yet to be made, and how its output becomes the scores of the digits. */
export interface Untrained<N extends Module> {
  make(): N;
  scoresOf(output: Tensor): Tensor;
}

/** The training behind {@link learn}, for any network of pictures [B, 196]. */
export async function trained<N extends Module>(
  { make, scoresOf }: Untrained<N>,
  digits: PenDigits,
  { seed, epochs }: Omit<Training, "limit">,
  progress: (report: Progress) => void = () => {},
): Promise<N> {
  manualSeed(seed);
  const network = quantize(make(), { weights: { bits: 8 } });
  const optimizer = new Adam(network.parameters(), { lr: LR });
  const writing = new Writing(digits, new Generator(seed));
  const loader = new DataLoader(writing, { batchSize: BATCH, shuffle: true, dropLast: true });
  const schedule = { maxLr: LR, epochs, stepsPerEpoch: loader.length, cycleMomentum: false };
  const scheduler = new OneCycleLR(optimizer, schedule);
  await fit(network, loader, {
    epochs,
    optimizer,
    loss: (output, y) => crossEntropy(scoresOf(output), y),
    onBatch: () => scheduler.step(),
    progress,
  });
  return network;
}

function scoresOf(reader: Reader, drawings: readonly Strokes[]): Float32Array[] {
  const scores: Float32Array[] = [];
  for (let i = 0; i < drawings.length; i += READ) {
    scores.push(...reader.scores(drawings.slice(i, i + READ).map((strokes) => seen(strokes))));
  }
  return scores;
}

/** The digit with the largest membrane for each drawing; −1 where nothing fires. */
export const readAll = (reader: Reader, drawings: readonly Strokes[]): number[] =>
  scoresOf(reader, drawings).map(leaderOf);

/** Whether the network is sure of each drawing. */
export const sureOf = (reader: Reader, drawings: readonly Strokes[]): boolean[] =>
  scoresOf(reader, drawings).map((scores, i) => digitsOf(scores, drawings[i] as Strokes).length === 1);

export const shareRight = (answers: readonly number[], labels: ArrayLike<number>): number =>
  answers.filter((answer, i) => answer === labels[i]).length / answers.length;

/** The pixels of a side of MNIST's pictures. */
const SIDE = 28;

/** The strokes of digits, each at some place of a pad, and some size between a quarter of the pad and all of it. */
export function scattered({ skeletons }: PenDigits, seed: number): Strokes[] {
  const chances = rand([3 * skeletons.length], { generator: new Generator(seed) }).toFloat32Array();
  return skeletons.map((skeleton, i) => {
    const chance = (k: number): number => chances[3 * i + k] as number;
    const size = 0.25 + 0.75 * chance(0);
    const [left, top] = [(1 - size) * chance(1), (1 - size) * chance(2)];
    return strokesOf(skeleton).map((points) =>
      points.map(([x, y]) => [left + (size * x) / SIDE, top + (size * y) / SIDE] as const),
    );
  });
}
