/**
 * Common parts of readers of HDF5 files, around h5wasm, the HDF Group's library in WebAssembly: its messages become errors, its memory is
 * bounded, and the text of a file is checked, since some text would make the library loop forever.
 */
import { refusePage, shortened, wrongValue } from "../../engine/arguments.ts";

/** Members of the library's file system that its types omit. */
interface FileSystem {
  readonly streams: readonly ({ stream_ops: object | undefined } | null | undefined)[];
}

/**
 * Calls `use` while messages of the library are collected instead of written to stderr. `said` returns the messages
 * since its last call. `use` must be synchronous, since other readers collect the messages of their own calls in the
 * same way.
 */
export function listening<T>(FS: object, use: (said: () => Error | undefined) => T): T {
  const errors = (FS as FileSystem).streams[2];
  const print = errors?.stream_ops;
  const decoder = new TextDecoder("utf-8");
  let text = "";
  const write = (_: unknown, bytes: Uint8Array, from: number, n: number) => {
    text += decoder.decode(bytes.subarray(from, from + n));
    return n;
  };
  if (errors) errors.stream_ops = { ...print, write };
  try {
    return use(() => {
      // Lines of a report may contain names of the file.
      const report = text.split("\n").map((line) => shortened(line, 200));
      const cause = text === "" ? undefined : new Error(report.join("\n"));
      text = "";
      return cause;
    });
  } finally {
    if (errors) errors.stream_ops = print;
  }
}

/** Memory that the library may take besides the data: caches, and blocks larger than requested. */
const SLACK = 2 ** 24;

/**
 * Calls `use` while the library's memory may grow only by the bytes of the last `limit` call, and not at all before the
 * first one. `use` must be synchronous, since nothing else may run before `grow` is restored. If the realm has frozen
 * `grow`, growth is not limited.
 */
export function bounded<T>(m: { readonly HEAPU8: Uint8Array }, use: (limit: (bytes: number) => void) => T): T {
  const { prototype } = WebAssembly.Memory;
  const { grow } = prototype;
  let most = 0;
  Reflect.set(prototype, "grow", function (this: typeof WebAssembly.Memory.prototype, pages: number) {
    // The library treats an error as a lack of memory.
    if (this.buffer.byteLength + 65536 * pages > most) throw new RangeError();
    return grow.call(this, pages);
  });
  try {
    return use((bytes) => {
      // The library requests some per cent more than it needs.
      most = 1.06 * (m.HEAPU8.length + SLACK + bytes);
    });
  } finally {
    Reflect.set(prototype, "grow", grow);
  }
}

/** Signature of HDF5, which is followed by the version and the sizes of addresses and lengths; at byte 0, 512, 1024, … after user data. */
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/**
 * Throws unless a file has the signature of HDF5, and every collection of text in it ends.
 *
 *   "GCOL" 1 0 0 0 | bytes of the collection | objects: index (2), references (2), 0 (4), bytes (8), content up to a multiple of 8
 *
 * An object of index 0 is free space, whose bytes include its own header. The library adds up these bytes without a check.
 */
export function checkText(where: string, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fail = (at: number, got: string) => wrongValue(where, `an HDF5 file at byte ${at}`, got);
  let start = 0;
  while (SIGNATURE.some((byte, i) => byte !== bytes[start + i])) {
    start = Math.max(512, 2 * start);
    if (start < bytes.length) continue;
    refusePage(where, "an HDF5 file", bytes);
    throw fail(0, "no signature of one");
  }
  const sizes = start + ((bytes[start + 8] as number) < 2 ? 13 : 9);
  if (bytes[sizes] !== 8 || bytes[sizes + 1] !== 8) throw fail(sizes, "addresses of other than 8 bytes");
  // Collections do not overlap, so the file bounds the number of objects.
  let left = bytes.length / 8;
  const lengthAt = (p: number): number => view.getUint32(p, true) + 2 ** 32 * view.getUint32(p + 4, true);
  for (let i = bytes.indexOf(0x47); i >= 0 && i + 16 <= bytes.length; i = bytes.indexOf(0x47, i + 1)) {
    if (view.getUint32(i) !== 0x47434f4c || bytes[i + 4] !== 1) continue;
    const end = i + lengthAt(i + 8);
    // The library itself rejects a collection beyond the end of the file.
    if (end > bytes.length) continue;
    for (let p = i + 16; p + 16 <= end; ) {
      const length = lengthAt(p + 8);
      const step = view.getUint16(p, true) === 0 ? length : 16 + 8 * Math.ceil(length / 8);
      if (step < 16 || step > end - p || --left < 0) throw fail(p, "damaged text");
      p += step;
    }
  }
}
