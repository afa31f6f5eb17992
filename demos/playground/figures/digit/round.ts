/** The figure as a moving picture: a hand writes a drawing, and the wave crosses. The painters are those of the page. */

import type { Moving, Part } from "../../draw/moving.ts";
import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import type { Strokes } from "../../model/image.ts";
import { partOf, wayOf } from "./hand.ts";
import type { Wave } from "./net.ts";
import { type Box, END, paintFrame, paintStrokes, WavePainter } from "./wave.ts";
import { costOf } from "./words.ts";

/** From this width on the wave stands beside the pad. */
const WIDE = 600;
const GAP = 32;
export const LINE = 28;
/** The height of a wave below the pad. */
const WAVE = 230;

/** Where pad, wave and words stand in a picture of a width. */
export function layoutOf(width: number): { isWide: boolean; height: number; square: Box; wave: Box } {
  const isWide = width >= WIDE;
  const pad = Math.round((isWide ? 0.27 : 0.55) * width);
  return {
    isWide,
    height: isWide ? pad + LINE : pad + WAVE + 2 * LINE,
    square: { x: 0.5, y: 0.5, width: pad - 1, height: pad - 1 },
    wave: isWide
      ? { x: pad + GAP, y: 0, width: width - pad - GAP, height: pad }
      : { x: 0, y: pad + LINE / 2, width, height: WAVE },
  };
}

const WIDTH = 720;
/** Seconds of a round: the hand writes, and a step of the wave takes its time; all is gone before the next round. */
const ROUND = 6.5;
const WRITTEN = 1.3;
const BEGINS = 1.5;
const STEP = 0.11;
const GONE = 6.3;
/** Pictures of the writing, and of a step. */
const PIECES = 18;
const FRAMES = 2;

/** A drawing and its wave; `told` stands behind the costs. */
export function roundOf(
  strokes: Strokes,
  wave: Wave,
  places: ArrayLike<number>,
  palette: Palette,
  told: string,
): Moving {
  const { height, square, wave: box } = layoutOf(WIDTH);
  const painter = new WavePainter(wave, places, box, palette);
  const parts: Part[] = [];
  const part = (from: number, until: number, paint: (pen: Pen) => void): void => {
    parts.push({ from, until, paint });
  };
  part(0, ROUND, (pen) => {
    paintFrame(pen, square, palette);
    new WavePainter(null, places, box, palette).rest(pen);
  });
  const written = { strokes, length: wayOf(strokes) };
  for (let i = 1; i <= PIECES; i++) {
    const until = i === PIECES ? GONE : (WRITTEN * (i + 1)) / PIECES;
    part((WRITTEN * i) / PIECES, until, (pen) => paintStrokes(pen, partOf(written, i / PIECES), square, palette));
  }
  const last = Math.ceil(END * FRAMES);
  for (let i = 0; i <= last; i++) {
    const [time, begins] = [Math.min(END, i / FRAMES), BEGINS + (STEP * i) / FRAMES];
    part(begins, GONE, (pen) => painter.settled(pen, (i - 1) / FRAMES, time));
    part(begins, i === last ? GONE : begins + STEP / FRAMES, (pen) => painter.moment(pen, time));
  }
  const words = [...costOf(wave, END), told].join(" · ");
  part(BEGINS + STEP * END, GONE, (pen) => pen.text(box.x, height - 6, words, { color: palette.muted, size: 12 }));
  return { width: WIDTH, height, seconds: ROUND, parts };
}
