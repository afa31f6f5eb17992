/** The large pole, its angle and the spikes of its policy on one time axis, the small carts, and how long they last. */
import { count } from "../../draw/numbers.ts";
import { faded, type Palette } from "../../draw/palette.ts";
import { type Pen, PlacedPen } from "../../draw/pen.ts";
import { type Scene, SHOWN, STEP_SECONDS, TRY } from "./scene.ts";

const WIDE = 600;
const GAP = 28;
/** The cart may go so far from the middle, in metres, and the picture has room for a pole that lies there. */
const TRACK = { cart: 2.4, pole: 3.5 };
/** Pixels of a metre at least, where the picture follows the cart; the pole is one metre long. */
const METRE = 100;
const CART = { width: 0.4, height: 0.2 };
/** Below the cart, and above a pole that stands. */
const STAGE = { below: 22, above: 12 };
/** Height of a title, of the angles, and of a row of spikes. */
const TITLE = 22;
const ANGLES = 64;
const ROW = 2;
const NEURONS = 64;
/** Heights below the large pole: of angles and spikes, and of the small carts and their curve where they are not beside these. */
const BELOW = { strip: 2 * TITLE + ANGLES + ROW * NEURONS + 24, carts: 212 };
/** Where a try ends, in radians. */
const LIMIT = Math.PI / 15;
const SMALL = { columns: 8, height: 36, metre: 6.4, pole: 20 };
/** Shades of the spikes of a neuron in one decision, from 1 to 8 of them. */
const SHADES = 3;

const metreOf = (width: number): number => Math.max(METRE, width / (2 * TRACK.pole));

/** Where the track lies, on which a pole that has fallen lies too. */
const groundOf = (width: number): number => Math.round(STAGE.above + metreOf(width));

export const stageHeight = (width: number): number =>
  Math.round(groundOf(width) + (CART.height / 2) * metreOf(width) + STAGE.below);

export const balanceHeight = (width: number): number => {
  const w = width || 720;
  return stageHeight(w) + GAP + (w >= WIDE ? BELOW.strip : BELOW.carts + GAP + BELOW.strip);
};

/** Where a place on the track, in metres, is in a picture of a width that shows a cart at `x`. */
const across = (width: number, x: number, metres: number): number => {
  const metre = metreOf(width);
  const seen = width / metre / 2;
  return width / 2 + metre * (metres - (x * (TRACK.pole - seen)) / TRACK.cart);
};

/** How many metres to the right of the large pole's cart a place of the picture is. */
export const besideCart = (left: number, width: number, { x }: Scene): number =>
  (left - across(width, x, x)) / metreOf(width);

export function paintBalance(pen: Pen, scene: Scene, width: number, palette: Palette): void {
  paintStage(pen, scene, width, palette);
  paintLegend(pen, palette);
  const top = stageHeight(width) + GAP;
  if (width >= WIDE) {
    const left = Math.round(0.6 * (width - GAP));
    paintStrip(new PlacedPen(pen, 0, top), scene, left, palette);
    paintCarts(new PlacedPen(pen, left + GAP, top), scene, [width - left - GAP, BELOW.strip], palette);
  } else {
    // A phone shows the pole, the carts and their curve at the same time.
    paintCarts(new PlacedPen(pen, 0, top), scene, [width, BELOW.carts], palette);
    paintStrip(new PlacedPen(pen, 0, top + BELOW.carts + GAP), scene, width, palette);
  }
}

export function paintStage(pen: Pen, scene: Scene, width: number, palette: Palette): void {
  const metre = metreOf(width);
  const ground = groundOf(width);
  const at = (metres: number): number => across(width, scene.x, metres);
  pen.boxes([0, ground, width, 1], palette.line);
  for (let metres = -3; metres <= 3; metres++) {
    pen.boxes([at(metres) - 0.5, ground, 1, 5], palette.muted);
    // A label at the edge would lose its sign.
    if (at(metres) < 12 || at(metres) > width - 12) continue;
    const label = `${count(metres)}${metres === 0 ? " m" : ""}`;
    pen.text(at(metres), stageHeight(width) - 4, label, { color: palette.muted, align: "center" });
  }
  for (const end of [-TRACK.cart, TRACK.cart]) {
    const x = at(end);
    pen.line([x, ground, x, ground - 0.5 * metre], { color: palette.muted, dash: [2, 4] });
    if (x < 32 || x > width - 32) continue;
    pen.text(x, stageHeight(width) - 4, "a try ends", { color: palette.muted, align: "center" });
  }
  const middle = at(scene.x);
  const [half, high] = [(CART.width / 2) * metre, CART.height * metre];
  pen.boxes([middle - half, ground - high / 2, 2 * half, high], palette.ink);
  paintPush(pen, scene.push, [middle, ground], [half, metre], palette);
  const tip = [middle + metre * Math.sin(scene.angle), ground - metre * Math.cos(scene.angle)] as const;
  pen.line([middle, ground, ...tip], { color: palette.membrane, width: metre / 16 });
  pen.discs([...tip, metre / 32, middle, ground, metre / 32], palette.membrane);
  pen.discs([middle, ground, metre / 80], palette.paper);
  const kick = scene.moments.slice(-15).findLast((moment) => moment.kick !== 0)?.kick ?? 0;
  if (kick !== 0) paintArrow(pen, tip, Math.sign(kick) * 0.3 * metre, 8, palette.accent);
}

