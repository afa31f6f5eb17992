/** Checks of sound as tensors, time first, and of the frequencies of filters. */
import { numberOf, POSITIVE, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";

/** Sizes of x [N, …]: N, and the product of the other axes. */
export function signalRows(x: Tensor): [n: number, rows: number] {
  const n = x.sizes[0] as number;
  return [n, x.size / n];
}

/** Checks a frequency, which is at most half the sample rate. */
export function frequencyOf(where: string, name: string, value: number, sampleRate: number): number {
  const half = sampleRate / 2;
  return numberOf(where, name, value, { expected: `in (0, ${half}]`, fits: (f) => POSITIVE.fits(f) && f <= half });
}

/** Throws unless fMin < fMax. */
export function checkBand(where: string, fMin: number, fMax: number): void {
  if (!(fMin < fMax)) throw wrongValue(where, "fMin below fMax", `${fMin} and ${fMax}`);
}
