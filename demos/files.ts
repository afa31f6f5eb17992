/** Files of the demos: whole or absent where the demos write, and with their path in errors where they read. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { FlagError } from "./options.ts";

/** Writes a file with the folders of its path; the path has the whole content or, after a stop, nothing new. */
export function writeWhole(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`; // two processes may make the same file
  writeFileSync(part, content);
  renameSync(part, path);
}

/**
 * A file of a data set, as `read` takes its bytes.
 *
 * @throws FlagError with the path where there is no file, and for a RangeError of `read`; Error with the path for others.
 */
export async function dataFile<T>(path: string, read: (bytes: Buffer) => T | Promise<T>): Promise<T> {
  if (!existsSync(path)) throw new FlagError(`${path}: expected a file of the data set, got none`);
  try {
    return await read(readFileSync(path));
  } catch (cause) {
    const Kind = cause instanceof RangeError ? FlagError : Error;
    throw new Kind(`${path}: ${(cause as Error).message}`, { cause });
  }
}
