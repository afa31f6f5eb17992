/** npm run demo -- associative: patterns that spikes recall from damaged cues, and how many of them fit into a network. */
import { drawingAt, HALF, pair, SVG, sampleRaster } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { bar, begin, end, line, note } from "../report.ts";
import { type Recall, recallAt } from "./capacity.ts";
import { RECALLED, TIMES_MS } from "./network.ts";

const flags = begin("associative", {
  neurons: { kind: "integer", default: 500, min: 20, help: "neurons, one for each bit" },
  load: { kind: "number", default: 0.05, help: "stored patterns over neurons" },
  flips: { kind: "number", default: 0.3, help: "part of the bits of a cue that are flipped" },
  gain: { kind: "number", default: 8, help: "factor of the weights, and of the current of a cue" },
  noise: { kind: "number", default: 0.5, help: "standard deviation of the noise in the currents, in thresholds" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of patterns, cues and noise" },
  svg: { ...SVG, help: "draw spikes and the capacity there (SVG, by the package echarts)" },
});

/** Loads and flips of the curves. */
const LOADS = [0.02, 0.04, 0.06, 0.08, 0.1, 0.12, 0.14, 0.16];
const CURVES = [0, 0.1, 0.2, 0.3];
const FLIPS = [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45];
/** Neurons of the raster. */
const SHOWN = 64;

const draw = await drawingAt(flags.svg);
const started = performance.now();
const print = ({ load, patterns, flips, recalled, overlap, binary }: Recall) =>
  line({
    load,
    patterns,
    flips,
    recalled: recalled.toFixed(3),
    overlap: overlap.toFixed(3),
    binary: binary.toFixed(3),
  });

const [asked] = recallAt(flags, [flags.flips]) as [Recall];
line({ neurons: flags.neurons, gain: flags.gain, noise: flags.noise, recalled_from_overlap: RECALLED });
note(
  "recalled: the part of the patterns; overlap: with the stored pattern; binary: the part that Hopfield's network recalls from the same cues",
);
print(asked);
const byFlips = recallAt(flags, FLIPS);
for (const recall of byFlips) print(recall);
const draws = bar("capacity", LOADS.length);
const byLoad = LOADS.flatMap((load, i) => {
  const recalls = recallAt({ ...flags, load }, CURVES);
  draws(i + 1);
  return recalls;
});
for (const recall of byLoad) print(recall);
const run = ((performance.now() - started) / 1000).toFixed(1);
line({ recalled: `${asked.recalled.toFixed(3)} of ${asked.patterns} patterns`, flips: flags.flips, run_s: run });

await draw(DEMOS.associative.title, (plot) => {
  // The neurons whose bits of the recalled pattern are 1 lie above the others.
  const { spikes, first } = asked;
  const step = Math.ceil(flags.neurons / SHOWN);
  const order = Array.from(first, (_, i) => i).filter((i) => i % step === 0);
  order.sort((a, b) => (first[a] as number) - (first[b] as number) || a - b);
  const curve = (x: readonly number[], recalls: readonly Recall[], key: "recalled" | "binary") => ({
    x,
    y: recalls.map((recall) => recall[key]),
  });
  const at = (flips: number) => byLoad.filter((recall) => recall.flips === flips);
  const curves = CURVES.map((flips) => [`flips ${flips}`, curve(LOADS, at(flips), "recalled")]);
  const axes = { ...HALF, yLabel: "part recalled", points: true };
  return [
    sampleRaster(
      plot,
      { [`neurons by the bits of the pattern, one in ${step}`]: spikes.indexSelect(2, order) },
      { title: `A cue with ${100 * flags.flips} % wrong bits until ${TIMES_MS.cue} ms, and the recall`, dtMs: 1 },
    ),
    pair(
      plot,
      "Patterns that are recalled, by the load and by the wrong bits of the cue",
      plot.curvePlot(Object.fromEntries(curves), { ...axes, title: "Capacity", xLabel: "patterns / neurons" }),
      plot.curvePlot(
        { spiking: curve(FLIPS, byFlips, "recalled"), "binary network": curve(FLIPS, byFlips, "binary") },
        { ...axes, title: `Damaged cues, load ${flags.load}`, xLabel: "part of the bits that are flipped" },
      ),
    ),
  ];
});
end({
  figure: asked.recalled,
  curve: {
    name: `part recalled over the load, from ${LOADS[0]} to ${LOADS.at(-1)}`,
    values: byLoad.filter(({ flips }) => flips === 0).map(({ recalled }) => recalled),
  },
  raster: { name: "spikes of the first recall", spikes: () => asked.spikes },
});
