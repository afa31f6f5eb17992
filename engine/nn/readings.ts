/** Several functions through which a layer reads its weight: each has a place, and a place has at most one function. */
import type { Tensor } from "../tensor.ts";
import type { Reading, Weighted } from "./reading.ts";

/**
 * The places in the order in which their functions run: "connections" leaves out those that a layer never has; masks come before the
 * grid, since 0 stays 0 on a grid.
 */
const PLACES = ["connections", "mask", "grid"] as const;

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
  const inOrder = listOf(all, PLACES);
  layer.reading = inOrder.length === 0 ? null : (weight) => readBy(inOrder, weight);
}

/** The weight as the function at a place gets it: the functions before that have read it. */
export const readBefore = (layer: Weighted, place: Place): Tensor =>
  readBy(listOf(placed.get(layer) ?? {}, PLACES.slice(0, PLACES.indexOf(place))), layer.weight);

const listOf = (all: Placed, places: readonly Place[]): Reading[] =>
  places.map((each) => all[each]).filter((each) => each !== undefined);

const readBy = (readings: readonly Reading[], weight: Tensor): Tensor => readings.reduce((w, read) => read(w), weight);
