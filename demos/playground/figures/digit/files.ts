/** Files of the figure for programs and tests: its weights, and drawings to read. */
import { readFileSync } from "node:fs";
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

/** A drawing, with places in [0, 1] of the pad; y points down. */
export interface Drawing {
  /** −1 for dots, bars and scribbles. */
  readonly digit: number;
  /** How a digit is written: upright, slanted, thin, thick or looped. Otherwise dot, bar or scribble. */
  readonly way: string;
  /** Its height, as a share of the pad. */
  readonly size: number;
  /** Where a digit stands, or what a scribble shows. */
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

/** The path of a file of drawings. */
export const drawingsPath = (name: string): string => join(folder, "drawings", name);
