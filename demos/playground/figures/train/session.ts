/** One run under the hands of a user: plays, pauses, steps, shows samples, recalls snapshots, saves its weights. */
import { memoryStats, saveSafetensors } from "jarvis-snn";
import { makeData, receptiveFields } from "../../model/data.ts";
import type { Digits } from "../../model/digits.ts";
import { hashOf } from "../../model/hash.ts";
import { History } from "../../model/history.ts";
import { type CellsOf, makeOptimizer, plainCells, SpikingNetwork } from "../../model/network.ts";
import { Run } from "../../model/run.ts";
import { isPlanar, type TrainConfig, trainFields } from "../../model/train-fields.ts";
import { decisionMap, measureActivity, neuronMap, surrogateCurve, viewSample } from "../../model/views.ts";
import { loadWeights, originOf } from "../../model/weights.ts";
import { formatValues } from "../../state/fields.ts";
import type { Detail, Frame, Pin, Setup, Subject } from "./protocol.ts";
import { Snapshots } from "./snapshots.ts";

/** Pixels along a side of the map: while something moves, and at rest. */
const SIDES = { coarse: 48, fine: 120 };

export type Resolution = keyof typeof SIDES;

export class Session {
  playing = false;
  /** Steps after which playing ends. */
  until = Number.POSITIVE_INFINITY;
  private readonly run: Run;
  /** Another set of weights than the run's, while a snapshot is shown. */
  private recalled: { readonly model: SpikingNetwork; readonly steps: number } | null = null;
  private readonly snapshots = new Snapshots();
  private readonly history = new History();
  private subject: Subject = { kind: "test", index: 0 };
  /** The neuron of the map, null for the decisions. */
  watched: Pin | null = null;
  private masks: readonly (Float32Array | undefined)[] = [];
  private readonly fromSeed: boolean;
  private readonly cellsOf: CellsOf;

  /**
   * A run from the seed, or from the weights of a file and the step that it names.
   *
   * @throws Error if the weights are not those of the configuration's network.
   */
  constructor(
    config: TrainConfig,
    digits: Digits | null,
    file: Uint8Array | null = null,
    cellsOf: CellsOf = plainCells,
  ) {
    this.cellsOf = cellsOf;
    this.run = new Run(config, makeData(config, digits), makeOptimizer, cellsOf);
    this.fromSeed = file === null;
    if (file !== null) {
      try {
        loadWeights(this.run.model, file);
      } catch (error) {
        this.run.dispose();
        throw error;
      }
      this.run.steps = originOf(file).steps;
    }
    this.keep(null);
  }

  get steps(): number {
    return this.run.steps;
  }

  get config(): TrainConfig {
    return this.run.config;
  }

  setup(): Setup {
    const { config, data, stepsPerEpoch, batchSize, model } = this.run;
    return {
      kind: "setup",
      loaded: !this.fromSeed,
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
    this.run.model.masks = [];
    this.keep(this.run.step());
    if (this.run.steps >= this.until) this.playing = false;
  }

  look(subject: Subject): void {
    this.subject = subject;
  }

  /** Takes the spikes of these neurons away in all that is shown. */
  silence(neurons: readonly Pin[]): void {
    this.masks = this.run.config.layers.map((size, layer) => {
      const silent = neurons.filter((pin) => pin.layer === layer);
      if (silent.length === 0) return undefined;
      const mask = new Float32Array(size).fill(1);
      for (const { neuron } of silent) mask[neuron] = 0;
      return mask;
    });
  }

  recall(snapshot: number | null): void {
    this.recalled?.model.dispose();
    this.recalled = null;
    const found = snapshot === null ? undefined : this.snapshots.all[snapshot];
    if (found === undefined) return;
    const { config, data } = this.run;
    const model = new SpikingNetwork(config, data.features, data.classes, this.cellsOf);
    model.loadStateDict(found.state);
    this.recalled = { model, steps: found.steps };
  }

  /** The weights as they are, with the configuration that they fit. */
  save(): Uint8Array {
    const metadata = { config: formatValues(trainFields, this.run.config), steps: String(this.run.steps) };
    return saveSafetensors(this.run.model.stateDict(), metadata);
  }

  /** The sample and the state of the run, and the points that were recorded since the last call. */
  frame(rate: number, detailed = false): Frame {
    const { x, label } = this.values();
    const detail = detailed ? this.detail() : null;
    const isWhole = this.masks.every((mask) => mask === undefined);
    if (detail !== null && this.recalled === null && isWhole) this.history.measure(detail.accuracy, false);
    return {
      kind: "frame",
      playing: this.playing,
      steps: this.run.steps,
      shown: this.recalled?.steps ?? this.run.steps,
      history: this.history.changes(),
      rate,
      fromSeed: this.fromSeed,
      snapshots: this.snapshots.steps,
      sample: viewSample(this.run, this.model, x, label),
      detail,
    };
  }

  /** The map of decisions, or of the watched neuron, piece by piece; null for data that are not points of the plane. */
  map(resolution: Resolution): Iterator<undefined, Float32Array> | null {
    const { run, model, watched } = this;
    if (!isPlanar(run.config.data)) return null;
    const side = SIDES[resolution];
    return watched === null
      ? decisionMap(run, model, side)
      : neuronMap(run, model, side, watched.layer, watched.neuron);
  }

  dispose(): void {
    this.recall(null);
    this.run.dispose();
  }

  private get model(): SpikingNetwork {
    const model = this.recalled?.model ?? this.run.model;
    model.masks = this.masks;
    return model;
  }

  /** Records the step that was taken; with every snapshot also the accuracy, so that its curve depends on no clock. */
  private keep(loss: number | null): void {
    const { run, history } = this;
    history.record(run.steps, loss);
    if (this.snapshots.offer(run.steps, () => run.model.stateDict())) history.measure(run.testAccuracy());
  }

  private detail(): Detail {
    const { run, model } = this;
    const { live, reserved } = memoryStats();
    return {
      steps: this.recalled?.steps ?? run.steps,
      accuracy: run.testAccuracy(model),
      activity: measureActivity(run, model),
      hash: hashOf(model),
      matrices: [...model.linears, model.head].map(({ weight }) => weight.toFloat32Array()),
      memory: { live, reserved },
    };
  }

  /** The values of the subject, and its label where it has one. */
  private values(): { x: Float32Array; label: number } {
    const { data, config } = this.run;
    const { subject } = this;
    if (subject.kind === "point" && data.points !== null) {
      const inside = (value: number): number => Math.min(1, Math.max(0, value));
      const point = Float32Array.of(inside(subject.x), inside(subject.y));
      return { x: receptiveFields(point, config.fields), label: -1 };
    }
    const index = subject.kind === "test" ? subject.index % data.test.count : 0;
    const x = data.test.x.slice(index * data.features, (index + 1) * data.features);
    return { x, label: data.test.y[index] as number };
  }
}
