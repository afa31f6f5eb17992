/** Several functions through which a layer reads its weight: each has a place, and a place has at most one function. */
import type { Tensor } from "../tensor.ts";
import type { Readings, Weighted } from "./reading.ts";

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
  const all: Readings = { ...layer.reading, [place]: reading ?? undefined };
  const isRead = Object.values(all).some((read) => read !== undefined);
  layer.reading = isRead ? Object.assign((weight: Tensor) => readThrough(all, weight), all) : null;
}

/** The weight as the function at a place gets it: the functions before that have read it. */
export const readBefore = ({ weight, reading }: Weighted, place: "mask" | "grid"): Tensor =>
  readThrough({ ...reading, grid: undefined, ...(place === "mask" && { mask: undefined }) }, weight);

function readThrough({ connections, mask, grid }: Readings, parameter: Tensor): Tensor {
  let weight = parameter;
  if (connections !== undefined) weight = connections(weight);
  if (mask !== undefined) weight = mask(weight);
  return grid === undefined ? weight : grid(weight);
}
