/** The pictures of a typed neuron: rows over time, the plane of its states, and its spikes over the current. */
import { paintRateCurve } from "../../draw/charts.ts";
import { powerOfTen } from "../../draw/numbers.ts";
import type { Pen } from "../../draw/pen.ts";
import { type Axis, compact, type Row, tickDistance } from "../../draw/stack.ts";
import { faded } from "../../draw/theme.ts";
import type { Palette } from "../palette.ts";
import { zeroLines } from "./contour.ts";
import type { Range } from "./model.ts";
import { colorOf, type Roles } from "./roles.ts";
import type { Scene } from "./scene.ts";

/** Heights of the rows, in pixels. */
const WIDE = { current: 64, credit: 48, spikes: 20, membrane: 104, state: 52 };
const NARROW = { current: 36, credit: 28, spikes: 10, membrane: 56, state: 28 };

/** The time axis of the rows: a step is the unit, whose name needs little room. */
export const axisOf = (steps: number): Axis => ({ steps, dt: 1, unit: "step", right: 44 });

/** The row of the current, on which one draws. */
export const CURRENT_ROW = 0;

/** A number away from 0 whose label is short: one digit below 0.1, else two. */
function outward(x: number): number {
  if (x === 0) return 0;
  const unit = 10 ** (Math.floor(Math.log10(Math.abs(x))) - (Math.abs(x) < 0.1 ? 0 : 1));
  return Number((Math.sign(x) * Math.ceil(Math.abs(x) / unit - 1e-9) * unit).toPrecision(2));
}

/** The range of the row of the current, with room to draw above. */
export function currentRange(current: ArrayLike<number>): Range {
  const values = Array.from(current);
  const high = Math.max(...values.map(Math.abs), 1e-3);
  return [outward(Math.min(0, ...values) * 1.25), outward(Math.max(...values) > 0 ? 1.25 * high : 0.25 * high)];
}

const number = (x: number | undefined): string =>
  x === undefined || !Number.isFinite(x) ? "not a number" : String(Number(x.toPrecision(3))).replace("-", "−");

/** The rows of a scene. `range` is the one of the current, which keeps still while one draws. */
export function rowsOf(scene: Scene, range: Range, roles: Roles, palette: Palette, isNarrow: boolean): Row[] {
  const { equations, current, run, credit, at } = scene;
  const { membrane, body, spike, states } = equations;
  const heights = isNarrow ? NARROW : WIDE;
  const size = Math.max(...credit.current.map((x) => (Number.isFinite(x) ? Math.abs(x) : 0)), 1e-30);
  // Labels of the axis have little room.
  const power = size >= 1000 || size < 0.01 ? Math.floor(Math.log10(size)) : 0;
  const unit = power === 0 ? "" : ` in ${powerOfTen(power)}`;
  const slopes = credit.current.map((x) => (Number.isFinite(x) ? x / 10 ** power : 0));
  const most = size / 10 ** power;
  const said = (name: string, values: ArrayLike<number>) => (t: number) => `${name} = ${number(values[t])}`;
  const rows: Row[] = [
    {
      kind: "trace",
      title: isNarrow ? "I: draw here" : "I, the current: draw here",
      height: heights.current,
      series: [{ values: current, color: palette.current }],
      low: range[0],
      high: range[1],
      columns: true,
      describe: said("I", current),
    },
    {
      kind: "trace",
      title: isNarrow
        ? `∂${membrane}[${at}]/∂I${unit}`
        : `∂${membrane}[${at}]/∂I${unit}: how the current of each step moves ${membrane} at step ${at}`,
      height: heights.credit,
      series: [
        { values: slopes.map((x) => Math.max(0, x)), color: palette.up },
        { values: slopes.map((x) => Math.min(0, x)), color: palette.down },
      ],
      low: -most,
      high: most,
      columns: true,
      swatch: palette.up,
      describe: (t) => number(credit.current[t]),
    },
  ];
  if (run.spikes !== null && spike !== null) {
    rows.push({
      kind: "raster",
      title: isNarrow ? spike : `${spike}, the spikes`,
      height: heights.spikes,
      size: 1,
      values: run.spikes,
      color: palette.ink,
    });
  }
  const drawn: (readonly [name: string, values: Float32Array])[] = [[membrane, run.membrane]];
  for (const name of states) {
    // The state of the membrane is the membrane after the reset.
    if (name !== membrane && (name !== body || equations.spike === null))
      drawn.push([name, run.states.get(name) as Float32Array]);
  }
  const { threshold } = equations;
  const level = typeof threshold === "string" ? equations.parameters.get(threshold)?.value : threshold;
  for (const [i, [name, values]] of drawn.entries()) {
    const [low, high] = rowRange(values, i === 0 ? level : null);
    rows.push({
      kind: "trace",
      title: i === 0 && !isNarrow ? `${name}, the membrane` : name,
      height: i === 0 ? heights.membrane : heights.state,
      series: [{ values, color: colorOf(roles.of(name), palette), width: i === 0 ? 2 : 1.5 }],
      low,
      high,
      ...(i === 0 && level !== null && level !== undefined ? { threshold: level } : {}),
      describe: said(name, values),
    });
  }
  return rows;
}

