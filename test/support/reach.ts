/** Tests run kernels where they import these, directly or by way of other files. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** Names in the place of paths, as the configuration of the tests has them. */
export type Aliases = readonly { readonly find: string | RegExp; readonly replacement: string }[];

/** Statements that import more than types, and calls; the path is missing where it is known at run time alone. */
const IMPORT = /^(?:import|export)\s(?!type\s)[^"']*?"([^"]+)"|\bimport\(\s*(?:"([^"]+)")?/gm;

/** The modules of the kernels. */
const KERNELS = /\/kernels\/build\/[\w-]*(release|debug|relaxed)\.ts$/;

/** The imports of each file that was read already. */
const known = new Map<string, readonly (string | null)[]>();

/** The imports of a file, as paths of files of the project; null stands for a path that is known at run time alone. */
function importsOf(file: string, aliases: Aliases): readonly (string | null)[] {
  const before = known.get(file);
  if (before !== undefined) return before;
  const isCode = /\.m?[jt]s$/.test(file) && !KERNELS.test(file) && existsSync(file);
  const statements = isCode ? [...readFileSync(file, "utf8").matchAll(IMPORT)] : [];
  const imports = statements.flatMap(([, stated, called]) => {
    const name = stated ?? called;
    if (name === undefined) return [null];
    if (name.startsWith(".")) return [resolve(dirname(file), name)];
    const alias = aliases.find(({ find }) => (typeof find === "string" ? find === name : find.test(name)));
    return alias === undefined ? [] : [name.replace(alias.find, alias.replacement)];
  });
  known.set(file, imports);
  return imports;
}

/** The file, and all files that it imports, directly or by way of others. */
function reachable(file: string, aliases: Aliases): ReadonlySet<string | null> {
  const found = new Set<string | null>([file]);
  for (const path of found) if (path !== null) for (const next of importsOf(path, aliases)) found.add(next);
  return found;
}

/** Whether a test may run kernels: it imports them, or something that is known at run time alone. */
export const reachesKernels = (file: string, aliases: Aliases): boolean =>
  [...reachable(file, aliases)].some((path) => path === null || KERNELS.test(path));
