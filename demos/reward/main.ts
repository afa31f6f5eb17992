/** npm run demo -- reward: a network that finds out by reward which of its inputs to take, before and after a reversal. */
import { drawingAt, sampleRaster } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { bar, begin, end, line, table } from "../report.ts";
import { CUES, RewardNetwork } from "./network.ts";
import { BLOCK, learn, tableOf } from "./trials.ts";

const flags = begin("reward", {
  trials: { kind: "integer", default: 500, min: 1, help: "trials before the reversal, and as many behind it" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, spikes, noise and order" },
  svg: { kind: "text", default: "", help: "draw the learning curve and spikes there (SVG, by the package echarts)" },
});

const draw = await drawingAt(flags.svg);
const start = performance.now();
const network = new RewardNetwork(flags.seed);
const total = 2 * flags.trials;
const right = learn(network, flags.trials, flags.seed, bar("trials", total));
table(tableOf(right));
const seconds = (performance.now() - start) / 1000;
line({ right_before: last(right.before), right_after: last(right.after), train_s: seconds.toFixed(1) });

await draw(DEMOS.reward.title, (plot) => {
  const all = [...right.before, ...right.after];
  const curve = (from: number, values: readonly number[]) => {
    const y = values.map((_, i) => meanOf(values.slice(Math.max(0, i + 1 - BLOCK), i + 1)));
    return { x: y.map((_, i) => from + i + 1), y };
  };
  const rasters = Array.from({ length: CUES }, (_, cue) => {
    const { input, spikes, action } = network.respond(cue);
    const title = `Input ${cue + 1} behind the last trial: ${action}`;
    return sampleRaster(plot, { input, "take (rows 0 … 4), leave": spikes }, { title });
  });
  return [
    plot.curvePlot(
      { "before the reversal": curve(0, right.before), "behind it": curve(right.before.length, right.after) },
      {
        width: 920,
        title: `Right in the last ${BLOCK} trials`,
        xLabel: `trial of ${all.length}`,
        yLabel: "fraction right",
      },
    ),
    ...rasters,
  ];
});

end({
  figure: Number(last(right.after)),
  curve: {
    name: `right in the last ${BLOCK} trials, before the reversal and behind it`,
    values: [...right.before, ...right.after].map((_, i, all) => meanOf(all.slice(Math.max(0, i + 1 - BLOCK), i + 1))),
  },
  raster: { name: "spikes of the ten neurons for input 3", spikes: () => network.respond(2).spikes },
});

/** The fraction right in the last two blocks. */
function last(values: readonly number[]): string {
  return meanOf(values.slice(-2 * BLOCK)).toFixed(3);
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
