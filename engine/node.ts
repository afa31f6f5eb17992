/** What needs Node's file system. */
import { readFileSync } from "node:fs";

/**
 * Reads an IDX file, the format of MNIST: bytes with their shape.
 *
 * @throws RangeError if the file is not an IDX file of unsigned bytes, or its length does not fit its header.
 * @see http://yann.lecun.com/exdb/mnist/
 */
export function readIdx(path: string): { data: Uint8Array; shape: number[] } {
  const bytes = readFileSync(path);
  const ndim = bytes[3] ?? 0;
  if (bytes.length < 4 + 4 * ndim || bytes[0] !== 0 || bytes[1] !== 0 || bytes[2] !== 0x08 || ndim === 0) {
    throw new RangeError(
      `readIdx: expected an IDX file of unsigned bytes, got ${path} that starts with [${bytes.subarray(0, 4).join(", ")}]`,
    );
  }
  const shape = Array.from({ length: ndim }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + 4 + 4 * ndim, bytes.length - 4 - 4 * ndim);
  const expected = shape.reduce((product, n) => product * n, 1);
  if (data.length !== expected)
    throw new RangeError(`readIdx: expected ${expected} bytes of data in ${path}, got ${data.length}`);
  return { data, shape };
}
