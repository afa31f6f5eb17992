/** Parts of the block of a convolution: its work area and its tables. Each part begins at a cache line. */

import { at } from "./lanes";

/** Bytes of the block so far. */
let bytes: i64 = 0;

/** Begins a block. */
export function beginBlock(): void {
  bytes = 0;
}

/** Bytes of the block so far, which may be more than a word holds. */
export function bytesTaken(): i64 {
  return bytes;
}

/** Reserves a part of `words` words, and returns its offset in the block. */
export function takeWords(words: i64): usize {
  const from = bytes;
  bytes += ((words + 15) & ~15) << 2;
  return <usize>from;
}

export function setWord(g: usize, name: i32, value: i32): i32 {
  store<i32>(at(g, name), value);
  return value;
}

/** Reserves a part of the work area; its offset becomes a word of the descriptor. */
export function takeArea(g: usize, name: i32, words: i64): void {
  setWord(g, name, <i32>takeWords(words));
}

/** Reserves a table, whose address becomes a word of the descriptor. */
export function takeTable(g: usize, name: i32, block: usize, words: i64): usize {
  return <usize>setWord(g, name, <i32>(block + takeWords(words)));
}
