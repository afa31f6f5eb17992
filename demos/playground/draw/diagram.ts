/** The network at one moment: potentials fill the neurons like vessels, spikes travel along the connections. */
import type { SampleView } from "../model/views.ts";
import { faded, LIGHT, type Palette } from "./palette.ts";
import type { Pen } from "./pen.ts";

/** Neurons of a layer that find room. */
const MOST = 12;
/** Pixels above and below the neurons, and those beside a neuron that still mean it. */
const [TITLES, FOOT, REACH] = [28, 8, 24];
/** Connections of a pair of layers that are drawn: the strongest. */
const STRONGEST = 160;
/** Part of the way of the first spike of a column after which the last one leaves. */
const APART = 0.5;

interface Column {
  /** The neurons that are drawn. */
  readonly neurons: readonly number[];
  readonly size: number;
  readonly x: number;
  readonly color: string;
  readonly title: string;
}

export interface DiagramInput {
  readonly sample: SampleView;
  /** [out, in] of each pair of columns. */
  readonly matrices: readonly Float32Array[];
  readonly threshold: number;
  readonly classNames: readonly string[];
  /** Neurons that are silenced are crossed out, one is framed; both counted from 0. */
  readonly silenced?: readonly Place[];
  readonly framed?: Place | null;
  /** Time passes: within a step spikes run from column to column. At rest a step is shown as a whole. */
  readonly running?: boolean;
}

interface Place {
  readonly layer: number;
  readonly neuron: number;
}

/** The neuron of a layer at a point of the picture, null for none. */
export function neuronAt(
  { sample, classNames, framed = null }: DiagramInput,
  [x, y]: readonly [number, number],
  width: number,
  height: number,
): Place | null {
  const columns = makeColumns(sample, classNames, framed, width, LIGHT);
  for (const [layer, column] of columns.slice(1, -1).entries()) {
    const pitch = (height - TITLES - FOOT) / column.neurons.length;
    const neuron = column.neurons[Math.floor((y - TITLES) / pitch)];
    if (Math.abs(x - column.x) <= REACH && neuron !== undefined) return { layer, neuron };
  }
  return null;
}

/** `time` runs from 0 to the number of steps; its fraction is how far the spikes of that step have come. */
export function paintDiagram(
  pen: Pen,
  { sample, matrices, threshold, classNames, silenced = [], framed = null, running = false }: DiagramInput,
  time: number,
  width: number,
  height: number,
  palette: Palette,
): void {
  const columns = makeColumns(sample, classNames, framed, width, palette);
  const step = Math.min(sample.timesteps - 1, Math.floor(time));
  // Each column has its part of a step: the spikes of the one before run to it, and then it answers.
  const phase = running ? Math.min(1, time - step) * columns.length : null;
  const stepOf = (column: number): number => (phase === null || phase >= column ? step : step - 1);
  const wayOf = (pair: number): number => (phase === null ? Math.min(1, time - step) : phase - pair);
  const y = (column: Column, i: number): number =>
    TITLES + ((i + 0.5) / column.neurons.length) * (height - TITLES - FOOT);
  for (let pair = 0; pair + 1 < columns.length; pair++) {
    const matrix = matrices[pair];
    const way = wayOf(pair);
    const at = way > 0 && way <= 1 ? { t: step, way, apart: running ? APART : 0 } : null;
    if (matrix !== undefined) paintConnections(pen, columns, pair, matrix, sample, at, y, palette);
  }
  for (const [i, column] of columns.entries()) {
    const shown = column.size > column.neurons.length ? `${column.neurons.length} of ${column.size}` : "";
    const align = i === 0 ? "left" : i === columns.length - 1 ? "right" : "center";
    const x = i === 0 ? 8 : i === columns.length - 1 ? width - 8 : column.x;
    const t = stepOf(i);
    const isWide = width / columns.length > 120;
    const color = palette.muted;
    pen.text(x, isWide ? 14 : 10, isWide && shown !== "" ? `${column.title} · ${shown}` : column.title, {
      color,
      align,
    });
    if (!isWide && shown !== "") pen.text(x, 22, shown, { color, align, size: 11 });
    if (i === 0) paintInputs(pen, column, sample, t, y, palette);
    else if (i === columns.length - 1) paintReadout(pen, column, sample, t, y, palette, classNames);
    else paintNeurons(pen, column, sample.layers[i - 1] as SampleView["layers"][number], t, threshold, y, palette);
  }
  const at = ({ layer, neuron }: Place): readonly [number, number] | null => {
    const column = columns[layer + 1];
    const i = column?.neurons.indexOf(neuron) ?? -1;
    return column === undefined || i < 0 ? null : [column.x, y(column, i)];
  };
  for (const place of silenced) {
    const [x, cy] = at(place) ?? [];
    if (x === undefined || cy === undefined) continue;
    pen.discs([x, cy, 9], palette.paper);
    pen.line([x - 5, cy - 5, x + 5, cy + 5], { color: palette.muted, width: 2 });
    pen.line([x - 5, cy + 5, x + 5, cy - 5], { color: palette.muted, width: 2 });
  }
  const [x, cy] = (framed === null ? null : at(framed)) ?? [];
  if (x === undefined || cy === undefined) return;
  pen.line([x - 11, cy - 11, x + 11, cy - 11, x + 11, cy + 11, x - 11, cy + 11, x - 11, cy - 11], {
    color: palette.ink,
    width: 1,
  });
}

