/**
 * A variable for the step on tensors (tensors.ts), which few programs need. `gradcheck` and surrogates without a kernel
 * set it; pages that use neither do not load that file.
 */
import type { runTraced } from "./tensors.ts";

/** Runs a traced step op by op; `gradcheck` needs this in place of compiled code. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;

export function useOnTensors(run: typeof runTraced): void {
  onTensors = run;
}
