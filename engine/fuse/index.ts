/**
 * Steps of time as functions, compiled.
 *
 *   expression.ts   symbols with the methods of tensors; what a step says wrongly
 *   trace.ts        the step run on symbols; what depends on parameters alone
 *   derive.ts       reverse mode: terms of gradients, in the order of the tape
 *   replace.ts      a step with another value in the place of one of its own
 *   jacobian.ts     a step with the derivatives of its outputs, for forward mode along time
 *   cut.ts          what forward saves, by a minimum cut
 *   plan.ts         what is saved, what steps leave to each other, and the arrays that stand for both
 *   steps.ts        which sweeps a run needs: the first step, those between, the last
 *   sweeps.ts       sweeps and the kernel `formula` in turns; sweeps as a module
 *   lower.ts        operations as lane operations, what is 0 or 1 as masks
 *   lanes.ts        elementary functions as terms of lane operations
 *   emit.ts         a sweep as loops of WebAssembly
 *   bit-streams.ts  streams of bits in such a loop
 *   encode.ts       WebAssembly as bytes
 *   opcodes.ts      the numbers of its instructions
 *   loop.ts         a run bound to its sizes: the descriptor, pieces of a step, sums
 *   rows.ts         the step over the rows of matrices
 *   program.ts      what a layer uses
 *   remembered.ts   compiled steps and the like, by what they were made of
 *   tensors.ts      the step on tensors
 *   in-reference.ts the same for those who bring it: gradcheck, and surrogates without a kernel
 *   power.ts        a polynomial that both share
 *   evaluation.ts   terms computed from values
 *   print.ts        the step and its gradient as equations
 *
 * A layer makes a `Program` of its step, once for each choice of scalar and per-column parameters. The loop takes the derived
 * parameters of the program, which `derive` computes with tensor ops, so that the tape carries their gradients on to those of
 * the step. `compile` says which gradients are wanted, and gives a `Fused`: it saves `saves` arrays, which the layer
 * allocates where its record lives, runs forward and backward over arrays [T, rows, n] at addresses, and may run any T at a
 * time. Outputs that nobody reads cost nothing: forward is told which to write, and one that is read later comes from another
 * forward run, without `saved` values but with the same bits. Backward is told which outputs have gradients. Where something has
 * to happen between steps, as a product with the spikes of the step before, both call back before each.
 *
 * One step function runs in three ways. Compiled, it is the fast one. On tensors (`runOnTensors`, which tests and fuzzers call) it is
 * the reference, to the bit: values, and gradients of inputs and states but for the sign of a zero; gradients of parameters up to the
 * order of their sums, which loop.ts states. Inside of `gradcheck` the traced terms run on tensors of float64 (`runTraced`), without
 * another call of the function, and are checked against differences. Agreement holds because all three use the same operations in the
 * same order: no rule of algebra is applied, equal terms alone are shared; elementary functions are the polynomials of the kernels, or
 * the kernel `formula` itself; gradients are added up as the tape adds them. A NaN stays a NaN, with whatever payload.
 *
 * What is compiled is remembered by its structure, numbers apart: ten layers of a kind take one module, and neither the name of
 * the step nor its numbers are part of it.
 */
export type { Derivative, DerivativeLanguage, Language, Value } from "./expression.ts";
export { derivativeOf, levelOf, withDerivatives } from "./jacobian.ts";
export { allOf, type Before, type Bound } from "./loop.ts";
export { print, symbolsOf } from "./print.ts";
export { type Fused, Program } from "./program.ts";
export { replaced } from "./replace.ts";
export { Rows } from "./rows.ts";
export { inputSteps, runOnTensors, tensorLanguage } from "./tensors.ts";
export { derive, MOST_OUTPUTS, type StepArgument, type StepDefinition, type Traced } from "./trace.ts";
