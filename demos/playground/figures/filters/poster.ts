/** The figure at its last step: the picture with the window, the weights, the map, and the rows over time. */
import { paintImage } from "../../draw/charts.ts";
import { LIGHT } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import { defaults } from "../../state/fields.ts";
import type { Poster } from "../figure.ts";
import { filtered, filterFields, STEPS } from "./model.ts";
import { AXIS, filterRows, paintFilter, paintMap, paintWindow, TITLES } from "./paint.ts";

/** The gap between pictures, their captions, the gap before the rows, and room for the sentence and the buttons below them. */
const [GAP, CAPTION, SPACE, TOOLS] = [12, 44, 16, 152];

const config = defaults(filterFields);
const scene = filtered(config);

const sideOf = (width: number): number => (width - 2 * GAP) / 3;
const layoutOf = (width: number): StackLayout => new StackLayout(filterRows(scene, config, LIGHT), AXIS, width);

export const poster: Poster = {
  heightFor: (width) => Math.round(CAPTION + sideOf(width) + SPACE + layoutOf(width).height + TOOLS),
  paint(pen, width, _height, palette) {
    const side = sideOf(width);
    for (const [i, [title, words]] of Object.values(TITLES).entries()) {
      const left = i * (side + GAP);
      pen.text(left, 14, title, { color: palette.ink, bold: true });
      pen.text(left, 34, words, { color: palette.muted });
      const placed = new PlacedPen(pen, left, CAPTION);
      if (i === 0) {
        paintImage(placed, scene.image, side, palette);
        paintWindow(placed, config, side, palette);
      } else if (i === 1) paintFilter(placed, config.filter, side, palette);
      else paintMap(placed, scene, config, STEPS - 1, side, palette);
      placed.line([0, 0, side, 0, side, side, 0, side, 0, 0], { color: palette.line });
    }
    const rows = filterRows(scene, config, palette);
    paintStack(new PlacedPen(pen, 0, CAPTION + side + SPACE), rows, layoutOf(width), palette);
  },
};
