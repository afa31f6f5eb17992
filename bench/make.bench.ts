/** Making layers, which reads options and draws weights: what sweeps and populations of small networks do often. */
import { execFileSync } from "node:child_process";
import { AdaptiveLIF, Conv2d, LIF, Linear, Recurrent, Sequential } from "jarvis-snn";
import { interleave, median, steps } from "./support/interleave.ts";
import { report } from "./support/report.ts";
import { serve, whole } from "./support/serve.ts";
import { leaky } from "./support/training.ts";

const five = leaky(0.9);
const network = () => new Sequential(new Linear(8, 16), new LIF(five), new Linear(16, 3), new LIF(five));

/** The number of networks that a step of the last row makes. */
const NETWORKS = 1000;

const ROWS: Readonly<Record<string, () => unknown>> = {
  linear: () => new Linear(8, 16),
  conv: () => new Conv2d(2, 4, 3),
  lif: () => new LIF(),
  five: () => new LIF(five),
  adaptive: () => new AdaptiveLIF(),
  recurrent: () => new Recurrent(new LIF(), { features: 16 }),
  networks: () => Array.from({ length: NETWORKS }, network),
};

/** Milliseconds of the first thousand networks of a process. */
const program = `
  const { LIF, Linear, Sequential, surrogate, warmup } = await import("jarvis-snn");
  const options = { beta: 0.9, reset: "subtract", resetDelay: true, fire: "gt", surrogate: surrogate.atan({ alpha: 2 }) };
  warmup();
  const start = performance.now();
  const network = () => new Sequential(new Linear(8, 16), new LIF(options), new Linear(16, 3), new LIF(options));
  Array.from({ length: ${NETWORKS} }, network);
  console.log(performance.now() - start);
`;

const runs = Object.entries(ROWS).map(([name, make]) => [name, whole(() => make)] as const);
await serve(Object.fromEntries(runs));

const PROCESSES = 9;
const networks = Array.from({ length: PROCESSES }, () =>
  Number(execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" })),
);

const ROUNDS = 11;
const layers = runs.filter(([name]) => name !== "networks");
const contenders = layers.map(([name, make]) => steps(name, make));
const medians = (await interleave(contenders, ROUNDS)).medians(...layers.map(([name]) => name));
report({
  ...Object.fromEntries(Object.entries(medians).map(([name, ms]) => [name, { value: 1000 * ms }])),
  networks: { value: median(networks) },
});
