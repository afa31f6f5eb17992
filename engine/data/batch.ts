/** Checks batches for training, evaluation and profiles, and counts their targets. */
import { COUNT, numberOf, objectOf, wrongValue } from "../arguments.ts";
import { alive, Tensor } from "../core/tensor.ts";
import type { Batch } from "./loader.ts";

/**
 * A checked batch with its number of samples: `size` if given, else the number of lengths, of targets, or of rows of x.
 */
export function batchOf<Y>(where: string, batch: Batch<Y>): Batch<Y> & { size: number } {
  const { x, y, lengths, size } = objectOf(where, "batches { x, y }", batch) as unknown as Batch<Y>;
  alive(x, `${where}: x of a batch`);
  if (x.ndim === 0) throw wrongValue(where, "x of a batch as [B, …]", "[]");
  const rows = size ?? lengths?.length ?? targetCount(y) ?? x.sizes[0];
  return { x, y, lengths, size: numberOf(where, "size of a batch", rows, COUNT) };
}

/** Number of targets; undefined if their type does not show it. */
export function targetCount(y: unknown): number | undefined {
  if (y instanceof Tensor) return y.sizes[0];
  return ArrayBuffer.isView(y) || Array.isArray(y) ? (y as Int32Array).length : undefined;
}
