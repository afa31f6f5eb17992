/** The Coding room as it opens: both codes of a picture over time, and the error of each. */
import { paintStack, type Row, StackLayout, withHeights } from "../../draw/stack.ts";
import { codingFields, encodeImage } from "../../model/coding.ts";
import { codingRows } from "../../rooms/coding-rows.ts";
import { defaults } from "../../state/fields.ts";
import type { Poster } from "../figure.ts";
import { LIGHT, type Palette } from "../palette.ts";

/** The share of the rows' heights that the room has in a frame. */
const SHARE = 0.5;

const config = defaults(codingFields);
const coding = encodeImage(config);

/** The room tells its codes apart by the colours of its layers, which are ink in the palette of the site. */
function rowsIn(palette: Palette): Row[] {
  const theme = { ...palette, layers: [palette.membrane, palette.second, palette.third] };
  return withHeights(codingRows(coding, config.order, theme), SHARE);
}

const layoutOf = (rows: readonly Row[], width: number): StackLayout =>
  new StackLayout(rows, { steps: config.timesteps, dt: 1, unit: "time step" }, width);

export const poster: Poster = {
  heightFor: (width) => layoutOf(rowsIn(LIGHT), width).height,
  paint(pen, width, _height, palette) {
    const rows = rowsIn(palette);
    paintStack(pen, rows, layoutOf(rows, width), palette);
  },
};
