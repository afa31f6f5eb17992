/**
 * The traced step on tensors, which runs inside of `gradcheck` in the place of compiled code. gradcheck.ts sets it, so that a page without
 * `gradcheck` does not load tensors.ts.
 */
import type { runTraced } from "./tensors.ts";

/** Runs a traced step op by op; set while `gradcheck` runs, undefined before the first. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;

export function runsOnTensors(run: typeof runTraced): void {
  onTensors = run;
}
