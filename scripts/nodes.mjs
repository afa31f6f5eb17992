/**
 * The Node versions that results are compared on: the running one, a pinned release of every other major, and one for each processor
 * that this machine emulates.
 *
 * As dev dependencies the others would shadow `node` in every npm script.
 */
import { join } from "node:path";
import { cached } from "./cache.mjs";
import { isThere } from "./machine.mjs";

const PINNED = { 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" };
/** The first version that `engines` of package.json allows. */
const OLDEST = "20.0.0";

const platform = process.platform === "win32" ? "win" : process.platform;
const executable = process.platform === "win32" ? "bin/node.exe" : "bin/node";
const running = process.versions.node.split(".")[0];

/** Name and command of every version; installs missing ones. */
export function nodes() {
  const others = Object.keys(PINNED).filter((major) => major !== running);
  const packages = others.map((major) => [`node-${major}`, `npm:node-${platform}-${process.arch}@${PINNED[major]}`]);
  const folder = cached("nodes", Object.fromEntries(packages));
  return [running, ...others].sort().map((major) => {
    const path = major === running ? process.execPath : join(folder, "node_modules", `node-${major}`, executable);
    return { name: `Node ${major === running ? process.versions.node : PINNED[major]}`, command: [path] };
  });
}

/** The path of the oldest version that runs the package; installs it where it is missing. */
export function oldestNode() {
  const folder = cached("oldest-node", { node: `npm:node-${platform}-${process.arch}@${OLDEST}` });
  return join(folder, "node_modules/node", executable);
}

/** Name, arguments before the program, and the path in its package, of the runtimes beside Node. */
const OTHERS = {
  deno: {
    name: "Deno",
    version: "2.9.6",
    packages: { "linux-x64": "@deno/linux-x64-glibc", "linux-arm64": "@deno/linux-arm64-glibc" },
    path: "deno",
    args: ["run", "--allow-all"],
  },
  bun: {
    name: "Bun",
    version: "1.4.5",
    packages: { "linux-x64": "@oven/bun-linux-x64", "linux-arm64": "@oven/bun-linux-aarch64" },
    path: "bin/bun",
    args: [],
  },
};

/** Name and command of Deno and Bun, if a package for this platform exists; installs missing ones. */
export function otherRuntimes() {
  const there = Object.values(OTHERS).flatMap(({ name, version, packages, path, args }) => {
    const found = packages[`${platform}-${process.arch}`];
    return found === undefined ? [] : [{ name: `${name} ${version}`, found, version, path, args }];
  });
  const folder = cached("runtimes", Object.fromEntries(there.map(({ found, version }) => [found, version])));
  return there.map(({ name, found, path, args }) => ({
    name,
    command: [join(folder, "node_modules", found, path), ...args],
  }));
}

/** Processors that QEMU emulates: its program, the folder of C libraries for them, and Debian's packages of both. */
const EMULATED = {
  arm64: {
    name: "ARM64",
    version: PINNED[24],
    qemu: "/usr/bin/qemu-aarch64",
    libraries: "/usr/aarch64-linux-gnu",
    packages: "qemu-user libc6-arm64-cross libstdc++6-arm64-cross",
  },
  s390x: {
    name: "s390x",
    version: "20.11.0",
    qemu: "/usr/bin/qemu-s390x",
    libraries: "/usr/s390x-linux-gnu",
    packages: "qemu-user libc6-s390x-cross libstdc++6-s390x-cross",
    isBigEndian: true,
  },
};

/** Name and command of Node for every other processor of this order of bytes that this machine can emulate; installs missing ones. */
export function emulatedNodes({ isBigEndian }) {
  const others = Object.entries(EMULATED).filter(
    ([arch, { name, qemu, libraries, packages, isBigEndian: isBig = false }]) =>
      isBig === isBigEndian &&
      arch !== process.arch &&
      isThere(name, [qemu, `${libraries}/lib/libstdc++.so.6`], packages),
  );
  return others.map(([arch, { name, version, qemu, libraries }]) => {
    // npm refuses packages for other processors, unless it is forced.
    const folder = cached(`node-${arch}`, { [`node-linux-${arch}`]: version }, ["--force"]);
    const path = join(folder, "node_modules", `node-linux-${arch}`, "bin/node");
    return { name: `Node ${version}, ${name}`, command: [qemu, "-L", libraries, path] };
  });
}
