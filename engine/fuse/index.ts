/**
 * Steps of time as functions, compiled.
 *
 *   operations.ts   the table of operations: lane operations, gradient and text of each; a new operation is a new row
 *   terms.ts        symbols with the methods of tensors, and the graph that they form
 *   lanes.ts        vector instructions, elementary functions as terms of these, terms of a step in both
 *   language.ts     the methods of symbols and the functions of a step; errors of steps
 *   trace.ts        the step run on symbols; values that depend only on parameters
 *   derive.ts       reverse mode: terms of gradients, in the order of the tape; a step with the derivatives of its outputs
 *   cut.ts          the values that forward saves, by a minimum cut
 *   plan.ts         saved values, values that steps pass to each other, and the arrays for both
 *   sweeps.ts       the sweeps of a run: first step, steps in between, last step; sweeps as a module
 *   emit.ts         a sweep as loops of WebAssembly
 *   wasm.ts         WebAssembly as bytes
 *   loop.ts         a run bound to its sizes: the descriptor, pieces of a step, sums
 *   program.ts      the step over time, as layers run it, and over the rows of matrices, as rules do
 *   evaluation.ts   terms computed from values of their leaves, and compiled steps by their definitions
 *   tensors.ts      the step on tensors
 *   in-reference.ts a slot for the step on tensors, which gradcheck and surrogates without a kernel fill
 *   print.ts        the step and its gradient as equations
 *
 * A layer makes a `Program` of its step, once for each choice of scalar and per-column parameters. `derive` computes
 * the parameters that the loop reads with tensor ops, so the tape propagates their gradients to the step's parameters.
 * `compile` accepts the required gradients and returns a `Fused`, which runs forward and backward over arrays [T, rows,
 * n] at addresses, for any T. The layer allocates the arrays that forward saves, where its record lives. Forward writes
 * only requested outputs. An output that is read later comes from a second forward run, which saves nothing and gives
 * the same bits. Backward gets the list of outputs with gradients. Both can call back before each step, for example for
 * a product with the previous spikes.
 *
 * One step function runs in three ways. Compiled, it is fast. On tensors (`runOnTensors`, for tests and fuzzers) it is
 * the reference: values, and gradients of inputs and states that are leaves, have equal bits; gradients of parameters
 * differ by the order of their sums, which loop.ts defines. Inside `gradcheck`, the traced terms run on float64 tensors
 * (`runTraced`) and are checked against differences. The three agree because they use the same operations in the same
 * order. Nothing is simplified algebraically; only equal terms are shared. Elementary functions are the polynomials of
 * the kernels, or the kernel `formula` itself. Gradients are summed in the order of the tape. A NaN remains a NaN, with
 * any payload.
 *
 * Compiled modules are cached by the structure of the step. The step's name and numbers are not part of it, so ten
 * equal layers share one module.
 */

export { derivativeOf, levelOf, replaced, withDerivatives } from "./derive.ts";
export { onTensors } from "./in-reference.ts";
export { allOf, type Before, type BoundRun } from "./loop.ts";
export { print, symbolsOf } from "./print.ts";
export { type Fused, Program, Rows } from "./program.ts";
export { inputSteps, runOnTensors, tensorLanguage } from "./tensors.ts";
export type { Derivative, DerivativeLanguage, Language, Value } from "./terms.ts";
export { derive, MOST_OUTPUTS, type StepArgument, type StepDefinition, type Traced } from "./trace.ts";
