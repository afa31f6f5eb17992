/** Optional packages that some files need. The first such file loads them. */
import { u32 } from "./decoder.ts";
import { joinedBytes } from "./input.ts";

/**
 * The package that `load` imports.
 *
 * @throws Error that names the package, where none can be loaded.
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

/** A function that unpacks frames of Zstandard, which throws for damage and for more than `most` bytes. */
export async function zstdOf(where: string): Promise<(frame: Uint8Array, most: number) => Uint8Array> {
  const { Decompress } = await peerOf(where, "fzstd", "packets compressed by Zstandard", () => import("fzstd"));
  return (frame, most) => {
    // The window has 2^(10 + e)·(1 + m/8) bytes, unless the frame is its own window.
    const isWhole = ((frame[4] as number) & 0x20) !== 0;
    const sizeFlag = (frame[4] as number) >> 6;
    const window = isWhole
      ? sizeFlag > 1 && u32(frame, 5) + (sizeFlag > 2 ? 2 ** 32 * u32(frame, 9) : 0)
      : 2 ** (10 + ((frame[5] as number) >> 3));
    if (u32(frame, 0) !== ZSTD_MAGIC || Number(window) > most) throw new RangeError("zstd: expected a frame");
    const parts: Uint8Array[] = [];
    let length = 0;
    const stream = new Decompress((part) => {
      parts.push(part);
      length += part.length;
      if (length > most) throw new RangeError(`zstd: expected at most ${most} bytes`);
    });
    stream.push(frame, true);
    return joinedBytes(parts);
  };
}
