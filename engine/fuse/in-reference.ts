/**
 * The traced step on tensors, which runs inside of `gradcheck` in the place of compiled code. Whoever brings the compiler sets it, so that
 * `gradcheck` without compiled steps does not load tensors.ts.
 */
import type { runTraced } from "./tensors.ts";

/** Runs a traced step op by op. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;

export function runsOnTensors(run: typeof runTraced): void {
  onTensors = run;
}
