/** Functions of a layer's weight: at most one per place (connections, mask, grid). */
import type { Tensor } from "../core/tensor.ts";
import type { Readings, Weighted } from "./reading.ts";

export type Place = keyof Readings;

/** The function at a place, or null. */
export const readingAt = <At extends Place>({ reading }: Weighted, place: At): NonNullable<Readings[At]> | null =>
  reading?.[place] ?? null;

/** Sets the function at a place; null removes it. */
export function setReading<At extends Place>(
  layer: Weighted,
  place: At,
  reading: NonNullable<Readings[At]> | null,
): void {
  const all: Readings = { ...layer.reading, [place]: reading ?? undefined };
  const isRead = Object.values(all).some((read) => read !== undefined);
  layer.reading = isRead ? Object.assign((weight: Tensor) => readThrough(all, weight), all) : null;
}

/** The weight after all functions before this place. */
export const readBefore = ({ weight, reading }: Weighted, place: "mask" | "grid"): Tensor =>
  readThrough({ ...reading, grid: undefined, ...(place === "mask" && { mask: undefined }) }, weight);

function readThrough({ connections, mask, grid }: Readings, parameter: Tensor): Tensor {
  let weight = parameter;
  if (connections !== undefined) weight = connections(weight);
  if (mask !== undefined) weight = mask(weight);
  return grid === undefined ? weight : grid(weight);
}
