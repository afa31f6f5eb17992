/** Lists the places of set bits, for products that follow them. */

/** For each byte, the places of its set bits, ascending, a byte each; filled on first use. */
const placesOf = memory.data(2048, 16);
const eight = memory.data<u16>([8]);

function makePlaces(): void {
  for (let byte: u32 = 0; byte < 256; byte++) {
    let to = placesOf + (byte << 3);
    for (let bit: u32 = 0; bit < 8; bit++) if (((byte >> bit) & 1) != 0) store<u8>(to++, <u8>bit);
  }
}

/**
 * lists ← m + 1 addresses, the start of each row's list and the end of the last, then the lists: the place of each set bit in 16 bits.
 *
 * Places are looked up, one byte of bits at a time. All eight are written, so up to 16 bytes after the last list are overwritten; there is no
 * branch that a processor could mispredict.
 */
export function listPlaces(lists: usize, bits: usize, bitsRow: usize, m: i32, words: i32): void {
  if (load<u8>(placesOf + 8 * 255 + 7) == 0) makePlaces();
  let to = lists + ((<usize>m + 1) << 2);
  for (let i = 0; i < m; i++, lists += 4, bits += bitsRow) {
    store<u32>(lists, <u32>to);
    let from = bits;
    let first = i16x8.splat(0);
    let left = words;
    do {
      const word = load<u32>(from);
      first = inline.always(listByte(to, word & 255, first));
      first = inline.always(listByte(to + ((<usize>popcnt<u32>(word & 0xff)) << 1), (word >> 8) & 255, first));
      first = inline.always(listByte(to + ((<usize>popcnt<u32>(word & 0xffff)) << 1), (word >> 16) & 255, first));
      first = inline.always(listByte(to + ((<usize>popcnt<u32>(word & 0xffffff)) << 1), word >> 24, first));
      to += (<usize>popcnt<u32>(word)) << 1;
      from += 4;
    } while (--left != 0);
  }
  store<u32>(lists, <u32>to);
}

/** Number of words of a row that are listed at a time. */
const CHUNK = 32;
/** Mask of the non-zero bytes of a chunk, and byte indices. */
const marks = memory.data(16, 16);
const numbers = memory.data(288, 16);

/** `listPlaces` for rows with few set bits: skips zero bytes, sixteen at a time. */
export function listFewPlaces(lists: usize, bits: usize, bitsRow: usize, m: i32, words: i32): void {
  if (load<u8>(placesOf + 8 * 255 + 7) == 0) makePlaces();
  const none = i32x4.splat(0);
  let to = lists + ((<usize>m + 1) << 2);
  for (let i = 0; i < m; i++, lists += 4, bits += bitsRow) {
    store<u32>(lists, <u32>to);
    let from = bits;
    for (let w = 0; w < words; w += CHUNK, from += CHUNK << 2) {
      let left = min(CHUNK, words - w) << 2;
      let mark = marks;
      for (let at = from; left > 0; left -= 16, at += 16, mark += 2) {
        const set = i8x16.bitmask(i8x16.ne(v128.load(at), none));
        store<u16>(mark, left < 16 ? set & ((1 << left) - 1) : set);
      }
      let end = numbers;
      let first = none;
      for (let at = marks; at != mark; at++) {
        const byte: u32 = load<u8>(at);
        first = inline.always(listByte(end, byte, first));
        end += (<usize>popcnt<u32>(byte)) << 1;
      }
      for (let at = numbers; at != end; at += 2) {
        const number: u32 = load<u16>(at);
        const byte: u32 = load<u8>(from + number);
        inline.always(listByte(to, byte, i16x8.splat(<i16>(((<u32>w) << 5) + (number << 3)))));
        to += (<usize>popcnt<u32>(byte)) << 1;
      }
    }
  }
  store<u32>(lists, <u32>to);
}

/** Writes the places of the bits of a byte, whose lowest bit has the place `first`; returns the places of the next byte. */
function listByte(to: usize, byte: u32, first: v128): v128 {
  v128.store(to, i16x8.add(v128.load8x8_u(placesOf + (byte << 3)), first));
  return i16x8.add(first, v128.load16_splat(eight));
}

/** `listPlaces` with the values of X: p and X[i, p] in 32 bits each. */
export function listValues(
  lists: usize,
  bits: usize,
  bitsRow: usize,
  m: i32,
  words: i32,
  x: usize,
  xRow: usize,
  xStep: usize,
): void {
  let to = lists + ((<usize>m + 1) << 2);
  for (let i = 0; i < m; i++, lists += 4, bits += bitsRow, x += xRow) {
    store<u32>(lists, <u32>to);
    for (let w = 0; w < words; w++) {
      for (let word = load<u32>(bits + ((<usize>w) << 2)); word != 0; word &= word - 1, to += 8) {
        const p = (w << 5) + <i32>ctz<u32>(word);
        store<i32>(to, p);
        store<f32>(to, load<f32>(x + <usize>p * xStep), 4);
      }
    }
  }
  store<u32>(lists, <u32>to);
}
