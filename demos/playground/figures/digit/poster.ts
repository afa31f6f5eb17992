/** The still picture of the figure: a three, and the wave that it set off. */
import type { Poster } from "../figure.ts";
import { storedReader } from "./files.ts";
import { handwriting, type Written } from "./hand.ts";
import { LINE, layoutOf } from "./round.ts";
import { END, paintFrame, paintStrokes, WavePainter } from "./wave.ts";
import { costOf } from "./words.ts";

/** The digit of the picture. */
export const example = handwriting[0] as Written;

export const poster: Poster = {
  heightFor: (width) => layoutOf(width).height,
  paint(pen, width, height, palette) {
    const reader = storedReader();
    const wave = reader.read(example.strokes);
    const { isWide, square, wave: box } = layoutOf(width);
    paintFrame(pen, square, palette);
    paintStrokes(pen, example.strokes, square, palette);
    new WavePainter(wave, reader.places, box, palette).paint(pen, END);
    pen.text(isWide ? box.x : 0, height - (isWide ? 6 : LINE), costOf(wave, END).join(" · "), {
      color: palette.muted,
      size: 12,
    });
    if (isWide) return;
    const style = { color: palette.ink, align: "center", size: 96, bold: true } as const;
    pen.text((square.width + width) / 2, square.width / 2 + 30, String(wave.digits[0]), style);
  },
};
