/** The chart of the decisions: digits and scribbles by the length of their lines and the lead of the first digit, and where the network is sure. */

import { LIGHT } from "../../draw/palette.ts";
import { SvgPen } from "../../draw/pen.ts";
import { leaderOf } from "../../model/decision.ts";
import type { Strokes } from "../../model/image.ts";
import { isFlat, LEAD, LENGTHS, leadOf } from "./doubt.ts";
import { drawingsPath, readDrawings, storedReader } from "./files.ts";
import { lengthSeen, seen } from "./ink.ts";
import { DIGITS } from "./net.ts";
import { penDigits, strokesOf } from "./pen-digits.ts";
import { darkStyle } from "./picture.ts";

/** Digits in the chart. */
const COUNT = 1000;
const [WIDTH, LEFT, TOP, ROW, GAP] = [720, 30, 8, 34, 4];
const HEIGHT = TOP + DIGITS * ROW + 58;
/** Where both axes end; what lies beyond stands there. */
const LONG = 6;
const FAR = 4;

export function chart(): string {
  const reader = storedReader();
  const pen = new SvgPen();
  const xOf = (length: number): number => LEFT + (Math.min(length, LONG) / LONG) * (WIDTH - LEFT - 12);
  const yOf = (row: number, lead: number): number => TOP + (row + 1) * ROW - (Math.min(lead, FAR) / FAR) * (ROW - GAP);
  /** Where a drawing stands: the row of its first digit. */
  const placed = (strokes: Strokes): [x: number, y: number] => {
    const [scores] = reader.scores([seen(strokes)]) as [Float32Array];
    return [xOf(lengthSeen(strokes)), yOf(leaderOf(scores), leadOf(scores))];
  };
  const muted = { color: LIGHT.muted, size: 12 };
  for (const [row, [shortest, longest]] of LENGTHS.entries()) {
    const [x, y] = [xOf(shortest), yOf(row, FAR)];
    pen.boxes([x, y, xOf(longest) - x, yOf(row, LEAD) - y], LIGHT.line);
    pen.text(8, yOf(row, FAR / 2) + 4, String(row), { ...muted, size: 15 });
  }
  const { skeletons } = penDigits("train", COUNT);
  pen.boxes(
    skeletons.flatMap((skeleton) => {
      const [x, y] = placed(strokesOf(skeleton));
      return [x - 0.75, y - 0.75, 1.5, 1.5];
    }),
    LIGHT.membrane,
  );
  for (const { strokes } of readDrawings(drawingsPath("scribbles.json"))) {
    const [x, y] = placed(strokes);
    if (isFlat(strokes)) pen.boxes([x - 5, y - 1, 10, 2], LIGHT.up);
    else pen.discs([x, y, 3], LIGHT.up);
  }
  const axis = TOP + DIGITS * ROW + 18;
  for (let length = 0; length <= LONG; length++) {
    pen.text(xOf(length), axis, length === LONG ? `${LONG} or more` : String(length), {
      ...muted,
      align: length === LONG ? "right" : "center",
    });
  }
  pen.text(
    LEFT,
    axis + 18,
    "length of the lines / longer side; a row for each first digit, its lead from 0 at the bottom to 4",
    muted,
  );
  pen.text(
    LEFT,
    axis + 34,
    "blue: digits · red: dots, bars and scribbles, flat ones as bars · grey: the answer is sure, unless the drawing is flat",
    muted,
  );
  return darkStyle(pen.document(WIDTH, HEIGHT, LIGHT.paper, "Where the network is sure of a digit"));
}
