/** Packages of the npm registry that are not dependencies, each set in a separate folder below .cache. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./entries.mjs";

/** The folder .cache/`name` with these packages in its node_modules; installs them, with further npm flags, if they are missing. */
export function cached(name, dependencies, flags = []) {
  const folder = join(root, ".cache", name);
  const manifest = join(folder, "package.json");
  const wanted = JSON.stringify({ private: true, dependencies }, null, 2);
  const isThere = (name) => existsSync(join(folder, "node_modules", name, "package.json"));
  if (existsSync(manifest) && readFileSync(manifest, "utf8") === wanted && Object.keys(dependencies).every(isThere)) {
    return folder;
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(manifest, wanted);
  console.error(`${name}: installing ${Object.values(dependencies).join(", ")} into .cache/${name}`);
  const options = ["install", "--ignore-scripts", "--no-bin-links", "--no-package-lock", "--no-audit", "--no-fund"];
  execFileSync("npm", [...options, ...flags], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  return folder;
}
