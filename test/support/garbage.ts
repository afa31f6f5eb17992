/** Collects garbage while a test waits: what owned memory gives it back between two tasks, and not while bytes are counted later. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const gc: () => void = runInNewContext("gc");

/** Resolves once what is garbage now has given its memory back. */
export async function collected(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
