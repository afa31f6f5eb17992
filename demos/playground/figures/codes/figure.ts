/** A picture becomes spikes by five codes, and comes back from each as time passes. */
import { paintImage } from "../../draw/charts.ts";
import { count } from "../../draw/numbers.ts";
import { currentPalette } from "../../draw/palette.ts";
import {
  CODES,
  type CodeName,
  type Coding,
  type CodingConfig,
  codingFields,
  encodeImage,
  recoveredAt,
} from "../../model/coding.ts";
import { blank, examples, formatImage, parseImage, stroke } from "../../model/image.ts";
import { Store } from "../../state/store.ts";
import { Address } from "../../ui/address.ts";
import { CanvasView, onThemeChange } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { button, element, figure } from "../../ui/dom.ts";
import { Pad } from "../../ui/pad.ts";
import { Passes } from "../../ui/passes.ts";
import { prose } from "../../ui/prose.ts";
import { StackView } from "../../ui/stack-view.ts";
import type { Living, Mount } from "../figure.ts";
import { axisOf, codingRows, DRAWING, readingsOf, TITLES, WIDE } from "./rows.ts";

const orderNames: Record<CodingConfig["order"], string> = { strength: "strength", place: "place" };
const readers: Readonly<Record<CodeName, string>> = {
  rate: "rates",
  latency: "first spikes",
  phase: "phases",
  burst: "bursts",
  delta: "changes",
};

class CodesFigure implements Living {
  private readonly store = new Store(codingFields);
  private readonly address = new Address(
    (query) => this.store.parse(query),
    () => this.store.query,
  );
  private coding: Coding = encodeImage(this.store.values);
  private readonly pad = new Pad(({ from, to, erases }) => {
    const image = parseImage(this.store.values.image);
    stroke(image, from, to, erases);
    this.choose(formatImage(image));
  });
  private readonly stack = new StackView("The picture as spikes over time");
  private readonly passes: Passes;
  private readonly note = element("p", { class: "note" });
  private readonly recovered: CanvasView[] = [];
  private readonly readings = new Map<CodeName, { readonly spikes: HTMLElement; readonly error: HTMLElement }>();
  private readonly wide = matchMedia(`(min-width: ${WIDE}px)`);

  constructor(host: HTMLElement, still: boolean) {
    this.passes = new Passes(still);
    host.append(
      element(
        "div",
        { class: "pictures" },
        figure(DRAWING, "finger, mouse, keys", this.pad.host),
        ...CODES.map((name) => this.recoveredBy(name)),
      ),
      this.stack.host,
      this.tools(),
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
    this.wide.addEventListener("change", () => this.show());
    this.address.read();
    this.show();
  }

  play(): void {
    this.passes.play();
  }

  rest(): void {
    this.passes.rest();
  }

  state(): string {
    return this.store.query;
  }

  film(): number {
    return this.passes.film();
  }

  /** Shows whole pictures at once. */
  private choose(image: string): void {
    this.store.set({ image });
    this.passes.end();
  }

  private recoveredBy(name: CodeName): HTMLElement {
    const host = element("div", { class: "image" });
    this.recovered.push(
      new CanvasView(
        host,
        {
          heightFor: (width) => width,
          paint: (pen, width, _height, palette) =>
            paintImage(pen, recoveredAt(this.coding.codes[name], this.time()), width, palette),
        },
        `The picture recovered from ${readers[name]}`,
      ),
    );
    const spikes = element("span", { "data-figure": `${name}-spikes` });
    const error = element("span", { "data-figure": `${name}-error` });
    this.readings.set(name, { spikes, error });
    return figure(TITLES[name], element("span", {}, spikes, ", off by ", error), host);
  }

  private tools(): HTMLElement {
    const shown = Object.entries({ ...examples, nothing: blank() }).map(([name, image]) =>
      button(name, () => this.choose(formatImage(image)), { "data-example": name }),
    );
    return element(
      "div",
      { class: "toolbar" },
      this.passes.button,
      button("Reset", () => this.store.parse(""), { "data-action": "reset" }),
      ...shown,
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
      " a step, drawn with seed ",
      { field: "seed", label: "seed" },
      ". By delta, a pixel fires if it changes by ",
      { field: "threshold", label: "threshold of a change" },
      " or more. Lines of the rasters by ",
      { field: "order", label: "order of the lines", show: (key: CodingConfig["order"]) => orderNames[key] },
      ".",
    );
  }

  /** The step up to which the readers have listened. */
  private time(): number {
    return cursor.stepOf(this.store.values.timesteps);
  }

  private show(): void {
    const config = this.store.values;
    this.coding = encodeImage(config);
    this.pad.show(this.coding.image);
    this.stack.show(codingRows(this.coding, config.order, currentPalette(), this.wide.matches), axisOf(config));
    for (const view of this.recovered) view.update();
    this.showReadings();
    this.note.textContent = this.advice();
  }

  private showReadings(): void {
    for (const [name, shown] of this.readings) {
      const { spikes, error } = readingsOf(this.coding, name, this.time());
      shown.spikes.textContent = spikes;
      shown.error.textContent = error;
    }
  }

  private advice(): string {
    const { rate, latency } = this.coding.codes;
    const [byRate, byLatency] = [rate, latency].map(({ counts }) => counts.at(-1) as number) as [number, number];
    if (byLatency === 0)
      return "Nothing is drawn, so nothing fires. Draw into the square, or take one of the pictures that are named below it.";
    return (
      `A rate improves the longer one listens, here with ${count(byRate)} spikes against ${count(byLatency)} by latency. ` +
      "A phase code says all in eight steps, and then repeats it. A delta code reports changes alone; " +
      "a still picture is silent, so the picture before it moves by a pixel four times."
    );
  }
}

export const mount: Mount = (host, { still }) => new CodesFigure(host, still);
