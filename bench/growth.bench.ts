/** How the time of a step grows: a fully connected network, of which one size is another at a time, and the number of threads. */
import { warmup } from "jarvis-snn";
import { type Axis, type Growth, growthOf } from "./support/growth.ts";
import { type Network, workloadOf } from "./support/networks.ts";
import { type RaceOptions, race } from "./support/race.ts";
import { type Measured, type Rows, send } from "./support/report.ts";

const ROUNDS = 3;

const BASE = { kind: "fc", T: 25, batch: 128, percent: 5, widths: [512, 512], pixels: 0, kernel: 0 } as const;

/** Values of what grows, and the network at one of them. */
const SIZES = {
  T: [[5, 10, 20, 50, 100, 200], (T) => ({ T })],
  batch: [[8, 16, 32, 64, 128, 256, 512], (batch) => ({ batch })],
  width: [[64, 128, 256, 512, 1024, 2048], (width) => ({ widths: [width, width] })],
  density: [[0.5, 1, 2, 5, 10, 20, 50], (percent) => ({ percent })],
} as const satisfies Partial<Record<Axis, readonly [readonly number[], (value: number) => Partial<Network>]>>;

const grown = Object.entries(SIZES).map(([axis, [values, change]]) => ({
  axis,
  values,
  networks: values.map((value): Network => ({ ...BASE, name: `${axis}${value}`, ...change(value) })),
}));
const base: Network = { ...BASE, name: "base" };

/** Races of networks, on the program of PyTorch that takes networks by their sizes. */
function run(networks: readonly Network[], rivals: ReturnType<NonNullable<RaceOptions["rivals"]>>, threads: number) {
  const workloads = Object.fromEntries(networks.map((network) => [network.name, workloadOf(network, ROUNDS)]));
  return race("shapes", workloads, { args: [JSON.stringify(networks)], rivals: () => rivals, threads });
}

/** The milliseconds in these rows, by who took the steps, without versions. */
function timesOf(rows: Rows, keys: readonly string[]): Record<string, number> {
  const measured = keys.flatMap((key) => rows[key] ?? []).filter((row): row is Measured => "value" in row);
  const times = measured.flatMap((row) => Object.entries(row.times ?? {}));
  return Object.fromEntries(times.map(([title, ms]) => [title.replace(/ \d[^\s,]*(?=,|$)/, ""), ms]));
}

/** The same by names that do not say how many threads. */
const withoutCount = (times: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(times).map(([title, ms]) => [title.replace(/, \d+ threads$/, ""), ms]));

warmup();
const most = Number(process.env.BENCH_THREADS ?? 1);
const growth: Record<string, Growth> = {};
const rows = await run([base, ...grown.flatMap(({ networks }) => networks)], ["threads", "torch", "torch-all"], most);
for (const { axis, values, networks } of grown) {
  growth[axis] = growthOf(
    values,
    networks.map(({ name }) => timesOf(rows, [`${name}/torch`, `${name}/torch-all`])),
  );
}

/** 1, 2, 4, … up to all. */
const counts = [1];
for (let count = 2; count < most; count *= 2) counts.push(count);
if (most > 1) counts.push(most);
const ofCounts: Record<string, number>[] = [];
for (const count of counts) {
  const all = count === 1 || count === most ? rows : await run([base], ["threads", "torch-all"], count);
  ofCounts.push(withoutCount(timesOf(all, [count === 1 ? "base/torch" : "base/torch-all"])));
}
growth.threads = growthOf(counts, ofCounts);
send({ rows: {}, growth });
