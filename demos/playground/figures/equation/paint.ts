/** The pictures of a typed neuron: rows over time, the plane of its states, and its spikes over the current. */
import { paintRateCurve } from "../../draw/charts.ts";
import { powerOfTen } from "../../draw/numbers.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { type Axis, compact, type Row, tickDistance } from "../../draw/stack.ts";
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

/** The power of ten that an axis of numbers up to this size leaves out, so that labels have at most five signs: 0 from 0.1 to 1000. */
const powerOf = ([low, high]: Range): number => {
  const size = Math.max(Math.abs(low), Math.abs(high));
  return size === 0 || (size >= 0.1 && size < 1000) ? 0 : Math.floor(Math.log10(size));
};

/** The ends of an axis away from 0, with labels of at most five signs: two digits, one of them below 0.1, and two decimals. */
function outward(range: Range): Range {
  const least = 10 ** (powerOf(range) - 2);
  return range.map((x) => {
    if (Math.abs(x) < least / 10) return 0;
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(x))) - (Math.abs(x) < 0.1 ? 0 : 1));
    const step = Math.max(unit, least);
    return Number((Math.sign(x) * Math.ceil(Math.abs(x) / step - 1e-9) * step).toPrecision(3));
  }) as [number, number];
}

/** The range of the row of the current, with room to draw above. */
export function currentRange(current: ArrayLike<number>): Range {
  const values = Array.from(current);
  const high = Math.max(...values.map(Math.abs), 1e-3);
  return outward([Math.min(0, ...values) * 1.25, Math.max(...values) > 0 ? 1.25 * high : 0.25 * high]);
}

/** A number with three digits: 1.24, −3.2·10²². */
function number(x: number | undefined): string {
  if (x === undefined || !Number.isFinite(x)) return "not a number";
  const [digits = "", power] = String(Number(x.toPrecision(3))).split("e");
  const signed = digits.replace("-", "−");
  return power === undefined ? signed : `${signed}·${powerOfTen(Number(power))}`;
}

type Trace = Extract<Row, { kind: "trace" }>;

/** A row of a quantity; where its numbers are large or small, it is in a power of ten, which the title names. */
function traceOf(name: string, meaning: string, row: Omit<Trace, "kind" | "title">): Row {
  const power = powerOf([row.low, row.high]);
  if (power === 0) return { ...row, kind: "trace", title: name + meaning };
  const scaled = (x: number): number => x / 10 ** power;
  return {
    ...row,
    kind: "trace",
    title: `${name} in ${powerOfTen(power)}${meaning}`,
    series: row.series.map((each) => ({ ...each, values: Array.from(each.values, scaled) })),
    low: scaled(row.low),
    high: scaled(row.high),
    ...(row.threshold === undefined ? {} : { threshold: scaled(row.threshold) }),
  };
}

/** The rows of a scene. `range` is the one of the current, which keeps still while one draws. */
export function rowsOf(scene: Scene, range: Range, roles: Roles, palette: Palette, isNarrow: boolean): Row[] {
  const { equations, current, run, credit, at } = scene;
  const { membrane, body, spike, states } = equations;
  const heights = isNarrow ? NARROW : WIDE;
  const slopes = credit.current.map((x) => (Number.isFinite(x) ? x : 0));
  const most = Math.max(...slopes.map(Math.abs)) || 1;
  const said = (name: string, values: ArrayLike<number>) => (t: number) => `${name} = ${number(values[t])}`;
  const meaning = `: how the current of each step moves ${membrane} at step ${at}`;
  const rows: Row[] = [
    traceOf("I", isNarrow ? ": draw here" : ", the current: draw here", {
      height: heights.current,
      series: [{ values: current, color: palette.current }],
      low: range[0],
      high: range[1],
      columns: true,
      describe: said("I", current),
    }),
    traceOf(`∂${membrane}[${at}]/∂I`, isNarrow ? "" : meaning, {
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
    }),
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
    const row = traceOf(name, i === 0 && !isNarrow ? ", the membrane" : "", {
      height: i === 0 ? heights.membrane : heights.state,
      series: [{ values, color: colorOf(roles.of(name), palette), width: i === 0 ? 2 : 1.5 }],
      low,
      high,
      ...(i === 0 && level !== null && level !== undefined ? { threshold: level } : {}),
      describe: said(name, values),
    });
    rows.push(row);
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
  if (low === high) return [low - 0.5, high + 0.5];
  return outward([low, high + 0.05 * (high - low)]);
}

/** A sequence of places, as a picture of a width and a height has them. */
const FRAME = { left: 44, right: 10, top: 10, foot: 28 };

/** Signs of a name that fit beside the plane. */
const LONGEST = 4;

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
  const [powerX, powerY] = [powerOf(xs), powerOf(ys)];
  const end = (value: number, power: number): string => compact(Number((value / 10 ** power).toFixed(2)));
  pen.text((box.left + box.right) / 2, height - 8, powerX === 0 ? nameX : `${nameX} in ${powerOfTen(powerX)}`, {
    color: colorOf(roles.of(nameX), palette),
    align: "center",
    bold: true,
  });
  // A long name stands in the corner of the plane.
  const isLong = nameY.length > LONGEST;
  pen.text(isLong ? box.left + 6 : box.left - 8, isLong ? box.top + 14 : (box.top + box.bottom) / 2 + 4, nameY, {
    color: colorOf(roles.of(nameY.replace("′", "")), palette),
    align: isLong ? "left" : "right",
    bold: true,
  });
  pen.text(box.left, height - 8, end(xs[0], powerX), label);
  pen.text(box.right, height - 8, end(xs[1], powerX), { ...label, align: "right" });
  pen.text(box.left - 8, box.bottom, end(ys[0], powerY), { ...label, align: "right" });
  pen.text(box.left - 8, box.top + 9, end(ys[1], powerY), { ...label, align: "right" });
  if (powerY !== 0) pen.text(box.left - 8, box.top + 24, `·${powerOfTen(powerY)}`, { ...label, align: "right" });
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
  const ends: Range = [curve.currents[0] as number, curve.currents.at(-1) as number];
  const power = powerOf(ends);
  const [low, high] = ends.map((x) => x / 10 ** power) as [number, number];
  const input = (current[at] as number) / 10 ** power;
  const currents = power === 0 ? curve.currents : curve.currents.map((x) => x / 10 ** power);
  const look = { least: 1, color: palette.membrane, ticks: placesIn(low, high, width / 72) };
  const shown = input >= low && input <= high ? input : null;
  paintRateCurve(pen, { currents, rates: curve.rates, ...look }, shown, width, height, palette);
  if (power !== 0)
    pen.text(width - 8, height - 26, `I in ${powerOfTen(power)}`, { color: palette.muted, align: "right" });
}

/** Round numbers in a range, at most so many. */
function placesIn(low: number, high: number, most: number): number[] {
  // Distances of ticks are whole numbers.
  const scale = 10 ** Math.ceil(3 - Math.log10(high - low));
  const every = tickDistance((high - low) * scale, most) / scale;
  const first = Math.ceil(low / every - 1e-9);
  return Array.from({ length: Math.floor(high / every + 1e-9) - first + 1 }, (_, i) => (first + i) * every);
}
