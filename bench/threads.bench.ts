/**
 * The serial share of training steps, and their times with 4 and 8 threads by Amdahl's law, over the time with one thread. The row of the drawn
 * networks is the median of their shares.
 */
import { warmup } from "jarvis-snn";
import { threads } from "jarvis-snn/threads";
import { median } from "./support/interleave.ts";
import { drawNetworks } from "./support/networks.ts";
import { type Rows, report } from "./support/report.ts";
import { amdahl, serialOf } from "./support/serial.ts";
import { STEPS } from "./support/steps.ts";
import type { Step } from "./support/training.ts";

const NAMED = {
  toy: "toy",
  small: "small",
  static: "mnist static",
  poisson: "mnist poisson",
  recurrent: "recurrent",
  conv: "conv",
  sew: "sew",
  csnn: "csnn",
};

const rows: Rows = {};

function keep(key: string, share: number, times?: Readonly<Record<string, number>>): void {
  rows[`${key} serial`] = { value: share, ...(times === undefined ? {} : { times }) };
  for (const n of [4, 8]) rows[`${key} ${n}`] = { value: amdahl(share, n) };
}

async function measured(step: string): Promise<number> {
  const { share, one, two } = await serialOf((STEPS[step] as () => Step)(), threads);
  console.error(
    `bench: threads, ${step}: ${share.toFixed(3)}, ${one.toPrecision(3)} ms, two threads ${two.toPrecision(3)} ms`,
  );
  return share;
}

warmup();
for (const [key, step] of Object.entries(NAMED)) keep(key, await measured(step));
const drawn: number[] = [];
for (const seed of [1, 2, 3, 4, 5]) for (const { name } of drawNetworks(seed)) drawn.push(await measured(name));
keep("median", median(drawn));
report(rows);
