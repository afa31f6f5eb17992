import { CanvasPen, type Pen, SvgPen } from "../draw/pen.ts";
import { readTheme, type Theme } from "../draw/theme.ts";
import { element } from "./dom.ts";

/** A drawing that fills a width and has a height of its own. */
export interface Drawing {
  heightFor(width: number): number;
  paint(pen: Pen, width: number, height: number, theme: Theme): void;
}

/**
 * A canvas as wide as its host, at the resolution of the screen. It paints when asked, at most once a frame, and when its
 * width or the theme changes.
 */
export class CanvasView {
  readonly canvas: HTMLCanvasElement;
  private readonly drawing: Drawing;
  private readonly host: HTMLElement;
  private pending = 0;

  constructor(host: HTMLElement, drawing: Drawing, label: string) {
    this.host = host;
    this.drawing = drawing;
    this.canvas = element("canvas", { role: "img", "aria-label": label });
    host.append(this.canvas);
    // Its place is kept until the first picture; squares have theirs by the style sheet.
    host.style.minHeight = `${drawing.heightFor(0)}px`;
    new ResizeObserver(() => this.update()).observe(host);
    onThemeChange(() => this.update());
  }

  /** Paints in the next frame. */
  update(): void {
    if (this.pending !== 0) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.paint();
    });
  }

  /** The picture as SVG. */
  svg(): string {
    const width = this.host.clientWidth;
    const height = this.drawing.heightFor(width);
    const pen = new SvgPen();
    const theme = readTheme();
    this.drawing.paint(pen, width, height, theme);
    return pen.document(width, height, theme.paper);
  }

  private paint(): void {
    const width = this.host.clientWidth;
    if (width === 0) return;
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
    this.drawing.paint(pen, width, height, readTheme());
  }
}

const themeListeners = new Set<() => void>();

export function onThemeChange(listener: () => void): void {
  themeListeners.add(listener);
}

export function themeChanged(): void {
  for (const listener of themeListeners) listener();
}
