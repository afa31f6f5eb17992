import { pairWindow } from "../../../neighbours/window.ts";
import type { Poster } from "../figure.ts";
import { HEIGHT, paintWindow, RANGE } from "./paint.ts";

const changes = pairWindow();
const drawn = new Set(Array.from(changes, (_, i) => i - RANGE));

export const poster: Poster = {
  heightFor: () => HEIGHT,
  paint: (pen, width, _height, palette) =>
    paintWindow(pen, { before: -8, behind: 4, changes, drawn, held: null }, width, palette),
};
