/** The training of the network of the figure, and how well it reads. */
import {
  Adam,
  crossEntropy,
  DataLoader,
  fit,
  Generator,
  lastMembrane,
  manualSeed,
  OneCycleLR,
  type Progress,
  rand,
} from "jarvis-snn";
import { quantize, quantizedWeights } from "jarvis-snn/quantize";
import type { Strokes } from "../../model/image.ts";
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
  { seed, epochs, limit }: Training,
  progress: (report: Progress) => void = () => {},
): Promise<Uint8Array> {
  manualSeed(seed);
  const network = quantize(new DigitNetwork(), { weights: { bits: 8 } });
  const optimizer = new Adam(network.parameters(), { lr: LR });
  const writing = new Writing(penDigits("train", limit), new Generator(seed));
  const loader = new DataLoader(writing, { batchSize: BATCH, shuffle: true, dropLast: true });
  const schedule = { maxLr: LR, epochs, stepsPerEpoch: loader.length, cycleMomentum: false };
  const scheduler = new OneCycleLR(optimizer, schedule);
  await fit(network, loader, {
    epochs,
    optimizer,
    loss: (membranes, y) => crossEntropy(lastMembrane(membranes), y),
    onBatch: () => scheduler.step(),
    progress,
  });
  return encodeWeights([quantizedWeights(network.hidden), quantizedWeights(network.head)]);
}

/** The digit that is read in each drawing. */
export function readAll(reader: Reader, drawings: readonly Strokes[]): number[] {
  const answers: number[] = [];
  for (let i = 0; i < drawings.length; i += READ) {
    answers.push(...reader.answers(drawings.slice(i, i + READ).map((strokes) => seen(strokes))));
  }
  return answers;
}

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
