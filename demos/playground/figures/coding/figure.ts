/** A picture becomes spikes by rate and by latency, and comes back. */
import { paintImage } from "../../draw/charts.ts";
import { count } from "../../draw/numbers.ts";
import { currentPalette } from "../../draw/palette.ts";
import { type Code, type Coding, type CodingConfig, codingFields, encodeImage } from "../../model/coding.ts";
import { blank, examples, formatImage, parseImage, stroke } from "../../model/image.ts";
import { Store } from "../../state/store.ts";
import { Address } from "../../ui/address.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { button, element, figure, reading } from "../../ui/dom.ts";
import { Pad } from "../../ui/pad.ts";
import { prose } from "../../ui/prose.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Living, Mount } from "../figure.ts";
import { axisOf, codingRows, format, PICTURES } from "./rows.ts";

/** Seconds of a pass in slow motion. */
const PASS = 8;

const orderNames: Record<CodingConfig["order"], string> = { strength: "strength", place: "place" };

class CodingFigure implements Living {
  private readonly store = new Store(codingFields);
  private readonly address = new Address(
    (query) => this.store.parse(query),
    () => this.store.query,
  );
  private coding: Coding = encodeImage(this.store.values);
  private readonly pad = new Pad(({ from, to, erases }) => {
    const image = parseImage(this.store.values.image);
    stroke(image, from, to, erases);
    this.store.set({ image: formatImage(image) });
  });
  private readonly stack = new StackView("The picture as spikes over time");
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly note = element("p", { class: "note" });
  private readonly recovered: CanvasView[] = [];

  constructor(host: HTMLElement) {
    const [draw, rate, latency] = PICTURES;
    host.append(
      element(
        "div",
        { class: "pictures" },
        figure(draw, "finger, mouse, keys", this.pad.host),
        figure(
          rate,
          "spikes so far, a step",
          this.view(() => this.coding.byRate, "The picture recovered from rates"),
        ),
        figure(
          latency,
          "earlier is stronger",
          this.view(() => this.coding.byLatency, "The picture recovered from first spikes"),
        ),
      ),
      this.tools(),
      this.status,
      this.stack.host,
      this.sentences(),
      this.note,
    );
    this.store.subscribe(() => {
      this.show();
      this.address.keep();
    });
    cursor.subscribe(() => {
      for (const image of this.recovered) image.update();
      this.showReadings();
    });
    onThemeChange(() => this.show());
    this.address.read();
    this.show();
  }

  play(): void {}

  rest(): void {
    if (cursor.playing) cursor.set(cursor.share);
  }

  state(): string {
    return this.store.query;
  }

  /** Slow motion. */
  film(): number {
    cursor.set(0);
    cursor.play(PASS);
    return PASS;
  }

  private view(code: () => Code, label: string): HTMLElement {
    const host = element("div", { class: "image" });
    const drawing = new CanvasView(
      host,
      {
        heightFor: (width) => width,
        paint: (pen, width, _height, palette) => paintImage(pen, code().recovered(this.time()), width, palette),
      },
      label,
    );
    this.recovered.push(drawing);
    return host;
  }

  private tools(): HTMLElement {
    const { store } = this;
    const choose = Object.entries({ ...examples, nothing: blank() }).map(([name, image]) =>
      button(name, () => store.set({ image: formatImage(image) }), { "data-example": name }),
    );
    return element(
      "div",
      { class: "toolbar" },
      button("Slow motion", () => cursor.toggle(PASS), { class: "primary", "data-action": "play" }),
      button("Reset", () => store.parse(""), { "data-action": "reset" }),
      ...choose,
    );
  }

  private sentences(): HTMLElement {
    const { store } = this;
    return prose(
      store,
      "Listen for ",
      { field: "timesteps", label: "time steps" },
      " time steps. By rate, full ink fires with probability ",
      { field: "rate", label: "probability of a spike" },
      " a step, as seed ",
      { field: "seed", label: "seed" },
      " has it; by latency, the strongest pixels fire first, and each once. Lines of the rasters by ",
      { field: "order", label: "order of the lines", show: (key: CodingConfig["order"]) => orderNames[key] },
      ".",
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
    const rows = codingRows(this.coding, config.order, currentPalette());
    this.stack.show(rows, axisOf(config));
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
      return "Nothing is drawn, so nothing fires. Draw into the square, or take one of the pictures that are named below it.";
    const amounts = `here ${count(byRate.count)} spikes against ${count(byLatency.count)}`;
    return (
      `Rates get better the longer one listens, and the more spikes they take, ${amounts}; ` +
      "a first spike says all at once, but weak pixels come last. " +
      "Move along the time axis and see both pictures come into being."
    );
  }
}

export const mount: Mount = (host) => new CodingFigure(host);
