/** Text plots of spikes and traces for a terminal. */
import { numberOf, type Range, WHOLE, withDefaults, wrongValue } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { sampleOf } from "./sample.ts";

/** Range of the characters in a line, and of the lines. */
const SIZE: Range = {
  expected: "an integer in [1, 1000]",
  fits: (x) => Number.isInteger(x) && x >= 1 && x <= 1000,
};

/** Options of {@link rasterText}. */
export interface RasterTextOptions {
  /** The sample of the batch; default 0. */
  sample?: number;
  /** Largest number of characters in a line; an integer in [1, 1000], default 72. */
  width?: number;
  /** Number of lines; an integer in [1, 1000], default at most 16 for a raster, 8 for a trace. */
  height?: number;
}

const RASTER: Required<RasterTextOptions> = { sample: 0, width: 72, height: 16 };

/** Options of {@link traceText}. */
export interface TraceTextOptions extends RasterTextOptions {
  /** Index of the neuron in the axes after the batch, in row-major order; default 0. */
  neuron?: number;
}

const TRACE: Required<TraceTextOptions> = { sample: 0, neuron: 0, width: 72, height: 8 };

/**
 * Plots a raster of spikes as text: time runs to the right, neuron 0 is at the top, and each spike is a dot. A Braille character has two steps of
 * four neurons; if there are too many, a dot stands for several.
 *
 * Shapes: spikes [T, B, …], of which one sample is shown, or [T].
 *
 * @throws RangeError unless there is a time axis and such a sample, and sizes lie in [1, 1000]; TypeError for anything but a tensor, an unknown
 *   option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { eye, rasterText } from "jarvis-snn";
 *
 * const spikes = eye(8).reshape([8, 1, 8]); // neuron n fires at step n
 * console.log(rasterText(spikes));
 * // 0 ┤⠑⢄⠀⠀
 * // 7 ┤⠀⠀⠑⢄
 * //   └────
 * //    0  7
 * ```
 */
export function rasterText(spikes: Tensor, options: RasterTextOptions = RASTER): string {
  const where = "rasterText";
  const { sample, width, height } = withDefaults(where, RASTER, options);
  const { values, T, N } = sampleOf(where, spikes, sample);
  const columns = Math.min(2 * numberOf(where, "width", width, SIZE), T);
  const rows = Math.min(4 * numberOf(where, "height", height, SIZE), N);
  const dots = new Dots(columns, rows);
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      if (values[t * N + n] !== 0) dots.set(Math.floor((t * columns) / T), Math.floor((n * rows) / N));
    }
  }
  const labels = new Map([
    [0, "0"],
    [dots.lines.length - 1, String(N - 1)],
  ]);
  return framed(dots.lines, labels, T);
}

/**
 * Plots a trace over time, for example of a membrane, as text: time runs to the right, the largest value is at the top. A Braille character has two
 * steps; if there are too many, a column shows several.
 *
 * Shapes: x [T, B, …], of which one neuron of one sample is shown, or [T].
 *
 * @throws RangeError unless there is a time axis, such a sample and such a neuron, and sizes lie in [1, 1000]; TypeError for anything but a tensor,
 *   an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { arange, traceText } from "jarvis-snn";
 *
 * console.log(traceText(arange(0, 40).div(4).sin(), { height: 3 }));
 * //  0.997 ┤⠀⡠⠊⠉⠑⢄⠀⠀⠀⠀⠀⠀⠀⢀⠔⠉⠉⠢⡀⠀
 * //        │⠊⠀⠀⠀⠀⠀⠣⡀⠀⠀⠀⠀⡠⠃⠀⠀⠀⠀⠘⢄
 * // -0.999 ┤⠀⠀⠀⠀⠀⠀⠀⠘⠤⣀⡠⠊⠀⠀⠀⠀⠀⠀⠀⠀
 * //        └────────────────────
 * //         0                 39
 * ```
 */
export function traceText(x: Tensor, options: TraceTextOptions = TRACE): string {
  const where = "traceText";
  const { sample, neuron, width, height } = withDefaults(where, TRACE, options);
  const { values, T, N } = sampleOf(where, x, sample);
  if (numberOf(where, "neuron", neuron, WHOLE) >= N) throw wrongValue(where, `a neuron below ${N}`, neuron);
  const columns = Math.min(2 * numberOf(where, "width", width, SIZE), T);
  const rows = 4 * numberOf(where, "height", height, SIZE);
  const trace = Array.from({ length: T }, (_, t) => values[t * N + neuron] as number);
  const finite = trace.filter(Number.isFinite);
  const high = finite.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = finite.reduce((a, b) => Math.min(a, b), Infinity);
  const dots = new Dots(columns, rows);
  const rowOf = (value: number): number =>
    high === low ? (rows >> 1) - 1 : Math.round(((high - value) / (high - low)) * (rows - 1));
  let before: number | null = null;
  for (const [t, value] of trace.entries()) {
    if (!Number.isFinite(value)) {
      before = null;
      continue;
    }
    const row = rowOf(value);
    // Connects the previous value with this one, in the column of this one.
    const from = before === null ? row : before + Math.sign(row - before);
    const step = from <= row ? 1 : -1;
    for (let r = from; r !== row + step; r += step) dots.set(Math.floor((t * columns) / T), r);
    before = row;
  }
  const last = dots.lines.length - 1;
  const labels = new Map(
    high > low ? [[last, short(low)] as const, [0, short(high)] as const] : [[last >> 1, short(low)]],
  );
  return framed(dots.lines, labels, T);
}

/** Code of the empty Braille character; each dot adds a bit. */
const BLANK = 0x2800;
/** Bits of the dots of a character, in columns of four. */
const BITS = [0x01, 0x02, 0x04, 0x40, 0x08, 0x10, 0x20, 0x80];

/** Dots on a grid of Braille characters, two columns of four dots each. */
class Dots {
  private readonly rows: number;
  private readonly characters: Uint16Array;
  private readonly width: number;

  constructor(columns: number, rows: number) {
    this.width = Math.ceil(columns / 2);
    this.rows = Math.ceil(rows / 4);
    this.characters = new Uint16Array(this.width * this.rows).fill(BLANK);
  }

  set(column: number, row: number): void {
    const at = (row >> 2) * this.width + (column >> 1);
    this.characters[at] = (this.characters[at] as number) | (BITS[4 * (column & 1) + (row & 3)] as number);
  }

  get lines(): string[] {
    return Array.from({ length: this.rows }, (_, i) =>
      String.fromCharCode(...this.characters.subarray(i * this.width, (i + 1) * this.width)),
    );
  }
}

/** Adds axes: labels at some lines, and the first and last step below. */
function framed(lines: readonly string[], labels: ReadonlyMap<number, string>, T: number): string {
  const width = Math.max(...[...labels.values()].map(({ length }) => length));
  const columns = lines[0]?.length ?? 0;
  const body = lines.map((line, i) => `${(labels.get(i) ?? "").padStart(width)} ${labels.has(i) ? "┤" : "│"}${line}`);
  const last = String(T - 1);
  const steps = columns > last.length + 1 ? `0${last.padStart(columns - 1)}` : "0";
  return [...body, `${" ".repeat(width)} └${"─".repeat(columns)}`, `${" ".repeat(width)}  ${steps}`].join("\n");
}

const short = (x: number): string => (Number.isFinite(x) ? String(+x.toPrecision(3)) : "–");
