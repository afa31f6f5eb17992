import { paintMap } from "../../draw/charts.ts";
import { percent } from "../../draw/numbers.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { CARD_HEIGHT, CARD_WIDTH, type Subject } from "../card.ts";

export const SUBJECT: Subject = { title: "Train one yourself", path: "play/" };

/** A network in its training: samples, the map of its classes, and accuracies so far. */
export interface Lesson {
  /** Test samples x, y, … and their labels. */
  readonly points: Float32Array;
  readonly labels: Uint8Array;
  readonly map: Float32Array | null;
  readonly steps: number;
  /** The accuracy of each picture until now. */
  readonly accuracies: readonly number[];
}

/** The curve of the accuracies beside the map. */
const LEFT = CARD_HEIGHT + 20;
const CURVE = { top: 104, height: 64, pictures: 150 };

/** How the network divides the plane, and how many of the points are on the right side. */
export function paintLesson(pen: Pen, { points, labels, map, steps, accuracies }: Lesson, palette: Palette): void {
  paintMap(pen, { map, points, labels, at: null }, CARD_HEIGHT, palette);
  const accuracy = accuracies.at(-1);
  pen.text(LEFT, 16, "a spiking network", { color: palette.ink, size: 13 });
  pen.text(LEFT, 34, "learns two moons", { color: palette.ink, size: 13 });
  pen.text(LEFT, 68, `step ${steps}`, { color: palette.muted, size: 13 });
  const reached = accuracy === undefined || steps === 0 ? "" : percent(accuracy);
  if (reached !== "") pen.text(LEFT, 92, reached, { color: palette.ink, size: 20, bold: true });
  const width = CARD_WIDTH - LEFT;
  const floor = CURVE.top + CURVE.height;
  pen.boxes([LEFT, floor, width, 1], palette.line);
  // From chance at the bottom to all of them at the top.
  const y = (value: number): number => floor - Math.max(0, 2 * value - 1) * CURVE.height;
  const curve = accuracies.flatMap((value, i) => [LEFT + Math.min(1, i / CURVE.pictures) * width, y(value)]);
  pen.line(curve, { color: palette.ink, width: 1.5 });
}
