/** Bytes of files, whole and piece by piece. */
import { bytesOf, wrongType } from "../../engine/arguments.ts";

/** Largest number of bytes of a header. */
export const LONGEST_HEADER = 2 ** 22;

/** First line of AEDAT 4, for reading and writing. */
export const AEDAT4_LINE = "#!AER-DAT4.0\r\n";

/** Result of a reader's `read`. */
export interface EventStreamChunk {
  /** Whether the stream has ended. */
  done: boolean;
  /** Bytes, unless the stream has ended. */
  value?: Uint8Array | undefined;
}

/** A reader of a web stream, restricted to the members that the package uses. */
export interface EventStreamReader {
  /** The next chunk, or `done` after the last one. */
  read(): Promise<EventStreamChunk>;
  /** Ends the stream early. */
  cancel?(): Promise<void>;
}

/** A web stream, restricted to the members that the package uses; some browsers cannot iterate over one. */
export interface EventStreamSource {
  /** Returns a reader of the stream. */
  getReader(): EventStreamReader;
}

/** Bytes of a file in order: chunks of any length from a web stream, a Node stream or a generator. */
export type EventStream = AsyncIterable<Uint8Array> | Iterable<Uint8Array> | EventStreamSource;

/** Bytes of a stream. Only requested bytes, and the rest of their chunk, are kept. */
export class StreamInput {
  /** Offset in the file of the first byte that is kept. */
  at = 0;
  ended = false;
  private readonly where: string;
  private readonly next: () => Promise<{ done?: boolean | undefined; value?: unknown }>;
  readonly close: () => Promise<void>;
  private kept: Uint8Array = new Uint8Array(0);

  constructor(where: string, stream: EventStream) {
    this.where = where;
    const given = stream as Partial<AsyncIterable<unknown> & Iterable<unknown> & EventStreamSource>;
    if (typeof stream !== "object" || stream === null || ArrayBuffer.isView(stream)) {
      throw wrongType(where, "a stream of bytes", stream);
    }
    const iterator = given[Symbol.asyncIterator]?.() ?? given[Symbol.iterator]?.();
    if (iterator !== undefined) {
      this.next = async () => await iterator.next();
      this.close = async () => {
        await iterator.return?.();
      };
    } else {
      if (typeof given.getReader !== "function") throw wrongType(where, "a stream of bytes", stream);
      const reader = given.getReader();
      this.next = () => reader.read();
      this.close = async () => {
        await reader.cancel?.();
      };
    }
  }

  /** At least the next `n` bytes, fewer at the end of the stream. */
  async upTo(n: number): Promise<Uint8Array> {
    const parts = [this.kept];
    let length = this.kept.length;
    while (length < n && !this.ended) {
      const { done, value } = await this.next();
      if (done === true) this.ended = true;
      else {
        const part = bytesOf(this.where, value);
        parts.push(part);
        length += part.length;
      }
    }
    if (parts.length > 1)
      this.kept = parts.length === 2 && this.kept.length === 0 ? (parts[1] as Uint8Array) : joinedBytes(parts);
    return this.kept;
  }

  skip(n: number): void {
    this.at += n;
    this.kept = this.kept.subarray(n);
  }
}

/** Concatenates bytes. */
export function joinedBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
