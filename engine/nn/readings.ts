/** Several functions through which a layer reads its weight: each has a place, and a place has at most one function. */
import type { Tensor } from "../tensor.ts";
import { type Readings, type Weighted, weightOf } from "./reading.ts";

export type Place = keyof Readings;

/** The function at a place, or null. */
export const readingAt = <At extends Place>({ reading }: Weighted, place: At): NonNullable<Readings[At]> | null =>
  reading?.[place] ?? null;

/** Puts a function at a place, where it replaces the present function; null removes that. */
export function setReading<At extends Place>(
  layer: Weighted,
  place: At,
  reading: NonNullable<Readings[At]> | null,
): void {
  const { [place]: _, ...others } = layer.reading ?? {};
  const all: Readings = reading === null ? others : { ...others, [place]: reading };
  layer.reading = Object.keys(all).length === 0 ? null : all;
}

/** The weight as the function at a place gets it: the functions before that have read it. */
export function readBefore({ weight, reading }: Weighted, place: "mask" | "grid"): Tensor {
  const { connections, mask } = reading ?? {};
  return weightOf({
    weight,
    reading: { ...(connections && { connections }), ...(place === "grid" && mask && { mask }) },
  });
}
