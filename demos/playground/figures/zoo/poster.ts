import { PlacedPen } from "../../draw/pen.ts";
import type { Poster } from "../figure.ts";
import { adExFamily, type Family, izhikevichFamily, titleOf } from "./model.ts";
import { columnsFor, DRIVE_HEIGHT, Grid, PAGE, Pictures, paintCaptions, paintDrive } from "./paint.ts";
import { FAMILIES, lengthOf } from "./texts.ts";

/** The strip with the buttons under it, which are larger and in two rows on a phone; and the title of a family. */
const topFor = (width: number): number => DRIVE_HEIGHT + (width < 560 ? 129 : 63);
const STRIP = 8;
const TITLE = 44;

const families = [izhikevichFamily(), adExFamily()];

const gridOf = ({ patterns }: Family, width: number): Grid => new Grid(patterns.length, columnsFor(width), width, PAGE);

export const poster: Poster = {
  heightFor: (width) => families.reduce((sum, family) => sum + TITLE + gridOf(family, width).height, topFor(width)),
  paint(pen, width, _height, palette) {
    paintDrive(new PlacedPen(pen, 0, STRIP), null, 1, width, palette);
    let top = topFor(width);
    for (const [i, family] of families.entries()) {
      const grid = gridOf(family, width);
      pen.text(0, top + 30, FAMILIES[i] as string, { color: palette.ink, size: 14, bold: true });
      const placed = new PlacedPen(pen, 0, top + TITLE);
      new Pictures(family, family.run(null), grid).paint(placed, 1, palette);
      const captions = family.patterns.map((pattern): [string, string] => [titleOf(pattern), lengthOf(pattern)]);
      paintCaptions(placed, captions, grid, palette);
      top += TITLE + grid.height;
    }
  },
};
