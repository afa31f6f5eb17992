/** The Neuron room: one neuron under a current; everything follows while a word is dragged. */
import { paintRateCurve } from "../draw/charts.ts";
import type { Row } from "../draw/stack.ts";
import { readTheme } from "../draw/theme.ts";
import { currentOf, DURATION, type NeuronConfig, neuronFields, rateCurve, respond } from "../model/neuron.ts";
import { Store } from "../state/store.ts";
import { CanvasView, onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { button, element, figure, reading } from "../ui/dom.ts";
import { pictureButtons } from "../ui/keep.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import type { Room } from "./room.ts";

/** Seconds of a pass in slow motion. */
const PASS = 8;

const inputNames: Record<NeuronConfig["input"], string> = {
  constant: "a constant current",
  step: "a current that is switched on",
  noise: "a noisy current",
  pulses: "pulses of your own",
};
const resetNames: Record<NeuronConfig["reset"], string> = {
  zero: "to zero",
  subtract: "by the threshold",
  none: "not at all",
};

const ms = (value: number): string => `${value} ms`;

export class NeuronRoom implements Room {
  readonly node = element("div", { class: "room" });
  onChange = (): void => {};
  readonly keys = {
    play: () => cursor.toggle(PASS),
    step: () => cursor.next(DURATION),
    reset: () => this.store.parse(""),
  };
  private readonly store = new Store(neuronFields);
  private readonly stack = new StackView("One neuron over time", {
    onStep: (row, t) => {
      if (row === 0) this.togglePulse(t);
    },
  });
  private readonly curveView: CanvasView;
  private curve: ReturnType<typeof rateCurve>;
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly note = element("p", { class: "note" });

  constructor() {
    this.curve = rateCurve(this.store.values);
    const curveHost = element("div");
    this.curveView = new CanvasView(
      curveHost,
      {
        heightFor: () => 168,
        paint: (pen, width, height, theme) => {
          const { input, current } = this.store.values;
          paintRateCurve(pen, this.curve, input === "pulses" ? null : current, width, height, theme);
        },
      },
      "Spikes a second over the constant current that drives them",
    );
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
        figure(
          "Spikes a second over the current",
          "The f–I curve: how strongly a neuron answers to a constant current. The ring is where it works now.",
          curveHost,
        ),
      ),
    );
    this.store.subscribe(() => {
      this.show();
      this.onChange();
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
    return { name: "jarvis-snn-neuron", svg: this.stack.svg() };
  }

  private controls(): HTMLElement {
    const { store } = this;
    const strength = prose(store, "of strength ", { field: "current", label: "current" }, ".");
    const step = prose(
      store,
      "It flows from ",
      { field: "from", label: "start of the current", show: ms },
      " to ",
      { field: "to", label: "end of the current", show: ms },
      ".",
    );
    const noise = prose(
      store,
      "It trembles by ",
      { field: "noise", label: "noise of the current" },
      ", as seed ",
      { field: "seed", label: "seed" },
      " has it.",
    );
    const pulses = prose(
      store,
      "Each lifts the potential by ",
      { field: "lift", label: "height of a pulse" },
      ". Click into the current, or press Enter there, to set and remove them.",
    );
    const refresh = (): void => {
      const { input } = store.values;
      strength.hidden = input === "pulses";
      step.hidden = input !== "step";
      noise.hidden = input !== "noise";
      pulses.hidden = input !== "pulses";
    };
    store.subscribe(refresh);
    refresh();
    return element(
      "section",
      { class: "controls", "aria-label": "Configuration" },
      element("h2", {}, "Input"),
      prose(
        store,
        "Inject ",
        { field: "input", label: "input", show: (key: NeuronConfig["input"]) => inputNames[key] },
        " ",
      ),
      strength,
      step,
      noise,
      pulses,
      element("h2", {}, "Neuron"),
      prose(
        store,
        "A leaky integrate-and-fire neuron forgets with ",
        { field: "tau", label: "time constant tau", show: (tau: number) => `τ = ${tau} ms` },
        ", fires at threshold ",
        { field: "threshold", label: "threshold" },
        ", falls back ",
        { field: "reset", label: "reset", show: (key: NeuronConfig["reset"]) => resetNames[key] },
        " and rests for ",
        { field: "refractory", label: "refractory time", show: ms },
        ".",
      ),
      prose(
        store,
        "Every spike takes ",
        { field: "adaptation", label: "adaptation" },
        " off the current, which comes back with ",
        { field: "tauAdaptation", label: "time constant of the adaptation", show: (tau: number) => `τ = ${tau} ms` },
        ".",
      ),
    );
  }

  private togglePulse(t: number): void {
    const { input, pulses } = this.store.values;
    if (input !== "pulses") return;
    const others = pulses.filter((at) => at !== t);
    const next = others.length === pulses.length ? [...pulses, t].sort((a, b) => a - b) : others;
    this.store.set({ pulses: next.slice(0, neuronFields.pulses.most) });
  }

  private show(): void {
    const config = this.store.values;
    const theme = readTheme();
    const current = currentOf(config);
    const { spikes, membrane, adaptation } = respond(config, current, 1);
    const times = [...spikes.keys()].filter((t) => spikes[t] === 1);
    const color = theme.layers[0] as string;
    const top = Math.max(1.25 * config.threshold, Math.min(3 * config.threshold, ...[Math.max(...membrane) * 1.05]));
    const rows: Row[] = [
      {
        kind: "trace",
        title: "Current",
        height: 72,
        series: [{ values: current, color: theme.input }],
        low: Math.min(0, ...current),
        high: Math.max(1, ...current) * 1.1,
        columns: true,
      },
      {
        kind: "trace",
        title: "Potential",
        height: 200,
        series: [{ values: membrane, color, width: 2 }],
        low: Math.min(0, ...membrane),
        high: top,
        threshold: config.threshold,
        describe: (t) => `u = ${(membrane[t] as number).toFixed(2).replace("-", "−")}`,
      },
      { kind: "raster", title: "Spikes", height: 28, size: 1, values: spikes, color },
      {
        kind: "trace",
        title: "Adaptation, taken off the current",
        height: 56,
        series: [{ values: adaptation, color: theme.layers[2] as string }],
        low: 0,
        high: Math.max(1, ...adaptation) * 1.1,
      },
    ];
    this.stack.show(rows, { steps: DURATION, dt: 1, unit: "ms" });
    this.curve = rateCurve(config);
    this.curveView.update();
    const gaps = times.slice(1).map((t, i) => t - (times[i] as number));
    const mean = gaps.length === 0 ? "–" : (gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toFixed(1);
    this.status.replaceChildren(
      reading("spikes", String(times.length), "spikes"),
      reading("a second", ((1000 * times.length) / DURATION).toFixed(0), "rate"),
      reading("ms apart", mean, "interval"),
      reading("decay β a ms", Math.exp(-1 / config.tau).toFixed(3), "beta"),
    );
    this.note.textContent = advice(config, times.length);
  }
}

function advice(config: NeuronConfig, spikes: number): string {
  if (spikes === 0) {
    return (
      "The potential leaks as fast as the current fills it and settles below the threshold, so the neuron stays silent. " +
      "Drag the current up: the curve on the right begins where it just reaches the threshold."
    );
  }
  if (config.reset === "none") {
    return (
      "Without a reset a potential above the threshold fires in every step. " +
      "Resting times are what slows it down; give it a reset to see it count instead."
    );
  }
  if (config.adaptation > 0) {
    return (
      "Every spike makes the next one harder, so the first come fast and the later ones slower. " +
      "Adaptation bends the curve down: the neuron tells changes rather than levels."
    );
  }
  if (config.input === "pulses") {
    return (
      "Pulses that come close together add up before they leak away, and only then reach the threshold. " +
      "Lengthen τ and the neuron remembers them longer."
    );
  }
  if (config.input === "noise") {
    return (
      "Noise pushes the potential over a threshold that the mean current alone may not reach. " +
      "Set the current just below the threshold and watch the spikes become irregular."
    );
  }
  return (
    "The current fills the potential, the leak empties it; at the threshold the neuron fires and begins again. " +
    "Drag τ, the threshold or the resting time, and see which part of the curve on the right they move."
  );
}
