/** Optional packages, loaded by the first file that needs them. */
import { u32 } from "./decoder.ts";
import { joinedBytes } from "./input.ts";

/**
 * Imports a package by `load`.
 *
 * @throws Error with the name of the package if it cannot be loaded.
 */
export async function peerOf<T>(where: string, name: string, purpose: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new Error(
      `${where}: expected the package ${name}, which reads ${purpose}, got none that can be loaded; install it: npm install ${name}`,
      { cause },
    );
  }
}

export const ZSTD_MAGIC = 0xfd2fb528;

/** Aborts the decompression of a frame that is too long. */
const TOO_LONG = new Error("zstd: too many bytes");

/** Returns a function that decompresses Zstandard frames: null for more than `most` bytes; throws for damage. */
export async function zstdOf(where: string): Promise<(frame: Uint8Array, most: number) => Uint8Array | null> {
  const { Decompress } = await peerOf(where, "fzstd", "packets compressed by Zstandard", () => import("fzstd"));
  return (frame, most) => {
    // The window has 2^(10 + e)·(1 + m/8) bytes, unless the frame is its own window.
    const isWhole = ((frame[4] as number) & 0x20) !== 0;
    const sizeFlag = (frame[4] as number) >> 6;
    const window = isWhole
      ? sizeFlag > 1 && u32(frame, 5) + (sizeFlag > 2 ? 2 ** 32 * u32(frame, 9) : 0)
      : 2 ** (10 + ((frame[5] as number) >> 3));
    if (u32(frame, 0) !== ZSTD_MAGIC) throw new RangeError("zstd: expected a frame");
    if (Number(window) > most) return null;
    const parts: Uint8Array[] = [];
    let length = 0;
    const stream = new Decompress((part) => {
      length += part.length;
      if (length > most) throw TOO_LONG;
      parts.push(part);
    });
    try {
      stream.push(frame, true);
    } catch (error) {
      if (error === TOO_LONG) return null;
      throw error;
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : joinedBytes(parts);
  };
}
