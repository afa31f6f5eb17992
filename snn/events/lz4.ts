/**
 * LZ4 frames. A frame is a magic number, flags, blocks with their sizes, and an end mark. A block is a list of sequences: literal bytes, then
 * a copy of earlier output, from at most 64 kB before. Checksums are ignored.
 *
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
 * @see https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
 */
import { u32 } from "./decoder.ts";

export const LZ4_MAGIC = 0x184d2204;

/** Number of bytes that copies may write beyond the end of a block. */
const SLACK = 4;

/** Output buffer, which the next frame overwrites. */
let out = new Uint8Array(1 << 16);

/** Makes room for `need` bytes of output and keeps the first `used`. */
function grow(need: number, used: number): void {
  const larger = new Uint8Array(Math.max(need, 2 * out.length));
  larger.set(out.subarray(0, used));
  out = larger;
}

/**
 * The decompressed bytes of a frame, in memory that the next call overwrites; null if there are more than `most`.
 *
 * @throws RangeError for a damaged frame.
 */
export function lz4(frame: Uint8Array, most: number): Uint8Array | null {
  const flags = frame[4] as number;
  if (frame.length < 11 || u32(frame, 0) !== LZ4_MAGIC || flags >> 6 !== 1) throw damage("a frame");
  const block = 1 << (8 + 2 * (((frame[5] as number) >> 4) & 7));
  let at = 7 + ((flags & 8) !== 0 ? 8 : 0) + ((flags & 1) !== 0 ? 4 : 0);
  let length = 0;
  while (at + 4 <= frame.length) {
    const size = u32(frame, at);
    if (length > most) return null;
    if (size === 0) return out.subarray(0, length);
    const packed = size & 0x7fffffff;
    at += 4;
    if (packed > frame.length - at) throw damage("a whole block");
    if (length + block + SLACK > out.length) grow(length + block + SLACK, length);
    if (size >= 2 ** 31) {
      if (packed > block) throw damage("a block of its size");
      out.set(frame.subarray(at, at + packed), length);
      length += packed;
    } else length = unpack(frame, at, at + packed, length, length + block);
    at += packed + ((flags & 16) !== 0 ? 4 : 0);
  }
  throw damage("an end mark");
}

const damage = (expected: string): RangeError => new RangeError(`lz4: expected ${expected}`);

/** Longer copies are faster as one call. */
const LONG = 64;

/**
 * Decompresses the block frame[at … end) after the output so far, up to `limit`, and returns the new length of the output. Short copies
 * proceed in steps of four bytes; the next copy overwrites the excess.
 */
function unpack(frame: Uint8Array, at: number, end: number, to: number, limit: number): number {
  const output = out;
  const target = new DataView(output.buffer);
  const source = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const safe = frame.length - SLACK;
  let from = at;
  while (from < end) {
    const token = frame[from++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && from < end) literals += more = frame[from++] as number;
    }
    if (literals > end - from || literals > limit - to) throw damage("literals within their block");
    if (literals <= LONG && from + literals <= safe) {
      for (let i = 0; i < literals; i += 4) target.setInt32(to + i, source.getInt32(from + i, true), true);
    } else output.set(frame.subarray(from, from + literals), to);
    to += literals;
    from += literals;
    if (from === end) return to;
    const offset = (frame[from] as number) | ((frame[from + 1] as number) << 8);
    from += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      let more = 255;
      while (more === 255 && from < end) length += more = frame[from++] as number;
    }
    if (from > end || offset === 0 || offset > to || length > limit - to) throw damage("a copy of earlier output");
    const back = to - offset;
    if (length > LONG && offset >= length) output.copyWithin(to, back, back + length);
    else if (offset >= 4) {
      for (let i = 0; i < length; i += 4) target.setInt32(to + i, target.getInt32(back + i, true), true);
    } else for (let i = 0; i < length; i++) output[to + i] = output[back + i] as number;
    to += length;
  }
  return to;
}
