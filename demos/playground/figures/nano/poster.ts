/** A hundred steps of both, trained where the poster is drawn; the times of a step are those of the kept run of the ladder. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { sideBySide } from "../../../nano/side-by-side.ts";
import type { Poster } from "../figure.ts";
import { noSteps, withTold } from "./model.ts";
import { paintSides, sidesHeight } from "./paint.ts";

const STEPS = 100;

const folder = dirname(createRequire(import.meta.url).resolve("jarvis-snn/package.json"));
const { rungs } = JSON.parse(readFileSync(join(folder, "demos/ladder/kept.json"), "utf8")) as {
  rungs: Record<"simd" | "package", { toy: number }>;
};
const both = sideBySide(0, 0);
const losses = Array.from({ length: STEPS }, both.step);
const ms = { nano: STEPS * rungs.simd.toy, package: STEPS * rungs.package.toy };
const sides = withTold(noSteps(), { losses, ms, ...both.equal() });

export const poster: Poster = {
  heightFor: sidesHeight,
  paint: (pen, width, _height, palette) => paintSides(pen, sides, width, palette),
};
