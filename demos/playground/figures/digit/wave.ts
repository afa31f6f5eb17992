/**
 * The picture of a wave: pixels at the left, hidden neurons in the middle, the ten digits at the right. Spikes are ink, membranes blue.
 *
 *   a step of the network          t                    t + 1/2                 t + 1
 *   its spikes                     pixels fire          neurons fire            membranes rise
 */

import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { PIXELS, SIDE, type Strokes } from "../../model/image.ts";
import { PEN } from "./ink.ts";
import { DIGITS, HIDDEN, TIMESTEPS, type Wave } from "./net.ts";

/** A part of a picture. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The time at which a spike of a hidden neuron has come to its digit, and the time at which all is over. */
const NEURON = 0.5;
const DIGIT = 1.2;
export const END = TIMESTEPS + DIGIT;

/** The time from which on the answer is seen: a sure one with the membranes of its step, a doubtful one at the end. */
export const answeredAt = ({ digits, decided }: Wave): number => (digits.length === 1 ? decided + DIGIT : END);

const COLUMNS = 6;
const ROWS = HIDDEN / COLUMNS;
/** Room for names below, and above the first row. */
const FOOT = 22;
const HEAD = 5;

/** Where pixels, neurons and digits lie in a box. */
class WaveLayout {
  /** Distance of pixels, of rows of neurons, and of digits. */
  readonly cell: number;
  readonly row: number;
  readonly line: number;
  readonly bars: number;
  readonly box: Box;
  private readonly places: ArrayLike<number>;

  constructor(box: Box, places: ArrayLike<number>) {
    this.box = box;
    this.places = places;
    const height = box.height - FOOT - HEAD;
    this.cell = Math.min(height, 0.32 * box.width) / SIDE;
    this.row = height / ROWS;
    this.line = height / DIGITS;
    this.bars = this.digitX + 16;
  }

  pixel(i: number): [x: number, y: number] {
    const top = this.box.y + HEAD + (this.box.height - FOOT - HEAD - SIDE * this.cell) / 2;
    return [this.box.x + ((i % SIDE) + 0.5) * this.cell, top + (Math.floor(i / SIDE) + 0.5) * this.cell];
  }

  neuron(h: number): [x: number, y: number] {
    const place = this.places[h] as number;
    const step = Math.min(this.row * 1.2, (0.22 * this.box.width) / COLUMNS);
    // Every other row stands half a place aside.
    const row = Math.floor(place / COLUMNS);
    const column = (place % COLUMNS) - (COLUMNS - 1) / 2 + (row % 2 === 0 ? 0.25 : -0.25);
    return [this.middle + column * step, this.box.y + HEAD + (row + 0.5) * this.row];
  }

  /** Where paths to a digit end. */
  digit(k: number): [x: number, y: number] {
    return [this.digitX - 14, this.box.y + HEAD + (k + 0.5) * this.line];
  }

  get digitX(): number {
    return this.box.x + 0.84 * this.box.width;
  }

  get middle(): number {
    return this.box.x + 0.58 * this.box.width;
  }

  get right(): number {
    return this.box.x + this.box.width;
  }

  get foot(): number {
    return this.box.y + this.box.height - 5;
  }

  get pixelsMiddle(): number {
    return this.box.x + (SIDE * this.cell) / 2;
  }
}

/** A wave in its box, painted in parts: silent neurons, marks of past spikes, and spikes on their way at a time. */
export class WavePainter {
  private readonly layout: WaveLayout;
  private readonly wave: Wave | null;
  private readonly palette: Palette;
  private readonly toHidden: readonly Segment[];
  private readonly toDigits: readonly Segment[];

  constructor(wave: Wave | null, places: ArrayLike<number>, box: Box, palette: Palette) {
    const layout = new WaveLayout(box, places);
    this.wave = wave;
    this.palette = palette;
    this.layout = layout;
    const { toHidden = [], toDigits = [] } = wave ?? {};
    this.toHidden = toHidden.map(({ from, to, leaves, arrives }) => ({
      goal: to,
      a: layout.pixel(from),
      b: layout.neuron(to),
      start: leaves,
      end: arrives + NEURON,
    }));
    this.toDigits = toDigits.map(({ from, to, leaves }) => ({
      goal: to,
      a: layout.neuron(from),
      b: layout.digit(to),
      start: leaves + NEURON,
      end: leaves + DIGIT,
    }));
  }

