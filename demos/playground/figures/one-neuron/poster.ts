import { LIGHT } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import type { Poster } from "../figure.ts";
import { paintSliders, slidersHeight } from "../slider.ts";
import { rateCurve, respond, type Setting } from "./model.ts";
import { AXIS, CURVE_HEIGHT, CURVE_TITLE, INITIAL, paintCurve, RANGES, rowsOf } from "./picture.ts";

const response = respond(INITIAL);
const curve = rateCurve(INITIAL);
const sliders = Object.entries(RANGES).map(([name, range]) => ({ range, value: INITIAL[name as keyof Setting] }));
/** The line of the curve's title. */
const TITLE = 32;

const layoutOf = (width: number): StackLayout => new StackLayout(rowsOf(response, INITIAL, LIGHT), AXIS, width);

export const poster: Poster = {
  heightFor: (width) => slidersHeight(sliders.length, width) + layoutOf(width).height + TITLE + CURVE_HEIGHT,
  paint(pen, width, height, palette) {
    paintSliders(pen, sliders, width, palette);
    const layout = layoutOf(width);
    const stack = new PlacedPen(pen, 0, slidersHeight(sliders.length, width));
    paintStack(stack, rowsOf(response, INITIAL, palette), layout, palette);
    pen.text(0, height - CURVE_HEIGHT - 8, CURVE_TITLE, { color: palette.ink });
    paintCurve(new PlacedPen(pen, 0, height - CURVE_HEIGHT), curve, INITIAL, width, palette);
  },
};