/** The triangles of both pushes and the arrow of a kick, with their names, where no pole falls. */
function paintLegend(pen: Pen, { classes, accent, muted }: Palette): void {
  pen.area([10, 2, 0, 8, 10, 14], classes[0]);
  pen.area([14, 2, 24, 8, 14, 14], classes[1]);
  pen.text(32, 12, "push", { color: muted });
  paintArrow(pen, [-5, 26], 14, 5, accent);
  pen.text(32, 30, "kick", { color: muted });
}

/** A triangle beside the cart: the mean push of the last moments. */
function paintPush(
  pen: Pen,
  push: number,
  [x, y]: readonly [number, number],
  [half, metre]: readonly [number, number],
  { classes }: Palette,
): void {
  if (push === 0) return;
  const side = Math.sign(push);
  // It stands behind the cart and points at it.
  const base = x - side * (half + 4) - push * 0.25 * metre;
  const color = classes[side < 0 ? 0 : 1];
  pen.area([base, y - 6, base + push * 0.25 * metre, y, base, y + 6], color);
}

/** An arrow that begins beside a place. */
function paintArrow(pen: Pen, [x, y]: readonly [number, number], length: number, size: number, color: string): void {
  const side = Math.sign(length);
  const [from, to] = [x + side * size, x + side * size + length];
  pen.line([from, y, to, y], { color, width: 3 });
  pen.area([to, y - size, to + side * size, y, to, y + size], color);
}

/** The angle of the large pole, and the spikes of the neurons that decide. */
function paintStrip(pen: Pen, { moments }: Scene, width: number, palette: Palette): void {
  const step = width / (SHOWN / STEP_SECONDS);
  const first = width - step * moments.length;
  const middle = TITLE + ANGLES / 2;
  const y = (angle: number): number => middle - (angle / LIMIT) * (ANGLES / 2 - 4);
  pen.text(0, 12, "angle of the large pole", { color: palette.muted });
  pen.text(width, 12, "a try ends at 12°", { color: palette.muted, align: "right" });
  for (const angle of [-LIMIT, LIMIT]) pen.line([0, y(angle), width, y(angle)], { color: palette.muted, dash: [2, 4] });
  pen.boxes([0, middle, width, 1], palette.line);
  const points: number[] = [];
  const kicks: number[] = [];
  for (const [i, { angle, kick }] of moments.entries()) {
    const x = first + step * (i + 0.5);
    points.push(x, Math.abs(angle) < 1.1 * LIMIT ? y(angle) : Number.NaN);
    if (kick !== 0) kicks.push(x);
  }
  if (points.length > 2) pen.line(points, { color: palette.membrane, width: 2 });

  const rows = new PlacedPen(pen, 0, TITLE + ANGLES);
  paintSpikes(rows, moments, [first, step], palette);
  const spikes = TITLE + ANGLES + TITLE;
  const floor = spikes + ROW * NEURONS;
  const color = palette.accent;
  for (const x of kicks)
    pen.line([x, TITLE, x, TITLE + ANGLES, 0, Number.NaN, x, spikes, x, floor], { color, width: 2 });
  pen.text(width, 12 + TITLE + ANGLES, "spikes of 64 neurons, by their votes", {
    color: palette.muted,
    align: "right",
  });
  pen.boxes([0, floor, width, 1], palette.line);
  for (let seconds = 0; seconds <= SHOWN; seconds++) {
    const align = seconds === 0 ? "right" : seconds === SHOWN ? "left" : "center";
    const label = seconds === 0 ? "now" : `${seconds} s ago`;
    pen.text(width - (seconds / SHOWN) * width, floor + 16, label, { color: palette.muted, align });
  }
}

