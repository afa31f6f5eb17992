/** The Draw room: a network that has just learned digits reads what is drawn. */
import { paintImage, paintScores } from "../draw/charts.ts";
import { count, percent } from "../draw/numbers.ts";
import { readTheme } from "../draw/theme.ts";
import { type Image, inked, three } from "../model/image.ts";
import { drawn, erased, fitted, formatStrokes, parseStrokes, strokesField } from "../model/strokes.ts";
import { presets, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { CURVE_POINTS, type SampleView } from "../model/views.ts";
import { choice, defaults, number, type Values } from "../state/fields.ts";
import { Store } from "../state/store.ts";
import { CanvasView, onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { DiagramView } from "../ui/diagram-view.ts";
import { button, element, figure, reading } from "../ui/dom.ts";
import { pictureButtons } from "../ui/keep.ts";
import { Pad } from "../ui/pad.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import { Words } from "../ui/words.ts";
import { RunClient } from "../worker/client.ts";
import type { Detail, Frame, Report, Setup } from "../worker/protocol.ts";
import type { Room } from "./room.ts";
import { emptySample, sampleRows } from "./sample-rows.ts";

/** Steps that the network learns before it rests. */
const LESSONS = 400;
/** Seconds of a time step in slow motion. */
const SLOW = 0.4;

const DIGITS = Array.from({ length: 10 }, (_, k) => String(k));

const drawFields = {
  encode: choice(["poisson", "ttfs", "constant"], "poisson"),
  timesteps: number(25, 5, 60, 1),
  neurons: number(96, 8, 256, 8),
  /** One that both a three and a seven make fire. */
  neuron: number(81, 1, 256, 1),
  seed: number(0, 0, 9999, 1),
  strokes: strokesField(three),
} as const;

/** No neuron beyond those that there are. */
const confined = (values: Values<typeof drawFields>): Values<typeof drawFields> => ({
  ...values,
  neuron: Math.min(values.neuron, values.neurons),
});

const encodeNames: Record<TrainConfig["encode"], string> = {
  ttfs: "the time of one spike",
  poisson: "random spikes",
  constant: "a constant current",
};

export class DrawRoom implements Room {
  readonly node = element("div", { class: "room with-pad" });
  onChange = (): void => {};
  readonly keys = {
    play: () => cursor.toggle(SLOW * this.store.values.timesteps),
    step: () => cursor.next(this.store.values.timesteps),
    reset: () => this.clear(),
  };
  private readonly store = new Store(drawFields, confined);
  private readonly client = new RunClient({
    onReport: (report) => this.receive(report),
    onBusy: (busy) => this.words.busy(busy ? this.work() : ""),
  });
  private setup: Setup | null = null;
  private frame: Frame | null = null;
  private detail: Detail | null = null;
  private configured = false;
  private seen: Image = fitted(three);
  private readonly pad = new Pad(({ to, begins, erases }) => {
    const strokes = parseStrokes(this.store.values.strokes);
    this.store.set({ strokes: formatStrokes(erases ? erased(strokes, to) : drawn(strokes, to, begins)) });
  });
  private readonly stack = new StackView("The drawing in the network over time", {
    onPick: (row, neuron) => {
      if (row === 1) this.store.set({ neuron: neuron + 1 });
    },
  });
  private readonly diagram = new DiagramView(240);
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly answer = element("output", { class: "answer", "aria-label": "decision" });
  private readonly note = element("p", { class: "note" });
  private readonly words = new Words();
  private readonly scores: CanvasView;
  private readonly sight: CanvasView;

  constructor() {
    const scoresHost = element("div");
    this.scores = new CanvasView(
      scoresHost,
      {
        heightFor: () => 200,
        paint: (pen, width, height, theme) =>
          paintScores(pen, this.scoresAt(), this.leader(), DIGITS, width, height, theme),
      },
      "The readout of each digit at the time of the cursor",
    );
    const sightHost = element("div", { class: "image sight" });
    this.sight = new CanvasView(
      sightHost,
      { heightFor: (width) => width, paint: (pen, width, _height, theme) => paintImage(pen, this.seen, width, theme) },
      "The drawing as the network sees it",
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
          button("Clear", () => this.clear(), { "data-action": "reset" }),
          this.status,
        ),
        this.diagram.host,
        this.stack.host,
        element(
          "div",
          { class: "keep" },
          ...pictureButtons(() => this.picture()),
          this.diagram.filmButton(
            () => SLOW * this.store.values.timesteps,
            () => "jarvis-snn-digit.webm",
            (message) => this.words.problem(message),
          ),
        ),
      ),
      element(
        "aside",
        { class: "aside", "aria-label": "Results" },
        this.note,
        figure("It reads", "The digit that leads at the time of the cursor.", this.answer),
        figure("It sees", "The strokes in the size and place of the digits that it has learned.", sightHost),
        figure("The readout", "The largest value of each digit by then.", scoresHost),
      ),
      this.words.node,
    );
    this.store.subscribe((changed) => {
      if (["encode", "timesteps", "neurons", "seed"].some((name) => changed.has(name as keyof typeof drawFields))) {
        this.learn();
      }
      if (changed.has("strokes")) this.look();
      this.show();
      this.onChange();
    });
    cursor.subscribe(() => {
      if (this.node.isConnected) this.showReading();
    });
    onThemeChange(() => this.show());
    this.pad.show(inked(three));
  }

  open(query: string): void {
    this.store.parse(query);
    if (!this.configured) this.learn();
  }

  close(): void {
    this.client.send({ kind: "pause" });
    // What was not learned to its end is begun anew.
    this.configured = this.frame?.steps === LESSONS;
  }

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
    return { name: "jarvis-snn-digit", svg: this.stack.svg() };
  }

  private controls(): HTMLElement {
    const { store } = this;
    return element(
      "section",
      { class: "controls", "aria-label": "Configuration" },
      element("h2", {}, "Draw a digit"),
      this.pad.host,
      element("h2", {}, "Network"),
      prose(
        store,
        "Each pixel becomes ",
        { field: "encode", label: "code of the pixels", show: (key: TrainConfig["encode"]) => encodeNames[key] },
        " within ",
        { field: "timesteps", label: "time steps" },
        " time steps, read by ",
        { field: "neurons", label: "neurons" },
        " neurons that have learned from seed ",
        { field: "seed", label: "seed" },
        ".",
      ),
      prose(store, "Watch neuron ", { field: "neuron", label: "neuron", most: () => store.values.neurons }, "."),
    );
  }

  /** A new network, which learns at once and at full speed. */
  private learn(): void {
    const { encode, timesteps, neurons, seed } = this.store.values;
    this.configured = true;
    this.detail = null;
    const config: TrainConfig = {
      ...defaults(trainFields),
      ...presets.mnist,
      data: "mnist",
      encode,
      timesteps,
      layers: [neurons],
      seed,
    };
    if (this.setup === null) this.showSample(emptySample(config), config.threshold, new Float32Array(CURVE_POINTS));
    this.client.send({ kind: "configure", config });
    this.look();
    this.client.send({ kind: "pace", stepsPerSecond: 0 });
    this.client.send({ kind: "play", until: LESSONS });
  }

  private look(): void {
    const strokes = parseStrokes(this.store.values.strokes);
    this.pad.show(inked(strokes));
    this.seen = fitted(strokes);
    this.sight.update();
    this.client.send({ kind: "look", at: { kind: "values", values: this.seen } });
  }

  /** Names the work of a worker that takes long. */
  private work(): string {
    return this.setup === null ? "Loading the digits …" : "Computing …";
  }

  private clear(): void {
    this.store.set({ strokes: "" });
  }

  private receive(report: Report): void {
    if (report.kind === "problem") {
      this.words.problem(report.message);
    } else if (report.kind === "setup") this.setup = report;
    else if (report.kind === "frame") {
      this.words.problem(null);
      this.frame = report;
      if (report.detail !== null) this.detail = report.detail;
      this.show();
    }
  }

  /** The step of the cursor, or the last one. */
  private time(): number {
    return cursor.stepOf(this.frame?.sample.timesteps ?? 1);
  }

  private scoresAt(): Float32Array {
    const { sample } = this.frame ?? {};
    const t = this.time();
    return sample?.scores.slice(t * 10, (t + 1) * 10) ?? new Float32Array(10);
  }

  /** The digit that leads at the cursor, −1 for none. */
  private leader(): number {
    return this.frame?.sample.leaders[this.time()] ?? -1;
  }

  private showSample(sample: SampleView, threshold: number, surrogate: Float32Array): void {
    const rows = sampleRows(
      {
        sample,
        inputTitle: "Input, one line a pixel",
        threshold,
        surrogate,
        classNames: DIGITS,
        pin: { layer: 0, neuron: this.store.values.neuron - 1 },
        judgedByMaximum: true,
      },
      readTheme(),
    );
    this.stack.show(rows, { steps: sample.timesteps, dt: 1, unit: "time step" });
  }

  private show(): void {
    const { frame, setup, detail } = this;
    if (frame === null || setup === null) return;
    const { config } = setup;
    this.showSample(frame.sample, config.threshold, setup.surrogate);
    if (detail !== null) {
      this.diagram.show({
        sample: frame.sample,
        matrices: detail.matrices,
        threshold: config.threshold,
        classNames: DIGITS,
      });
    }
    const spikes = frame.sample.layers[0]?.spikes.reduce((sum, spike) => sum + spike, 0) ?? 0;
    this.status.replaceChildren(
      reading("steps learned", count(frame.steps), "step"),
      reading("test digits read", detail === null ? "–" : percent(detail.accuracy), "accuracy"),
      reading("spikes in layer 1", count(spikes), "spikes"),
    );
    this.note.textContent = advice(frame, this.store.values.strokes === "");
    this.showReading();
  }

  private showReading(): void {
    const leader = this.leader();
    this.answer.textContent = leader < 0 ? "–" : String(leader);
    this.scores.update();
  }
}

function advice(frame: Frame, empty: boolean): string {
  if (frame.playing) {
    return "The network is learning three thousand handwritten digits, here and now. Draw in the meantime, and watch its opinion change.";
  }
  if (empty) return "Draw a digit into the square: with a finger, a pen, a mouse, or the arrow keys and space.";
  return (
    "Inked pixels send spikes, hidden neurons collect them, and the readout adds up what arrives until one digit leads. " +
    "It has decided where it keeps more than half of its final lead. Play it in slow motion, or move along the time axis."
  );
}
