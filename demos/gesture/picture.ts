/** The picture of the demo: recordings as slices of time, and as events over time. */
import type { EventRecording } from "jarvis-snn/events";
import type { Slicing } from "./data.ts";

/** A recording with the name of its gesture. */
export interface Named {
  readonly name: string;
  readonly events: EventRecording;
}

/** Sides of a cell of a panel in pixels of the picture: of a frame, and of a panel over time. */
const CELL = [3, 3] as const;
const THIN = [1, 3] as const;
/** Frames in a row, and columns of a panel over time. */
const FRAMES = 5;
const COLUMNS = 160;
const GAP = 8;
/** The height of a line of text. */
const TEXT = 18;
/** Colours of OFF and ON. */
const COLOURS = ["#2563eb", "#ea580c"] as const;

/** A row for each recording: some of its slices as frames, then x and y of its events over time. */
export function pictureOf(recordings: readonly Named[], slicing: Slicing): string {
  const { width: W = 0, height: H = 0 } = recordings[0]?.events ?? {};
  const { binUs, bins } = slicing;
  const stride = bins >= 2 * FRAMES ? 2 : 1;
  const step = W * CELL[0] + GAP;
  const places = [FRAMES * step, FRAMES * step + COLUMNS + GAP] as const;
  const rowHeight = Math.max(W, H) * CELL[1] + TEXT + GAP;
  const rows = recordings.map(({ name, events }, row) => {
    const top = row * rowHeight + TEXT;
    const inSlice = (f: number) => (i: number) =>
      Math.floor((events.t[i] as number) / binUs) === f * stride
        ? ([events.x[i] as number, events.y[i] as number] as const)
        : null;
    const overTime = (values: Uint16Array) => (i: number) => {
      const column = Math.floor((COLUMNS * (events.t[i] as number)) / (bins * binUs));
      return column < COLUMNS ? ([column, values[i] as number] as const) : null;
    };
    const text = (x: number, words: string) => `<text x="${x}" y="${top - 5}">${words}</text>`;
    const which = stride === 2 ? "every second slice" : "slices";
    return [
      text(0, `${name}, ${which} of ${binUs / 1000} ms`),
      ...Array.from({ length: Math.min(FRAMES, bins) }, (_, f) =>
        panel([f * step, top], CELL, cellsOf(events, W, H, inSlice(f)), W),
      ),
      text(places[0], "x over time"),
      panel([places[0], top], THIN, cellsOf(events, COLUMNS, W, overTime(events.x)), COLUMNS),
      text(places[1], "y over time"),
      panel([places[1], top], THIN, cellsOf(events, COLUMNS, H, overTime(events.y)), COLUMNS),
    ].join("\n");
  });
  const size = `width="${places[1] + COLUMNS}" height="${recordings.length * rowHeight}"`;
  const ground = `<rect width="100%" height="100%" fill="#ffffff"/>`;
  return `<svg ${size} xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="12">\n${ground}\n${rows.join("\n")}\n</svg>\n`;
}

/** Cells of columns × rows: 0, or 1 for OFF and 2 for ON, by the last event in the cell; events without a cell are left out. */
function cellsOf(
  { t, p }: EventRecording,
  columns: number,
  rows: number,
  placeOf: (i: number) => readonly [x: number, y: number] | null,
): Uint8Array {
  const cells = new Uint8Array(columns * rows);
  for (let i = 0; i < t.length; i++) {
    const place = placeOf(i);
    if (place !== null) cells[place[1] * columns + place[0]] = 1 + (p[i] as number);
  }
  return cells;
}

/** A panel of cells: a line for each run of one polarity in a row. */
function panel(
  [left, top]: readonly [number, number],
  [width, height]: readonly [number, number],
  cells: Uint8Array,
  columns: number,
): string {
  const rows = cells.length / columns;
  const lines: [string, string] = ["", ""];
  for (let at = 0; at < cells.length; ) {
    const cell = cells[at] as number;
    const end = (Math.floor(at / columns) + 1) * columns;
    let next = at + 1;
    while (next < end && cells[next] === cell) next++;
    if (cell > 0) lines[cell - 1] += `M${at % columns} ${Math.floor(at / columns)}.5h${next - at}`;
    at = next;
  }
  const frame = `<rect width="${columns}" height="${rows}" fill="#f6f8fa"/>`;
  const paths = lines.map((d, p) => (d === "" ? "" : `<path d="${d}" stroke="${COLOURS[p]}"/>`)).join("");
  return `<g transform="translate(${left} ${top}) scale(${width} ${height})">${frame}${paths}</g>`;
}
