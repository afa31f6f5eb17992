/** A sample on its way through a network, as rows over time. */

import { faded, type Palette } from "../../draw/palette.ts";
import type { Axis, Row, Series } from "../../draw/stack.ts";
import { decidedAt } from "../../model/decision.ts";
import { classesOf, featuresOf, type TrainConfig } from "../../model/train-fields.ts";
import { CURVE_POINTS, POTENTIAL_RANGE, type SampleView } from "../../model/views.ts";
import type { Pin } from "./protocol.ts";

export interface SampleRows {
  readonly sample: SampleView;
  readonly inputTitle: string;
  readonly threshold: number;
  readonly surrogate: Float32Array;
  readonly classNames: readonly string[];
  /** The neuron whose membrane is shown, null for none. */
  readonly pin: Pin | null;
  /** The readout is judged by its largest value so far, which is drawn besides. */
  readonly judgedByMaximum: boolean;
}

export function classNamesOf(data: TrainConfig["data"]): readonly string[] {
  if (data === "mnist") return Array.from({ length: 10 }, (_, k) => String(k));
  return data === "linear" ? ["below", "above"] : ["disc", "square"];
}

export function inputTitleOf({ data, fields }: TrainConfig): string {
  if (data === "mnist") return "Input, one line a pixel";
  if (data === "linear") return "Input, one line a number";
  return fields > 1 ? "Input: receptive fields of x, then of y" : "Input: x and y";
}

export const axisOf = ({ timesteps }: SampleView): Axis => ({ steps: timesteps, dt: 1, unit: "time step" });

/** Nothing has happened yet: keeps the place of what is to come. */
export function emptySample(config: TrainConfig): SampleView {
  const { timesteps, layers } = config;
  const classes = classesOf(config);
  const zeros = (size: number): Float32Array => new Float32Array(timesteps * size);
  return {
    timesteps,
    input: zeros(featuresOf(config)),
    layers: layers.map((size) => ({ size, spikes: zeros(size), membrane: zeros(size) })),
    readout: zeros(classes),
    scores: zeros(classes),
    leaders: new Int32Array(timesteps).fill(-1),
    classes,
    label: -1,
    decision: -1,
  };
}

const heightOf = (size: number): number => Math.min(size > 64 ? 144 : 112, Math.max(40, 6 * size));

export function sampleRows(input: SampleRows, palette: Palette): Row[] {
  const { sample, pin } = input;
  const inputs = sample.input.length / sample.timesteps;
  const rows: Row[] = [
    {
      kind: "raster",
      title: input.inputTitle,
      height: heightOf(inputs),
      size: inputs,
      values: sample.input,
      color: palette.input,
    },
  ];
  for (const [i, { size, spikes }] of sample.layers.entries()) {
    rows.push({
      kind: "raster",
      title: `Layer ${i + 1}`,
      height: heightOf(size),
      size,
      values: spikes,
      color: palette.layers[i] as string,
      marked: pin?.layer === i ? Math.min(pin.neuron, size - 1) : -1,
    });
  }
  if (pin !== null) rows.push(membraneRow(input, pin, palette));
  rows.push(readoutRow(input, palette));
  return rows;
}

function membraneRow({ sample, threshold, surrogate }: SampleRows, pin: Pin, palette: Palette): Row {
  const layer = Math.min(pin.layer, sample.layers.length - 1);
  const { size, spikes, membrane } = sample.layers[layer] as SampleView["layers"][number];
  const neuron = Math.min(pin.neuron, size - 1);
  const color = palette.layers[layer] as string;
  const u = Float32Array.from({ length: sample.timesteps }, (_, t) => membrane[t * size + neuron] as number);
  const times = [...u.keys()].filter((t) => spikes[t * size + neuron] === 1);
  const peak = Math.max(...surrogate);
  return {
    kind: "trace",
    title: `Potential of neuron ${neuron + 1} in layer ${layer + 1}`,
    height: 80,
    series: [{ values: u, color }],
    low: Math.min(-threshold, ...u),
    high: Math.max(1.5 * threshold, ...u),
    threshold,
    ticks: times,
    tickColor: color,
    describe: (t) => `u = ${format(u[t] as number)}${times.includes(t) ? ", spike" : ""}`,
    band: {
      color,
      weight(value) {
        const at = ((value - threshold) / POTENTIAL_RANGE + 1) * 0.5 * (CURVE_POINTS - 1);
        return (surrogate[Math.round(at)] ?? 0) / peak;
      },
    },
  };
}

function readoutRow({ sample, classNames, judgedByMaximum }: SampleRows, palette: Palette): Row {
  const { readout, scores, leaders, classes, timesteps, decision } = sample;
  const over = (values: Float32Array, k: number): Float32Array =>
    Float32Array.from({ length: timesteps }, (_, t) => values[t * classes + k] as number);
  const series = Array.from({ length: classes }, (_, k): Series => {
    const color = classColor(k, sample, 1, palette);
    const label = classes === 2 || k === decision ? (classNames[k] as string) : "";
    return { values: over(scores, k), color, width: k === decision ? 2.5 : 1.25, label };
  });
  // The winner lies on top.
  if (decision >= 0) series.push(...series.splice(decision, 1));
  if (judgedByMaximum) {
    const sums = Array.from({ length: classes }, (_, k): Series => {
      return { values: over(readout, k), color: classColor(k, sample, 0.5, palette), width: 1 };
    });
    series.unshift(...sums);
  }
  const decided = decidedAt(scores, classes);
  const low = Math.min(0, ...readout);
  const high = Math.max(low + 0.1, ...readout);
  return {
    kind: "trace",
    title: "Readout",
    height: 88,
    series,
    swatch: palette.readout,
    low,
    high,
    describe(t) {
      const leader = leaders[t] as number;
      if (leader < 0) return "nobody leads";
      return `${classNames[leader]} leads, ${format(scores[t * classes + leader] as number)}`;
    },
    ...(decided < 0
      ? {}
      : {
          mark: {
            t: decided,
            color: classColor(decision, sample, 1, palette),
            label: `decides for ${classNames[decision]}`,
          },
        }),
  };
}

function classColor(k: number, { classes, decision }: SampleView, strength: number, palette: Palette): string {
  if (classes === 2) return faded(palette.classes[k as 0 | 1], strength);
  return k === decision ? faded(palette.ink, strength) : faded(palette.readout, 0.45 * strength);
}

const format = (value: number): string => value.toFixed(2).replace("-", "−");
