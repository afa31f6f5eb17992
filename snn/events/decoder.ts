/** Types of a file format: the beginning of a file, and the decoder that turns bytes into events. */
import { wrongValue } from "../../engine/arguments.ts";
import { LONGEST_HEADER } from "./input.ts";
import type { EventColumns } from "./recording.ts";

/** The beginning of a file. */
export interface FileStart {
  /** The whole file, or its first bytes, up to the length of the longest header. */
  readonly bytes: Uint8Array;
  readonly columns: EventColumns;
}

/** Turns the bytes after a header into events, piece by piece. */
export interface Decoder {
  /** Offset of the first event. */
  readonly start: number;
  /** Name of the smallest unit of such a file in errors. */
  readonly unit: string;
  /**
   * Appends the events of the complete units at the start of these bytes, and returns the number of consumed bytes. `at` is the offset of the
   * bytes in the file; `ended` means that no more follow.
   */
  decode(bytes: Uint8Array, at: number, ended: boolean): number;
}

/** A file whose bytes can be read in order. */
export interface Streamed {
  readonly open: (start: FileStart) => Decoder | Promise<Decoder>;
}

/** A file whose parts refer to each other, so that it is read as a whole. */
export interface Whole {
  readonly read: (bytes: Uint8Array, columns: EventColumns) => Promise<void>;
}

/** Signature of HDF5 after its first byte. */
export const HDF5_NAME = "HDF\r\n\x1a\n";

/** Side of the N-MNIST sensor in pixels. */
export const NMNIST_SIDE = 34;
/** Row of N-MNIST and N-Caltech101 records that marks an overflow of the time. */
export const OVERFLOW_ROW = 240;

/** ASCII bytes as text. */
export function asciiText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = "";
  for (let i = from; i < Math.min(to, bytes.length); i += 4096)
    text += String.fromCharCode(...bytes.subarray(i, Math.min(i + 4096, to)));
  return text;
}

/** Number of characters that are read of a line; no field of a header is longer. */
const LONGEST_LINE = 1000;

/** Lines at the beginning of a file. */
export interface Header {
  /** First 1000 characters of each line, without trailing white space. */
  readonly lines: readonly string[];
  /** Offset of the byte after the lines. */
  readonly end: number;
}

/**
 * Reads the lines that begin with `mark`, up to the first one that matches `last`. Lines end with \n, or \r\n in files of Windows.
 *
 * @throws RangeError for a header that does not end within 2²² bytes.
 */
export function headerOf(where: string, bytes: Uint8Array, mark: string, last: RegExp): Header {
  const head = bytes.subarray(0, LONGEST_HEADER);
  const lines: string[] = [];
  let end = 0;
  while (asciiText(head, end, end + mark.length) === mark) {
    const newline = head.indexOf(10, end);
    if (newline < 0 && head.length < LONGEST_HEADER) break;
    if (newline < 0) throw wrongValue(where, `a header of at most ${LONGEST_HEADER} bytes`, "more");
    const line = asciiText(head, end, Math.min(newline, end + LONGEST_LINE)).trimEnd();
    lines.push(line);
    end = newline + 1;
    if (last.test(line)) break;
  }
  return { lines, end };
}

/** The first group of a pattern in the first line that matches it. */
export function fieldOf({ lines }: Header, pattern: RegExp): string | undefined {
  for (const line of lines) {
    const found = pattern.exec(line);
    if (found) return found[1];
  }
  return undefined;
}

/** Header of a Prophesee file, whose fields may contain the sensor size. */
export function evtHeader({ bytes, columns }: FileStart): Header {
  const header = headerOf(columns.where, bytes, "% ", /^% end$/);
  columns.sensor(
    Number(fieldOf(header, /(?:^% geometry |width=|^% width )(\d+)/i)),
    Number(fieldOf(header, /(?:^% geometry \d+x|height=|^% height )(\d+)/i)),
  );
  return header;
}

/** The bytes [from, to) aligned to `size`, as typed arrays require; copied if necessary. */
export function alignedBytes(bytes: Uint8Array, from: number, to: number, size: number): Uint8Array {
  const part = bytes.subarray(from, to);
  return part.byteOffset % size === 0 ? part : part.slice();
}

/** A little-endian unsigned 32-bit integer. */
export const u32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)) >>>
  0;
