/** The charts of the pages in docs/, and the source on docs/nano.md: npm run charts */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  crossEntropy,
  DelayedLinear,
  eye,
  firingCurve,
  Generator,
  gradientNorms,
  LeakyIntegrator,
  LIF,
  Linear,
  meanOverTime,
  ones,
  PSN,
  poissonEncode,
  RecurrentLIF,
  rand,
  record,
  Sequential,
  tensor,
  vanRossumLoss,
} from "jarvis-snn";
import { curvePlot, firingCurvePlot, gradientFlowPlot, rasterPlot, tracePlot } from "jarvis-snn/plot";
import { codingCharts, sheet } from "./coding.mjs";
import { conversionCharts } from "./conversion.mjs";
import { root } from "./entries.mjs";
import { changedRungs, keptRun, ladderCharts } from "./ladder.mjs";
import { writeNanoPage } from "./nano.mjs";
import { onlineCharts } from "./online.mjs";
import { plasticityCharts } from "./plasticity.mjs";
import { rewardCharts } from "./rewards.mjs";
import { soundCharts } from "./sounds.mjs";

/** All charts by the names of their files. */
export const charts = async () => ({
  ...(await probeCharts()),
  ...codingCharts(),
  ...(await lossCharts()),
  ...(await layerCharts()),
  ...(await plasticityCharts()),
  ...(await rewardCharts()),
  ...(await onlineCharts()),
  ...(await conversionCharts()),
  ...(await soundCharts()),
  ...(await ladderCharts()),
});

/** The charts of docs/probes.md: a network of two hidden layers on a batch of Poisson spikes. */
async function probeCharts() {
  const generator = new Generator(1);
  const model = new Sequential(
    new Linear(20, 60, { generator }),
    new LIF({ beta: 0.9, threshold: 0.6 }),
    new Linear(60, 30, { generator }),
    new RecurrentLIF({ features: 30, threshold: 0.6, generator }),
    new Linear(30, 3, { generator }),
    new LeakyIntegrator(),
  );
  const x = poissonEncode(rand([12, 20], { generator }).mul(0.4), { timesteps: 80, generator });
  const y = Array.from({ length: 12 }, (_, i) => i % 3);
  const recording = record(model, x, { loss: (output) => crossEntropy(meanOverTime(output), y) });
  const { layers } = recording;
  const currents = Array.from({ length: 121 }, (_, i) => i / 100);
  const neurons = {
    'reset: "zero"': new LIF({ beta: 0.9 }),
    'reset: "subtract"': new LIF({ beta: 0.9, reset: "subtract" }),
    "refractorySteps: 2": new LIF({ beta: 0.9, refractorySteps: 2 }),
  };
  const curves = Object.entries(neurons).map(([name, layer]) => [
    name,
    firingCurve(layer, currents, { timesteps: 1000 }),
  ]);
  return {
    "probes-raster.svg": await rasterPlot(
      { input: x, "hidden layer": layers["1"].spikes, "recurrent layer": layers["3"].spikes },
      { title: "Spikes of one sample" },
    ),
    "probes-traces.svg": await tracePlot(layers["1"].membrane, {
      title: "Membranes of three neurons",
      neurons: [3, 7, 11],
      threshold: 0.6,
      spikes: layers["1"].spikes,
    }),
    "probes-curves.svg": await firingCurvePlot(Object.fromEntries(curves), { title: "f–I curves of LIF, β = 0.9" }),
    "probes-gradients.svg": await gradientFlowPlot(gradientNorms(recording), { title: "Gradient flow" }),
  };
}

/** The chart of docs/losses.md: the distance of two spikes over the time between them. */
async function lossCharts() {
  const shifts = Array.from({ length: 61 }, (_, shift) => shift);
  /** Sequences of 400 steps, each with a spike at its time. */
  const spikesAt = (times) => tensor(Array.from({ length: 400 }, (_, t) => times.map((time) => [time === t ? 1 : 0])));
  const [spikes, target] = [spikesAt(shifts.map(() => 100)), spikesAt(shifts.map((shift) => 100 + shift))];
  const curves = [2, 10, 40].map((tau) => {
    const y = vanRossumLoss(spikes, target, { tau, reduction: "none" }).toFloat32Array();
    return [`τ = ${tau}`, { x: shifts, y }];
  });
  const look = { title: "van Rossum distance of two spikes", xLabel: "steps between the spikes", yLabel: "D²" };
  return { "losses-van-rossum.svg": await curvePlot(Object.fromEntries(curves), look) };
}

