/** nano and the package train the toy side by side. */
import { type Both, type SideBySide, sideBySide } from "../../../../nano/side-by-side.ts";
import type { Told } from "../../nano/model.ts";
import type { PictureParameters } from "../../pressed.ts";
import type { Send, Turns } from "../protocol.ts";

/** Milliseconds of a turn. */
const TURN_MS = 20;

/** Both go on with what they have learned when a page trains them again: nano frees no weights. */
let both: SideBySide | null = null;
/** All losses so far. */
const losses: Both[] = [];

export function* run({ pictureMs }: PictureParameters, send: Send<Told>): Turns {
  both ??= sideBySide(0, 0);
  let told = 0;
  let shown = Number.NEGATIVE_INFINITY;
  for (;;) {
    const start = performance.now();
    do losses.push(both.step());
    while (performance.now() - start < TURN_MS);
    if (performance.now() - shown >= pictureMs) {
      send({ losses: losses.slice(told), ms: { ...both.ms }, ...both.equal() });
      told = losses.length;
      shown = performance.now();
    }
    yield 0;
  }
}
