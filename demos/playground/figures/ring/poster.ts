/** A bump under a push, three seconds after its first cue began. */
import { STORY_MS } from "../../../ring/bump.ts";
import type { Poster } from "../figure.ts";
import { paintRing, ringHeight } from "./paint.ts";
import { Play } from "./play.ts";
import { ANGLE } from "./settings.ts";

/** Controls, readings, sliders and the sentence, on a desktop and on a phone. */
const FOOT = { wide: 140, narrow: 199 };

export const play = new Play({ angle: ANGLE, size: 256, push: 0.5 });
play.pass(STORY_MS);

export const poster: Poster = {
  heightFor: (width) => ringHeight(width) + (width < 600 ? FOOT.narrow : FOOT.wide),
  paint: (pen, width, _height, palette) => paintRing(pen, play, width, palette),
};
