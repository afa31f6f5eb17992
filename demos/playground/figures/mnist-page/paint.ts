/** The course of a training: loss and accuracy over the batches, and under them ten digits with the answers of the network. */
import { paintImage } from "../../draw/charts.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import { type Pen, PlacedPen } from "../../draw/pen.ts";
import { compact, tickDistance } from "../../draw/stack.ts";
import { COUNT, type Course, type Digit } from "./model.ts";

const CHART = 214;
const CELL = { size: 48, height: 82 };
const WIDE = 560;

const rowsFor = (width: number): number => (width > 0 && width < WIDE ? 2 : 1);
export const courseHeight = (width: number): number => CHART + rowsFor(width) * CELL.height;

export function paintCourse(pen: Pen, course: Course, ten: readonly Digit[], width: number, palette: Palette): void {
  paintCurves(pen, course, width, palette);
  const rows = rowsFor(width);
  const columns = COUNT / rows;
  for (const [i, digit] of ten.entries()) {
    const x = ((i % columns) + 0.5) * (width / columns) - CELL.size / 2;
    const y = CHART + Math.floor(i / columns) * CELL.height;
    paintDigit(new PlacedPen(pen, x, y), digit, course.answers?.[i], palette);
  }
}

function paintCurves(pen: Pen, course: Course, width: number, palette: Palette): void {
  const { losses, accuracies, batches } = course;
  const [left, right, top, floor] = [40, width - 46, 26, CHART - 44];
  const most = Math.max(2.5, ...losses);
  const x = (batch: number): number => left + (batch / batches) * (right - left);
  const y = (share: number): number => floor - share * (floor - top);
  pen.text(left, 12, "loss of a batch", { color: palette.muted, bold: true });
  pen.text(right, 12, "accuracy on new digits", { color: palette.second, align: "right", bold: true });
  for (const share of [0, 0.5, 1]) {
    pen.boxes([left, y(share), right - left, 1], palette.line);
    pen.text(left - 6, y(share) + 4, compact(share * most), { color: palette.muted, align: "right" });
    pen.text(right + 6, y(share) + 4, `${100 * share} %`, { color: palette.second });
  }
  const line = losses.flatMap((loss, i) => [x(i + 1), y(loss / most)]);
  if (losses.length > 1) pen.line(line, { color: faded(palette.ink, 0.6), width: 1 });
  const points = accuracies.map(({ batch, accuracy }) => [x(batch), y(accuracy)] as const);
  if (points.length > 1) pen.line(points.flat(), { color: palette.second, width: 2 });
  pen.discs(
    points.flatMap(([px, py]) => [px, py, 3]),
    palette.second,
  );
  const last = accuracies.at(-1);
  if (last !== undefined) {
    const at = points.at(-1) as readonly [number, number];
    const text = `${(100 * last.accuracy).toFixed(1)} %`;
    pen.text(Math.min(at[0], right - 4), at[1] + 18, text, { color: palette.second, align: "right", bold: true });
  }
  const every = tickDistance(batches, (right - left) / 72);
  for (let batch = 0; batch <= batches; batch += every) {
    pen.text(x(batch), floor + 16, String(batch), { color: palette.muted, align: "center" });
  }
  pen.text((left + right) / 2, floor + 31, "batches of 50 digits", { color: palette.muted, align: "center" });
}

/** A picture, and under it the answer: a tick where it is right, a cross and the label where it is wrong. */
function paintDigit(pen: Pen, { image, label }: Digit, answer: number | undefined, palette: Palette): void {
  const { size } = CELL;
  paintImage(pen, image, size, palette);
  pen.line([0, 0, size, 0, size, size, 0, size, 0, 0], { color: palette.line });
  const isRight = answer === label;
  const told = answer === undefined ? "?" : isRight ? `${answer} ✓` : `${answer} ✗`;
  pen.text(size / 2, size + 18, told, {
    color: answer === undefined ? palette.muted : isRight ? palette.ink : palette.up,
    align: "center",
    size: 15,
    bold: true,
  });
}
