/** The plane of a and b, the two constants of the recovery: each pattern is a dot that can be moved. */

import type { Palette } from "../../draw/palette.ts";
import type { Pen } from "../../draw/pen.ts";
import { CanvasView, type Drawing } from "../../ui/canvas.ts";
import { element } from "../../ui/dom.ts";

const PLANE_HEIGHT = 126;

export interface PlaneEvents {
  /** The dot of a pattern was moved. */
  onMove(index: number, a: number, b: number): void;
  /** The pattern of the dot under the pointer or the keys, null for none. */
  onPick(index: number | null): void;
}

/** An axis on which small numbers of both signs have room: linear up to about `unit`, logarithmic beyond. */
interface Axis {
  readonly unit: number;
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

export const A: Axis = { unit: 0.01, low: -0.05, high: 1.2, ticks: [0, 0.02, 0.1, 1] };
export const B: Axis = { unit: 0.2, low: -1.3, high: 1.3, ticks: [-1, 0, 0.25, 1] };

const bent = (value: number, unit: number): number => Math.sign(value) * Math.log1p(Math.abs(value) / unit);
const straight = (value: number, unit: number): number => Math.sign(value) * Math.expm1(Math.abs(value)) * unit;

/** How far along an axis a value lies, from 0 to 1, and back. */
export const shareOn = ({ unit, low, high }: Axis, value: number): number =>
  (bent(value, unit) - bent(low, unit)) / (bent(high, unit) - bent(low, unit));
export const valueOn = ({ unit, low, high }: Axis, share: number): number =>
  straight(bent(low, unit) + Math.min(1, Math.max(0, share)) * (bent(high, unit) - bent(low, unit)), unit);

/** Edges of the plane within its picture. */
const LEFT = 30;
const RIGHT = 8;
const TOP = 20;
const BOTTOM = 18;

/** How near to a dot it is taken, and how far keys move it. */
const REACH = 14;
const KEY = 0.02;

export class Plane {
  readonly host: HTMLElement;
  private readonly dots: [a: number, b: number][];
  private readonly names: readonly string[];
  private readonly view: CanvasView;
  private readonly events: PlaneEvents;
  private picked: number | null = null;
  private isDragging = false;

  constructor(names: readonly string[], dots: readonly (readonly [number, number])[], events: PlaneEvents) {
    this.names = names;
    this.dots = dots.map(([a, b]) => [a, b]);
    this.events = events;
    this.host = element("div", {
      class: "zoo-plane",
      tabindex: "0",
      role: "application",
      "aria-label": "Plane of a and b: page up and page down choose a pattern, arrow keys move it",
    });
    const paint: Drawing["paint"] = (pen, width, _height, palette) =>
      paintPlane(pen, this.dots, this.picked, this.names, width, palette);
    this.view = new CanvasView(
      this.host,
      { heightFor: () => PLANE_HEIGHT, paint },
      "Patterns by their constants a and b",
    );
    this.listen();
  }

  show(dots: readonly (readonly [number, number])[]): void {
    for (const [i, [a, b]] of dots.entries()) this.dots[i] = [a, b];
    this.view.update();
  }

  private pick(index: number | null): void {
    if (index === this.picked) return;
    this.picked = index;
    this.events.onPick(index);
    this.view.update();
  }

  private move(index: number, a: number, b: number): void {
    const round = (value: number): number => Number(value.toPrecision(3));
    this.dots[index] = [round(a), round(b)];
    this.events.onMove(index, ...(this.dots[index] as [number, number]));
    this.view.update();
  }

