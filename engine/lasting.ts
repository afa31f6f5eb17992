/**
 * Functions for memory, records and gradients outside of tapes, for streams, online learners and files, which keep
 * these between calls.
 */

export { simd } from "./core/backend.ts";
export { dropRecord, recordsOf, recycleSaved } from "./core/op.ts";
export type { Scope } from "./core/scope.ts";
export { disposed, enter, leave, recycleIn, root, scope } from "./core/scope.ts";
export { rootOf, tick } from "./core/tensor.ts";
export { viewOf } from "./core/views.ts";
export { memory } from "./core/wasm.ts";
export { EXPOSED, touchBoth, turnChanged } from "./forms/columns.ts";
export { addBits, clear, dropFloats, unpack } from "./forms/values.ts";
export { Held } from "./outside/held.ts";
export { allOrNothing, emptyAtRoot, recordOutside, takeOver, withOwnGradients } from "./outside/outside.ts";
export { backwardWithin } from "./outside/within.ts";