function makeColumns(
  sample: SampleView,
  classNames: readonly string[],
  framed: Place | null,
  width: number,
  palette: Palette,
): Column[] {
  const inputs = sample.input.length / sample.timesteps;
  const sizes = [inputs, ...sample.layers.map(({ size }) => size), classNames.length];
  const titles = ["input", ...sample.layers.map((_, i) => `layer ${i + 1}`), "readout"];
  const left = 28;
  const right = width - 64;
  return sizes.map((size, i) => ({
    neurons:
      size <= MOST
        ? Array.from({ length: size }, (_, n) => n)
        : liveliest(sample, i, size, framed?.layer === i - 1 ? framed.neuron : -1),
    size,
    x: left + (i / (sizes.length - 1)) * (right - left),
    color: i === 0 ? palette.input : i === sizes.length - 1 ? palette.readout : (palette.layers[i - 1] as string),
    title: titles[i] as string,
  }));
}

/** The framed neuron, and those of a column whose spikes vary the most: neither silent nor firing in every step; in their order. */
function liveliest(sample: SampleView, column: number, size: number, framed: number): number[] {
  const values = column === 0 ? sample.input : (sample.layers[column - 1]?.spikes ?? new Float32Array(0));
  const counts = new Float32Array(size);
  for (let i = 0; i < values.length; i++) counts[i % size] = (counts[i % size] as number) + (values[i] as number);
  const changes = counts.map((count) => count * (sample.timesteps - count));
  if (framed >= 0) changes[framed] = Number.POSITIVE_INFINITY;
  return Array.from(counts.keys())
    .sort((a, b) => (changes[b] as number) - (changes[a] as number) || a - b)
    .slice(0, MOST)
    .sort((a, b) => a - b);
}

function fired(sample: SampleView, column: number, t: number, neuron: number, size: number): number {
  const values = column === 0 ? sample.input : sample.layers[column - 1]?.spikes;
  return values?.[t * size + neuron] ?? 0;
}

