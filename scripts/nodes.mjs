/**
 * The Node versions that results are compared on: the running one, and a pinned release of every other major.
 *
 * The others come from the npm registry into .cache/nodes, a folder of their own: as dev dependencies they would shadow
 * `node` in every npm script.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PINNED = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" };

const folder = join(dirname(fileURLToPath(import.meta.url)), "../.cache/nodes");
const platform = process.platform === "win32" ? "win" : process.platform;
const executable = process.platform === "win32" ? "bin/node.exe" : "bin/node";
const running = process.versions.node.split(".")[0];

const pathOf = (major) => join(folder, "node_modules", `node-${major}`, executable);

function versionOf(path) {
  return existsSync(path) ? execFileSync(path, ["--version"], { encoding: "utf8" }).trim().slice(1) : "none";
}

function install(majors) {
  const dependencies = {};
  for (const major of majors) dependencies[`node-${major}`] = `npm:node-${platform}-${process.arch}@${PINNED[major]}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }, null, 2));
  console.log(`nodes: installing ${majors.map((major) => PINNED[major]).join(", ")} into .cache/nodes`);
  const options = ["install", "--ignore-scripts", "--no-bin-links", "--no-package-lock", "--no-audit", "--no-fund"];
  execFileSync("npm", options, { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
}

/** Name and path of every version; installs what is missing. */
export function nodes() {
  const others = Object.keys(PINNED).filter((major) => major !== running);
  const isWrong = (major) => versionOf(pathOf(major)) !== PINNED[major];
  if (others.some(isWrong)) install(others);
  for (const major of others) {
    if (isWrong(major)) {
      const found = versionOf(pathOf(major));
      throw new Error(
        `nodes: expected Node ${PINNED[major]} in .cache/nodes, found ${found}; delete the folder and retry`,
      );
    }
  }
  return [running, ...others].sort().map((major) => {
    const path = major === running ? process.execPath : pathOf(major);
    return { name: `Node ${major === running ? process.versions.node : PINNED[major]}`, path };
  });
}
