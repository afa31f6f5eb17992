/** The side of a process that takes steps when another one asks for them: `scripts/bench.mjs --against` compares two. */
import { createInterface } from "node:readline";

/** Takes so many steps; gives the milliseconds of one. */
export type Run = (count: number) => number | Promise<number>;

/**
 * Answers for these rows and ends, in a process that was started for that; elsewhere it does nothing. With $BENCH_THREADS so many threads
 * share the work. The names come first, as a
 * list; then a line `row count` gets the milliseconds of one of so many steps of this row, or the reason why there is none.
 */
export async function serve(rows: Readonly<Record<string, Run>>): Promise<void> {
  if (process.env.BENCH_SERVE === undefined) return;
  if (process.env.BENCH_THREADS !== undefined) {
    // A commit of `--against` may lack the entry.
    const { threads } = await import("jarvis-snn/threads");
    await threads(Number(process.env.BENCH_THREADS));
  }
  console.log(JSON.stringify(Object.keys(rows)));
  for await (const line of createInterface({ input: process.stdin })) {
    const space = line.lastIndexOf(" ");
    console.log(await answer(rows[line.slice(0, space)] as Run, Number(line.slice(space))));
  }
  process.exit();
}

async function answer(run: Run, count: number): Promise<string> {
  try {
    return String(await run(count));
  } catch (error) {
    return String(error).split("\n")[0] as string;
  }
}

/**
 * A row with steps that count as a whole. It is made when it is first asked for, so that a row that one side cannot make leaves
 * the others alone.
 */
export function whole(make: () => () => void): Run {
  let step: (() => void) | undefined;
  return (count) => {
    step ??= make();
    const start = performance.now();
    for (let i = 0; i < count; i++) step();
    return (performance.now() - start) / count;
  };
}

/** The same for steps of which a part counts: each gives its milliseconds. */
export function part(make: () => () => number): Run {
  let step: (() => number) | undefined;
  return (count) => {
    step ??= make();
    let ms = 0;
    for (let i = 0; i < count; i++) ms += step();
    return ms / count;
  };
}

/** Milliseconds that fn takes. */
export function time(fn: () => void): number {
  const start = performance.now();
  fn();
  return performance.now() - start;
}
