/**
 * The versions of TypeScript that users may compile with: the oldest that reads the declarations of the package, the one that
 * this project is built with, and the newest.
 *
 * As dev dependencies the others would take the place of `tsc` in npm scripts.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { root } from "./entries.mjs";

const PINNED = { oldest: "5.0.4", newest: "7.0.2" };

/** The version of each, and the program to run in Node. */
export function compilers() {
  const packages = Object.entries(PINNED).map(([name, version]) => [name, `npm:typescript@${version}`]);
  const folder = cached("compilers", Object.fromEntries(packages));
  const folders = [
    join(folder, "node_modules/oldest"),
    join(root, "node_modules/typescript"),
    join(folder, "node_modules/newest"),
  ];
  return folders.map((path) => {
    const { version } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
    return { version, tsc: join(path, "bin/tsc") };
  });
}