  private listen(): void {
    const { host } = this;
    const locate = (event: PointerEvent): readonly [number, number] => {
      const box = host.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
    const nearest = ([x, y]: readonly [number, number]): number | null => {
      const distances = this.dots.map((dot) => {
        const [dx, dy] = placeOf(dot, host.clientWidth);
        return Math.hypot(dx - x, dy - y);
      });
      const least = Math.min(...distances);
      return least <= REACH ? distances.indexOf(least) : null;
    };
    host.addEventListener("pointerdown", (event) => {
      this.pick(nearest(locate(event)));
      this.isDragging = this.picked !== null;
      if (this.isDragging) host.setPointerCapture(event.pointerId);
    });
    host.addEventListener("pointermove", (event) => {
      const at = locate(event);
      if (!this.isDragging) this.pick(nearest(at));
      else if (this.picked !== null) this.move(this.picked, ...constantsAt(at, host.clientWidth));
    });
    for (const end of ["pointerup", "pointercancel"]) host.addEventListener(end, () => (this.isDragging = false));
    host.addEventListener("pointerleave", () => this.pick(null));
    host.addEventListener("blur", () => this.pick(null));
    host.addEventListener("keydown", (event) => {
      const turn = { PageUp: -1, PageDown: 1 }[event.key];
      const by = { ArrowLeft: [-KEY, 0], ArrowRight: [KEY, 0], ArrowDown: [0, -KEY], ArrowUp: [0, KEY] }[event.key];
      if (turn !== undefined) this.pick(((this.picked ?? -turn) + turn + this.dots.length) % this.dots.length);
      else if (by !== undefined && this.picked !== null) {
        const [a, b] = this.dots[this.picked] as [number, number];
        this.move(
          this.picked,
          valueOn(A, shareOn(A, a) + (by[0] as number)),
          valueOn(B, shareOn(B, b) + (by[1] as number)),
        );
      } else return;
      event.preventDefault();
    });
  }
}

const placeOf = ([a, b]: readonly [number, number], width: number): [number, number] => [
  LEFT + shareOn(A, a) * (width - LEFT - RIGHT),
  TOP + (1 - shareOn(B, b)) * (PLANE_HEIGHT - TOP - BOTTOM),
];

const constantsAt = ([x, y]: readonly [number, number], width: number): [number, number] => [
  valueOn(A, (x - LEFT) / (width - LEFT - RIGHT)),
  valueOn(B, 1 - (y - TOP) / (PLANE_HEIGHT - TOP - BOTTOM)),
];

function paintPlane(
  pen: Pen,
  dots: readonly (readonly [number, number])[],
  picked: number | null,
  names: readonly string[],
  width: number,
  palette: Palette,
): void {
  const floor = PLANE_HEIGHT - BOTTOM;
  for (const tick of A.ticks) {
    const [x] = placeOf([tick, 0], width);
    pen.boxes([x, TOP, 1, floor - TOP], palette.line);
    pen.text(x, floor + 13, String(tick), { color: palette.muted, align: "center", size: 11 });
  }
  for (const tick of B.ticks) {
    const [, y] = placeOf([0, tick], width);
    pen.boxes([LEFT, y, width - LEFT - RIGHT, 1], palette.line);
    pen.text(LEFT - 5, y + 4, String(tick).replace("-", "−"), { color: palette.muted, align: "right", size: 11 });
  }
  pen.text(2, TOP - 6, "b", { color: palette.ink, size: 12 });
  pen.text(width - RIGHT, floor - 4, "a", { color: palette.ink, align: "right", size: 12 });
  const named = picked === null ? "drag a dot" : (names[picked] as string);
  pen.text(width - RIGHT, TOP - 6, named, { color: picked === null ? palette.muted : palette.ink, align: "right" });
  pen.discs(
    dots.flatMap((dot) => [...placeOf(dot, width), 5]),
    palette.paper,
  );
  pen.discs(
    dots.flatMap((dot) => [...placeOf(dot, width), 4]),
    palette.second,
  );
  if (picked === null) return;
  const at = placeOf(dots[picked] as readonly [number, number], width);
  pen.discs([...at, 6.5], palette.ink);
  pen.discs([...at, 4], palette.second);
}
