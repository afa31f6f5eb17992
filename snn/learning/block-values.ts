/** Steps of a long sequence as separate tensors, and an output that is written block by block; spikes in bits remain bits. */
import { constantSource, k, ready } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { memory, viewOf } from "../../engine/lasting.ts";
import { type Shape, sizeOf } from "../../engine/shape.ts";
import { broadcastTo, emptyOf, emptySpikesOf, formOf } from "../../engine/unchecked.ts";

/**
 * The steps from … to − 1 of x, in the current scope: a view of floats, a copy of bits, or a repetition of the step that x repeats.
 * `leafOf(view, first)` makes a view of x a leaf of the block; `first` is the index in x of its first value.
 */
export function blockOf(x: Tensor, from: number, to: number, leafOf: (view: Tensor, first: number) => void): Tensor {
  const shape = [to - from, ...x.sizes.slice(1)];
  const source = constantSource(x);
  if (source !== null) {
    const view = viewOf(source, source.sizes, source.size, 0);
    leafOf(view, 0);
    return broadcastTo(view, shape);
  }
  const size = sizeOf(shape);
  const first = (size / (to - from)) * from;
  const block = formOf(x) === "bits" ? emptySpikesOf(shape) : viewOf(x, shape, size, first);
  if (block.base === null) copyBits(block.bits, 0, x.bits, first, size);
  leafOf(block, first);
  return block;
}

/** An unwritten output of this shape. */
export const outputOf = (shape: Shape, isPacked: boolean): Tensor => (isPacked ? emptySpikesOf(shape) : emptyOf(shape));

/** Writes a block of the output, from its value `first` on. Blocks are written in order. */
export function writeBlock(z: Tensor, block: Tensor, first: number): void {
  ready("inBlocks", block, z.ptr === 0);
  if (z.ptr === 0) copyBits(z.bits, first, block.bits, 0, block.size);
  else k.copy(z.ptr + 4 * first, block.ptr, block.size);
}

/** Copies n bits between streams. The bits after them, up to the end of the word, become 0. */
function copyBits(to: number, first: number, from: number, start: number, n: number): void {
  // Both streams have one word after the last one.
  const target = new Uint32Array(memory.buffer, to + 4 * (first >>> 5), ((first & 31) + n + 31) >>> 5);
  const source = new Uint32Array(memory.buffer, from + 4 * (start >>> 5), (((start & 31) + n + 31) >>> 5) + 1);
  const [up, down] = [first & 31, start & 31];
  // In the first word, the bits before `first` belong to the previous block.
  target[0] = up === 0 ? 0 : ((target[0] as number) << (32 - up)) >>> (32 - up);
  target.fill(0, 1);
  for (let i = 0; 32 * i < n; i++) {
    const both = down === 0 ? 0 : (source[i + 1] as number) << (32 - down);
    const rest = n - 32 * i;
    const word = (((source[i] as number) >>> down) | both) & (rest < 32 ? (1 << rest) - 1 : -1);
    target[i] = (target[i] as number) | (word << up);
    if (up !== 0 && i + 1 < target.length) target[i + 1] = word >>> (32 - up);
  }
}
