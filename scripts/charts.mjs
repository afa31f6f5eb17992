/** The charts of the pages in docs/: npm run charts */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  crossEntropy,
  firingCurve,
  Generator,
  gradientNorms,
  LeakyIntegrator,
  LIF,
  Linear,
  meanOverTime,
  poissonEncode,
  RecurrentLIF,
  rand,
  record,
  Sequential,
} from "jarvis-snn";
import { firingCurvePlot, gradientFlowPlot, rasterPlot, tracePlot } from "jarvis-snn/plot";
import { codingCharts } from "./coding.mjs";
import { root } from "./entries.mjs";

/** All charts by the names of their files. */
export const charts = async () => ({ ...(await probeCharts()), ...codingCharts() });

/** Those of docs/probes.md: a network of two hidden layers on a batch of Poisson spikes. */
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

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [file, svg] of Object.entries(await charts())) writeFileSync(join(root, "docs", file), svg);
}
