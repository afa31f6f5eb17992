/** Several functions through which a layer reads its weight: each has a place, and a place has at most one function. */
import type { Reading, Weighted } from "./reading.ts";

/** The places in the order in which their functions run: the mask before the grid, since 0 stays 0 on a grid. */
const PLACES = ["mask", "grid"] as const;

export type Place = (typeof PLACES)[number];

type Placed = { readonly [place in Place]?: Reading };

const placed = new WeakMap<Weighted, Placed>();

/** The function at a place, or null. */
export const readingAt = (layer: Weighted, place: Place): Reading | null => placed.get(layer)?.[place] ?? null;

/** Puts a function at a place, where it replaces the present function; null removes that. */
export function setReading(layer: Weighted, place: Place, reading: Reading | null): void {
  const { [place]: _, ...others } = placed.get(layer) ?? {};
  const all: Placed = reading === null ? others : { ...others, [place]: reading };
  placed.set(layer, all);
  const inOrder = PLACES.map((each) => all[each]).filter((each) => each !== undefined);
  layer.reading = inOrder.length === 0 ? null : (weight) => inOrder.reduce((w, read) => read(w), weight);
}
