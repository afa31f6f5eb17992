/**
 * The traced step on tensors, and the functions of a step on tensors. They run inside of `gradcheck`, in the place of compiled code, and for
 * surrogates without a kernel. Whoever brings the compiler sets them: a page without it does not load tensors.ts.
 */
import type { runTraced, tensorLanguage } from "./tensors.ts";

/** Runs a traced step op by op. A live binding. */
export let onTensors = undefined as unknown as typeof runTraced;
/** The functions of a step on tensors, null where there is no compiler. A live binding. */
export let language: typeof tensorLanguage | null = null;

export function runsOnTensors(run: typeof runTraced, functions: typeof tensorLanguage): void {
  onTensors = run;
  language = functions;
}
