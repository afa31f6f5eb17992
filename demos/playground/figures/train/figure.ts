/** A spiking network learns in the worker of the page, which shows what it does with one sample, and how it gets on. */
import { count, percent } from "../../draw/numbers.ts";
import { currentPalette } from "../../draw/palette.ts";
import { thresholdOf } from "../../model/cell-traits.ts";
import { presets, type TrainConfig, trainFields } from "../../model/train-fields.ts";
import { CURVE_POINTS, type SampleView } from "../../model/views.ts";
import { defaults, formatValues, nearest } from "../../state/fields.ts";
import { type Origin, Store } from "../../state/store.ts";
import { Address, queryOf } from "../../ui/address.ts";
import { onThemeChange } from "../../ui/canvas.ts";
import { cursor } from "../../ui/cursor.ts";
import { DiagramView } from "../../ui/diagram-view.ts";
import { button, download, element, reading } from "../../ui/dom.ts";
import { prose } from "../../ui/prose.ts";
import { signal } from "../../ui/signal.ts";
import { addressIn, DIGITS } from "../../ui/site.ts";
import { StackView } from "../../ui/stack-view.ts";
import { Words } from "../../ui/words.ts";
import type { Living, Mount, MountOptions } from "../figure.ts";
import { Task } from "../worker/client.ts";
import type { TrainParameters } from "../worker/tasks/train.ts";
import { confined, type FigureValues, figureFields, subjectSentence, trainControls } from "./controls.ts";
import { DecisionMap } from "./map.ts";
import type { Command, Detail, Frame, Pin, PlaneMap, Report, Setup } from "./protocol.ts";
import { TrainResults } from "./results.ts";
import { axisOf, classNamesOf, emptySample, inputTitleOf, sampleRows } from "./rows.ts";

/** Seconds of a time step in slow motion. */
const SLOW = 0.5;
/** Seconds of a loop. */
const LOOP = 6;

const LOST =
  "The link opens this network untrained: weights from a file are not in it. Save the weights, and send the file along.";

const QUIETED = "The link opens the network with all its neurons: that some are silenced is not in it.";

/** Steps that the figure takes by itself when it is first seen. */
const ALONE = 200;

/** A change of these begins a new run. */
const RUN_FIELDS = Object.keys(trainFields) as (keyof TrainConfig)[];

/** Pages of the site in the places of rooms that older addresses of the page name: `#/coding?timesteps=20`. */
const MOVED: Readonly<Record<string, string>> = { neuron: "equation/", coding: "lessons/2-codes.html", draw: "" };

/** Leads an older address on. */
function lead({ hash }: Location): void {
  const [, room = ""] = /^#\/(\w+)/.exec(hash) ?? [];
  if (!Object.hasOwn(MOVED, room)) return;
  const query = room === "coding" ? queryOf(hash) : "";
  location.replace(addressIn(MOVED[room] as string) + (query ? `#${query}` : ""));
}

class TrainFigure implements Living {
  /** The part with one sample over time. */
  readonly picture: HTMLElement;
  private readonly host: HTMLElement;
  private readonly computed = signal();
  private readonly store = new Store(figureFields, (values) => this.confined(values));
  private readonly address = new Address(
    (query) => this.open(query),
    () => formatValues(figureFields, { ...this.store.values, steps: 0 }),
  );
  /** The work in the worker; null before the first command, and after it has ended by an error. */
  private task: Task<Command> | null = null;
  private isSeen = false;
  private setup: Setup | null = null;
  private frame: Frame | null = null;
  private detail: Detail | null = null;
  private map: PlaneMap | null = null;
  /** Neurons whose spikes are taken away in all that is shown. */
  private silenced: readonly Pin[] = [];
  /** A file of weights has been sent, and no other configuration since. */
  private loading = false;
  private configured = false;
  /** Someone pressed play and has not stopped it: also the next run is to play. */
  private playing = false;
  /** Nobody has asked for anything: the figure begins by itself when it is seen. */
  private isFresh: boolean;
  /** The steps of the link that was opened. */
  private until = 0;

