/** Networks of sizes that seeds draw, none of which was chosen: the least and the median of their ratios. */
import { warmup } from "jarvis-snn";
import { describe, drawNetworks, type Network, workloadOf } from "./support/networks.ts";
import { race } from "./support/race.ts";
import { type Measured, type Rows, report } from "./support/report.ts";

const seeds = (process.env.BENCH_SEEDS ?? "1,2,3,4,5").split(",").map(Number);
const networks = seeds.flatMap(drawNetworks);

const ROUNDS = 5;
/** The ends of the keys of rows, which say against whom a network is. */
const RIVALS = ["/pytorch", "/pytorch-all", "/torch", "/torch-all", "/torch-loop", "/torch-loop-all", " alone"];

/** The rows of the least and of the median network against each rival. */
function summary(rows: Rows): Rows {
  const all: Rows = {};
  for (const rival of RIVALS) {
    const found = networks.map(({ name }) => rows[`${name}${rival}`] as Rows[string]);
    const measured = found.filter((row): row is Measured => "value" in row);
    const sorted = measured.sort((a, b) => a.value - b.value);
    const missing = found.find((row) => "missing" in row);
    all[`least${rival}`] = missing ?? (sorted[0] as Measured);
    all[`median${rival}`] = missing ?? (sorted[sorted.length >> 1] as Measured);
  }
  return all;
}

/** A line with the ratios of a network. */
function line(network: Network, rows: Rows): string {
  const cells = RIVALS.map((rival) => {
    const row = rows[`${network.name}${rival}`] as Rows[string];
    return "value" in row ? `${row.value.toFixed(2)} ×${rival}` : `not measured: ${row.missing}`;
  });
  return `${describe(network)}: ${cells.join(", ")}`;
}

warmup();
const rows = await race("shapes", Object.fromEntries(networks.map((each) => [each.name, workloadOf(each, ROUNDS)])), {
  args: [JSON.stringify(networks)],
  rivals: () => ["threads", "torch", "torch-all", "torch-loop", "torch-loop-all"],
});
for (const network of networks) console.error(line(network, rows));
report(summary(rows));