  /** Whether it paints this wave in a box of this size, in these colours. */
  paints(wave: Wave | null, { width, height }: Box, palette: Palette): boolean {
    const { box } = this.layout;
    return wave === this.wave && palette === this.palette && width === box.width && height === box.height;
  }

  /** All of it at a time. */
  paint(pen: Pen, time: number): void {
    this.rest(pen);
    this.settled(pen, Number.NEGATIVE_INFINITY, time);
    this.moment(pen, time);
  }

  /** Neurons that are silent, and names. */
  rest(pen: Pen): void {
    const { layout, palette, wave } = this;
    const small: number[] = [];
    for (let i = 0; i < PIXELS; i++) small.push(...layout.pixel(i), Math.max(0.8, 0.12 * layout.cell));
    for (let h = 0; h < HIDDEN; h++) small.push(...layout.neuron(h), Math.max(1.2, 0.16 * layout.row));
    pen.discs(small, palette.line);
    if (wave !== null) {
      const inked = [...wave.image].flatMap((ink, i) =>
        ink > 0.1 ? [...layout.pixel(i), ink * 0.3 * layout.cell] : [],
      );
      pen.discs(inked, faded(palette.muted, 0.4));
    }
    const name = { color: palette.muted, align: "center", size: 12 } as const;
    pen.text(layout.pixelsMiddle, layout.foot, `${PIXELS} pixels`, name);
    pen.text(layout.middle, layout.foot, `${HIDDEN} neurons`, name);
    pen.text(layout.digitX, layout.foot, `${DIGITS} digits`, name);
    for (let k = 0; k < DIGITS; k++) {
      const [, y] = layout.digit(k);
      pen.boxes([layout.bars, y - 0.5, layout.right - layout.bars, 1], palette.line);
      pen.text(layout.digitX, y + 5, String(k), { color: palette.muted, align: "center", size: 15 });
    }
  }

  /** Paths that came to their ends after one time and until another, and the neurons that fired then. */
  settled(pen: Pen, from: number, to: number): void {
    const { wave, layout, palette } = this;
    if (wave === null) return;
    const within = (time: number): boolean => time > from && time <= to;
    // Lines of one call do not darken each other: paths to the same neuron are few, and those of others shine through.
    const trails = (paths: readonly Segment[], alpha: number): void => {
      for (const [, same] of byGoal(paths.filter(({ end }) => within(end)))) {
        lines(
          pen,
          same.flatMap(({ a, b }) => [...a, ...b, Number.NaN, Number.NaN]),
          faded(palette.ink, alpha),
          0.8,
        );
      }
    };
    trails(this.toHidden, 0.13);
    trails(this.toDigits, 0.2);
    const fired: number[] = [];
    for (const [i, t] of wave.firstSpikes.entries()) {
      if (t >= 0 && within(t)) fired.push(...layout.pixel(i), 0.34 * layout.cell);
    }
    for (const [t, neurons] of wave.fired.entries()) {
      if (within(t + NEURON)) for (const h of neurons) fired.push(...layout.neuron(h), 0.26 * layout.row);
    }
    if (fired.length > 0) pen.discs(fired, palette.ink);
  }

  /** Spikes on their way, neurons that have just fired, and the membranes of the digits. */
  moment(pen: Pen, time: number): void {
    const { wave, layout, palette } = this;
    if (wave === null) return;
    lines(pen, pulses(this.toHidden, time), faded(palette.ink, 0.75), 1.2);
    lines(pen, pulses(this.toDigits, time), faded(palette.ink, 0.75), 1.4);
    const flashes: number[] = [];
    const flash = (place: [number, number], radius: number, since: number): void => {
      if (since >= 0 && since < FLASH) flashes.push(...place, radius * (1.5 - 0.5 * (since / FLASH)));
    };
    for (const [i, t] of wave.firstSpikes.entries()) {
      if (t >= 0) flash(layout.pixel(i), 0.34 * layout.cell, time - t);
    }
    for (const [t, neurons] of wave.fired.entries()) {
      for (const h of neurons) flash(layout.neuron(h), 0.26 * layout.row, time - t - NEURON);
    }
    if (flashes.length > 0) pen.discs(flashes, palette.ink);
    this.membranes(pen, wave, time);
  }

