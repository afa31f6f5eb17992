/** Files of the figure for programs and tests: its weights, and drawings to read. */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Point, Strokes } from "../../model/image.ts";
import { Reader } from "./net.ts";
import { decodeWeights } from "./weights.ts";

/** The sources of the figure, which built programs find too. */
const folder = join(
  dirname(createRequire(import.meta.url).resolve("jarvis-snn/package.json")),
  "demos/playground/figures/digit",
);

export const weightsPath = join(folder, "weights.bin");

export const storedReader = (): Reader => new Reader(decodeWeights(readFileSync(weightsPath)));

/** A drawing of a digit, with places in [0, 1] of the pad; y points down. */
export interface Drawing {
  readonly digit: number;
  /** How it is written: upright, slanted, thin, thick or looped. */
  readonly way: string;
  /** Its height, as a share of the pad. */
  readonly size: number;
  readonly place: string;
  readonly strokes: Strokes;
}

/** A drawing as it is stored: a stroke is a list x, y, x, y, …. */
interface Stored extends Omit<Drawing, "strokes"> {
  readonly strokes: readonly (readonly number[])[];
}

export function readDrawings(path: string): Drawing[] {
  const drawings = JSON.parse(readFileSync(path, "utf8")) as Stored[];
  return drawings.map((drawing) => ({
    ...drawing,
    strokes: drawing.strokes.map((values) =>
      Array.from(
        { length: values.length / 2 },
        (_, i): Point => [values[2 * i] as number, values[2 * i + 1] as number],
      ),
    ),
  }));
}

/** Paths of the files of drawings, in the order of their names. */
export const drawingFiles = (): string[] =>
  readdirSync(join(folder, "drawings"))
    .sort()
    .map((name) => join(folder, "drawings", name));
