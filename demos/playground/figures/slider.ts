/** Sliders of figures: a label, the value, and a handle; on the page, and in the poster. */

import type { Palette } from "../draw/palette.ts";
import type { Pen } from "../draw/pen.ts";
import { element } from "../ui/dom.ts";

export interface Range {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** A value as it is read. */
  readonly show: (value: number) => string;
}

export interface Slider {
  readonly node: HTMLLabelElement;
  /** Moves the handle. */
  set(value: number): void;
  /** Another bound; the handle stays within it. */
  setMax(max: number): void;
}

/** A slider that begins at `initial` and tells each value that the reader sets. */
export function slider(range: Range, initial: number, onInput: (value: number) => void): Slider {
  const { label, min, max, step, show } = range;
  const shown = element("b");
  const bounds = { min: String(min), max: String(max), step: String(step) };
  const input = element("input", { type: "range", ...bounds, "aria-label": label });
  const set = (value: number): void => {
    input.value = String(value);
    shown.textContent = show(value);
    input.setAttribute("aria-valuetext", show(value));
  };
  input.addEventListener("input", () => {
    const value = Number(input.value);
    set(value);
    onInput(value);
  });
  set(initial);
  const setMax = (max: number): void => {
    input.max = String(max);
  };
  return { node: element("label", {}, element("span", {}, label), shown, input), set, setMax };
}

/** Height of a row of sliders, their least width, and the gap between them, as the style sheet has them. */
const ROW = 52;
const LEAST = 150;
const GAP = 24;

const columnsOf = (count: number, width: number): number =>
  Math.max(1, Math.min(count, Math.floor((width + GAP) / (LEAST + GAP))));

export const slidersHeight = (count: number, width: number): number => ROW * Math.ceil(count / columnsOf(count, width));

/** Sliders at the top of a poster, at these values. */
export function paintSliders(
  pen: Pen,
  sliders: readonly { readonly range: Range; readonly value: number }[],
  width: number,
  palette: Palette,
): void {
  const columns = columnsOf(sliders.length, width);
  const each = (width - GAP * (columns - 1)) / columns;
  for (const [i, { range, value }] of sliders.entries()) {
    const [left, top] = [(i % columns) * (each + GAP), Math.floor(i / columns) * ROW];
    const share = (value - range.min) / (range.max - range.min);
    pen.text(left, top + 14, range.label, { color: palette.ink });
    pen.text(left + each, top + 14, range.show(value), { color: palette.ink, align: "right", bold: true });
    pen.boxes([left, top + 30, each, 4], palette.line);
    pen.boxes([left, top + 30, share * each, 4], palette.accent);
    pen.discs([left + 8 + share * (each - 16), top + 32, 8], palette.accent);
  }
}
