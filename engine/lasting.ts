/** Memory, records and gradients beside those of tapes: streams, online learners and files keep them between calls. */

export { simd } from "./backend.ts";
export { EXPOSED, turnChanged } from "./columns.ts";
export { withOwnGradients } from "./gradient.ts";
export { Held } from "./held.ts";
export { dropRecord, recycleSaved } from "./record.ts";
export type { Region, Scope } from "./scope.ts";
export {
  allOrNothing,
  disposed,
  enter,
  leave,
  recordOutside,
  recycleIn,
  root,
  scope,
} from "./scope.ts";
export { addBits, clear, dropFloats, rootOf, takeOver, touchBoth, unpack } from "./tensor.ts";
export { memory } from "./wasm.ts";
