/** The package as programs of the pages import it: the files of dist/, in a folder whose name tells their content. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../entries.mjs";

/** Entries that no page loads. */
const ABSENT = ["./node", "./threads/worker"];

/** Writes the files into a folder of the site; returns the paths of the entries by the names that programs import. */
export function writePackage(folder) {
  const dist = join(root, "dist");
  const paths = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".js"));
  const digest = createHash("sha256");
  const files = new Map();
  for (const path of paths.map((path) => path.replaceAll("\\", "/")).sort()) {
    // The site has no maps.
    const code = readFileSync(join(dist, path), "utf8").replace(/^\/\/# sourceMappingURL=.*$/m, "");
    files.set(path, code);
    digest.update(path).update(code);
  }
  const place = `package/${digest.digest("hex").slice(0, 8)}`;
  for (const [path, code] of files) {
    const file = join(folder, place, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return Object.fromEntries(
    Object.entries(exports)
      .filter(([name, { default: path }]) => path !== undefined && !ABSENT.includes(name))
      .map(([name, { default: path }]) => [`jarvis-snn${name.slice(1)}`, path.replace("./dist", place)]),
  );
}
