/**
 * The Node versions that results are compared on: the running one, and a pinned release of every other major.
 *
 * As dev dependencies the others would shadow `node` in every npm script.
 */
import { join } from "node:path";
import { cached } from "./cache.mjs";

const PINNED = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" };

const platform = process.platform === "win32" ? "win" : process.platform;
const executable = process.platform === "win32" ? "bin/node.exe" : "bin/node";
const running = process.versions.node.split(".")[0];

/** Name and path of every version; installs what is missing. */
export function nodes() {
  const others = Object.keys(PINNED).filter((major) => major !== running);
  const packages = others.map((major) => [`node-${major}`, `npm:node-${platform}-${process.arch}@${PINNED[major]}`]);
  const folder = cached("nodes", Object.fromEntries(packages));
  return [running, ...others].sort().map((major) => {
    const path = major === running ? process.execPath : join(folder, "node_modules", `node-${major}`, executable);
    return { name: `Node ${major === running ? process.versions.node : PINNED[major]}`, path };
  });
}
