/** What comes out of a run: the curves, the costs, the potentials, the rates, and what anybody can check. */
import { paintRates, paintSurrogate } from "../../draw/charts.ts";
import { count } from "../../draw/numbers.ts";
import { History } from "../../model/history.ts";
import { trainFields } from "../../model/train-fields.ts";
import { POTENTIAL_BINS, RATE_BINS } from "../../model/views.ts";
import { formatValues } from "../../state/fields.ts";
import { CanvasView, type Drawing } from "../../ui/canvas.ts";
import { button, element, figure } from "../../ui/dom.ts";
import { type Slider, slider } from "../slider.ts";
import { advice } from "./advice.ts";
import { costTable } from "./costs.ts";
import { Curves } from "./curves.ts";
import type { Detail, Frame, Setup } from "./protocol.ts";
import { truth } from "./truth.ts";

export interface ResultEvents {
  /** A snapshot is to be shown, or with null the run as it is. */
  onRecall(snapshot: number | null): void;
  onSave(): void;
  onLoad(bytes: Uint8Array): void;
}

/** What there is to show. */
export interface Results {
  readonly setup: Setup;
  readonly frame: Frame;
  readonly detail: Detail | null;
  readonly classNames: readonly string[];
  /** The layer whose potentials are shown. */
  readonly layer: number;
}

export class TrainResults {
  readonly node: HTMLElement;
  private shown: Results | null = null;
  private readonly history = new History();
  private readonly curves: Curves;
  private readonly note = element("p", { class: "note" });
  private readonly truth = truth();
  private readonly costs = costTable();
  private readonly past: Slider;
  /** The last place of the slider, the run as it is. */
  private last = 0;
  /** The step whose weights were asked for, Infinity for the run as it is; null once a frame shows them. */
  private asked: number | null = null;
  private readonly charts: CanvasView[] = [];

  constructor(events: ResultEvents) {
    const recall = (index: number): void => {
      const at = this.shown?.frame.snapshots[index];
      const isPast = at !== undefined && index < this.last;
      this.asked = isPast ? at : Number.POSITIVE_INFINITY;
      events.onRecall(isPast ? index : null);
    };
    this.curves = new Curves(this.history, (step) => {
      const index = this.shown?.frame.snapshots.findLastIndex((at) => at <= step) ?? -1;
      if (index >= 0) recall(index);
    });
    const stepAt = (index: number): number => this.shown?.frame.snapshots[index] ?? this.shown?.frame.steps ?? 0;
    this.past = slider(
      { label: "Weights of an earlier step", min: 0, max: 0, step: 1, show: (index) => count(stepAt(index)) },
      0,
      recall,
    );
    this.node = element(
      "section",
      { class: "outcome", "aria-label": "Results" },
      this.note,
      figure(
        "Loss and accuracy",
        "Click a step, or move the slider, to get its weights back.",
        this.curves.values,
        this.curves.host,
        element("div", { class: "sliders" }, this.past.node),
      ),
      figure(
        "What a sample costs",
        "A spike adds one weight a connection. Each potential decays by a product in every step, also in silence.",
        this.costs.node,
      ),
      figure(
        "Potentials, and where the gradient passes",
        "Bars: where the potentials of the layer lie. Line: the slope that training pretends a spike has there.",
        this.potentials(),
      ),
      figure(
        "How often neurons fire",
        "Silent neurons stand on the left; those that fire all the time say nothing either.",
        this.rates(),
      ),
      weightButtons(events),
      this.truth.node,
    );
  }

  /** A new run has begun. */
  restart(): void {
    this.history.clear();
    this.asked = null;
  }

  /** The new points of the curves. */
  record({ history }: Frame): void {
    this.history.apply(history);
  }

  show(results: Results): void {
    const before = this.shown;
    this.shown = results;
    const { setup, frame, detail, classNames } = results;
    this.curves.update();
    // The detail arrives less often than frames; the charts are painted only when it changes.
    if (detail !== before?.detail || results.layer !== before.layer) for (const chart of this.charts) chart.update();
    this.moveSlider(frame);
    this.note.textContent = advice(frame, setup, detail, classNames);
    this.costs.show(detail?.activity.costs ?? null);
    if (detail === null) return;
    this.truth.show({
      seed: setup.config.seed,
      hash: detail.hash,
      steps: detail.steps,
      query: formatValues(trainFields, setup.config),
      fromSeed: frame.fromSeed,
      memory: detail.memory,
      weights: setup.weights,
    });
  }

  /** The slider stands where the frame is, but not while a frame is on its way that shows what was asked for. */
  private moveSlider({ snapshots, shown, steps }: Frame): void {
    this.last = snapshots.at(-1) === steps ? snapshots.length - 1 : snapshots.length;
    this.past.setMax(this.last);
    if (this.asked !== null && Math.min(this.asked, steps) !== shown) return;
    this.asked = null;
    this.past.set(shown === steps ? this.last : snapshots.indexOf(shown));
  }

  private chart(height: number, label: string, paint: Drawing["paint"]): HTMLElement {
    const host = element("div");
    this.charts.push(new CanvasView(host, { heightFor: () => height, paint }, label));
    return host;
  }

  private potentials(): HTMLElement {
    const label = "Distribution of the potentials of a layer, and the surrogate derivative";
    return this.chart(104, label, (pen, width, height, palette) => {
      if (this.shown === null) return;
      const { setup, detail, layer } = this.shown;
      const potentials = detail?.activity.layers[layer]?.potentials ?? new Float32Array(POTENTIAL_BINS);
      paintSurrogate(pen, setup.surrogate, potentials, palette.layers[layer] as string, width, height, palette);
    });
  }

  private rates(): HTMLElement {
    return this.chart(88, "How many neurons fire at which rate", (pen, width, height, palette) => {
      const layers = this.shown?.detail?.activity.layers.map(({ rates }) => rates) ?? [new Float32Array(RATE_BINS)];
      paintRates(pen, layers, width, height, palette);
    });
  }
}

function weightButtons({ onSave, onLoad }: ResultEvents): HTMLElement {
  const file = element("input", { type: "file", accept: ".safetensors", hidden: "", "aria-label": "weights file" });
  file.addEventListener("change", async () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) onLoad(new Uint8Array(await chosen.arrayBuffer()));
    file.value = "";
  });
  return element(
    "div",
    { class: "keep" },
    button("Save weights", onSave, { "data-action": "save" }),
    button("Load weights", () => file.click(), { "data-action": "load" }),
    file,
  );
}