/** The charts of docs/layers.md: responses of learned delays and of parallel neurons to a single input. */
async function layerCharts() {
  const delayed = new DelayedLinear(1, 1, { maxDelay: 16, bias: false });
  delayed.weight.copyFrom([1]);
  delayed.delay.copyFrom([6.3]);
  const x = Array.from({ length: 17 }, (_, t) => t);
  const impulse = tensor(x.map((t) => [[t === 0 ? 1 : 0]]));
  const kernel = () => ({ x, y: delayed.forward(impulse).toFloat32Array() });
  const kernels = [0, 0.5, 1].map((progress) => {
    const sigma = delayed.anneal(progress);
    return [`anneal(${progress}), σ = ${+sigma.toPrecision(3)}`, kernel()];
  });
  kernels.push(["evaluation", delayed.evaluating(kernel)]);
  const look = {
    title: "Kernel of a synapse with the delay 6.3",
    xLabel: "delay in steps",
    yLabel: "k / w",
    points: true,
  };
  const masked = { kind: "masked", timesteps: 10, order: 3 };
  const neurons = {
    full: new PSN({ timesteps: 10 }),
    "masked, λ = 0.5": new PSN({ ...masked, lambda: 0.5 }),
    "masked, λ = 1": new PSN({ ...masked, lambda: 1 }),
    sliding: new PSN({ kind: "sliding", order: 3 }),
  };
  for (const neuron of Object.values(neurons)) if (neuron.timesteps !== null) neuron.weight.copyFrom(ones([10, 10]));
  return {
    "layers-delays.svg": await curvePlot(Object.fromEntries(kernels), look),
    "layers-psn.svg": sheet(
      "Factors of the currents (columns) in the membranes (rows) of ten steps; order 3, weights 1, the sliding ones ¼, ½, 1",
      4,
      [190, 140],
      Object.entries(neurons).map(factorsPanel),
    ),
  };
}

/** A cell for each step of the membrane and of the current, the darker the larger the factor. */
function factorsPanel([name, neuron]) {
  neuron.bias.copyFrom(neuron.bias.mul(0));
  // Each sample of the batch has a current of 1 in one step.
  const rows = neuron.unroll(eye(10)).membrane.toArray();
  const levels = new Map();
  for (const [t, row] of rows.entries()) {
    for (const [j, factor] of row.entries()) {
      if (factor !== 0) levels.set(factor, `${levels.get(factor) ?? ""}M${10 + 10 * j} ${29 + 10 * t}h9`);
    }
  }
  const cells = [...levels].map(
    ([factor, d]) => `<path class="spikes" style="stroke-width: 9; stroke-opacity: ${factor}" d="${d}"/>`,
  );
  return `<text class="title" x="10" y="14">${name}</text>${cells.join("")}`;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [file, svg] of Object.entries(await charts())) writeFileSync(join(root, "docs", file), svg);
  writeNanoPage();
  const changed = await changedRungs();
  if (changed.length > 0) {
    console.error(
      `charts: the sources of ${changed.join(", ")} have changed since the run of ${keptRun().date}; npm run ladder`,
    );
  }
  const { posterOf, posters } = await import("./site/figures.mjs");
  mkdirSync(join(root, "docs/figures"), { recursive: true });
  for (const name of posters.keys()) writeFileSync(join(root, "docs/figures", `${name}.svg`), posterOf(name));
  const { picture } = await import("../build/demos/playground/figures/digit/picture.js");
  writeFileSync(join(root, "docs/wave.svg"), picture());
  const { chart } = await import("../build/demos/playground/figures/digit/chart.js");
  writeFileSync(join(root, "docs/digit-doubt.svg"), chart());
}
