/** The Train room: a spiking network learns in a worker; the page shows what it does with one sample, and how it gets on. */
import { paintComparison, paintMap, paintRates, paintSurrogate } from "../draw/charts.ts";
import { readTheme } from "../draw/theme.ts";
import { presets, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { POTENTIAL_BINS, RATE_BINS } from "../model/views.ts";
import { defaults, formatValues, nearest } from "../state/fields.ts";
import { Store } from "../state/store.ts";
import { CanvasView, onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { Curves } from "../ui/curves.ts";
import { DiagramView } from "../ui/diagram-view.ts";
import { button, download, element, figure, reading } from "../ui/dom.ts";
import { History } from "../ui/history.ts";
import { pictureButtons } from "../ui/keep.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import { RunClient } from "../worker/client.ts";
import type { Detail, Frame, Report, Setup, Subject } from "../worker/protocol.ts";
import type { Room } from "./room.ts";
import { sampleRows } from "./sample-rows.ts";
import { advice } from "./train-advice.ts";
import { roomFields, trainControls } from "./train-controls.ts";
import { truth } from "./truth.ts";

/** Seconds that a sample takes in slow motion, a time step. */
const SLOW = 0.5;

export class TrainRoom implements Room {
  readonly node = element("div", { class: "room" });
  onChange = (): void => {};
  readonly keys = {
    play: () => this.toggle(),
    step: () => this.client.send({ kind: "step" }),
    reset: () => this.configure(),
  };
  private readonly store = new Store(roomFields);
  private readonly client = new RunClient((report) => this.receive(report));
  private setup: Setup | null = null;
  private frame: Frame | null = null;
  private detail: Detail | null = null;
  private configured = false;
  private readonly history = new History();

  private readonly playButton = button("Train", () => this.toggle(), { class: "primary", "data-action": "play" });
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly problem = element("p", { class: "problem", role: "alert", hidden: "" });
  private readonly note = element("p", { class: "note" });
  private readonly truth = truth();
  private readonly past = element("input", {
    type: "range",
    min: "0",
    max: "0",
    value: "0",
    "aria-label": "weights of an earlier step",
  });
  private readonly pastLabel = element("span", { class: "past-label" }, "now");
  private readonly stack = new StackView("One sample over time", {
    onPick: (row, neuron) => {
      if (row > 0) this.store.set({ layer: row, neuron: neuron + 1 });
    },
  });
  private readonly diagram = new DiagramView(240);
  private readonly curves = new Curves(this.history, (step) => this.recallStep(step));
  private readonly mapHost = element("div", {
    class: "map",
    tabindex: "0",
    role: "group",
    "aria-label": "Map of decisions; arrow keys move the sample",
  });
  private readonly mapFigure: HTMLElement;
  private readonly views: CanvasView[];

  constructor() {
    this.mapFigure = figure(
      "What it decides where",
      "The deeper the colour, the surer the network. Click to ask about a point.",
      this.mapHost,
    );
    const map = new CanvasView(
      this.mapHost,
      { heightFor: (width) => width, paint: (pen, width, _height, theme) => this.paintMap(pen, width, theme) },
      "Certainty of the network over the plane, with the test samples",
    );
    const [surrogateHost, ratesHost, opsHost] = [element("div"), element("div"), element("div")];
    const surrogate = new CanvasView(
      surrogateHost,
      {
        heightFor: () => 104,
        paint: (pen, width, height, theme) => {
          const layer = Math.min(this.store.values.layer, this.layers()) - 1;
          const potentials = this.detail?.activity.layers[layer]?.potentials ?? new Float32Array(POTENTIAL_BINS);
          if (this.setup === null) return;
          paintSurrogate(pen, this.setup.surrogate, potentials, theme.layers[layer] as string, width, height, theme);
        },
      },
      "Distribution of the potentials of a layer, and the surrogate derivative",
    );
    const rates = new CanvasView(
      ratesHost,
      {
        heightFor: () => 88,
        paint: (pen, width, height, theme) => {
          const layers = this.detail?.activity.layers.map(({ rates }) => rates) ?? [new Float32Array(RATE_BINS)];
          paintRates(pen, layers, width, height, theme);
        },
      },
      "How many neurons fire at which rate",
    );
    const ops = new CanvasView(
      opsHost,
      {
        heightFor: () => 56,
        paint: (pen, width, height, theme) => {
          const { synapticOps = 0, denseOps = 0 } = this.detail?.activity ?? {};
          paintComparison(pen, synapticOps, denseOps, width, height, theme);
        },
      },
      "Synaptic operations of a sample against a network without spikes",
    );
    this.views = [map, surrogate, rates, ops];
    this.build(surrogateHost, ratesHost, opsHost);
    this.listen();
  }

  open(query: string): void {
    this.store.parse(query);
    if (!this.configured) this.configure();
  }

  close(): void {
    this.client.send({ kind: "pause" });
  }

  query(): string {
    const { steps: _, ...rest } = this.store.values;
    return formatValues(roomFields, { ...rest, steps: 0 });
  }

  shareQuery(): string {
    const { steps: _, ...rest } = this.store.values;
    return formatValues(roomFields, { ...rest, steps: this.frame?.shown ?? 0 });
  }

  picture(): { name: string; svg: string } {
    return { name: `jarvis-snn-${this.store.values.data}`, svg: this.stack.svg() };
  }

  private build(surrogate: HTMLElement, rates: HTMLElement, ops: HTMLElement): void {
    const { store } = this;
    const toolbar = element(
      "div",
      { class: "toolbar" },
      this.playButton,
      button("Step", () => this.keys.step(), { "data-action": "step" }),
      button("Reset", () => this.keys.reset(), { "data-action": "reset" }),
      prose(store, "at ", {
        field: "pace",
        label: "pace",
        show: (pace: number) => (pace === 0 ? "full speed" : `${pace} steps a second`),
      }),
      this.status,
    );
    const look = prose(
      store,
      "Test sample ",
      { field: "sample", label: "test sample" },
      ", and neuron ",
      { field: "neuron", label: "neuron" },
      " of layer ",
      { field: "layer", label: "layer" },
      ".",
    );
    const slow = button("Slow motion", () => this.slowMotion(), { "data-action": "slow" });
    const film = button("Film (WebM)", () => {
      this.diagram.record(SLOW * store.values.timesteps, `jarvis-snn-${store.values.data}.webm`);
    });
    const stage = element(
      "section",
      { class: "stage", "aria-label": "Stage" },
      toolbar,
      this.problem,
      element("div", { class: "row" }, slow, look),
      this.diagram.host,
      this.stack.host,
      element(
        "div",
        { class: "keep" },
        ...pictureButtons(() => this.picture()),
        button("Picture of the network (SVG)", () =>
          download("jarvis-snn-network.svg", this.diagram.svg(), "image/svg+xml"),
        ),
        film,
      ),
    );
    const file = element("input", { type: "file", accept: ".safetensors", hidden: "", "aria-label": "weights file" });
    file.addEventListener("change", async () => {
      const [chosen] = file.files ?? [];
      if (chosen !== undefined) this.client.send({ kind: "load", bytes: new Uint8Array(await chosen.arrayBuffer()) });
      file.value = "";
    });
    const aside = element(
      "aside",
      { class: "aside", "aria-label": "Results" },
      this.note,
      this.mapFigure,
      figure(
        "Loss and accuracy",
        "Click a step, or move the slider, to get its weights back.",
        this.curves.values,
        this.curves.host,
        element("label", { class: "past" }, "weights of step ", this.pastLabel, this.past),
      ),
      figure("What a sample costs", "A spike adds one weight a connection; silence costs nothing.", ops),
      figure(
        "Potentials, and where the gradient passes",
        "Bars: where the potentials of the layer lie. Line: the slope that training pretends a spike has there.",
        surrogate,
      ),
      figure(
        "How often neurons fire",
        "Silent neurons stand on the left; those that fire all the time say nothing either.",
        rates,
      ),
      element(
        "div",
        { class: "keep" },
        button("Save weights", () => this.client.send({ kind: "save" }), { "data-action": "save" }),
        button("Load weights", () => file.click(), { "data-action": "load" }),
        file,
      ),
      this.truth.node,
    );
    this.node.append(trainControls(store), stage, aside);
  }

  private listen(): void {
    const { store } = this;
    const runFields = new Set<string>(Object.keys(trainFields));
    store.subscribe((changed, origin) => {
      if (origin === "control" && changed.has("data")) {
        const { data, seed } = store.values;
        const suiting = { ...defaults(trainFields), ...presets[data], data, seed, px: -1, py: -1 };
        if (store.set(suiting, "address")) return;
      }
      if ([...changed].some((name) => runFields.has(name))) this.configure();
      if (changed.has("pace")) this.sendPace();
      if (changed.has("sample") && !changed.has("px")) store.set({ px: -1, py: -1 });
      if (["sample", "px", "py"].some((name) => changed.has(name as "px"))) this.look();
      this.show();
      this.onChange();
    });
    onThemeChange(() => this.show());
    this.past.addEventListener("input", () => this.recall(Number(this.past.value)));
    this.mapHost.addEventListener("pointerdown", (event) => {
      const box = this.mapHost.getBoundingClientRect();
      this.lookAt((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    });
    this.mapHost.addEventListener("pointermove", (event) => {
      if (event.buttons !== 1) return;
      const box = this.mapHost.getBoundingClientRect();
      this.lookAt((event.clientX - box.left) / box.width, 1 - (event.clientY - box.top) / box.height);
    });
    this.mapHost.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (way === undefined) return;
      const [x, y] = this.place();
      this.lookAt(x + 0.02 * (way[0] as number), y + 0.02 * (way[1] as number));
      event.preventDefault();
      event.stopPropagation();
    });
  }

  private config(): TrainConfig {
    const { values } = this.store;
    return Object.fromEntries(
      Object.keys(trainFields).map((name) => [name, values[name as keyof TrainConfig]]),
    ) as TrainConfig;
  }

  /** A new run from the seed. One that was playing plays on; a shared link trains to where its sender was. */
  private configure(): void {
    const playing = this.frame?.playing === true;
    this.configured = true;
    this.history.clear();
    this.detail = null;
    this.client.send({ kind: "configure", config: this.config() });
    this.look();
    const { steps } = this.store.values;
    if (steps > 0) {
      this.client.send({ kind: "pace", stepsPerSecond: 0 });
      this.client.send({ kind: "play", until: steps });
      this.store.set({ steps: 0 });
    } else if (playing) {
      this.sendPace();
      this.client.send({ kind: "play" });
    }
  }

  private sendPace(): void {
    this.client.send({ kind: "pace", stepsPerSecond: this.store.values.pace });
  }

  private toggle(): void {
    if (this.frame?.playing === true) {
      this.client.send({ kind: "pause" });
      return;
    }
    this.sendPace();
    this.client.send({ kind: "play" });
  }

  private look(): void {
    const { sample, px, py } = this.store.values;
    const at: Subject = px < 0 ? { kind: "test", index: sample } : { kind: "point", x: px, y: py };
    this.client.send({ kind: "look", at });
  }

  private lookAt(x: number, y: number): void {
    const inside = (value: number): number => nearest(roomFields.px, Math.min(1, Math.max(0, value)));
    this.store.set({ px: inside(x), py: inside(y) });
  }

  /** Where the shown sample lies in the plane. */
  private place(): readonly [number, number] {
    const { px, py } = this.store.values;
    if (px >= 0 || this.setup?.points == null) return [px, py];
    const index = this.store.values.sample % this.setup.tests;
    return [this.setup.points[2 * index] as number, this.setup.points[2 * index + 1] as number];
  }

  private recall(index: number): void {
    const last = (this.frame?.snapshots.length ?? 0) === index;
    this.client.send({ kind: "recall", snapshot: last ? null : index });
  }

  private recallStep(step: number): void {
    const snapshots = this.frame?.snapshots ?? [];
    const index = snapshots.findLastIndex((at) => at <= step);
    if (index >= 0) this.recall(index);
  }

  private slowMotion(): void {
    if (cursor.playing) cursor.set(cursor.share);
    else cursor.play(SLOW * this.store.values.timesteps);
  }

  private receive(report: Report): void {
    if (report.kind === "problem") {
      this.problem.textContent = report.message;
      this.problem.hidden = false;
      return;
    }
    this.problem.hidden = true;
    if (report.kind === "saved") {
      download(
        `jarvis-snn-${this.store.values.data}.safetensors`,
        report.bytes as Uint8Array<ArrayBuffer>,
        "application/octet-stream",
      );
      return;
    }
    if (report.kind === "setup") {
      this.setup = report;
      return;
    }
    this.frame = report;
    if (report.detail !== null) this.detail = report.detail;
    if (report.shown === report.steps) this.history.push(report.steps, report.loss, report.detail?.accuracy ?? null);
    this.show();
  }

  private layers(): number {
    return this.store.values.layers.length;
  }

  private classNames(): readonly string[] {
    const { data } = this.store.values;
    if (data === "mnist") return Array.from({ length: 10 }, (_, k) => String(k));
    return data === "linear" ? ["below", "above"] : ["disc", "square"];
  }

  private show(): void {
    const { frame, setup, detail } = this;
    if (frame === null || setup === null || frame.sample.layers.length !== setup.config.layers.length) return;
    const { config } = setup;
    const { layer, neuron } = this.store.values;
    const theme = readTheme();
    const rows = sampleRows(
      {
        sample: frame.sample,
        inputTitle:
          config.data === "mnist"
            ? "Input, one line a pixel"
            : config.fields > 1 && setup.points !== null
              ? "Input: receptive fields of x, then of y"
              : "Input",
        threshold: config.threshold,
        surrogate: setup.surrogate,
        classNames: this.classNames(),
        pin: { layer: Math.min(layer, config.layers.length) - 1, neuron: neuron - 1 },
        judgedByMaximum: config.readout === "membrane",
      },
      theme,
    );
    this.stack.show(rows, { steps: frame.sample.timesteps, dt: 1, unit: "time step" });
    if (detail !== null) {
      const { sample } = frame;
      this.diagram.show({
        sample,
        matrices: detail.matrices,
        threshold: config.threshold,
        classNames: this.classNames(),
      });
    }
    this.curves.update();
    for (const view of this.views) view.update();
    this.showText(frame, setup);
  }

  private showText(frame: Frame, setup: Setup): void {
    const { detail } = this;
    this.playButton.textContent = frame.playing ? "Pause" : "Train";
    this.mapFigure.hidden = setup.points === null;
    const accuracy = detail === null ? "–" : `${(100 * detail.accuracy).toFixed(1)} %`;
    const spikes =
      detail === null
        ? "–"
        : detail.activity.spikes
            .slice(1)
            .reduce((sum, n) => sum + n, 0)
            .toFixed(1);
    const samples = frame.rate * setup.batchSize;
    this.status.replaceChildren(
      reading("step", String(frame.shown), "step"),
      reading("epoch", (frame.shown / setup.stepsPerEpoch).toFixed(1), "epoch"),
      reading("test accuracy", accuracy, "accuracy"),
      reading("spikes a sample", spikes, "spikes"),
      reading("steps/s", frame.playing ? frame.rate.toFixed(0) : "–", "rate"),
      reading("samples/s", frame.playing ? samples.toFixed(0) : "–", "samples"),
    );
    const count = frame.snapshots.length;
    this.past.max = String(count);
    const recalled = frame.shown !== frame.steps;
    if (!recalled) this.past.value = String(count);
    this.pastLabel.textContent = String(frame.shown);
    this.note.textContent = advice(frame, setup, detail, this.classNames());
    this.truth.show({
      seed: setup.config.seed,
      hash: detail?.hash ?? "",
      steps: frame.shown,
      query: formatValues(trainFields, setup.config),
      fromSeed: frame.fromSeed,
      memory: detail?.memory ?? 0,
      weights: setup.weights,
    });
  }

  private paintMap(
    ...[pen, size, theme]: [Parameters<typeof paintMap>[0], number, ReturnType<typeof readTheme>]
  ): void {
    const { setup, detail } = this;
    if (setup === null || setup.points === null) return;
    paintMap(
      pen,
      { map: detail?.map ?? null, points: setup.points, labels: setup.labels, at: this.place() },
      size,
      theme,
    );
  }
}
