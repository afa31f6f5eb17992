/** The Train room: a spiking network learns in a worker; the page shows what it does with one sample, and how it gets on. */
import { count, percent } from "../draw/numbers.ts";
import { readTheme } from "../draw/theme.ts";
import { presets, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { CURVE_POINTS, type SampleView } from "../model/views.ts";
import { defaults, formatValues, nearest } from "../state/fields.ts";
import { type Origin, Store } from "../state/store.ts";
import { onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { DiagramView } from "../ui/diagram-view.ts";
import { button, download, element, reading } from "../ui/dom.ts";
import { pictureButtons } from "../ui/keep.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import { Words } from "../ui/words.ts";
import { RunClient } from "../worker/client.ts";
import type { Command, Detail, Frame, Report, Setup } from "../worker/protocol.ts";
import type { Room } from "./room.ts";
import { emptySample, type Pin, sampleRows } from "./sample-rows.ts";
import { confined, type RoomValues, roomFields, trainControls } from "./train-controls.ts";
import { TrainResults } from "./train-results.ts";

/** Seconds of a time step in slow motion. */
const SLOW = 0.5;

/** A change of these begins a new run. */
const RUN_FIELDS = Object.keys(trainFields) as (keyof TrainConfig)[];

export class TrainRoom implements Room {
  readonly node = element("div", { class: "room" });
  onChange = (): void => {};
  readonly keys = {
    play: () => this.toggle(),
    step: () => this.halt({ kind: "step" }),
    reset: () => this.configure(),
  };
  private readonly store = new Store(roomFields, (values) => this.confined(values));
  private readonly client = new RunClient({
    onReport: (report) => this.receive(report),
    onBusy: (busy) => this.showWork(busy),
  });
  private setup: Setup | null = null;
  private frame: Frame | null = null;
  private detail: Detail | null = null;
  private map: Float32Array | null = null;
  /** A file of weights has been sent, and no other configuration since. */
  private loading = false;
  private configured = false;
  /** Someone pressed play and has not stopped it: also the next run is to play. */
  private playing = false;

  private readonly playButton = button("Train", () => this.toggle(), { class: "primary", "data-action": "play" });
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly words = new Words();
  private readonly diagram = new DiagramView(240);
  private readonly stack = new StackView("One sample over time", {
    onPick: (row, neuron) => {
      if (row > 0) this.store.set({ layer: row, neuron: neuron + 1 });
    },
  });
  private readonly results = new TrainResults({
    onPlace: ([x, y]) => this.store.set({ px: inSquare(x), py: inSquare(y) }),
    onRecall: (snapshot) => this.halt({ kind: "recall", snapshot }),
    onSave: () => this.send({ kind: "save" }),
    onLoad: (bytes) => {
      this.loading = true;
      this.halt({ kind: "load", bytes });
    },
  });

  constructor() {
    this.node.append(trainControls(this.store), this.stage(), this.results.node, this.words.node);
    this.store.subscribe((changed, origin) => this.changed(changed, origin));
    onThemeChange(() => this.show());
  }

  open(query: string): void {
    this.store.parse(query);
    if (!this.configured) this.configure();
  }

  close(): void {
    this.halt({ kind: "pause" });
  }

  query(): string {
    return formatValues(roomFields, { ...this.store.values, steps: 0 });
  }

  shareQuery(): string {
    const { frame } = this;
    return formatValues(roomFields, { ...this.store.values, steps: frame?.fromSeed === true ? frame.shown : 0 });
  }

  missing(): string | null {
    if (this.frame?.fromSeed !== false) return null;
    return "The link opens this network untrained: weights from a file are not in it. Save the weights, and send the file along.";
  }

  picture(): { name: string; svg: string } {
    return { name: this.fileName(), svg: this.stack.svg() };
  }

  private fileName(): string {
    return `jarvis-snn-${this.store.values.data}`;
  }

  private stage(): HTMLElement {
    const { store } = this;
    return element(
      "section",
      { class: "stage", "aria-label": "Stage" },
      element(
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
      ),
      element(
        "div",
        { class: "row" },
        button("Slow motion", () => cursor.toggle(SLOW * store.values.timesteps), { "data-action": "slow" }),
        this.subject(),
      ),
      this.diagram.host,
      this.stack.host,
      element(
        "div",
        { class: "keep" },
        ...pictureButtons(() => this.picture()),
        button("Picture of the network (SVG)", () => {
          download(`${this.fileName()}-network.svg`, this.diagram.svg(), "image/svg+xml");
        }),
        this.diagram.filmButton(
          () => SLOW * store.values.timesteps,
          () => `${this.fileName()}.webm`,
          (message) => this.words.problem(message),
        ),
      ),
    );
  }

  /** The sentence that names the subject, a test sample or a point of the plane, and the watched neuron. */
  private subject(): HTMLElement {
    const { store } = this;
    const point = element("span");
    const [test, instead] = [element("span", {}, "Test sample "), element("span", {}, " instead of test sample ")];
    const refresh = (): void => {
      const { px, py } = store.values;
      const picked = px >= 0;
      point.textContent = `The point (${px.toFixed(2)}, ${py.toFixed(2)})`;
      for (const node of [point, instead]) node.hidden = !picked;
      test.hidden = picked;
    };
    store.subscribe(refresh);
    refresh();
    return prose(
      store,
      point,
      test,
      instead,
      { field: "sample", label: "test sample", most: () => this.setup?.tests ?? roomFields.sample.max },
      ", and neuron ",
      { field: "neuron", label: "neuron", most: () => store.values.layers[store.values.layer - 1] as number },
      " of layer ",
      { field: "layer", label: "layer", most: () => store.values.layers.length },
      ".",
    );
  }

  private confined(values: RoomValues): RoomValues {
    const { setup } = this;
    const tests = setup?.config.data === values.data ? setup.tests : roomFields.sample.max;
    return { ...confined(values), sample: Math.min(values.sample, tests) };
  }

  private changed(changed: ReadonlySet<keyof typeof roomFields>, origin: Origin): void {
    const { store } = this;
    if (origin === "control" && changed.has("data")) {
      const { data, seed } = store.values;
      const suiting = { ...defaults(trainFields), ...presets[data], data, seed, px: -1, py: -1 };
      // Then all of this is done already.
      if (store.set(suiting, "address")) return;
    }
    if (changed.has("sample") && !changed.has("px")) store.set({ px: -1, py: -1 });
    if (origin !== "file" && RUN_FIELDS.some((name) => changed.has(name))) this.configure();
    else if (changed.has("sample") || changed.has("px") || changed.has("py")) this.look();
    if (changed.has("pace")) this.sendPace();
    this.show();
    this.onChange();
  }

  /** A new run from the seed. One that was playing plays on; a shared link trains to where its sender was. */
  private configure(): void {
    const { values } = this.store;
    this.configured = true;
    this.loading = false;
    this.node.classList.add("stale");
    const config = Object.fromEntries(RUN_FIELDS.map((name) => [name, values[name]])) as TrainConfig;
    if (this.setup === null) this.showSample(config, emptySample(config), new Float32Array(CURVE_POINTS));
    this.send({ kind: "configure", config });
    this.look();
    if (values.steps > 0) {
      this.send({ kind: "pace", stepsPerSecond: 0 });
      this.send({ kind: "play", until: values.steps });
      this.store.set({ steps: 0 });
    } else if (this.playing) this.play();
  }

  private send(command: Command): void {
    this.words.problem(null);
    this.client.send(command);
  }

  private sendPace(): void {
    this.send({ kind: "pace", stepsPerSecond: this.store.values.pace });
  }

  /** Sends what ends playing. */
  private halt(command: Command): void {
    this.playing = false;
    this.send(command);
  }

  private play(): void {
    this.playing = true;
    this.sendPace();
    this.send({ kind: "play" });
  }

  private toggle(): void {
    if (this.playing || this.frame?.playing === true) this.halt({ kind: "pause" });
    else this.play();
  }

  private look(): void {
    const { sample, px, py } = this.store.values;
    this.send({ kind: "look", at: px < 0 ? { kind: "test", index: sample - 1 } : { kind: "point", x: px, y: py } });
  }

  /** Where the shown sample lies in the plane. */
  private place({ points, tests }: Setup): readonly [number, number] {
    const { sample, px, py } = this.store.values;
    if (px >= 0 || points === null) return [px, py];
    const index = Math.min(sample, tests) - 1;
    return [points[2 * index] as number, points[2 * index + 1] as number];
  }

  private receive(report: Report): void {
    if (report.kind === "problem") {
      this.words.problem(report.message);
    } else if (report.kind === "saved") {
      const bytes = report.bytes as Uint8Array<ArrayBuffer>;
      download(`${this.fileName()}.safetensors`, bytes, "application/octet-stream");
    } else if (report.kind === "setup") {
      this.setup = report;
      this.frame = null;
      this.detail = null;
      this.map = null;
      this.results.restart();
      // The store hears of the new limits, and of what a file says of its network.
      this.store.set(report.loaded && this.loading ? report.config : {}, "file");
      if (report.loaded) this.look();
    } else if (report.kind === "map") {
      this.map = report.map;
      this.show();
    } else if (report.kind === "frame") {
      // A late frame of the run before comes ahead of the new setup, which takes the frame away.
      if (this.frame === null) this.node.classList.remove("stale");
      this.frame = report;
      if (report.detail !== null) this.detail = report.detail;
      this.results.record(report);
      this.show();
    }
  }

  private show(): void {
    const { frame, setup, detail } = this;
    if (frame === null || setup === null) return;
    const { config } = setup;
    const { sample } = frame;
    this.showSample(config, sample, setup.surrogate);
    const classNames = namesOf(config.data);
    const layer = this.pin(config).layer;
    if (detail !== null) {
      this.diagram.show({ sample, matrices: detail.matrices, threshold: config.threshold, classNames });
    }
    this.results.show({ setup, frame, detail, map: this.map, classNames, layer, place: this.place(setup) });
    this.showStatus(frame, setup);
  }

  private pin({ layers }: TrainConfig): Pin {
    const { layer, neuron } = this.store.values;
    return { layer: Math.min(layer, layers.length) - 1, neuron: neuron - 1 };
  }

  private showSample(config: TrainConfig, sample: SampleView, surrogate: Float32Array): void {
    const rows = sampleRows(
      {
        sample,
        inputTitle: inputTitle(config),
        threshold: config.threshold,
        surrogate,
        classNames: namesOf(config.data),
        pin: this.pin(config),
        judgedByMaximum: config.readout === "membrane",
      },
      readTheme(),
    );
    this.stack.show(rows, { steps: sample.timesteps, dt: 1, unit: "time step" });
  }

  private showWork(busy: boolean): void {
    const { data } = this.store.values;
    const loads = data === "mnist" && this.setup?.config.data !== data;
    this.words.busy(busy ? (loads ? "Loading the digits …" : "Computing …") : "");
  }

  private showStatus(frame: Frame, setup: Setup): void {
    const { detail } = this;
    this.playButton.textContent = frame.playing ? "Pause" : "Train";
    const total = detail?.activity.spikes.slice(1).reduce((sum, spikes) => sum + spikes, 0);
    const whilePlaying = (value: number): string => (frame.playing ? count(value) : "–");
    this.status.replaceChildren(
      reading("step", count(frame.shown), "step"),
      reading("epoch", (frame.shown / setup.stepsPerEpoch).toFixed(1), "epoch"),
      reading("test accuracy", detail === null ? "–" : percent(detail.accuracy), "accuracy"),
      reading("spikes a sample", total?.toFixed(1) ?? "–", "spikes"),
      reading("steps/s", whilePlaying(frame.rate), "rate"),
      reading("samples/s", whilePlaying(frame.rate * setup.batchSize), "samples"),
    );
  }
}

const inSquare = (value: number): number => nearest(roomFields.px, Math.min(1, Math.max(0, value)));

function namesOf(data: TrainConfig["data"]): readonly string[] {
  if (data === "mnist") return Array.from({ length: 10 }, (_, k) => String(k));
  return data === "linear" ? ["below", "above"] : ["disc", "square"];
}

function inputTitle({ data, fields }: TrainConfig): string {
  if (data === "mnist") return "Input, one line a pixel";
  if (data === "linear") return "Input, one line a number";
  return fields > 1 ? "Input: receptive fields of x, then of y" : "Input: x and y";
}
