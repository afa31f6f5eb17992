import { currentPalette, type Palette } from "../draw/palette.ts";
import { CanvasPen, type Pen } from "../draw/pen.ts";
import { element } from "./dom.ts";

/** A drawing that fills a width and has a height of its own. */
export interface Drawing {
  heightFor(width: number): number;
  paint(pen: Pen, width: number, height: number, palette: Palette): void;
}

/**
 * A canvas as wide as its host, at the resolution of the screen. It paints when asked, at most once a frame, and when its
 * width or the look of the page changes.
 */
export class CanvasView {
  readonly canvas: HTMLCanvasElement;
  private readonly drawing: Drawing;
  private readonly host: HTMLElement;
  private width = 0;

  constructor(host: HTMLElement, drawing: Drawing, label: string) {
    this.host = host;
    this.drawing = drawing;
    this.canvas = element("canvas", { role: "img", "aria-label": label });
    host.append(this.canvas);
    views.set(this.canvas, this);
    // Its place is kept until the first picture; squares have theirs by the style sheet.
    host.style.minHeight = `${drawing.heightFor(0)}px`;
    new ResizeObserver(() => {
      if (host.clientWidth !== this.width) this.update();
    }).observe(host);
    fresh.add(this);
    onThemeChange(() => this.update());
  }

  /** Paints in the next frame. */
  update(): void {
    changed.add(this);
    frame ||= requestAnimationFrame(paintChanged);
  }

  /** Paints the picture as wide as it is on the page, in other colours perhaps. */
  paintOn(pen: Pen, palette: Palette): void {
    const width = this.host.clientWidth;
    this.drawing.paint(pen, width, this.drawing.heightFor(width), palette);
  }

  /** Paints now, where it has a width. */
  paint(): void {
    const width = this.host.clientWidth;
    if (width === 0) return;
    this.width = width;
    fresh.delete(this);
    this.host.style.minHeight = "";
    const height = this.drawing.heightFor(width);
    const scale = devicePixelRatio;
    const { canvas } = this;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const pen = new CanvasPen(context, scale);
    context.clearRect(0, 0, width, height);
    this.drawing.paint(pen, width, height, currentPalette());
  }
}

const views = new WeakMap<Element, CanvasView>();

/** The view that paints a canvas. */
export const viewOf = (canvas: Element): CanvasView | undefined => views.get(canvas);

/** Views that the next frame paints. */
const changed = new Set<CanvasView>();
let frame = 0;

/** Paints what has changed, now: what changes in a frame is seen in that frame. */
export function paintChanged(): void {
  cancelAnimationFrame(frame);
  frame = 0;
  const views = [...changed];
  changed.clear();
  for (const view of views) view.paint();
}

/** Views that have not been painted. */
const fresh = new Set<CanvasView>();

/** Paints the views that have just come to the page: they have their heights before the page is drawn, so that nothing moves. */
export function paintFresh(): void {
  for (const view of fresh) view.paint();
}

const themeListeners = new Set<() => void>();

export function onThemeChange(listener: () => void): void {
  themeListeners.add(listener);
}

export function themeChanged(): void {
  for (const listener of themeListeners) listener();
}
