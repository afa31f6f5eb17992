/** The still picture of the figure: a three, and the wave that it set off. */
import type { Poster } from "../figure.ts";
import { storedReader } from "./files.ts";
import { handwriting, type Written } from "./hand.ts";
import { type Box, END, paintFrame, paintStrokes, WavePainter } from "./wave.ts";
import { costOf } from "./words.ts";

/** From this width on the wave stands beside the pad. */
const WIDE = 600;
const GAP = 32;
const LINE = 28;
/** The height of a wave below the pad. */
const WAVE = 230;

/** The digit of the picture. */
export const example = handwriting[0] as Written;

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

export const poster: Poster = {
  heightFor: (width) => layoutOf(width).height,
  paint(pen, width, height, palette) {
    const reader = storedReader();
    const wave = reader.read(example.strokes);
    const { isWide, square, wave: box } = layoutOf(width);
    paintFrame(pen, square, palette);
    paintStrokes(pen, example.strokes, square, palette);
    new WavePainter(wave, reader.places, box, palette).paint(pen, END);
    const cost = costOf(wave, END);
    const muted = { color: palette.muted, size: 12 };
    if (isWide) {
      pen.text(box.x, height - 6, cost.join(" · "), muted);
      return;
    }
    const style = { color: palette.ink, align: "center", size: 96, bold: true } as const;
    pen.text((square.width + width) / 2, square.width / 2 + 30, String(wave.answer), style);
    pen.text(0, height - LINE, cost.slice(0, 3).join(" · "), muted);
    pen.text(0, height - LINE + 18, cost.slice(3).join(" · "), muted);
  },
};
