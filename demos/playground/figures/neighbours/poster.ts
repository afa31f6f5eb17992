/** The fields of seed 0 after some hundred digits, by their names; the build learns them as the page does. */
import { Neighbours } from "../../../neighbours/neighbours.ts";
import { digitsFile } from "../../digits.ts";
import { parseDigits } from "../../model/digits.ts";
import type { Poster } from "../figure.ts";
import { neighboursHeight, paintNeighbours } from "./paint.ts";
import { Scene } from "./scene.ts";

const COUNT = 600;
const EVERY = 20;
const WINDOW = 200;

const { train } = parseDigits(digitsFile());
const neighbours = new Neighbours(train);
export const scene = new Scene();
const raster: number[] = [];
const answers: boolean[] = [];
while (neighbours.seen < COUNT) {
  const { image, label, said, counts } = neighbours.next(raster);
  answers.push(said === label);
  if (neighbours.seen % EVERY !== 0) continue;
  const right = answers.slice(-WINDOW).filter(Boolean).length / Math.min(WINDOW, answers.length);
  const state = { seen: neighbours.seen, seconds: 0, fields: neighbours.fields(), ...neighbours.names() };
  scene.show({ kind: "picture", ...state, image, counts, raster: Uint16Array.from(raster), right });
  scene.setImage(train.x, image);
}
scene.sort(true);
scene.arrive();

/** Controls, readings, the slider and the sentence, on a desktop and on a phone. */
const FOOT = { wide: 132, narrow: 191 };

export const poster: Poster = {
  heightFor: (width) => neighboursHeight(width) + (width < 600 ? FOOT.narrow : FOOT.wide),
  paint: (pen, width, _height, palette) => paintNeighbours(pen, scene, width, palette),
};
