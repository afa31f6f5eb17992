/**
 * Weights [out, in] once more as [in, out], kept for products of few rows: these read the weights of the inputs that are not
 * zero, in a row each, and no others.
 *
 * A copy is made at the second such product since the weights were written, and the next write gives it back. Writes through
 * a live view are not noticed: a tensor whose `data` was ever read gets no copy.
 */
import { heap, k, simd } from "./backend.ts";
import { type Owned, root } from "./scope.ts";
import type { Shape } from "./shape.ts";

/** The fields of weights that this file reads; their type cannot stand here, as tensor.ts imports this file. */
interface Weights extends Owned {
  readonly sizes: Shape;
  columns: number;
}

/** Values of `columns` of a tensor that are not the address of a copy. */
export const UNREAD = 0;
const READ_ONCE = 1;
export const EXPOSED = -1;

/**
 * Floats from one input to the next in a copy: whole panels of 16; values behind the end of a row count for nothing.
 */
export const columnStride = (outputs: number): number => Math.ceil(outputs / 16) * 16;

const bytesOf = ([outputs, inputs]: readonly number[]): number =>
  4 * (inputs as number) * columnStride(outputs as number);

/** Address of w [out, in] as [in, columnStride(out)] for a product that is not recorded; 0: it is not worth a copy, or not safe. */
export function columnsOf(w: Weights): number {
  if (w.columns > READ_ONCE) return w.columns;
  // Memory of w's own, which stays until w is disposed, and kernels that write to it.
  if (w.columns === EXPOSED || !w.owned || w.region !== root.region || heap !== simd.heap) return 0;
  if (Object.isFrozen(w)) return 0;
  if (w.columns === UNREAD) {
    w.columns = READ_ONCE;
    return 0;
  }
  const [outputs, inputs] = w.sizes as [number, number];
  w.columns = heap.allocate(bytesOf(w.sizes));
  w.held?.add(w.columns, bytesOf(w.sizes));
  turnAll(w, outputs, inputs);
  return w.columns;
}

/** Writes the whole copy. */
function turnAll({ columns, ptr }: Weights, outputs: number, inputs: number): void {
  const stride = columnStride(outputs);
  // Rows as they come, at the end of the block; then each at its place.
  const rows = columns + 4 * inputs * (stride - outputs);
  k.transpose(rows, ptr, outputs, inputs);
  if (stride !== outputs) k.copyBlocks(columns, rows, inputs, outputs, stride, outputs);
}

/**
 * Updates the copy, where there is one, by the values of w that have changed: these of its rows and of its columns, or
 * all of them without lists. The caller notes the write by `touchBoth`.
 */
export function turnChanged(w: Weights, rows: Int32Array | null, columns: Int32Array | null): void {
  if (w.columns <= READ_ONCE) return;
  const [outputs, inputs] = w.sizes as [number, number];
  const stride = columnStride(outputs);
  if (rows === null || columns === null) {
    turnAll(w, outputs, inputs);
    return;
  }
  for (let r = 0; r < rows.length; r++) {
    const j = rows[r] as number;
    k.copyBlocks(w.columns + 4 * j, w.ptr + 4 * j * inputs, inputs, 1, stride, 1);
  }
  for (let c = 0; c < columns.length; c++) {
    const i = columns[c] as number;
    k.copyBlocks(w.columns + 4 * i * stride, w.ptr + 4 * i, outputs, 1, 1, inputs);
  }
}

/** w is written, its `data` read, or w is freed: the copy is given back. */
export function dropColumns(w: Weights): void {
  if (w.columns > READ_ONCE) {
    simd.heap.release(w.columns, bytesOf(w.sizes));
    w.held?.remove(w.columns);
  }
  if (w.columns !== EXPOSED) w.columns = UNREAD;
}

/** The values of w are handed out: no copy is made any more. */
export function expose(w: Weights): void {
  dropColumns(w);
  w.columns = EXPOSED;
}
