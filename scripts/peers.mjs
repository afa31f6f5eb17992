/**
 * The JavaScript libraries that the benchmarks can be run against, in .cache/peers, a folder of their own: none of them is
 * a dependency of ours.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PINNED = {
  "@jax-js/jax": "0.1.25",
  "@tensorflow/tfjs": "4.22.0",
  "@tensorflow/tfjs-backend-wasm": "4.22.0",
  "onnxruntime-web": "1.30.0",
};

const folder = join(dirname(fileURLToPath(import.meta.url)), "../.cache/peers");

function isInstalled([name, version]) {
  const path = join(folder, "node_modules", name, "package.json");
  return existsSync(path) && JSON.parse(readFileSync(path, "utf8")).version === version;
}

/** The folder with the packages; installs them if one is missing. */
export function peers() {
  if (Object.entries(PINNED).every(isInstalled)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: PINNED }, null, 2));
  console.log(`peers: installing ${Object.keys(PINNED).join(", ")} into .cache/peers`);
  const options = ["install", "--ignore-scripts", "--no-bin-links", "--no-package-lock", "--no-audit", "--no-fund"];
  execFileSync("npm", options, { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
  return folder;
}
