/**
 * The step on tensors, tensors.ts, for rare use: `gradcheck` brings it, and surrogates without a kernel bring its
 * functions. A page that has neither does not load it.
 */
import type { runTraced } from "./tensors.ts";

/** Runs a traced step op by op, as `gradcheck` needs it instead of compiled code. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;

export function useOnTensors(run: typeof runTraced): void {
  onTensors = run;
}
