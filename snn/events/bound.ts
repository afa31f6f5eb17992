/** Bounds the memory of a reader, since a small compressed file may expand to any number of bytes. */
import { BYTES, numberOf, wrongValue } from "../../engine/arguments.ts";

/** Default for compressed files. */
const USUAL = 2 ** 30;
/** Recordings of cameras take less than this many bytes per byte of their compressed file; larger files get this default. */
const UNPACKED = 16;

/** Memory of one read. */
export class Bound {
  /** Bytes that are allocated and kept. */
  taken = 0;
  private most: number;
  private readonly packed: number;
  private readonly where: string;

  /**
   * `maxBytes` is the option of the caller, null by default. The default bounds compressed files by the bytes of the `file` (Infinity for no
   * bound), and does not bound others.
   *
   * @throws RangeError for an invalid bound, TypeError for anything but a number.
   */
  constructor(where: string, maxBytes: number | null, file: number) {
    if (maxBytes !== null) numberOf(where, "maxBytes", maxBytes, BYTES);
    this.where = where;
    this.most = maxBytes ?? Infinity;
    this.packed = maxBytes ?? Math.max(USUAL, UNPACKED * file);
  }

  /** Remaining bytes. */
  get left(): number {
    return this.most - this.taken;
  }

  /** Applies the default bound of compressed files. Readers of such files call this before they decompress anything. */
  unpacks(): void {
    this.most = this.packed;
  }

  /** Counts bytes before they are allocated; throws as {@link check}. */
  take(bytes: number, what: string): void {
    this.check(bytes, what);
    this.taken += bytes;
  }

  /**
   * Checks bytes that are freed again soon.
   *
   * @throws RangeError if they exceed the remaining bytes.
   */
  check(bytes: number, what: string): void {
    const { where, left } = this;
    if (!(bytes <= left)) throw wrongValue(where, `at most ${left} bytes more, by maxBytes`, `${bytes} for ${what}`);
  }
}
