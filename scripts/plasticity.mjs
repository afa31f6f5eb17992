/** The charts of docs/plasticity.md: weights after pairs of spikes, over their interval and frequency; the cost of a step. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Linear, Plastic, STDP, TripletSTDP } from "jarvis-snn";
import { curvePlot } from "jarvis-snn/plot";
import { root } from "./entries.mjs";

/** The weight after these pairings, from 0 on; the postsynaptic spike comes dt ms after the presynaptic one. */
function changeBy(rule, frequency, dt, pairs = 60) {
  const synapse = new Linear(1, 1, { bias: false });
  synapse.weight.copyFrom([0]);
  const kinds = dt > 0 ? ["pre", "post"] : ["post", "pre"];
  const spikes = Array.from({ length: 2 * pairs }, (_, k) => [
    (Math.floor(k / 2) * 1000) / frequency + (k % 2) * Math.abs(dt),
    kinds[k % 2],
  ]).sort(([a], [b]) => a - b);
  new Plastic(synapse, rule).events(
    spikes.map(([t]) => t),
    spikes.map(([, kind]) => kind),
  );
  return synapse.weight.item();
}

export async function plasticityCharts() {
  const times = Array.from({ length: 40 }, (_, i) => 2 * i + 1);
  const intervals = [...times.map((t) => -t).reverse(), Number.NaN, ...times];
  const window = (rule, frequency, pairs) => ({
    x: intervals.map((dt) => dt || 0),
    y: intervals.map((dt) => (Number.isNaN(dt) ? dt : changeBy(rule, frequency, dt, pairs))),
  });
  const frequencies = [0.1, ...Array.from({ length: 20 }, (_, i) => 2.5 * (i + 1))];
  const over = (rule, dt) => ({ x: frequencies, y: frequencies.map((frequency) => changeBy(rule, frequency, dt)) });
  const pairs = new STDP({ aPlus: 0.005, aMinus: 0.00525 });
  const triplets = new TripletSTDP();
  return {
    "plasticity-window.svg": await curvePlot(
      { pairs: window(pairs, 1, 1) },
      { title: "Change of a weight by one pair of spikes", xLabel: "dt (ms)", yLabel: "Δw" },
    ),
    "plasticity-pairing.svg": await curvePlot(
      {
        "pairs, dt = 10 ms": over(pairs, 10),
        "pairs, dt = −10 ms": over(pairs, -10),
        "triplets, dt = 10 ms": over(triplets, 10),
        "triplets, dt = −10 ms": over(triplets, -10),
      },
      { title: "Change of a weight by 60 pairings", xLabel: "pairings in a second", yLabel: "Δw" },
    ),
    "plasticity-cost.svg": await costChart(),
  };
}

/** The cost of a step as more neurons spike, as `npm run bench -- plasticity` has measured it. */
async function costChart() {
  const { rows } = JSON.parse(readFileSync(join(root, "bench/results/plasticity.json"), "utf8"));
  const points = Object.entries(rows)
    .filter(([name]) => name.startsWith("spikes "))
    .map(([name, { value }]) => [Number(name.slice("spikes ".length)), value / 1000]);
  const curve = { x: points.map(([percent]) => percent), y: points.map(([, µs]) => µs) };
  return curvePlot(
    { "1000 neurons before, 1000 behind": curve },
    { title: "A step of STDP as more neurons spike", xLabel: "neurons that spike (%)", yLabel: "µs", points: true },
  );
}
