/** The course of a training, as the page hears of it from the program, and the ten digits that it shows. */
import type { BatchReport, EpochReport, Progress } from "jarvis-snn";
import { percent } from "../../draw/numbers.ts";
import { parseDigits } from "../../model/digits.ts";

/** The reports of the program, by their kind. */
export type News =
  | ({ readonly kind: "batch" } & BatchReport)
  | ({ readonly kind: "progress" } & Progress)
  | ({ readonly kind: "epoch"; readonly answers: Float32Array } & EpochReport);

/** Batches of the program's training, before it tells them. */
const BATCHES = 600;

export class Course {
  /** The loss of each batch. */
  readonly losses: number[] = [];
  /** The accuracy on the test digits behind each epoch, at the number of its last batch. */
  readonly accuracies: { readonly batch: number; readonly accuracy: number }[] = [];
  /** The classes of the ten digits, by the network of the last epoch. */
  answers: Float32Array | null = null;
  progress: Progress | null = null;

  note(news: News): void {
    if (news.kind === "batch") this.losses.push(news.loss);
    else if (news.kind === "progress") this.progress = news;
    else {
      this.answers = news.answers;
      this.accuracies.push({ batch: this.losses.length, accuracy: news.validation as number });
    }
  }

  /** Batches of the whole training. */
  get batches(): number {
    const { progress } = this;
    return progress === null ? BATCHES : progress.epochs * (progress.batches as number);
  }
}

export const COUNT = 10;

/** A digit of the test: its pixels in [0, 1], and what it is. */
export interface Digit {
  readonly image: Float32Array;
  readonly label: number;
}

/** The first ten digits of the test. */
export function tenOf(file: ArrayBuffer): Digit[] {
  const { side, test } = parseDigits(new Uint8Array(file));
  const size = side * side;
  return Array.from({ length: COUNT }, (_, i) => ({
    image: Float32Array.from(test.x.subarray(i * size, (i + 1) * size), (value) => value / 255),
    label: test.y[i] as number,
  }));
}

const seconds = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} s`;

/** Time passed and time left, by the progress of `fit`. */
export function timeOf({ epoch, epochs, seconds: passed, secondsLeft }: Progress): string {
  return `epoch ${epoch} of ${epochs} · ${seconds(passed)} passed · ${seconds(secondsLeft)} left`;
}

/** The last accuracy, and how many of the ten are right. */
export function resultOf({ accuracies, answers }: Course, ten: readonly Digit[]): string {
  const last = accuracies.at(-1);
  if (last === undefined || answers === null) return "";
  const right = ten.filter(({ label }, i) => label === answers[i]).length;
  return `${percent(last.accuracy)} of the 500 test digits are recognised after epoch ${accuracies.length}, ${right} of the ten in the picture.`;
}