  private membranes(pen: Pen, wave: Wave, time: number): void {
    const { layout, palette } = this;
    const { membranes, digits } = wave;
    const most = Math.max(...membranes, 1e-6);
    const step = Math.min(TIMESTEPS, Math.max(0, time - DIGIT + 1));
    const at = (t: number, k: number): number => (t < 0 ? 0 : (membranes[t * DIGITS + k] as number));
    const bars: number[] = [];
    for (let k = 0; k < DIGITS; k++) {
      const t = Math.ceil(step) - 1;
      const value = at(t - 1, k) + (step - t) * (at(t, k) - at(t - 1, k));
      const length = (Math.max(0, value) / most) * (layout.right - layout.bars);
      const thick = Math.min(8, 0.4 * layout.line);
      if (length > 0.5) bars.push(layout.bars, layout.digit(k)[1] - thick / 2, length, thick);
    }
    if (bars.length > 0) pen.boxes(bars, palette.membrane);
    if (time < answeredAt(wave)) return;
    for (const digit of digits) {
      const [, y] = layout.digit(digit);
      pen.discs(
        [layout.digitX, y, Math.min(15, 0.62 * layout.line)],
        digits.length === 1 ? palette.ink : palette.muted,
      );
      pen.text(layout.digitX, y + 6, String(digit), { color: palette.paper, align: "center", size: 17, bold: true });
    }
  }
}

/** Steps for which a neuron that has fired is larger, and the part of its way that a spike takes up. */
const FLASH = 1;
const LENGTH = 0.22;

/** Paths in groups with the same goal. */
function byGoal(paths: readonly Segment[]): Map<number, Segment[]> {
  const groups = new Map<number, Segment[]>();
  for (const path of paths) {
    const same = groups.get(path.goal);
    if (same === undefined) groups.set(path.goal, [path]);
    else same.push(path);
  }
  return groups;
}

interface Segment {
  /** The neuron or digit at the end. */
  readonly goal: number;
  readonly a: readonly [number, number];
  readonly b: readonly [number, number];
  readonly start: number;
  readonly end: number;
}

/** The pieces of ways on which spikes are at a time. */
function pulses(paths: readonly Segment[], time: number): number[] {
  return paths.flatMap(({ a, b, start, end }) => {
    if (time <= start || time >= end) return [];
    const head = (time - start) / (end - start);
    const tail = Math.max(0, head - LENGTH);
    const at = (f: number): number[] => [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1])];
    return [...at(tail), ...at(head), Number.NaN, Number.NaN];
  });
}

function lines(pen: Pen, points: readonly number[], color: string, width: number): void {
  if (points.length > 0) pen.line(points, { color, width });
}

/** The pad: strokes in a square, and where the hand that writes them is. */
export function paintPad(pen: Pen, strokes: Strokes, { x, y, width }: Box, palette: Palette, writes: boolean): void {
  paintStrokes(pen, strokes, { x, y, width, height: width }, palette);
  const tip = strokes.at(-1)?.at(-1);
  if (writes && tip !== undefined) {
    pen.discs([x + tip[0] * width, y + tip[1] * width, 0.9 * PEN * width], faded(palette.muted, 0.45));
  }
}

export function paintStrokes(pen: Pen, strokes: Strokes, { x, y, width }: Box, palette: Palette): void {
  const thick = PEN * width;
  for (const points of strokes) {
    const line = points.flatMap(([px, py]) => [x + px * width, y + py * width]);
    if (points.length > 1) pen.line(line, { color: palette.ink, width: thick });
    // Round ends and corners.
    pen.discs(
      points.flatMap(([px, py]) => [x + px * width, y + py * width, thick / 2]),
      palette.ink,
    );
  }
}

/** An empty pad. */
export function paintFrame(pen: Pen, { x, y, width, height }: Box, palette: Palette): void {
  pen.boxes([x, y, width, height], palette.raised);
  pen.line([x, y, x + width, y, x + width, y + height, x, y + height, x, y], { color: palette.line, width: 1 });
}
