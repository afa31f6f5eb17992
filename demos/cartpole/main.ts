/** npm run demo -- cartpole: spiking neurons learn to balance a pole. */
import { Generator } from "jarvis-snn/core";
import { classCurves, drawingAt, HALF, type Losses, meansOf, pair, SVG, sampleRaster } from "../drawing.ts";
import { DEMOS } from "../list.ts";
import { bar, begin, end, line } from "../report.ts";
import { DT } from "./environment.ts";
import { CODES, SpikingNetwork } from "./network.ts";
import { episode, testGenerator, testReturns } from "./policy.ts";
import { PPO, train } from "./ppo.ts";

const flags = begin("cartpole", {
  updates: { kind: "integer", default: PPO.updates, min: 1, help: "updates of the policy" },
  carts: { kind: "integer", default: PPO.carts, min: 1, help: "carts that run side by side" },
  hidden: { kind: "integer", default: 64, min: 1, help: "hidden neurons of actor and critic" },
  timesteps: { kind: "integer", default: 8, min: 2, help: "time steps of the network for a decision" },
  encode: {
    kind: "choice",
    default: "current" as string,
    of: CODES,
    help: "observations as currents, or as spike times",
  },
  lr: { kind: "number", default: PPO.lr, help: "learning rate of Adam at the start" },
  episodes: { kind: "integer", default: 100, min: 1, help: "test episodes" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed of weights, actions and first states" },
  svg: { ...SVG, help: "draw returns, an episode and its spikes there (SVG, by the package echarts)" },
});

/** Updates of a printed line. */
const EACH = 25;
/** Decisions of the episode whose spikes are drawn: a second. */
const SHOWN = Math.round(1 / DT);

const draw = await drawingAt(flags.svg);
const { updates, carts, hidden, timesteps, encode, lr, seed } = flags;
const generator = new Generator(seed);
const network = (outputs: number) => new SpikingNetwork({ hidden, outputs, timesteps, encode, generator });
const agent = { actor: network(2), critic: network(1) };

const returns: Losses = { x: [], y: [] };
const entropies: Losses = { x: [], y: [] };
const start = performance.now();
const secondsSince = (from: number) => ((performance.now() - from) / 1000).toFixed(1);
let printed = 0;
const draws = bar("updates", updates);
for (const report of train(agent, generator, { ...PPO, updates, carts, lr })) {
  for (const y of report.returns) {
    returns.x.push(report.steps / 1000);
    returns.y.push(y);
  }
  entropies.x.push(report.steps / 1000);
  entropies.y.push(report.entropy);
  const first = Math.floor((report.update - 1) / EACH) * EACH;
  const last = Math.min(first + EACH, updates);
  draws(report.update);
  if (report.update < last) continue;
  line({
    update: report.update,
    steps: report.steps,
    episodes: returns.y.length,
    mean_return: meanOf(returns.y.slice(printed)),
    entropy: report.entropy.toFixed(3),
    train_s: secondsSince(start),
  });
  printed = returns.y.length;
}

const testStart = performance.now();
const tested = testReturns(agent.actor, flags.episodes, testGenerator(seed));
const seconds = secondsSince(testStart);
const shown = episode(agent.actor, testGenerator(seed), SHOWN);
line({
  test_episodes: tested.length,
  mean_return: meanOf(tested),
  worst: Math.min(...tested),
  firing_rate: shown.rate.toFixed(3),
  test_s: seconds,
});

await draw(DEMOS.cartpole.title, (plot) => {
  const { states, input, hidden, membrane } = shown;
  const curveOf = (value: number, factor: number) => ({
    x: states.map((_, t) => t * DT),
    y: states.map((state) => factor * (state[value] as number)),
  });
  const xLabel = "time (s)";
  const dtMs = (1000 * DT) / timesteps;
  const group = Math.max(1, Math.ceil(returns.x.length / 100));
  const steps = { ...HALF, xLabel: "thousands of steps, all carts" };
  return [
    pair(
      plot,
      "Learning",
      plot.curvePlot(
        { return: meansOf(returns, group) },
        {
          ...steps,
          title: `Returns, ${group === 1 ? "episode by episode" : `means of ${group} episodes`}`,
          yLabel: "return",
        },
      ),
      plot.curvePlot({ entropy: entropies }, { ...steps, title: "Entropy of the policy", yLabel: "entropy (nats)" }),
    ),
    pair(
      plot,
      "A test episode",
      plot.curvePlot(
        { angle: curveOf(2, 180 / Math.PI) },
        { ...HALF, xLabel, title: `Angle of the pole, return ${states.length - 1}`, yLabel: "θ (degrees)" },
      ),
      plot.curvePlot({ position: curveOf(0, 1) }, { ...HALF, xLabel, title: "Position of the cart", yLabel: "x (m)" }),
    ),
    sampleRaster(
      plot,
      { input: encode === "current" ? null : input, "hidden layer": hidden },
      { title: "Spikes in the first second", dtMs },
    ),
    classCurves(plot, membrane, { title: "Scores of a push to the left and to the right", yLabel: "membrane u", dtMs }),
  ];
});

end({
  figure: Number(meanOf(tested)),
  curve: { name: "returns over the episodes of the training", values: returns.y },
  raster: { name: "spikes of the hidden neurons of the actor in a test episode", spikes: () => shown.hidden },
});

/** The mean in two digits; "none" of no values. */
function meanOf(values: readonly number[]): string {
  return values.length === 0 ? "none" : (values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2);
}
