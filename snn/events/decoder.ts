/** The types of a file format: the beginning of a file, and the decoder that turns bytes into events. */
import type { EventColumns } from "./recording.ts";

/** The beginning of a file. */
export interface Start {
  /** The whole file, or its first bytes, as many as the longest header may have. */
  readonly bytes: Uint8Array;
  readonly columns: EventColumns;
}

/** Turns the bytes behind a header into events, piece by piece. */
export interface Decoder {
  /** Bytes before the first event. */
  readonly start: number;
  /** The smallest piece of such a file, as errors name it. */
  readonly unit: string;
  /**
   * Appends the events of the whole units that these bytes begin with, and returns the bytes that were taken. The bytes stand at
   * `at` in the file; `ended` says that no more follow.
   */
  decode(bytes: Uint8Array, at: number, ended: boolean): number;
}

/** A file whose bytes can be read in order. */
export interface Streamed {
  readonly open: (start: Start) => Decoder | Promise<Decoder>;
}

/** A file whose parts refer to each other, and which is read as a whole. */
export interface Whole {
  readonly read: (bytes: Uint8Array, columns: EventColumns) => Promise<void>;
}

/** The first line of AEDAT 4. */
export const AEDAT4_LINE = "#!AER-DAT4.0\r\n";

/** The beginning of HDF5 behind its first byte. */
export const HDF5_NAME = "HDF\r\n\x1a\n";

/** Text of bytes of ASCII. */
export function asciiText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = "";
  for (let i = from; i < Math.min(to, bytes.length); i += 4096)
    text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, to)));
  return text;
}

/** Lines that begin with `mark`, and the byte behind them. The lines end with \n, which files of Windows precede with \r. */
export function headerOf(bytes: Uint8Array, mark: string, last: RegExp): { text: string; end: number } {
  let end = 0;
  while (asciiText(bytes, end, end + mark.length) === mark) {
    const newline = bytes.indexOf(10, end);
    if (newline < 0) break;
    const line = asciiText(bytes, end, newline);
    end = newline + 1;
    if (last.test(line)) break;
  }
  return { text: asciiText(bytes, 0, end), end };
}

/** The header of a file of Prophesee, whose fields may name the size of the sensor. */
export function evtHeader({ bytes, columns }: Start): { text: string; end: number } {
  const header = headerOf(bytes, "% ", /^% end\r?$/);
  const geometry = /^% geometry (\d+)x(\d+)/m.exec(header.text);
  const width = geometry?.[1] ?? /width=(\d+)/.exec(header.text)?.[1] ?? /^% width (\d+)/im.exec(header.text)?.[1];
  const height = geometry?.[2] ?? /height=(\d+)/.exec(header.text)?.[1] ?? /^% height (\d+)/im.exec(header.text)?.[1];
  columns.sensor(Number(width), Number(height));
  return header;
}

/** The bytes [from, to) at an address that is a multiple of `size`, as typed arrays need it; a copy where the bytes stand elsewhere. */
export function alignedBytes(bytes: Uint8Array, from: number, to: number, size: number): Uint8Array {
  const part = bytes.subarray(from, to);
  return part.byteOffset % size === 0 ? part : part.slice();
}

/** An unsigned integer of 32 bits, its lowest byte first. */
export const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;
