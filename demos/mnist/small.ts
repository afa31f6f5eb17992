/** A part of MNIST at half its resolution: the digits that pages load. */
import { mnist } from "./data.ts";

const TRAIN = 3000;
const TEST = 500;
export const SIDE = 14;

/** Images, a byte a pixel, and their labels. */
export interface SmallDigits {
  readonly x: Uint8Array;
  readonly y: Uint8Array;
}

/** The first digits of a part of MNIST. */
export function smallDigits(part: "train" | "t10k"): SmallDigits {
  const { x, y } = mnist(part, part === "train" ? TRAIN : TEST);
  return { x: halved(x as Uint8Array), y: Uint8Array.from(y) };
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
