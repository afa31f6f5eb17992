/** nano and the package side by side: the loss over the steps, the last loss, and the time of a step. */
import type { Both } from "../../../nano/side-by-side.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import type { Sides } from "./model.ts";

const GAP = 24;
const TOP = 28;
const CHART = 120;
const LINE = 20;

export const sidesHeight = (): number => TOP + CHART + 3 * LINE;

/** The loss of a coin: ln 2 for two classes, with room above. */
const MOST_LOSS = 0.8;

const TITLES: readonly [keyof Both, string][] = [
  ["nano", "nano"],
  ["package", "jarvis-snn"],
];

export function paintSides(pen: Pen, sides: Sides, width: number, palette: Palette): void {
  const wide = (width - GAP) / 2;
  for (const [i, [who, title]] of TITLES.entries()) {
    const left = i * (wide + GAP);
    pen.text(left, 14, title, { color: palette.ink, bold: true });
    paintCurve(pen, sides, who, left, wide, palette);
    const { last, steps, ms } = sides;
    if (last === null) continue;
    const bottom = TOP + CHART;
    pen.text(left, bottom + LINE, `loss ${last[who].toFixed(6)}`, { color: palette.ink });
    pen.text(left, bottom + 2 * LINE, `${(ms[who] / steps).toFixed(2)} ms a step`, { color: palette.muted });
  }
}

/** Losses from 0 at the foot on, over as many steps as there are, at least a hundred. */
function paintCurve(pen: Pen, sides: Sides, who: keyof Both, left: number, width: number, palette: Palette): void {
  const { curve, every } = sides;
  const bottom = TOP + CHART;
  const y = (loss: number): number => bottom - (Math.min(loss, MOST_LOSS) / MOST_LOSS) * CHART;
  pen.boxes([left, bottom, width, 1], palette.line);
  pen.boxes([left, TOP, 1, CHART], palette.line);
  const across = Math.max(100, curve.length * every);
  const points = curve.flatMap((loss, j) => [left + (((j + 0.5) * every) / across) * width, y(loss[who])]);
  if (points.length > 2) pen.line(points, { color: palette.accent, width: 1.5 });
}
