/**
 * The step on tensors, tensors.ts, for rare use: `gradcheck` brings it, and surrogates without a kernel bring its
 * functions. A page that has neither does not load it.
 */
import type { runTraced, tensorLanguage } from "./tensors.ts";

/** Runs a traced step op by op, as `gradcheck` needs it instead of compiled code. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;
/** The functions of a step on tensors, where a surrogate without a kernel has been made. A live binding. */
export let language = undefined as unknown as typeof tensorLanguage;

export function useOnTensors(run: typeof runTraced): void {
  onTensors = run;
}

export function useLanguage(functions: typeof tensorLanguage): void {
  language = functions;
}
