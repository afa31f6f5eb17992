/** Converts TypeScript to JavaScript, one file in build/ per source: types are removed, and imports name the built files. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transformWithOxc } from "vite";
import { root } from "./entries.mjs";
import { sourcesAt } from "./fresh.mjs";

/** Oxc renames the file of an import that is a literal; the name in a template is renamed here. */
const TEMPLATE = /(?<=\bimport\(`\.[^`]*)\.ts(?=`\))/g;

async function transpileFile(file) {
  const path = join(root, file);
  const options = { sourcemap: false, target: "es2022", typescript: { rewriteImportExtensions: "rewrite" } };
  const { code } = await transformWithOxc(readFileSync(path, "utf8"), path, options);
  const out = join(root, "build", file.replace(/\.ts$/, ".js"));
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, code.replace(TEMPLATE, ".js"));
}

/** Writes the files of a folder; those of sources that are gone go too, and declarations, which `npm run types` writes beside them, stay. */
export async function transpile(folder) {
  const out = join(root, "build", folder);
  const old = existsSync(out) ? readdirSync(out, { recursive: true }) : [];
  for (const name of old) if (name.endsWith(".js")) rmSync(join(out, name));
  for (const file of sourcesAt(folder)) await transpileFile(file);
}
