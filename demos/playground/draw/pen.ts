/** What can be drawn, in CSS pixels. One implementation draws on a canvas, the other writes SVG. */

export interface TextStyle {
  readonly color: string;
  readonly align?: "left" | "center" | "right";
  readonly size?: number;
  readonly bold?: boolean;
  /** Another type than that of the page. */
  readonly font?: string;
}

export interface LineStyle {
  readonly color: string;
  readonly width?: number;
  readonly dash?: readonly number[];
}

export interface Pen {
  /** A line through x, y, x, y, …; NaN breaks it. */
  line(points: ArrayLike<number>, style: LineStyle): void;
  /** A filled polygon. */
  area(points: ArrayLike<number>, color: string): void;
  /**
   * Boxes x, y, width, height, …, at whole device pixels. Ticks of one width have one in device pixels too, since the eye takes a wider spike
   * for another one; other boxes end where their neighbours begin.
   */
  boxes(boxes: ArrayLike<number>, color: string, areTicks?: boolean): void;
  /** Discs x, y, radius, …. */
  discs(discs: ArrayLike<number>, color: string): void;
  /** The baseline of the text is at y. */
  text(x: number, y: number, text: string, style: TextStyle): void;
}

/** The type of the page; in a file of its own a picture has the reader's. */
const FONT = "'Source Sans 3', system-ui, sans-serif";
/** The same letters by the name under which canvases wait for them; a reader who does not get them reads the next family. */
export const CANVAS_FONT = `'Source Sans 3 in figures', ${FONT}`;
const SMALL = 12;

export class CanvasPen implements Pen {
  private readonly context: CanvasRenderingContext2D;
  private readonly scale: number;

  constructor(context: CanvasRenderingContext2D, scale: number) {
    this.context = context;
    this.scale = scale;
    context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  line(points: ArrayLike<number>, { color, width = 1, dash = [] }: LineStyle): void {
    const { context } = this;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.lineJoin = "round";
    context.setLineDash([...dash]);
    context.beginPath();
    let drawing = false;
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i] as number, points[i + 1] as number];
      if (Number.isNaN(y)) drawing = false;
      else if (drawing) context.lineTo(x, y);
      else context.moveTo(x, y);
      if (!Number.isNaN(y)) drawing = true;
    }
    context.stroke();
  }

  area(points: ArrayLike<number>, color: string): void {
    const { context } = this;
    context.fillStyle = color;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) context.lineTo(points[i] as number, points[i + 1] as number);
    context.fill();
  }

  boxes(boxes: ArrayLike<number>, color: string, areTicks?: boolean): void {
    const { context, scale } = this;
    // Edges that differ by rounding alone are one edge.
    const snap = (value: number): number => Math.round(value * scale + 1e-6) / scale;
    const pixel = 1 / scale;
    context.fillStyle = color;
    for (let i = 0; i < boxes.length; i += 4) {
      const [x, y, width] = [snap(boxes[i] as number), snap(boxes[i + 1] as number), boxes[i + 2] as number];
      const wide = areTicks ? snap(width) : snap((boxes[i] as number) + width) - x;
      const bottom = snap((boxes[i + 1] as number) + (boxes[i + 3] as number));
      context.fillRect(x, y, Math.max(pixel, wide), Math.max(pixel, bottom - y));
    }
  }

  discs(discs: ArrayLike<number>, color: string): void {
    const { context } = this;
    context.fillStyle = color;
    context.beginPath();
    for (let i = 0; i < discs.length; i += 3) {
      const [x, y, r] = [discs[i] as number, discs[i + 1] as number, discs[i + 2] as number];
      context.moveTo(x + r, y);
      context.arc(x, y, r, 0, 2 * Math.PI);
    }
    context.fill();
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const { color, align = "left", size = SMALL, bold = false, font = CANVAS_FONT } = style;
    const { context } = this;
    context.fillStyle = color;
    context.font = `${bold ? 600 : 400} ${size}px ${font}`;
    context.textAlign = align;
    context.fillText(text, x, y);
  }
}

export class SvgPen implements Pen {
  private readonly parts: string[] = [];