  private readonly playButton = button("Train", () => this.toggle(), { class: "primary", "data-action": "play" });
  private readonly status = element("output", { class: "status", "aria-live": "off" }, ...readings());
  private readonly words = new Words(() => this.work());
  private readonly slowButton = button("Slow motion", () => cursor.toggle(SLOW * this.store.values.timesteps), {
    "data-action": "slow",
  });
  private readonly silenceButton = button("Silence it", () => this.silence(this.pinned()), {
    "data-action": "silence",
  });
  private readonly diagram = new DiagramView({
    onHover: (neuron) => this.send({ kind: "watch", neuron }),
    onPick: (pin, alt) => {
      if (alt) this.silence(pin);
      else this.store.set({ layer: pin.layer + 1, neuron: pin.neuron + 1 });
    },
  });
  private readonly plane = new DecisionMap(([x, y]) => this.store.set({ px: inSquare(x), py: inSquare(y) }));
  private readonly stack = new StackView("One sample over time", {
    onPick: (row, neuron) => {
      if (row > 0) this.store.set({ layer: row, neuron: neuron + 1 });
    },
  });
  private readonly results = new TrainResults({
    onRecall: (snapshot) => this.halt({ kind: "recall", snapshot }),
    onSave: () => this.send({ kind: "save" }),
    onLoad: (bytes) => {
      this.loading = true;
      this.halt({ kind: "load", bytes });
    },
  });

  constructor(host: HTMLElement, { still, state }: MountOptions) {
    this.host = host;
    this.isFresh = !still && state === "";
    this.picture = this.stage();
    host.append(trainControls(this.store), this.picture, this.results.node, this.words.node);
    host.addEventListener("keydown", (event) => this.press(event));
    this.store.subscribe((changed, origin) => this.changed(changed, origin));
    onThemeChange(() => this.show());
    cursor.subscribe(() => {
      this.slowButton.textContent = cursor.playing ? "Pause" : "Slow motion";
    });
    this.address.read();
    if (!this.configured) this.configure();
  }

  play(): void {
    this.isSeen = true;
    this.task?.play();
    if (this.isFresh) this.send({ kind: "play", until: ALONE });
    this.isFresh = false;
  }

  rest(): void {
    this.isSeen = false;
    this.task?.rest();
    if (cursor.playing) cursor.set(cursor.share);
  }

  private open(query: string): void {
    this.store.parse(query);
    if (!this.configured) this.configure();
  }

