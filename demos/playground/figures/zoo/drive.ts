/** The current that is drawn for all patterns: its strip on the page, and what pointers and keys do there. */
import { CanvasView, type Drawing } from "../../ui/canvas.ts";
import { element } from "../../ui/dom.ts";
import { LEVELS } from "./model.ts";
import { DRIVE_HEIGHT, DRIVE_MARGIN, paintDrive } from "./paint.ts";

/** A press of a key moves so far in time, and by so much. */
const KEY_PLACES = 5;
const KEY_LEVEL = 0.1;

export interface DriveEvents {
  /** Another current; null where each pattern has its own. */
  onChange(levels: Float32Array | null): void;
  /** The place in time under the pointer, null where there is none. */
  onPlace(share: number | null): void;
}

export class Drive {
  readonly host: HTMLElement;
  private levels: Float32Array | null = null;
  private readonly view: CanvasView;
  private readonly events: DriveEvents;
  private share = 0;
  /** Where the pointer drew before, and where the keys draw. */
  private last: readonly [place: number, level: number] | null = null;
  private place = 0;

  constructor(events: DriveEvents) {
    this.events = events;
    this.host = element("div", {
      class: "zoo-drive",
      tabindex: "0",
      role: "slider",
      "aria-label":
        "Current for all, drawn by dragging: left and right choose a time, up and down change the current there",
      "aria-valuemin": "-1",
      "aria-valuemax": "1",
    });
    const paint: Drawing["paint"] = (pen, width, _height, palette) =>
      paintDrive(pen, this.levels, this.share, width, palette);
    this.view = new CanvasView(this.host, { heightFor: () => DRIVE_HEIGHT, paint }, "Current for all, over time");
    this.describe();
    this.listen();
  }

  /** Shows a current, and the place of the sweep. */
  show(levels: Float32Array | null): void {
    this.levels = levels;
    this.describe();
    this.view.update();
  }

  sweep(share: number): void {
    this.share = share;
    this.view.update();
  }

  /** Draws a straight piece of the current. */
  private draw(from: readonly [number, number], to: readonly [number, number]): void {
    const levels = this.levels?.slice() ?? new Float32Array(LEVELS);
    const [[x0, y0], [x1, y1]] = from[0] <= to[0] ? [from, to] : [to, from];
    for (let x = x0; x <= x1; x++) levels[x] = x1 === x0 ? to[1] : y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
    this.show(levels);
    this.events.onChange(levels);
  }

  private describe(): void {
    const level = this.levels?.[this.place] ?? 0;
    const at = `at ${Math.round((100 * this.place) / LEVELS)} % of the time`;
    this.host.setAttribute("aria-valuenow", level.toFixed(1));
    this.host.setAttribute(
      "aria-valuetext",
      this.levels === null ? "each its own current" : `${level.toFixed(1)} ${at}`,
    );
  }

  private listen(): void {
    const { host, events } = this;
    const locate = (event: PointerEvent): readonly [number, number] => {
      const box = host.getBoundingClientRect();
      const share = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
      const level = 1 - (2 * (event.clientY - box.top - DRIVE_MARGIN)) / (DRIVE_HEIGHT - 2 * DRIVE_MARGIN);
      // Near the line is on it: a pause is easily drawn.
      const inside = Math.abs(level) < 0.06 ? 0 : Math.min(1, Math.max(-1, level));
      return [Math.min(LEVELS - 1, Math.floor(share * LEVELS)), inside];
    };
    host.addEventListener("pointerdown", (event) => {
      host.setPointerCapture(event.pointerId);
      this.last = locate(event);
      this.draw(this.last, this.last);
    });
    host.addEventListener("pointermove", (event) => {
      const at = locate(event);
      events.onPlace((at[0] + 1) / LEVELS);
      if (this.last === null) return;
      this.draw(this.last, at);
      this.last = at;
    });
    for (const end of ["pointerup", "pointercancel"]) {
      host.addEventListener(end, (event) => {
        this.last = null;
        if ((event as PointerEvent).pointerType !== "mouse") events.onPlace(null);
      });
    }
    host.addEventListener("pointerleave", () => events.onPlace(null));
    host.addEventListener("blur", () => events.onPlace(null));
    host.addEventListener("keydown", (event) => {
      const along = { ArrowLeft: -KEY_PLACES, ArrowRight: KEY_PLACES, Home: -LEVELS, End: LEVELS }[event.key];
      const up = { ArrowDown: -KEY_LEVEL, ArrowUp: KEY_LEVEL }[event.key];
      if (along !== undefined) this.place = Math.min(LEVELS - KEY_PLACES, Math.max(0, this.place + along));
      else if (up !== undefined) {
        const level = Math.min(1, Math.max(-1, Math.round(10 * ((this.levels?.[this.place] ?? 0) + up)) / 10));
        this.draw([this.place, level], [this.place + KEY_PLACES - 1, level]);
      } else return;
      this.describe();
      events.onPlace((this.place + KEY_PLACES) / LEVELS);
      event.preventDefault();
    });
  }
}
