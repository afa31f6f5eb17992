/** One run under the hands of a user: plays, pauses, steps, shows samples, recalls snapshots, saves and loads weights. */
import { loadSafetensors, memoryStats, noGrad, saveSafetensors } from "jarvis-snn";
import { type Digits, receptiveFields } from "../model/data.ts";
import { SpikingNetwork } from "../model/network.ts";
import { hashOf, Run } from "../model/run.ts";
import { isPlanar, type TrainConfig, trainFields } from "../model/train-fields.ts";
import { decisionMap, measureActivity, surrogateCurve, viewSample } from "../model/views.ts";
import { formatValues } from "../state/fields.ts";
import type { Detail, Frame, Setup, Subject } from "./protocol.ts";
import { Snapshots } from "./snapshots.ts";

/** Pixels along a side of the map: while something moves, and at rest. */
const SIDES = { coarse: 48, fine: 120 };
const SNAPSHOTS = 40;

/** No details, or some with a map of that resolution. */
export type Details = "none" | "coarse" | "fine";

export class Session {
  playing = false;
  /** Steps after which playing ends. */
  until = Number.POSITIVE_INFINITY;
  private readonly run: Run;
  /** Another set of weights than the run's, while a snapshot is shown. */
  private recalled: { readonly model: SpikingNetwork; readonly steps: number } | null = null;
  private readonly snapshots = new Snapshots(SNAPSHOTS);
  private subject: Subject = { kind: "test", index: 0 };
  private fromSeed = true;
  private lossSum = 0;
  private lossCount = 0;

  constructor(config: TrainConfig, digits: Digits | null) {
    this.run = new Run(config, digits);
    this.snapshots.offer(0, () => this.run.model.stateDict());
  }

  get steps(): number {
    return this.run.steps;
  }

  setup(): Setup {
    const { config, data, stepsPerEpoch, batchSize, model } = this.run;
    return {
      kind: "setup",
      config,
      features: data.features,
      classes: data.classes,
      tests: data.test.count,
      points: data.points?.slice() ?? null,
      labels: data.test.y.slice(),
      stepsPerEpoch,
      batchSize,
      weights: model.parameters().reduce((sum, { size }) => sum + size, 0),
      surrogate: surrogateCurve(config),
    };
  }

  step(): void {
    this.recall(null);
    this.lossSum += this.run.step();
    this.lossCount++;
    this.snapshots.offer(this.run.steps, () => this.run.model.stateDict());
    if (this.run.steps >= this.until) this.playing = false;
  }

  look(subject: Subject): void {
    this.subject = subject;
  }

  recall(snapshot: number | null): void {
    this.recalled?.model.dispose();
    this.recalled = null;
    const found = snapshot === null ? undefined : this.snapshots.all[snapshot];
    if (found === undefined) return;
    const model = new SpikingNetwork(this.run.config, this.run.data.features, this.run.data.classes);
    model.loadStateDict(found.state);
    this.recalled = { model, steps: found.steps };
  }

  /** The weights as they are, with the configuration that they fit. */
  save(): Uint8Array {
    const metadata = { config: formatValues(trainFields, this.run.config), steps: String(this.run.steps) };
    return saveSafetensors(this.run.model.stateDict(), metadata);
  }

  /**
   * Goes on from the weights of a file. Decay and threshold stay those of the configuration that the page shows.
   *
   * @throws RangeError if the file is damaged, or of a network of another size.
   */
  load(bytes: Uint8Array): void {
    const { model } = this.run;
    const learned = new Set(model.namedParameters().map(([name]) => name));
    const fixed = Object.keys(model.stateDict()).filter((name) => !learned.has(name));
    noGrad(() => {
      const { tensors } = loadSafetensors(bytes);
      for (const name of fixed) delete tensors[name];
      model.loadStateDict(tensors);
    });
    this.recall(null);
    this.fromSeed = false;
  }

  /** What there is to see now, with details as they are asked for. */
  frame(rate: number, details: Details = "none"): Frame {
    const loss = this.lossCount === 0 ? null : this.lossSum / this.lossCount;
    this.lossSum = 0;
    this.lossCount = 0;
    const { x, label } = this.values();
    return {
      kind: "frame",
      playing: this.playing,
      steps: this.run.steps,
      shown: this.recalled?.steps ?? this.run.steps,
      loss,
      rate,
      fromSeed: this.fromSeed,
      snapshots: this.snapshots.steps,
      sample: viewSample(this.run, this.model, x, label),
      detail: details === "none" ? null : this.detail(SIDES[details]),
    };
  }

  dispose(): void {
    this.recall(null);
    this.run.dispose();
  }

  private get model(): SpikingNetwork {
    return this.recalled?.model ?? this.run.model;
  }

  private detail(side: number): Detail {
    const { run, model } = this;
    return {
      steps: this.recalled?.steps ?? run.steps,
      accuracy: run.testAccuracy(model),
      activity: measureActivity(run, model),
      map: isPlanar(run.config.data) ? decisionMap(run, model, side) : null,
      hash: hashOf(model),
      matrices: [...model.linears, model.head].map(({ weight }) => weight.toFloat32Array()),
      memory: memoryStats().live,
    };
  }

  /** The values of the subject, and its label where it has one. */
  private values(): { x: Float32Array; label: number } {
    const { data, config } = this.run;
    const { subject } = this;
    if (subject.kind === "values" && subject.values.length === data.features) return { x: subject.values, label: -1 };
    if (subject.kind === "point" && data.points !== null) {
      return { x: receptiveFields(Float32Array.of(subject.x, subject.y), config.fields), label: -1 };
    }
    const index = subject.kind === "test" ? subject.index % data.test.count : 0;
    const x = data.test.x.slice(index * data.features, (index + 1) * data.features);
    return { x, label: data.test.y[index] as number };
  }
}
