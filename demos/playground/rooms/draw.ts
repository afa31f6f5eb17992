/** The Draw room: a network that has just learned digits reads what is drawn. */
import { paintScores } from "../draw/charts.ts";
import { readTheme } from "../draw/theme.ts";
import { centred, examples, formatImage, imageField, parseImage } from "../model/image.ts";
import { presets, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { CURVE_POINTS, type SampleView } from "../model/views.ts";
import { choice, defaults, number } from "../state/fields.ts";
import { Store } from "../state/store.ts";
import { CanvasView, onThemeChange } from "../ui/canvas.ts";
import { cursor } from "../ui/cursor.ts";
import { DiagramView } from "../ui/diagram-view.ts";
import { button, element, figure, reading } from "../ui/dom.ts";
import { pictureButtons } from "../ui/keep.ts";
import { Pad } from "../ui/pad.ts";
import { prose } from "../ui/prose.ts";
import { StackView } from "../ui/stack-view.ts";
import { RunClient } from "../worker/client.ts";
import type { Detail, Frame, Report, Setup } from "../worker/protocol.ts";
import type { Room } from "./room.ts";
import { emptySample, leadersOverTime, sampleRows } from "./sample-rows.ts";

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
  image: imageField(examples.three),
} as const;

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
  private readonly store = new Store(drawFields);
  private readonly client = new RunClient((report) => this.receive(report));
  private setup: Setup | null = null;
  private frame: Frame | null = null;
  private detail: Detail | null = null;
  private configured = false;
  private readonly pad = new Pad((image) => this.store.set({ image: formatImage(image) }));
  private readonly stack = new StackView("The drawing in the network over time", {
    onPick: (row, neuron) => {
      if (row === 1) this.store.set({ neuron: neuron + 1 });
    },
  });
  private readonly diagram = new DiagramView(240);
  private readonly status = element("output", { class: "status", "aria-live": "off" });
  private readonly answer = element("output", { class: "answer", "aria-label": "decision" });
  private readonly note = element("p", { class: "note" });
  private readonly problem = element("p", { class: "problem", role: "alert", hidden: "" });
  private readonly scores: CanvasView;

  constructor() {
    const scoresHost = element("div");
    this.scores = new CanvasView(
      scoresHost,
      {
        heightFor: () => 200,
        paint: (pen, width, height, theme) => paintScores(pen, this.scoresAt(), DIGITS, width, height, theme),
      },
      "The readout of each digit at the time of the cursor",
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
        this.problem,
        this.diagram.host,
        this.stack.host,
        element(
          "div",
          { class: "keep" },
          ...pictureButtons(() => this.picture()),
          button("Film (WebM)", () => this.diagram.record(SLOW * this.store.values.timesteps, "jarvis-snn-digit.webm")),
        ),
      ),
      element(
        "aside",
        { class: "aside", "aria-label": "Results" },
        this.note,
        figure("It reads", "The digit that leads at the time of the cursor.", this.answer),
        figure("The readout", "What has arrived for each digit by then.", scoresHost),
      ),
    );
    this.store.subscribe((changed) => {
      if (["encode", "timesteps", "neurons", "seed"].some((name) => changed.has(name as keyof typeof drawFields))) {
        this.learn();
      }
      if (changed.has("image")) this.look();
      this.show();
      this.onChange();
    });
    cursor.subscribe(() => {
      if (this.node.isConnected) this.showReading();
    });
    onThemeChange(() => this.show());
    this.pad.show(parseImage(this.store.values.image));
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
      prose(store, "Watch neuron ", { field: "neuron", label: "neuron" }, "."),
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
    const image = parseImage(this.store.values.image);
    this.pad.show(image);
    this.client.send({ kind: "look", at: { kind: "values", values: centred(image) } });
  }

  private clear(): void {
    this.store.set({ image: "" });
  }

  private receive(report: Report): void {
    if (report.kind === "problem") {
      this.problem.textContent = report.message;
      this.problem.hidden = false;
    } else if (report.kind === "setup") this.setup = report;
    else if (report.kind === "frame") {
      this.problem.hidden = true;
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
    return sample?.readout.slice(t * 10, (t + 1) * 10) ?? new Float32Array(10);
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
      reading("steps learned", String(frame.steps), "step"),
      reading("test digits read", detail === null ? "–" : `${(100 * detail.accuracy).toFixed(1)} %`, "accuracy"),
      reading("spikes in layer 1", spikes.toFixed(0), "spikes"),
    );
    this.note.textContent = advice(frame, this.store.values.image === "");
    this.showReading();
  }

  private showReading(): void {
    const { frame } = this;
    if (frame === null) return;
    const empty = this.store.values.image === "";
    const leader = leadersOverTime(frame.sample, true)[this.time()] as number;
    this.answer.textContent = empty ? "–" : String(leader);
    this.scores.update();
  }
}

function advice(frame: Frame, empty: boolean): string {
  if (frame.playing) {
    return "The network is learning three thousand handwritten digits, here and now. Draw in the meantime, and watch its opinion change.";
  }
  if (empty) return "Draw a digit into the square: with a finger, a pen, a mouse, or the arrow keys and space.";
  return (
    "Bright pixels send spikes, hidden neurons collect them, and the readout adds up what arrives until one digit leads. " +
    "Play it in slow motion, or move along the time axis, and see when the decision falls."
  );
}
