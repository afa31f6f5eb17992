/** The Coding room: a picture becomes spikes by rate and by latency, and comes back. */
import { paintImage } from "../draw/charts.ts";
import { count } from "../draw/numbers.ts";
import { readTheme } from "../draw/theme.ts";
import { type Code, type Coding, type CodingConfig, codingFields, encodeImage } from "../model/coding.ts";
import { blank, examples, formatImage, parseImage, stroke } from "../model/image.ts";
import { Store } from "../state/store.ts";
import { CanvasView, onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { button, element, figure, reading } from "../ui/dom.ts";
import { pictureButtons } from "../ui/keep.ts";
import { Pad } from "../ui/pad.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import { codingRows, format } from "./coding-rows.ts";
import type { Room } from "./room.ts";

/** Seconds of a pass in slow motion. */
const PASS = 8;

const orderNames: Record<CodingConfig["order"], string> = { strength: "strength", place: "place" };

export class CodingRoom implements Room {
  readonly node = element("div", { class: "room with-pad" });
  onChange = (): void => {};
  readonly keys = {
    play: () => cursor.toggle(PASS),
    step: () => cursor.next(this.store.values.timesteps),
    reset: () => this.store.parse(""),
  };
  private readonly store = new Store(codingFields);
  private coding: Coding = encodeImage(this.store.values);
  private readonly pad = new Pad(({ from, to, erases }) => {
    const image = parseImage(this.store.values.image);
    stroke(image, from, to, erases);
    this.store.set({ image: formatImage(image) });
  });
  private readonly stack = new StackView("The picture as spikes over time");
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly note = element("p", { class: "note" });
  private readonly recovered: CanvasView[];

  constructor() {
    const [rateHost, latencyHost] = [element("div", { class: "image" }), element("div", { class: "image" })];
    const view = (host: HTMLElement, code: () => Code, label: string): CanvasView =>
      new CanvasView(
        host,
        {
          heightFor: (width) => width,
          paint: (pen, width, _height, theme) => paintImage(pen, code().recovered(this.time()), width, theme),
        },
        label,
      );
    this.recovered = [
      view(rateHost, () => this.coding.byRate, "The picture recovered from rates"),
      view(latencyHost, () => this.coding.byLatency, "The picture recovered from first spikes"),
    ];
    this.node.append(
      this.controls(),
      element(
        "section",
        { class: "stage", "aria-label": "Stage" },
        element(
          "div",
          { class: "toolbar" },
          button("Slow motion", this.keys.play, { class: "primary", "data-action": "play" }),
          button("Reset", () => this.keys.reset(), { "data-action": "reset" }),
          this.status,
        ),
        this.stack.host,
        element("div", { class: "keep" }, ...pictureButtons(() => this.picture())),
      ),
      element(
        "aside",
        { class: "aside", "aria-label": "Results" },
        this.note,
        element(
          "div",
          { class: "pair" },
          figure("From rates", "spikes so far, a step", rateHost),
          figure("From first spikes", "earlier is stronger", latencyHost),
        ),
      ),
    );
    this.store.subscribe(() => {
      this.show();
      this.onChange();
    });
    cursor.subscribe(() => {
      for (const image of this.recovered) image.update();
      if (this.node.isConnected) this.showReadings();
    });
    onThemeChange(() => this.show());
    this.show();
  }

  open(query: string): void {
    this.store.parse(query);
  }

  close(): void {}

  query(): string {
    return this.store.query;
  }

  shareQuery(): string {
    return this.store.query;
  }

  missing(): null {
    return null;
  }

  picture(): { name: string; svg: string } {
    return { name: "jarvis-snn-coding", svg: this.stack.svg() };
  }

  private controls(): HTMLElement {
    const { store } = this;
    const choose = Object.entries({ ...examples, nothing: blank() }).map(([name, image]) =>
      button(name, () => store.set({ image: formatImage(image) }), { "data-example": name }),
    );
    return element(
      "section",
      { class: "controls", "aria-label": "Configuration" },
      element("h2", {}, "Draw"),
      this.pad.host,
      element("div", { class: "keep" }, ...choose),
      element("h2", {}, "Encode"),
      prose(store, "Listen for ", { field: "timesteps", label: "time steps" }, " time steps."),
      prose(
        store,
        "By rate, full ink fires with probability ",
        { field: "rate", label: "probability of a spike" },
        " a step, as seed ",
        { field: "seed", label: "seed" },
        " has it; by latency, the strongest pixels fire first, and each once.",
      ),
      prose(
        store,
        "Lines of the rasters by ",
        { field: "order", label: "order of the lines", show: (key: CodingConfig["order"]) => orderNames[key] },
        ".",
      ),
    );
  }

  /** The step up to which one has listened. */
  private time(): number {
    return cursor.stepOf(this.store.values.timesteps);
  }

  private show(): void {
    const config = this.store.values;
    this.coding = encodeImage(config);
    this.pad.show(this.coding.image);
    const rows = codingRows(this.coding, config.order, readTheme());
    this.stack.show(rows, { steps: config.timesteps, dt: 1, unit: "time step" });
    for (const view of this.recovered) view.update();
    this.showReadings();
    this.note.textContent = this.advice();
  }

  private showReadings(): void {
    const { byRate, byLatency } = this.coding;
    const t = this.time();
    this.status.replaceChildren(
      reading("spikes by rate", count(byRate.count), "rate-spikes"),
      reading("spikes by latency", count(byLatency.count), "latency-spikes"),
      reading("error of rate", format(byRate.error[t]), "rate-error"),
      reading("error of latency", format(byLatency.error[t]), "latency-error"),
    );
  }

  private advice(): string {
    const { byRate, byLatency } = this.coding;
    if (byLatency.count === 0)
      return "Nothing is drawn, so nothing fires. Draw into the square, or take one of the pictures below it.";
    const amounts = `here ${count(byRate.count)} spikes against ${count(byLatency.count)}`;
    return (
      `Rates get better the longer one listens, and the more spikes they take, ${amounts}; ` +
      "a first spike says all at once, but weak pixels come last. " +
      "Move along the time axis and see both pictures come into being."
    );
  }
}
