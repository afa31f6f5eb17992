/**
 * Transposed copies [in, out] of weights [out, in], for products of few rows. A product then reads only the rows of the
 * copy whose inputs are not 0.
 *
 * The second product after a write to the weights makes the copy; the next write frees it. Writes through a live view
 * are not detected, so reading `data` prevents copies.
 */
import { heap, k, simd } from "../core/backend.ts";
import { root } from "../core/scope.ts";
import { checkOwn, rootOf, type Tensor, tick } from "../core/tensor.ts";

/** Codes in a tensor's `columns` that are not addresses. */
const UNREAD = 0;
const READ_ONCE = 1;
export const EXPOSED = -1;

/**
 * Number of floats from one row of the copy to the next: `outputs` rounded up to a multiple of 16. The rest is unused.
 */
export const columnStride = (outputs: number): number => Math.ceil(outputs / 16) * 16;

const bytesOf = ([outputs, inputs]: readonly number[]): number =>
  4 * (inputs as number) * columnStride(outputs as number);

/**
 * Address of a copy of w [out, in] as [in, columnStride(out)], for an unrecorded product; 0 if a copy does not pay or is not safe.
 */
export function columnsOf(w: Tensor): number {
  if (w.columns > READ_ONCE) return w.columns;
  // w must own its memory until it is disposed, and kernels must write to this memory.
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
function turnAll({ columns, ptr }: Tensor, outputs: number, inputs: number): void {
  const stride = columnStride(outputs);
  // Transposes to the end of the block, then moves each row to its place.
  const rows = columns + 4 * inputs * (stride - outputs);
  k.transpose(rows, ptr, outputs, inputs);
  if (stride !== outputs) k.copyBlocks(columns, rows, inputs, outputs, stride, outputs);
}

/**
 * Updates the copy, if any, after values of w have changed in the given rows and columns; null means all. The caller
 * notes the write by `touchBoth`.
 */
export function turnChanged(w: Tensor, rows: Int32Array | null, columns: Int32Array | null): void {
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

/** Frees the copy; called when w is written or freed, or its `data` is read. */
export function dropColumns(w: Tensor): void {
  if (w.columns > READ_ONCE) {
    simd.heap.release(w.columns, bytesOf(w.sizes));
    w.held?.remove(w.columns);
  }
  if (w.columns !== EXPOSED) w.columns = UNREAD;
}

/** Prevents copies of w from now on: a caller gets a view of its values. */
export function exposeValues(w: Tensor): void {
  if (w.columns === EXPOSED) return;
  checkOwn("data", w);
  dropColumns(w);
  w.columns = EXPOSED;
}

/** Notes a write to t that `turnChanged` has also made in t's copy. */
export function touchBoth(t: Tensor): void {
  rootOf(t).written = tick();
}
