/** The figure as a moving picture for the plain documents: the hand writes a three, and the wave crosses. The painters are those of the page. */
import { type Pen, SvgPen } from "../../draw/pen.ts";
import { LIGHT } from "../palette.ts";
import { storedReader } from "./files.ts";
import { partOf } from "./hand.ts";
import { example, layoutOf } from "./poster.ts";
import { END, paintFrame, paintStrokes, WavePainter } from "./wave.ts";
import { costOf } from "./words.ts";

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

/** The document of the picture: parts that come and go by animations of its style, and a still picture where there are none. */
export function picture(): string {
  const reader = storedReader();
  const wave = reader.read(example.strokes);
  const { height, square, wave: box } = layoutOf(WIDTH);
  const painter = new WavePainter(wave, reader.places, box, LIGHT);
  const pen = new SvgPen();
  const styles = [
    `g{animation-duration:${ROUND}s;animation-iteration-count:infinite;animation-timing-function:step-end}`,
    ".passing{visibility:hidden}",
  ];
  let count = 0;
  /** A part that is seen from one second on until another. */
  const part = (from: number, to: number, paint: (pen: Pen) => void): void => {
    const name = `p${count++}`;
    const percent = (seconds: number): string => `${Math.round((10_000 * seconds) / ROUND) / 100}%`;
    const [hidden, visible] = ["{visibility:hidden}", "{visibility:visible}"];
    styles.push(`.${name}{animation-name:${name}}`);
    styles.push(`@keyframes ${name}{0%${hidden}${percent(from)}${visible}${percent(to)}${hidden}}`);
    pen.group(to < GONE ? `${name} passing` : name, paint);
  };
  const still = new WavePainter(null, reader.places, box, LIGHT);
  paintFrame(pen, square, LIGHT);
  still.rest(pen);
  for (let i = 1; i <= PIECES; i++) {
    const until = i === PIECES ? GONE : (WRITTEN * (i + 1)) / PIECES;
    part((WRITTEN * i) / PIECES, until, (pen) => paintStrokes(pen, partOf(example, i / PIECES), square, LIGHT));
  }
  const last = Math.ceil(END * FRAMES);
  for (let i = 0; i <= last; i++) {
    const [time, begins] = [Math.min(END, i / FRAMES), BEGINS + (STEP * i) / FRAMES];
    part(begins, GONE, (pen) => painter.settled(pen, (i - 1) / FRAMES, time));
    part(begins, i === last ? GONE : begins + STEP / FRAMES, (pen) => painter.moment(pen, time));
  }
  const words = { color: LIGHT.muted, size: 12 };
  part(BEGINS + STEP * END, GONE, (pen) => pen.text(box.x, height - 6, costOf(wave, END).join(" · "), words));
  pen.style(`${styles.join("")}@media (prefers-reduced-motion:reduce){g{animation:none}}`);
  return pen.document(WIDTH, height, LIGHT.paper, "A drawn digit becomes a wave of spikes");
}