  /** Space, the right arrow and Shift + R, where they mean nothing else. */
  private press(event: KeyboardEvent): void {
    const { tagName } = event.target as HTMLElement;
    const isTyping = ["INPUT", "SELECT"].includes(tagName);
    const isPressing = ["BUTTON", "SUMMARY"].includes(tagName) && event.key === " ";
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || isPressing) return;
    if (event.key === " ") this.toggle();
    else if (event.key === "ArrowRight") this.halt({ kind: "step" });
    else if (event.key === "R" && event.shiftKey) this.configure();
    else return;
    event.preventDefault();
  }

  state(): string {
    const { frame } = this;
    return formatValues(figureFields, { ...this.store.values, steps: frame?.fromSeed === true ? frame.shown : 0 });
  }

  lost(): string | null {
    if (this.frame?.fromSeed === false) return LOST;
    return this.silenced.length > 0 ? QUIETED : null;
  }

  get settled(): Promise<void> {
    return this.computed.given;
  }

  /** Slow motion through the sample. */
  film(): number {
    cursor.set(0);
    cursor.play(LOOP);
    return LOOP;
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
        button("Step", () => this.halt({ kind: "step" }), { "data-action": "step" }),
        button("Reset", () => this.configure(), { "data-action": "reset" }),
        prose(store, "at ", {
          field: "pace",
          label: "pace",
          show: (pace: number) => (pace === 0 ? "full speed" : `${pace} steps a second`),
        }),
      ),
      element("div", { class: "scene" }, this.diagram.host, this.plane.node, this.status),
      element(
        "div",
        { class: "row" },
        this.slowButton,
        subjectSentence(store, () => this.setup?.tests ?? figureFields.sample.max),
        this.silenceButton,
      ),
      this.stack.host,
    );
  }

  private confined(values: FigureValues): FigureValues {
    const { setup } = this;
    const tests = setup?.config.data === values.data ? setup.tests : figureFields.sample.max;
    return { ...confined(values), sample: Math.min(values.sample, tests) };
  }

  private changed(changed: ReadonlySet<keyof typeof figureFields>, origin: Origin): void {
    const { store } = this;
    if (origin === "control" && changed.has("data")) {
      const { data, seed } = store.values;
      const suiting = { ...defaults(trainFields), ...presets[data], data, seed, px: -1, py: -1 };
      // Then all of this is done already.
      if (store.set(suiting, "address")) return this.address.keep(true);
    }
    if (origin === "control" && changed.has("sample") && !changed.has("px")) store.set({ px: -1, py: -1 });
    const isOther = RUN_FIELDS.some((name) => changed.has(name));
    if (origin !== "file" && isOther) this.configure();
    else if (changed.has("sample") || changed.has("px") || changed.has("py")) this.look();
    if (changed.has("pace")) this.sendPace();
    this.show();
    this.address.keep(origin === "control" && isOther);
  }

  /** A new run from the seed. One that was playing plays on; a shared link trains to where its sender was. */
  private configure(): void {
    const { values } = this.store;
    this.configured = true;
    this.loading = false;
    this.host.classList.add("stale");
    const config = Object.fromEntries(RUN_FIELDS.map((name) => [name, values[name]])) as TrainConfig;
    if (this.setup === null) this.showSample(config, emptySample(config), new Float32Array(CURVE_POINTS));
    this.send({ kind: "configure", config });
    this.look();
    if (values.steps > 0) {
      this.send({ kind: "pace", stepsPerSecond: 0 });
      this.until = values.steps;
      this.send({ kind: "play", until: values.steps });
      this.store.set({ steps: 0 }, "address");
    } else if (this.playing) this.start();
  }

  private send(command: Command): void {
    this.words.problem(null);
    if (this.task === null) {
      this.task = this.begin();
      if (command.kind !== "configure") this.configure();
    }
    this.words.begin();
    this.task.tell(command);
  }

  private begin(): Task<Command> {
    const parameters: TrainParameters = { digits: new URL(addressIn(DIGITS), location.href).href };
    const task = new Task<Command>("train", parameters, {
      onMessage: (report: Report) => this.receive(report),
      onProblem: (message) => {
        this.task = null;
        this.playing = false;
        this.words.end();
        this.words.problem(message);
      },
    });
    if (this.isSeen) task.play();
    return task;
  }

  private sendPace(): void {
    this.send({ kind: "pace", stepsPerSecond: this.store.values.pace });
  }

  /** Sends what ends playing. */
  private halt(command: Command): void {
    this.playing = false;
    this.send(command);
  }

  private start(): void {
    this.playing = true;
    this.sendPace();
    this.send({ kind: "play" });
  }

  private toggle(): void {
    if (this.playing || this.frame?.playing === true) this.halt({ kind: "pause" });
    else this.start();
  }

  /** Takes the spikes of a neuron away in all that is shown, or gives them back. */
  private silence(pin: Pin): void {
    const others = this.silenced.filter((each) => !isSame(each, pin));
    this.silenced = others.length < this.silenced.length ? others : [...others, pin];
    this.send({ kind: "silence", neurons: this.silenced });
    this.show();
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
    if (report.kind === "problem") this.words.problem(report.message);
    else if (report.kind === "obeyed") this.words.end(report.commands);
    else if (report.kind === "saved") {
      const bytes = report.bytes as Uint8Array<ArrayBuffer>;
      download(`${this.fileName()}.safetensors`, bytes, "application/octet-stream");
    } else if (report.kind === "setup") {
      this.setup = report;
      this.frame = null;
      this.detail = null;
      this.map = null;
      this.silenced = [];
      this.results.restart();
      // The store hears of the new limits, and of what a file says of its network.
      this.store.set(report.loaded && this.loading ? report.config : {}, "file");
      if (report.loaded) this.look();
    } else if (report.kind === "map") {
      this.map = report;
      this.show();
      if (report.isFine) this.settle();
    } else if (report.kind === "frame") {
      // A late frame of the run before comes ahead of the new setup, which takes the frame away.
      if (this.frame === null) this.host.classList.remove("stale");
      this.frame = report;
      if (report.detail !== null) this.detail = report.detail;
      this.results.record(report);
      this.show();
      if (report.detail !== null && this.setup?.points === null) this.settle();
    }
  }

  /** The steps of a link are taken, and all that follows from them is there. */
  private settle(): void {
    if (this.frame?.playing === false && this.frame.steps >= this.until) this.computed.give();
  }

  private show(): void {
    const { frame, setup, detail } = this;
    if (frame === null || setup === null) return;
    const { config } = setup;
    const { sample } = frame;
    this.showSample(config, sample, setup.surrogate);
    const classNames = classNamesOf(config.data);
    const pin = this.pinned(config);
    if (detail !== null) {
      const { silenced } = this;
      const { matrices } = detail;
      this.diagram.show({ sample, matrices, threshold: thresholdOf(config), classNames, silenced, framed: pin });
    }
    this.silenceButton.textContent = this.silenced.some((each) => isSame(each, pin)) ? "Let it fire" : "Silence it";
    this.plane.show(setup, this.map, this.place(setup));
    this.results.show({ setup, frame, detail, classNames, layer: pin.layer });
    this.showStatus(frame, setup);
  }

  private pinned({ layers }: TrainConfig = this.store.values): Pin {
    const { layer, neuron } = this.store.values;
    return { layer: Math.min(layer, layers.length) - 1, neuron: neuron - 1 };
  }

  private showSample(config: TrainConfig, sample: SampleView, surrogate: Float32Array): void {
    const rows = sampleRows(
      {
        sample,
        inputTitle: inputTitleOf(config),
        threshold: thresholdOf(config),
        surrogate,
        classNames: classNamesOf(config.data),
        pin: this.pinned(config),
        judgedByMaximum: config.readout === "membrane",
      },
      currentPalette(),
    );
    this.stack.show(rows, axisOf(sample));
  }

  /** Names what the worker may be at. */
  private work(): string {
    const { data } = this.store.values;
    return data === "mnist" && this.setup?.config.data !== data ? "Loading the digits …" : "Computing …";
  }

  private showStatus(frame: Frame, setup: Setup): void {
    const { detail } = this;
    this.playButton.textContent = frame.playing ? "Pause" : "Train";
    const total = detail?.activity.spikes.slice(1).reduce((sum, spikes) => sum + spikes, 0);
    const whilePlaying = (value: number): string => (frame.playing ? count(value) : NOTHING);
    this.status.replaceChildren(
      ...readings([
        count(frame.shown),
        (frame.shown / setup.stepsPerEpoch).toFixed(1),
        detail === null ? NOTHING : percent(detail.accuracy),
        total?.toFixed(1) ?? NOTHING,
        whilePlaying(frame.rate),
        whilePlaying(frame.rate * setup.batchSize),
      ]),
    );
  }
}

/** Readings by the names of their numbers. */
const READINGS = {
  step: "step",
  epoch: "epoch",
  accuracy: "test accuracy",
  spikes: "spikes a sample",
  rate: "steps/s",
  samples: "samples/s",
};

/** Stands for a number that is not there. */
const NOTHING = "–";

const readings = (values: readonly string[] = []): HTMLElement[] =>
  Object.entries(READINGS).map(([name, label], i) => reading(label, values[i] ?? NOTHING, name));

const isSame = (a: Pin, b: Pin): boolean => a.layer === b.layer && a.neuron === b.neuron;

const inSquare = (value: number): number => nearest(figureFields.px, Math.min(1, Math.max(0, value)));

export const mount: Mount = (host, options) => {
  lead(location);
  return new TrainFigure(host, options);
};
