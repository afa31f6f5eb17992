/** The kept run of the ladder. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Poster } from "../figure.ts";
import { RACING, raceOf } from "./model.ts";
import { paintRace, raceHeight } from "./paint.ts";

const folder = dirname(createRequire(import.meta.url).resolve("jarvis-snn/package.json"));
const { rungs } = JSON.parse(readFileSync(join(folder, "demos/ladder/kept.json"), "utf8")) as {
  rungs: Record<string, { toy: number }>;
};
const race = raceOf(RACING.map((name) => (rungs[name] as { toy: number }).toy));

export const poster: Poster = {
  heightFor: raceHeight,
  paint: (pen, width, _height, palette) => paintRace(pen, race, width, palette),
};
