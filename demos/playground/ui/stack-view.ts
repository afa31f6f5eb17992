/** A stack of rows on the page: its canvas, the cursor over it, and a slider's behaviour for the time under the cursor. */

import { faded, type Palette } from "../draw/palette.ts";
import type { Pen } from "../draw/pen.ts";
import { type Axis, describeRow, MARK, paintStack, type Row, StackLayout } from "../draw/stack.ts";
import { CanvasView } from "./canvas.ts";
import { cursor } from "./cursor.ts";
import { element } from "./dom.ts";

export interface StackEvents {
  /** A neuron of a raster was chosen: row, neuron. */
  onPick?(row: number, neuron: number): void;
}

export class StackView {
  readonly host: HTMLElement;
  private rows: readonly Row[] = [];
  private axis: Axis = { steps: 1, dt: 1, unit: "" };
  private readonly view: CanvasView;
  private readonly overlay: CanvasView;
  /** What lies behind the cursor is faded while time passes. */
  private revealing = false;

  constructor(label: string, events: StackEvents = {}) {
    this.host = element("div", {
      class: "stack",
      tabindex: "0",
      role: "slider",
      "aria-label": `${label}: time`,
      "aria-valuemin": "0",
    });
    const heightFor = (width: number): number => this.layout(width).height;
    this.view = new CanvasView(
      this.host,
      { heightFor, paint: (pen, width, _height, palette) => paintStack(pen, this.rows, this.layout(width), palette) },
      label,
    );
    this.overlay = new CanvasView(
      this.host,
      { heightFor, paint: (pen, width, _height, palette) => this.paintCursor(pen, this.layout(width), palette) },
      `${label}: cursor`,
    );
    this.overlay.canvas.classList.add("overlay");
    this.overlay.canvas.setAttribute("aria-hidden", "true");
    cursor.subscribe(() => {
      this.revealing = cursor.playing;
      this.describe();
      this.overlay.update();
    });
    this.listen(events);
  }

  show(rows: readonly Row[], axis: Axis): void {
    const resized = this.layout(1).height !== new StackLayout(rows, axis, 1).height;
    this.rows = rows;
    this.axis = axis;
    // Its place is kept before anything is painted.
    if (resized) this.host.style.height = `${this.layout(1).height}px`;
    this.describe();
    this.view.update();
    if (resized || cursor.share !== null) this.overlay.update();
  }

  private layout(width: number): StackLayout {
    return new StackLayout(this.rows, this.axis, width);
  }

  private step(): number | null {
    if (cursor.share === null) return null;
    return Math.min(this.axis.steps - 1, Math.floor(cursor.share * this.axis.steps));
  }

  private describe(): void {
    const t = this.step();
    const { steps, dt, unit } = this.axis;
    this.host.setAttribute("aria-valuemax", String(steps - 1));
    this.host.setAttribute("aria-valuenow", String(t ?? steps - 1));
    const parts = this.rows.map((row) => `${row.title}: ${describeRow(row, t ?? steps - 1)}`);
    this.host.setAttribute("aria-valuetext", `${unit} ${(t ?? steps - 1) * dt}. ${parts.join(". ")}`);
  }

  private paintCursor(pen: Pen, layout: StackLayout, palette: Palette): void {
    const t = this.step();
    if (t === null) return;
    const x = this.revealing ? layout.left + (cursor.share as number) * layout.plotWidth : layout.x(t);
    const bottom = layout.height - 36;
    if (this.revealing) {
      for (const [i, row] of this.rows.entries()) {
        const top = layout.tops[i] as number;
        // Curves on the base line reach below it.
        pen.boxes([x, top - 1, layout.left + layout.plotWidth - x, row.height + 3], faded(palette.paper, 0.82));
        if (row.kind !== "trace" || row.mark === undefined || t >= row.mark.t) continue;
        // Nothing is decided yet.
        pen.boxes([layout.left + MARK, top - 22, layout.plotWidth - MARK, 20], palette.paper);
      }
    }
    pen.boxes([x - 0.5, 0, 1, bottom], palette.accent, true);
    for (const [i, row] of this.rows.entries()) {
      const top = layout.tops[i] as number;
      const right = layout.left + layout.plotWidth;
      pen.text(right, top - 8, describeRow(row, t), { color: palette.ink, align: "right", bold: true });
    }
    const flip = t > this.axis.steps * 0.8;
    const time = `${Number((t * this.axis.dt).toFixed(2))}`;
    pen.boxes([x + (flip ? -32 : 0), bottom - 2, 32, 16], palette.accent);
    pen.text(x + (flip ? -16 : 16), bottom + 10, time, { color: palette.paper, align: "center", bold: true });
  }

  private listen({ onPick }: StackEvents): void {
    const { host } = this;
    const locate = (event: PointerEvent) => {
      const box = host.getBoundingClientRect();
      const layout = this.layout(host.clientWidth);
      const y = event.clientY - box.top;
      const row = this.rows.findIndex(
        ({ height }, i) => y >= (layout.tops[i] as number) - 4 && y <= (layout.tops[i] as number) + height + 4,
      );
      return { layout, row, y, t: layout.stepAt(event.clientX - box.left) };
    };
    host.addEventListener("pointermove", (event) => {
      if (cursor.playing && !cursor.repeating) return;
      const { t } = locate(event);
      cursor.set((t + 0.5) / this.axis.steps);
    });
    // A press takes the cursor while time passes.
    host.addEventListener("pointerdown", (event) => {
      if (cursor.playing) cursor.set((locate(event).t + 0.5) / this.axis.steps);
    });
    host.addEventListener("pointerleave", (event) => {
      if (!cursor.playing && event.pointerType === "mouse") cursor.set(null);
    });
    host.addEventListener("click", (event) => {
      const { layout, row, y } = locate(event as PointerEvent);
      const found = this.rows[row];
      if (found?.kind !== "raster") return;
      const neuron = Math.floor(((y - (layout.tops[row] as number)) / found.height) * found.size);
      onPick?.(row, Math.min(found.size - 1, Math.max(0, neuron)));
    });
    host.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10 }[event.key];
      const { steps } = this.axis;
      const t = this.step();
      if (event.key === "Escape") cursor.set(null);
      else if (event.key === "Home" || event.key === "End")
        cursor.set((event.key === "Home" ? 0.5 : steps - 0.5) / steps);
      else if (by !== undefined) {
        const next = Math.min(steps - 1, Math.max(0, (t ?? (by > 0 ? -1 : steps)) + by));
        cursor.set((next + 0.5) / steps);
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
}
