import type { Poster } from "../figure.ts";
import { makeSpikes } from "./model.ts";
import { cubeHeight, paintCube } from "./paint.ts";

export const poster: Poster = {
  heightFor: cubeHeight,
  paint: (pen, width, _height, palette) =>
    paintCube(pen, { spikes: makeSpikes(), cut: "step", at: { t: 7, b: 0, n: 6 } }, width, palette),
};
