import { PlacedPen } from "../../draw/pen.ts";
import type { Poster } from "../figure.ts";
import { paintSliders, slidersHeight } from "../slider.ts";
import { run, STEPS } from "./model.ts";
import { CURRENT, heightFor, INITIAL, paintRun } from "./picture.ts";

/** The line of words and the button under the picture. */
const FOOT = 44;

export const poster: Poster = {
  heightFor: (width) => slidersHeight(1, width) + heightFor(width) + FOOT,
  paint(pen, width, _height, palette) {
    paintSliders(pen, [{ range: CURRENT, value: INITIAL }], width, palette);
    const all = run(new Float32Array(STEPS).fill(INITIAL));
    paintRun(new PlacedPen(pen, 0, slidersHeight(1, width)), all, STEPS, width, palette);
  },
};
