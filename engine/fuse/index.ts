/**
 * Steps of time as functions, compiled.
 *
 *   operations.ts   the table of operations: lane operations, gradient and text of each; another operation is another row
 *   terms.ts        symbols with the methods of tensors, and the graph that they are
 *   lanes.ts        instructions of vectors, elementary functions as terms of these, terms of a step in both
 *   language.ts     the methods of symbols and the functions of a step; errors of steps
 *   trace.ts        the step run on symbols; values that depend on parameters alone
 *   derive.ts       reverse mode: terms of gradients, in the order of the tape; a step with the derivatives of its outputs
 *   cut.ts          the values that forward saves, by a minimum cut
 *   plan.ts         saved values, values that steps leave to each other, and the arrays for both
 *   sweeps.ts       which sweeps a run needs, the first step, those between, the last; sweeps as a module
 *   emit.ts         a sweep as loops of WebAssembly
 *   wasm.ts         WebAssembly as bytes
 *   loop.ts         a run bound to its sizes: the descriptor, pieces of a step, sums
 *   program.ts      the step over time, as layers run it, and over the rows of matrices, as rules do
 *   evaluation.ts   terms computed from values of their leaves, and compiled steps by their definitions
 *   tensors.ts      the step on tensors
 *   in-reference.ts a slot for it, which gradcheck and surrogates without a kernel fill
 *   print.ts        the step and its gradient as equations
 *
 * A layer makes a `Program` of its step, once for each choice of scalar and per-column parameters. The loop takes the derived
 * parameters of the program, which `derive` computes with tensor ops, so that the tape carries their gradients on to
 * the parameters of the step. `compile` says which gradients are wanted, and gives a `Fused`: it saves `saves` arrays,
 * which the layer allocates where its record lives, runs forward and backward over arrays [T, rows, n] at addresses,
 * and may run any T at a time. Outputs without a reader cost nothing: forward is told which to write, and one that is
 * read later comes from another forward run, without `saved` values but with the same bits. Backward is told which
 * outputs have gradients. Where something has to happen between steps, as a product with the spikes of the step before,
 * both call back before each.
 *
 * One step function runs in three ways. Compiled, it is the fast one. On tensors (`runOnTensors`, which tests and fuzzers call) it is
 * the reference, to the bit: values, and gradients of inputs and states but for the sign of a zero; gradients of parameters up to the
 * order of their sums, which loop.ts states. Inside of `gradcheck` the traced terms run on tensors of float64 (`runTraced`), without
 * another call of the function, and are checked against differences. Agreement holds because all three use the same operations in the
 * same order: no rule of algebra is applied, equal terms alone are shared; elementary functions are the polynomials of the kernels, or
 * the kernel `formula` itself; gradients are added up as the tape adds them. A NaN stays a NaN, with whatever payload.
 *
 * Compiled modules are remembered by the structure of the step, numbers apart: ten layers of a kind take one module, and neither the name of
 * the step nor its numbers are part of it.
 */

export { derivativeOf, levelOf, replaced, withDerivatives } from "./derive.ts";
export { onTensors } from "./in-reference.ts";
export { allOf, type Before, type Bound } from "./loop.ts";
export { print, symbolsOf } from "./print.ts";
export { type Fused, Program, Rows } from "./program.ts";
export { inputSteps, runOnTensors, tensorLanguage } from "./tensors.ts";
export type { Derivative, DerivativeLanguage, Language, Value } from "./terms.ts";
export { derive, MOST_OUTPUTS, type StepArgument, type StepDefinition, type Traced } from "./trace.ts";