function paintConnections(
  pen: Pen,
  columns: readonly Column[],
  pair: number,
  matrix: Float32Array,
  sample: SampleView,
  at: { readonly t: number; readonly way: number; readonly apart: number } | null,
  y: (column: Column, i: number) => number,
  palette: Palette,
): void {
  const [from, to] = [columns[pair] as Column, columns[pair + 1] as Column];
  const all: { w: number; i: number; j: number }[] = [];
  for (const [i, source] of from.neurons.entries()) {
    for (const [j, target] of to.neurons.entries()) {
      all.push({ w: matrix[target * from.size + source] as number, i, j });
    }
  }
  all.sort((a, b) => Math.abs(b.w) - Math.abs(a.w));
  const largest = Math.abs(all[0]?.w ?? 1) || 1;
  const exciting: number[] = [];
  const inhibiting: number[] = [];
  // The weakest first, so that the strongest lie on top.
  for (const { w, i, j } of all.slice(0, STRONGEST).reverse()) {
    const strength = Math.abs(w) / largest;
    if (strength < 0.04) continue;
    const ends = [from.x, y(from, i), to.x, y(to, j)];
    const active = at !== null && fired(sample, pair, at.t, from.neurons[i] as number, from.size) > 0;
    const color = w > 0 ? palette.excite : palette.inhibit;
    const style = {
      color: faded(color, (active ? 0.75 : 0.16) * (0.35 + 0.65 * strength)),
      width: 0.5 + 2.5 * strength,
    };
    pen.line(ends, w > 0 ? style : { ...style, dash: [4, 3] });
    if (!active) continue;
    // The spikes of a column leave one after the other, and the last one arrives with the step.
    const way = Math.min(1, at.way * (1 + at.apart) - (at.apart * i) / Math.max(1, from.neurons.length - 1));
    if (way <= 0) continue;
    const spot = [from.x + way * (to.x - from.x), y(from, i) + way * (y(to, j) - y(from, i)), 1.2 + 2 * strength];
    (w > 0 ? exciting : inhibiting).push(...spot);
  }
  pen.discs(exciting, palette.excite);
  // Inhibition travels as squares.
  const squares: number[] = [];
  for (let i = 0; i < inhibiting.length; i += 3) {
    const [x, cy, r] = [inhibiting[i] as number, inhibiting[i + 1] as number, inhibiting[i + 2] as number];
    squares.push(x - r, cy - r, 2 * r, 2 * r);
  }
  pen.boxes(squares, palette.inhibit);
}

function paintInputs(
  pen: Pen,
  column: Column,
  sample: SampleView,
  t: number,
  y: (column: Column, i: number) => number,
  palette: Palette,
): void {
  for (const [i, neuron] of column.neurons.entries()) {
    const value = fired(sample, 0, t, neuron, column.size);
    pen.boxes([column.x - 5, y(column, i) - 5, 10, 10], column.color);
    pen.boxes([column.x - 4, y(column, i) - 4, 8, 8], palette.paper);
    pen.boxes([column.x - 4, y(column, i) - 4, 8, 8], faded(column.color, Math.min(1, Math.abs(value))));
  }
}

function paintNeurons(
  pen: Pen,
  column: Column,
  layer: SampleView["layers"][number],
  t: number,
  threshold: number,
  y: (column: Column, i: number) => number,
  palette: Palette,
): void {
  const r = Math.min(8, (y(column, 1) - y(column, 0)) / 2 - 2);
  for (const [i, neuron] of column.neurons.entries()) {
    const cy = y(column, i);
    const spike = layer.spikes[t * layer.size + neuron] === 1;
    const fill = Math.min(1, Math.max(0, (layer.membrane[t * layer.size + neuron] as number) / threshold));
    if (spike) pen.discs([column.x, cy, r + 4], faded(column.color, 0.3));
    pen.discs([column.x, cy, r + 1], column.color);
    pen.discs([column.x, cy, r - 0.5], palette.paper);
    pen.area(segment(column.x, cy, r - 0.5, spike ? 1 : fill), column.color);
  }
}

/** The lower part of a disc, filled up to a share of its height. */
function segment(x: number, y: number, r: number, share: number): number[] {
  const level = 1 - 2 * share;
  const start = Math.asin(Math.min(1, Math.max(-1, level)));
  const points: number[] = [];
  for (let k = 0; k <= 24; k++) {
    const angle = start + (k / 24) * (Math.PI - 2 * start);
    points.push(x + r * Math.cos(angle), y + r * Math.sin(angle));
  }
  return points;
}

function paintReadout(
  pen: Pen,
  column: Column,
  sample: SampleView,
  t: number,
  y: (column: Column, i: number) => number,
  palette: Palette,
  names: readonly string[],
): void {
  const scores = sample.scores.subarray(t * sample.classes, (t + 1) * sample.classes);
  const best = sample.leaders[t] as number;
  const spread = Math.max(...scores.map(Math.abs), 1e-6);
  for (const k of column.neurons) {
    const cy = y(column, k);
    const score = scores[k] as number;
    const color =
      sample.classes === 2 ? (palette.classes[k as 0 | 1] as string) : k === best ? palette.ink : palette.readout;
    pen.discs([column.x, cy, 7], color);
    pen.discs([column.x, cy, 5.5], palette.paper);
    if (score > 0) pen.discs([column.x, cy, 5.5 * Math.sqrt(score / spread)], color);
    pen.text(column.x + 14, cy + 4, names[k] as string, {
      color: k === best ? palette.ink : palette.muted,
      bold: k === best,
    });
  }
}
