import { LIGHT } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import type { Poster } from "../figure.ts";
import { Credits } from "./model.ts";
import { AXIS, paintSlope, rowsOf, SLOPE_HEIGHT } from "./paint.ts";

/** The moment and the width with which the figure begins. */
const scene = new Credits().at(0.5, 50);

export const poster: Poster = {
  heightFor: (width) => SLOPE_HEIGHT + new StackLayout(rowsOf(scene, LIGHT), AXIS, width).height,
  paint(pen, width, _height, palette) {
    paintSlope(pen, scene, Math.min(width, 440), palette);
    const rows = rowsOf(scene, palette);
    paintStack(new PlacedPen(pen, 0, SLOPE_HEIGHT), rows, new StackLayout(rows, AXIS, width), palette);
  },
};
