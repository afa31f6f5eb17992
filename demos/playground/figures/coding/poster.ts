/** The figure as it begins: the drawing and what comes back from each code, and both codes over time. */
import { paintImage } from "../../draw/charts.ts";
import { LIGHT } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import { codingFields, encodeImage } from "../../model/coding.ts";
import { defaults } from "../../state/fields.ts";
import type { Poster } from "../figure.ts";
import { axisOf, codingRows, PICTURES } from "./rows.ts";

/** The gap between pictures, their captions, and room for buttons and numbers under them. */
const [GAP, CAPTION, TOOLS] = [16, 44, 148];

const config = defaults(codingFields);
const coding = encodeImage(config);
const pictures = [
  coding.image,
  ...[coding.byRate, coding.byLatency].map((code) => code.recovered(config.timesteps - 1)),
];

const sideOf = (width: number): number => (width - 2 * GAP) / 3;
const layoutOf = (width: number): StackLayout =>
  new StackLayout(codingRows(coding, config.order, LIGHT), axisOf(config), width);

export const poster: Poster = {
  heightFor: (width) => Math.round(CAPTION + sideOf(width) + TOOLS + layoutOf(width).height),
  paint(pen, width, height, palette) {
    const side = sideOf(width);
    for (const [i, image] of pictures.entries()) {
      const left = i * (side + GAP);
      pen.text(left, 14, PICTURES[i] as string, { color: palette.ink, bold: true });
      const placed = new PlacedPen(pen, left, CAPTION);
      paintImage(placed, image, side, palette);
      placed.line([0, 0, side, 0, side, side, 0, side, 0, 0], { color: palette.line });
    }
    const layout = layoutOf(width);
    paintStack(
      new PlacedPen(pen, 0, height - layout.height),
      codingRows(coding, config.order, palette),
      layout,
      palette,
    );
  },
};
