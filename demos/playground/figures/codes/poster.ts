/** The figure at its last step: the drawing and what comes back from each code, and the codes over time. */
import { paintImage } from "../../draw/charts.ts";
import { LIGHT } from "../../draw/palette.ts";
import { PlacedPen } from "../../draw/pen.ts";
import { paintStack, StackLayout } from "../../draw/stack.ts";
import { CODES, codingFields, encodeImage, recoveredAt } from "../../model/coding.ts";
import { defaults } from "../../state/fields.ts";
import type { Poster } from "../figure.ts";
import { axisOf, codingRows, DRAWING, readingsOf, TITLES, WIDE } from "./rows.ts";

/** The gap between pictures, their captions, the gap before the rows, and room for buttons and sentences below them. */
const [GAP, CAPTION, SPACE, TOOLS] = [12, 44, 16, 152];

const config = defaults(codingFields);
const coding = encodeImage(config);
const last = config.timesteps - 1;
const pictures = [
  { title: DRAWING, image: coding.image, words: "finger, mouse, keys" },
  ...CODES.map((name) => {
    const { spikes, error } = readingsOf(coding, name, last);
    return { title: TITLES[name], image: recoveredAt(coding.codes[name], last), words: `${spikes}, off by ${error}` };
  }),
];

const isWide = (width: number): boolean => width >= WIDE;
const columnsOf = (width: number): number => (isWide(width) ? pictures.length : 3);
const sideOf = (width: number): number => (width + GAP) / columnsOf(width) - GAP;
const lineOf = (width: number): number => CAPTION + sideOf(width) + GAP;
const picturesOf = (width: number): number => (pictures.length / columnsOf(width)) * lineOf(width);
const layoutOf = (width: number): StackLayout =>
  new StackLayout(codingRows(coding, config.order, LIGHT, isWide(width)), axisOf(config), width);

export const poster: Poster = {
  heightFor: (width) => Math.round(picturesOf(width) + SPACE + layoutOf(width).height + TOOLS),
  paint(pen, width, _height, palette) {
    const side = sideOf(width);
    for (const [i, { title, image, words }] of pictures.entries()) {
      const left = (i % columnsOf(width)) * (side + GAP);
      const top = Math.floor(i / columnsOf(width)) * lineOf(width);
      pen.text(left, top + 14, title, { color: palette.ink, bold: true });
      pen.text(left, top + 34, words, { color: palette.muted });
      const placed = new PlacedPen(pen, left, top + CAPTION);
      paintImage(placed, image, side, palette);
      placed.line([0, 0, side, 0, side, side, 0, side, 0, 0], { color: palette.line });
    }
    const rows = codingRows(coding, config.order, palette, isWide(width));
    paintStack(new PlacedPen(pen, 0, picturesOf(width) + SPACE), rows, layoutOf(width), palette);
  },
};
