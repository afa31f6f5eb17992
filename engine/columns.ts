/**
 * Weights [out, in] once more as [in, out], kept for products of few rows: these read the weights of the inputs that are not
 * zero, in a row each, and no others.
 *
 * A copy is made at the second such product since the weights were written, and the next write gives it back. Writes through
 * a live view are not noticed: a tensor whose `data` was ever handed out gets no copy.
 */
import { heap, k, simd } from "./backend.ts";
import { root } from "./scope.ts";
import type { Tensor } from "./tensor.ts";

/** What `columns` of a tensor says where it is not the address of a copy. */
export const UNREAD = 0;
const READ_ONCE = 1;
export const EXPOSED = -1;

/** Floats from one input to the next in a copy: whole panels of 16; what lies behind a row counts for nothing. */
export const columnStride = (outputs: number): number => Math.ceil(outputs / 16) * 16;

const bytesOf = ([outputs, inputs]: readonly number[]): number =>
  4 * (inputs as number) * columnStride(outputs as number);

/** Address of w [out, in] as [in, columnStride(out)] for a product that is not recorded; 0: it is not worth a copy, or not safe. */
export function columnsOf(w: Tensor): number {
  if (w.columns === UNREAD) {
    w.columns = READ_ONCE;
    return 0;
  }
  return keptColumns(w);
}

/** The same, made at once: for a layer that writes to both. */
export function keptColumns(w: Tensor): number {
  if (w.columns > READ_ONCE) return w.columns;
  // Memory of w's own, which stays until w is disposed, and kernels that write to it.
  if (w.columns === EXPOSED || !w.owned || w.region !== root.region || heap !== simd.heap) return 0;
  const [outputs, inputs] = w.sizes as [number, number];
  w.columns = heap.allocate(bytesOf(w.sizes));
  w.held?.add(w.columns, bytesOf(w.sizes));
  writeColumns(w.columns, w.ptr, outputs, inputs);
  return w.columns;
}

/** to [in, columnStride(out)] ← weights [out, in]. */
export function writeColumns(to: number, weights: number, outputs: number, inputs: number): void {
  const stride = columnStride(outputs);
  // Rows as they come, at the end of the block; then each at its place.
  const rows = to + 4 * inputs * (stride - outputs);
  k.transpose(rows, weights, outputs, inputs);
  if (stride !== outputs) k.copyBlocks(to, rows, inputs, outputs, stride, outputs);
}

/** w is written, handed out or freed: its copy is given back. */
export function dropColumns(w: Tensor): void {
  if (w.columns > READ_ONCE) {
    simd.heap.release(w.columns, bytesOf(w.sizes));
    w.held?.remove(w.columns);
  }
  if (w.columns !== EXPOSED) w.columns = UNREAD;
}
