/**
 * Two threads against one while another process spins on a core, and again within 200 ms after it has ended: ratios of the times of a step,
 * one thread : two threads, medians of turns. Both take turns under the same load, so that a machine that slows down favours none.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { median } from "./interleave.ts";

/** Milliseconds of a turn: many steps, and several times as long as the main thread works alone. */
const TURN = 500;
/** Milliseconds after the end of the other process, in which two threads find that they are faster again. */
const AFTER = 200;

export interface Busy {
  /** One : two while the other process spins. At least 0.9 is wanted. */
  readonly under: number;
  /** The same from 200 ms after its end on. At least 1.3 is wanted. */
  readonly after: number;
}

/** `threads` lets so many run; each count runs the step for a turn before it is timed. */
export async function busy(step: () => void, threads: (n: number) => Promise<unknown>, turns = 5): Promise<Busy> {
  const under: number[] = [];
  const after: number[] = [];
  for (const n of [1, 2, 1, 2]) {
    await threads(n);
    timeOf(step, TURN);
  }
  for (let turn = 0; turn < turns; turn++) {
    const other = spin();
    const times = [0, 0, 0];
    for (const n of turn % 2 === 0 ? [1, 2] : [2, 1]) {
      await threads(n);
      // Workers that have just begun run kernels that the engine has not optimised yet.
      timeOf(step, TURN);
      times[n] = timeOf(step, TURN);
    }
    under.push((times[1] as number) / (times[2] as number));
    await threads(2);
    timeOf(step, TURN);
    await ended(other);
    timeOf(step, AFTER);
    const two = timeOf(step, TURN);
    await threads(1);
    after.push(timeOf(step, TURN) / two);
  }
  return { under: median(under), after: median(after) };
}

/** Milliseconds of a step, over steps that take so long together. */
function timeOf(step: () => void, ms: number): number {
  const start = performance.now();
  let steps = 0;
  do {
    step();
    steps++;
  } while (performance.now() - start < ms);
  return (performance.now() - start) / steps;
}

const spin = (): ChildProcess => spawn(process.execPath, ["-e", "for(;;);"], { stdio: "ignore" });

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill();
  });
}
