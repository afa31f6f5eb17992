/** What the tests of the playground share. */
import { execFileSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The folder of the built page. */
export const site = join(root, "build/playground");

/** The same run in Node, by the command that the page shows. */
export function inNode(command) {
  const flags = [...command.matchAll(/--(\w+)="?([^"\s]*)"?/g)].map(([, name, value]) => `--${name}=${value}`);
  const program = join(root, "build/demos/playground/reproduce.js");
  return execFileSync(process.execPath, [program, ...flags], { encoding: "utf8" }).match(/sha256=(\w+)/)[1];
}
