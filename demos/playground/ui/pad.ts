/** A square to draw on with a pointer, or with arrow keys, space and backspace. */
import { paintImage } from "../draw/charts.ts";
import type { Palette } from "../draw/palette.ts";
import type { Pen } from "../draw/pen.ts";
import { blank, type Image, type Point, SIDE } from "../model/image.ts";
import { CanvasView } from "./canvas.ts";
import { element } from "./dom.ts";

/** A straight piece of a stroke, in coordinates of [0, SIDE]. */
export interface Movement {
  readonly from: Point;
  readonly to: Point;
  /** The first piece of a stroke. */
  readonly begins: boolean;
  readonly erases: boolean;
  /** Drawn by keys, a point at a time. */
  readonly byKeys: boolean;
}

/** Shows a picture, or paints on its square by `ground`, and tells what is drawn; who hears it makes the next picture. */
export class Pad {
  readonly host: HTMLElement;
  private image: Image = blank();
  private readonly view: CanvasView;
  private last: Point | null = null;
  /** Where the keys draw. */
  private place: Point = [SIDE / 2, SIDE / 2];

  constructor(
    onMove: (movement: Movement) => void,
    ground: (pen: Pen, width: number, palette: Palette) => void = () => {},
  ) {
    this.host = element("div", {
      class: "pad",
      tabindex: "0",
      role: "application",
      "aria-label": "Drawing: arrow keys move the brush, space draws, backspace takes away",
    });
    this.view = new CanvasView(
      this.host,
      {
        heightFor: (width) => width,
        paint: (pen, width, _height, palette) => {
          ground(pen, width, palette);
          const at = document.activeElement === this.host && this.host.matches(":focus-visible") ? this.place : null;
          paintImage(pen, this.image, width, palette, at);
        },
      },
      "What is drawn",
    );
    const dot = (at: Point, erases: boolean, byKeys: boolean): void =>
      onMove({ from: at, to: at, begins: true, erases, byKeys });
    const { host } = this;
    const locate = (event: PointerEvent): Point => {
      const box = host.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
    };
    host.addEventListener("pointerdown", (event) => {
      host.setPointerCapture(event.pointerId);
      this.last = locate(event);
      dot(this.last, event.button === 2 || event.shiftKey, false);
    });
    host.addEventListener("pointermove", (event) => {
      if (this.last === null) return;
      const to = locate(event);
      const erases = event.buttons === 2 || event.shiftKey;
      onMove({ from: this.last, to, begins: false, erases, byKeys: false });
      this.last = to;
    });
    for (const end of ["pointerup", "pointercancel"]) host.addEventListener(end, () => (this.last = null));
    host.addEventListener("contextmenu", (event) => event.preventDefault());
    for (const change of ["focus", "blur"]) host.addEventListener(change, () => this.view.update());
    host.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (way !== undefined) {
        const inside = (value: number): number => Math.min(SIDE - 0.5, Math.max(0.5, value));
        this.place = [inside(this.place[0] + (way[0] as number)), inside(this.place[1] + (way[1] as number))];
        this.view.update();
      } else if (event.key === " ") dot(this.place, false, true);
      else if (event.key === "Backspace" || event.key === "Delete") dot(this.place, true, true);
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  show(image: Image): void {
    this.image = image.slice();
    this.update();
  }

  /** Paints in the next frame. */
  update(): void {
    this.view.update();
  }
}
