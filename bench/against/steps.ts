/** Whole steps of training, each made when it is first asked for; by $BENCH_CLOCK = cpu in milliseconds of the processor. */
import { warmup } from "jarvis-snn";
import { timed } from "../support/race.ts";
import { type Run, serve } from "../support/serve.ts";
import { STEPS } from "../support/steps.ts";
import type { Step } from "../support/training.ts";

/** Time of this process alone, whatever else runs on the machine. */
function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const clock = process.env.BENCH_CLOCK === "cpu" ? processorMs : undefined;

function rowOf(make: () => Step): Run {
  let made: Step | undefined;
  return (count) => {
    made ??= make();
    return timed(made.step, count, made.prepare, clock);
  };
}

warmup();
await serve(Object.fromEntries(Object.entries(STEPS).map(([name, make]) => [name, rowOf(make)])));