  line(points: ArrayLike<number>, { color, width = 1, dash = [] }: LineStyle): void {
    let path = "";
    let command = "M";
    for (let i = 0; i < points.length; i += 2) {
      const [x, y] = [points[i] as number, points[i + 1] as number];
      if (!Number.isNaN(y)) path += `${command}${short(x)} ${short(y)}`;
      command = Number.isNaN(y) ? "M" : "L";
    }
    const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
    this.parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="${short(width)}"${dashes}/>`);
  }

  area(points: ArrayLike<number>, color: string): void {
    const corners = Array.from({ length: points.length / 2 }, (_, i) => {
      return `${short(points[2 * i] as number)},${short(points[2 * i + 1] as number)}`;
    });
    this.parts.push(`<polygon points="${corners.join(" ")}" fill="${color}"/>`);
  }

  /** Boxes of one height are thick lines, which take half the bytes. */
  boxes(boxes: ArrayLike<number>, color: string): void {
    if (boxes.length === 0) return;
    const height = boxes[3] as number;
    let areEven = true;
    for (let i = 3; i < boxes.length; i += 4) areEven &&= boxes[i] === height;
    let path = "";
    for (let i = 0; i < boxes.length; i += 4) {
      const [x, y, w, h] = [0, 1, 2, 3].map((k) => boxes[i + k] as number) as [number, number, number, number];
      path += areEven
        ? `M${short(x)} ${short(y + h / 2)}h${short(w)}`
        : `M${short(x)} ${short(y)}h${short(w)}v${short(h)}h-${short(w)}z`;
    }
    this.parts.push(
      `<path d="${path}" ${areEven ? `stroke="${color}" stroke-width="${short(height)}"` : `fill="${color}"`}/>`,
    );
  }

  discs(discs: ArrayLike<number>, color: string): void {
    for (let i = 0; i < discs.length; i += 3) {
      const [x, y, r] = [0, 1, 2].map((k) => short(discs[i + k] as number));
      this.parts.push(`<circle cx="${x}" cy="${y}" r="${r}" fill="${color}"/>`);
    }
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const { color, align = "left", size = SMALL, bold = false, font } = style;
    const family = font === undefined ? "" : ` font-family="${font.replaceAll('"', "'")}"`;
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    const weight = bold ? ' font-weight="600"' : "";
    const escaped = text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
    this.parts.push(
      `<text x="${short(x)}" y="${short(y)}" fill="${color}" font-size="${size}" text-anchor="${anchor}"${weight}${family}>${escaped}</text>`,
    );
  }

  /** Paints a group of elements of a class. */
  group(name: string, paint: (pen: Pen) => void): void {
    this.parts.push(`<g class="${name}">`);
    paint(this);
    this.parts.push("</g>");
  }

  /** Rules for classes. */
  style(rules: string): void {
    this.parts.push(`<style>${rules}</style>`);
  }

  /** The whole picture on a ground of that colour, with a title for those who do not see it. */
  document(width: number, height: number, ground: string, title = ""): string {
    const name = title === "" ? "" : `<title>${title}</title>`;
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="${FONT}">${name}<rect width="100%" height="100%" fill="${ground}"/>` +
      `${this.parts.join("")}</svg>`
    );
  }
}

/** A part of a picture: what it draws appears `factor` times as large on another pen, and begins at `left` and `top` there. */
export class PlacedPen implements Pen {
  private readonly pen: Pen;
  private readonly left: number;
  private readonly top: number;
  private readonly factor: number;

  constructor(pen: Pen, left: number, top: number, factor = 1) {
    this.pen = pen;
    this.left = left;
    this.top = top;
    this.factor = factor;
  }

  line(points: ArrayLike<number>, { color, width = 1, dash = [] }: LineStyle): void {
    const style = { color, width: width * this.factor, dash: dash.map((length) => length * this.factor) };
    this.pen.line(this.placed(points, "xy"), style);
  }

  area(points: ArrayLike<number>, color: string): void {
    this.pen.area(this.placed(points, "xy"), color);
  }

  boxes(boxes: ArrayLike<number>, color: string, areTicks?: boolean): void {
    this.pen.boxes(this.placed(boxes, "xyss"), color, areTicks);
  }

  discs(discs: ArrayLike<number>, color: string): void {
    this.pen.discs(this.placed(discs, "xys"), color);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const size = (style.size ?? SMALL) * this.factor;
    this.pen.text(this.left + x * this.factor, this.top + y * this.factor, text, { ...style, size });
  }

  /** Numbers of which each is a place along x or y, or a size. */
  private placed(numbers: ArrayLike<number>, kinds: string): number[] {
    const { left, top, factor } = this;
    const from: Record<string, number> = { x: left, y: top, s: 0 };
    return Array.from(numbers, (value, i) => (from[kinds[i % kinds.length] as string] as number) + value * factor);
  }
}

const short = (value: number): string => String(Math.round(value * 100) / 100);
