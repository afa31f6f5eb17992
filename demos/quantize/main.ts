/** npm run demo -- quantize: snnTorch's tutorial 5 with weights of 8, 4 and 2 bits, and ternary ones. */
import { writeFileSync } from "node:fs";
import { noGrad, type Tensor } from "jarvis-snn";
import { quantizedWeights } from "jarvis-snn/quantize";
import { drawingAt, HALF, pair, SVG } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { mnist } from "../mnist/data.ts";
import type { MnistNetwork } from "../mnist/network.ts";
import { begin, end, line } from "../report.ts";
import { epochPrinter, holdOut, MEASURE } from "../training.ts";
import { BATCH, type Bits, fileOf, measuredOf, nameOf, trained } from "./train.ts";

const ALL: readonly Bits[] = [null, 8, 4, 2, "ternary"];

const flags = begin("quantize", {
  bits: {
    kind: "choice",
    default: "8",
    of: ["8", "4", "2", "ternary", "all"],
    help: "bits of a weight, besides floats",
  },
  scales: { kind: "choice", default: "row", of: ["row", "layer"], help: "what has a scale of its own" },
  epochs: { kind: "integer", default: 3, min: 1, help: "passes over the training set" },
  hidden: { kind: "integer", default: 1000, min: 1, help: "neurons of the hidden layer" },
  timesteps: { kind: "integer", default: 25, min: 1, help: "time steps of a sample" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights and order" },
  limit: { kind: "integer", default: 0, min: 0, help: "training samples to use, 0 for all" },
  measure: MEASURE,
  save: { kind: "text", default: "", help: "write the quantized weights there (safetensors)" },
  svg: SVG,
});

const draw = await drawingAt(flags.svg);
const samples = mnist("train", flags.limit);
const data = flags.measure === "test" ? { train: samples, test: mnist("t10k") } : holdOut(samples);
const { epochs, hidden, timesteps, seed } = flags;
const task = { ...data, epochs, hidden, timesteps, seed, perChannel: flags.scales === "row" };
const chosen = ALL.filter((bits) => bits === null || flags.bits === "all" || flags.bits === nameOf(bits));

const accuracies: Record<string, number[]> = {};
const files: Record<string, Uint8Array> = {};
let shown: { model: MnistNetwork; bits: Bits } | null = null;
for (const bits of chosen) {
  const name = nameOf(bits);
  line({ weights: name });
  const batches = Math.max(1, Math.floor(task.train.length / BATCH));
  const { model, accuracies: each } = await trained(task, bits, epochPrinter(batches, { measure: flags.measure }));
  accuracies[name] = each;
  const file = fileOf(model, bits);
  files[name] = file;
  const last = each.at(-1) as number;
  const smaller = (files.float as Uint8Array).length / file.length;
  const loaded = bits === null ? last : measuredOf(file, task);
  line({
    weights: name,
    acc: last.toFixed(4),
    lost_points: (100 * ((accuracies.float?.at(-1) as number) - last)).toFixed(2),
    file_bytes: file.length,
    smaller: smaller.toFixed(2),
    acc_loaded: loaded.toFixed(4),
  });
  if (bits !== null && flags.save !== "") writeFileSync(flags.save, file);
  shown = { model, bits };
}
if (flags.save !== "") line({ saved: flags.save });

/** Weights beyond this belong to the last bins of a histogram. */
const LIMIT = 0.15;

/** The share of values in each of the bins from −limit to limit. */
function histogram(values: ArrayLike<number>, limit: number, bins: number): { x: number[]; y: number[] } {
  const y = new Array<number>(bins).fill(0);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor((((values[i] as number) / limit + 1) * bins) / 2);
    const bin = Math.min(Math.max(at, 0), bins - 1);
    y[bin] = (y[bin] as number) + 1 / values.length;
  }
  return { x: y.map((_, i) => limit * ((2 * i + 1) / bins - 1)), y };
}

/** The name of a curve. */
const labelOf = (bits: Bits): string => (typeof bits === "number" ? `${bits} bits` : nameOf(bits));

/** The shares of wrong answers behind the epochs. */
const errorOf = (all: readonly number[] = []) => ({ x: all.map((_, i) => i + 1), y: all.map((share) => 1 - share) });

await draw(DEMOS.quantize.title, (plot) => {
  const { model, bits } = shown as NonNullable<typeof shown>;
  const layer = model.linears[0] as MnistNetwork["linears"][number];
  const floats = noGrad(() => (layer.weight as Tensor).toFloat32Array());
  const curves = {
    "floats under them": histogram(floats, LIMIT, 61),
    ...(bits !== null && { [`as they are read, ${nameOf(bits)}`]: histogram(readWeights(layer), LIMIT, 61) }),
  };
  return [
    pair(
      plot,
      "Errors and weights",
      plot.curvePlot(Object.fromEntries(chosen.map((bits) => [labelOf(bits), errorOf(accuracies[nameOf(bits)])])), {
        ...HALF,
        title: "Error by the bits of a weight",
        xLabel: "epoch",
        yLabel: "1 − accuracy",
        points: true,
      }),
      plot.curvePlot(curves, { ...HALF, title: "Weights before the hidden layer", xLabel: "weight", yLabel: "share" }),
    ),
  ];
});

end({
  figure: accuracies[nameOf(chosen.at(-1) as Bits)]?.at(-1) ?? Number.NaN,
  curve: {
    name: `share of the weights before the hidden layer, from −${LIMIT} to ${LIMIT}`,
    values: histogram(
      readWeights((shown as NonNullable<typeof shown>).model.linears[0] as MnistNetwork["linears"][number]),
      LIMIT,
      61,
    ).y,
  },
});

/** The weights that the layer computes with. */
function readWeights(layer: MnistNetwork["linears"][number]): Float32Array {
  const { q, scales } = quantizedWeights(layer);
  const n = q.length / scales.length;
  return Float32Array.from(q, (x, i) => x * (scales[Math.floor(i / n)] as number));
}