/** A row for each neuron; those that vote for a push to the left are above. Decisions of equal shade are one box. */
function paintSpikes(
  pen: Pen,
  moments: Scene["moments"],
  [first, step]: readonly [number, number],
  palette: Palette,
): void {
  pen.text(0, 12, "left", { color: palette.classes[0], bold: true });
  pen.text(32, 12, "right", { color: palette.classes[1], bold: true });
  const shadeAt = (i: number, j: number): number => Math.min(SHADES, Math.ceil((moments[i]?.counts?.[j] ?? 0) / 2));
  for (const [vote, color] of palette.classes.entries()) {
    const shades: number[][] = Array.from({ length: SHADES + 1 }, () => []);
    for (let j = (vote * NEURONS) / 2; j < ((vote + 1) * NEURONS) / 2; j++) {
      for (let i = 0; i < moments.length; ) {
        const [from, shade] = [i, shadeAt(i, j)];
        do i++;
        while (i < moments.length && shadeAt(i, j) === shade);
        (shades[shade] as number[]).push(first + step * from, TITLE + ROW * j, step * (i - from), ROW);
      }
    }
    for (let shade = 1; shade <= SHADES; shade++) {
      const boxes = shades[shade] as number[];
      if (boxes.length > 0) pen.boxes(boxes, faded(color, shade / SHADES));
    }
  }
}

/** Each small cart with the part of its ten seconds that have passed, and below the seconds of the last tries. */
function paintCarts(
  pen: Pen,
  { carts, curve, updates, phase }: Scene,
  [width, below]: readonly [number, number],
  palette: Palette,
): void {
  const { columns, height, metre, pole } = SMALL;
  pen.text(0, 12, "sixteen small carts learn", { color: palette.muted });
  pen.boxes([width - 108, 7, 16, 2], palette.accent);
  pen.text(width, 12, "their try, of 10 s", { color: palette.muted, align: "right" });
  const cell = width / columns;
  const track = cell - 8;
  const scale = Math.min(metre, track / (2 * TRACK.cart));
  const [tracks, passed, bodies]: number[][] = [[], [], []];
  const poles: number[] = [];
  for (const [i, [x, angle, seconds]] of carts.entries()) {
    const [left, ground] = [(i % columns) * cell, TITLE + (Math.floor(i / columns) + 1) * height - 8];
    const middle = left + track / 2 + scale * x;
    tracks?.push(left, ground, track, 2);
    passed?.push(left, ground, (track * seconds) / TRY, 2);
    bodies?.push(middle - 4, ground - 2, 8, 5);
    poles.push(middle, ground, middle + pole * Math.sin(angle), ground - pole * Math.cos(angle), 0, Number.NaN);
  }
  pen.boxes(tracks as number[], palette.line);
  pen.boxes(passed as number[], palette.accent);
  const isIdle = updates === 0 && phase !== "learning";
  pen.boxes(bodies as number[], isIdle ? palette.muted : palette.ink);
  pen.line(poles, { color: palette.membrane, width: 2 });
  const top = TITLE + (carts.length / columns) * height + 8;
  paintCurve(new PlacedPen(pen, 0, top), { curve, updates }, [width, below - top], palette);
}

function paintCurve(
  pen: Pen,
  { curve, updates }: Pick<Scene, "curve" | "updates">,
  [width, height]: readonly [number, number],
  palette: Palette,
): void {
  const [left, right, top, floor] = [32, width - 4, 26, height - 22];
  const most = updates <= 150 ? 150 : 300;
  const x = (at: number): number => left + (at / most) * (right - left);
  const y = (seconds: number): number => floor - (seconds / TRY) * (floor - top);
  pen.text(0, 12, "seconds of their last 20 tries", { color: palette.muted });
  for (const seconds of [0, TRY / 2, TRY]) {
    pen.boxes([left, y(seconds), right - left, 1], palette.line);
    pen.text(left - 6, y(seconds) + 4, `${seconds}${seconds === TRY ? " s" : ""}`, {
      color: palette.muted,
      align: "right",
    });
  }
  const points = curve.flatMap(({ updates: at, lasted }) => [x(at), y(lasted)]);
  if (points.length > 2) pen.line(points, { color: palette.accent, width: 2 });
  const last = curve.at(-1);
  if (last !== undefined) pen.discs([x(last.updates), y(last.lasted), 3], palette.accent);
  pen.text(left, height - 4, "0", { color: palette.muted, align: "center" });
  pen.text(right, height - 4, `${most} updates`, { color: palette.muted, align: "right" });
}
