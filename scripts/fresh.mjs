/** Products of builds, each made again where the files that it is made from have changed. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./entries.mjs";

/** The file at `path`, or the sources in the folder there: tests and declarations are no part of a product. */
export function sourcesAt(path) {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true })
    .filter((name) => /\.ts$/.test(name) && !/\.(test|d)\.ts$/.test(name))
    .map((name) => `${path}/${name.replaceAll("\\", "/")}`)
    .sort();
}

/** A digest of the names and contents of all sources at these paths. */
function digestOf(paths) {
  const digest = createHash("sha256");
  for (const file of paths.flatMap(sourcesAt)) digest.update(`${file}\n`).update(readFileSync(join(root, file)));
  return digest.digest("hex");
}

/**
 * Calls `make` of a product unless all its `outputs` are there, made from `inputs` as they are now; all paths begin at the root. The file
 * `stamp` keeps the digest of the inputs. Calls `say` before a product is built.
 */
export async function unlessFresh({ name, stamp, inputs, outputs, make }, say = () => {}) {
  const at = join(root, stamp);
  const digest = digestOf(inputs);
  const isThere = [stamp, ...outputs].every((path) => existsSync(join(root, path)));
  if (isThere && readFileSync(at, "utf8") === digest) return;
  say(name);
  rmSync(at, { force: true }); // a build that fails leaves no stamp
  await make();
  mkdirSync(dirname(at), { recursive: true });
  writeFileSync(at, digest);
}