/** The range of a row: all finite values, and a level. */
function rowRange(values: Float32Array, level: number | null | undefined): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of [...values, ...(typeof level === "number" ? [level] : [])]) {
    if (!(Math.abs(x) < 1e30)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [outward(low), outward(high + 0.05 * (high - low))];
}

/** A sequence of places, as a picture of a width and a height has them. */
const FRAME = { left: 44, right: 10, top: 10, foot: 28 };

/** How many steps before the cursor a path is drawn in full. */
const TAIL = 40;

/** Where the states go, or where one state goes. */
export function paintPlane(
  pen: Pen,
  scene: Scene,
  roles: Roles,
  palette: Palette,
  width: number,
  height: number,
): void {
  const { plane } = scene;
  const box = { ...FRAME, right: width - FRAME.right, bottom: height - FRAME.foot };
  const [xs, ys] = plane.kind === "field" ? plane.ranges : [plane.range, plane.range];
  const x = (value: number): number => box.left + ((value - xs[0]) / (xs[1] - xs[0])) * (box.right - box.left);
  const y = (value: number): number => box.bottom - ((value - ys[0]) / (ys[1] - ys[0])) * (box.bottom - box.top);
  const [nameX, nameY] = plane.kind === "field" ? plane.names : [plane.name, `${plane.name}′`];
  pen.line([box.left, box.top, box.right, box.top, box.right, box.bottom, box.left, box.bottom, box.left, box.top], {
    color: palette.line,
  });
  if (plane.kind === "field") {
    const { field } = plane;
    const across = (box.right - box.left) / (field.side - 1);
    const up = (box.bottom - box.top) / (field.side - 1);
    const lines = (values: Float32Array): number[] =>
      zeroLines(values, field.side).map((at, i) => (i % 2 === 0 ? box.left + at * across : box.bottom - at * up));
    paintArrows(pen, scene, palette, [across, up], [x, y]);
    if (field.above !== null) pen.line(lines(field.above), { color: palette.muted, width: 1 });
    pen.line(lines(field.dx), { color: colorOf(roles.of(nameX), palette), width: 1.8 });
    pen.line(lines(field.dy), { color: colorOf(roles.of(nameY), palette), width: 1.8 });
    paintPath(pen, scene, palette, x, y);
  } else {
    pen.line([x(xs[0]), y(xs[0]), x(xs[1]), y(xs[1])], { color: palette.line });
    paintSuccessor(pen, scene, colorOf(roles.of(nameX), palette), palette, x, y);
  }
  const label = { color: palette.muted };
  pen.text((box.left + box.right) / 2, height - 8, nameX, {
    color: colorOf(roles.of(nameX), palette),
    align: "center",
    bold: true,
  });
  pen.text(box.left - 8, (box.top + box.bottom) / 2 + 4, nameY, {
    color: colorOf(roles.of(nameY.replace("′", "")), palette),
    align: "right",
    bold: true,
  });
  pen.text(box.left, height - 8, compact(xs[0]), label);
  pen.text(box.right, height - 8, compact(xs[1]), { ...label, align: "right" });
  pen.text(box.left - 8, box.bottom, compact(ys[0]), { ...label, align: "right" });
  pen.text(box.left - 8, box.top + 9, compact(ys[1]), { ...label, align: "right" });
}

type Scale = (value: number) => number;

/** Every other place of the field has an arrow, whose dot is its tail; long moves have arrows of one length. */
function paintArrows(
  pen: Pen,
  { plane }: Scene,
  palette: Palette,
  [across, up]: readonly [number, number],
  [x, y]: readonly [Scale, Scale],
): void {
  if (plane.kind !== "field") return;
  const { side, dx, dy } = plane.field;
  const [xs, ys] = plane.ranges;
  const [left, bottom] = [x(xs[0]), y(ys[0])];
  const [perX, perY] = [(x(xs[1]) - left) / (xs[1] - xs[0]), (y(ys[1]) - bottom) / (ys[1] - ys[0])];
  const cell = 2 * Math.min(across, up);
  const lines: number[] = [];
  const dots: number[] = [];
  for (let row = 1; row < side; row += 2) {
    for (let column = 1; column < side; column += 2) {
      const i = row * side + column;
      const [vx, vy] = [(dx[i] as number) * perX, (dy[i] as number) * perY];
      const length = Math.hypot(vx, vy);
      if (!(length > 0 && length < 1e9)) continue;
      const [fromX, fromY] = [left + column * across, bottom - row * up];
      const k = (cell * 0.8 * Math.min(1, 0.3 + length / cell)) / length;
      const [toX, toY] = [fromX + vx * k, fromY + vy * k];
      if (toX < left || toX > x(xs[1]) || toY > bottom || toY < y(ys[1])) continue;
      lines.push(fromX, fromY, toX, toY, Number.NaN, Number.NaN);
      dots.push(fromX - 1, fromY - 1, 2, 2);
    }
  }
  const color = faded(palette.muted, 0.5);
  pen.line(lines, { color });
  pen.boxes(dots, color);
}

/** The path of both states: all of it faint, the steps before the cursor in full. */
function paintPath(pen: Pen, { plane, run, at, current }: Scene, palette: Palette, x: Scale, y: Scale): void {
  if (plane.kind !== "field") return;
  const [xs, ys] = plane.names.map((name) => run.states.get(name) as Float32Array) as [Float32Array, Float32Array];
  const points = (from: number, to: number): number[] => {
    const list: number[] = [];
    for (let t = from; t < to; t++) {
      const isIn = Math.abs(xs[t] as number) < 1e15 && Math.abs(ys[t] as number) < 1e15;
      list.push(isIn ? x(xs[t] as number) : Number.NaN, isIn ? y(ys[t] as number) : Number.NaN);
    }
    return list;
  };
  pen.line(points(0, current.length), { color: faded(palette.ink, 0.28) });
  const tail = points(Math.max(0, at - TAIL), at + 1);
  pen.line(tail, { color: palette.ink, width: 2 });
  if (!Number.isNaN(tail.at(-1))) pen.discs([tail.at(-2) as number, tail.at(-1) as number, 4.5], palette.ink);
}

/** The next value over the value, and the steps before the cursor as a cobweb between it and the diagonal. */
function paintSuccessor(
  pen: Pen,
  { plane, run, at }: Scene,
  color: string,
  palette: Palette,
  x: Scale,
  y: Scale,
): void {
  if (plane.kind !== "successor") return;
  const { range, name, successor } = plane;
  const isIn = (value: number): boolean => value >= range[0] && value <= range[1];
  const curve: number[] = [];
  for (const [i, to] of successor.to.entries()) {
    const isJump = i > 0 && successor.fires !== null && successor.fires[i] !== successor.fires[i - 1];
    if (isJump) curve.push(Number.NaN, Number.NaN);
    curve.push(x(successor.from[i] as number), isIn(to) ? y(to) : Number.NaN);
  }
  pen.line(curve, { color, width: 2 });
  const values = run.states.get(name) as Float32Array;
  const web: number[] = [];
  for (let t = Math.max(0, at - TAIL); t < at; t++) {
    const [from, to] = [values[t] as number, values[t + 1] as number];
    if (isIn(from) && isIn(to)) web.push(x(from), y(from), x(from), y(to), x(to), y(to));
    else web.push(Number.NaN, Number.NaN);
  }
  pen.line(web, { color: faded(palette.ink, 0.7) });
  const last = values[at] as number;
  if (isIn(last)) pen.discs([x(last), y(last), 4.5], palette.ink);
}

/** Spikes over the current; nothing for a neuron without spikes. */
export function paintCurve(
  pen: Pen,
  { curve, current, at }: Scene,
  palette: Palette,
  width: number,
  height: number,
): void {
  if (curve === null) return;
  const [low, high] = [curve.currents[0] as number, curve.currents.at(-1) as number];
  const input = current[at] as number;
  const look = { least: 1, color: palette.membrane, ticks: placesIn(low, high, width / 72) };
  paintRateCurve(pen, { ...curve, ...look }, input >= low && input <= high ? input : null, width, height, palette);
}

/** Round numbers in a range, at most so many. */
function placesIn(low: number, high: number, most: number): number[] {
  // Distances of ticks are whole numbers.
  const scale = 10 ** Math.ceil(3 - Math.log10(high - low));
  const every = tickDistance((high - low) * scale, most) / scale;
  const first = Math.ceil(low / every - 1e-9);
  return Array.from({ length: Math.floor(high / every + 1e-9) - first + 1 }, (_, i) => (first + i) * every);
}
