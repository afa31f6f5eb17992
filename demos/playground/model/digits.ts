/** The file of handwritten digits that the page loads. It needs no part of the package. */

/** Handwritten digits, one byte a pixel. */
export interface Digits {
  readonly side: number;
  readonly train: { readonly x: Uint8Array; readonly y: Uint8Array };
  readonly test: { readonly x: Uint8Array; readonly y: Uint8Array };
}

/** The file of `digits.ts`: side, training and test images as three 32-bit integers; all images; all labels. */
export function parseDigits(bytes: Uint8Array): Digits {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  const [side, train, test] = [0, 4, 8].map((at) => view.getUint32(at, true)) as [number, number, number];
  const size = side * side;
  const expected = 12 + (train + test) * (size + 1);
  if (bytes.length !== expected)
    throw new RangeError(`parseDigits: expected a file of ${expected} bytes, got ${bytes.length}`);
  const images = bytes.subarray(12, 12 + (train + test) * size);
  const labels = bytes.subarray(12 + images.length);
  return {
    side,
    train: { x: images.subarray(0, train * size), y: labels.subarray(0, train) },
    test: { x: images.subarray(train * size), y: labels.subarray(train) },
  };
}
