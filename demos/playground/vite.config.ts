import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(at("../../package.json"), "utf8")) as { version: string };
const outDir = at("../../build/playground");

/** Writes the service worker beside the built page, with the list of all its files. */
const offline: Plugin = {
  name: "offline",
  apply: "build",
  closeBundle() {
    const paths = readdirSync(outDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        join(parentPath, name)
          .slice(outDir.length + 1)
          .replaceAll("\\", "/"),
      )
      .sort();
    const digest = createHash("sha256");
    for (const path of paths) digest.update(path).update(readFileSync(join(outDir, path)));
    // The page itself is asked for by the name of its folder.
    const files = JSON.stringify(["./", ...paths]);
    const head = `const FILES = ${files};\nconst VERSION = "${digest.digest("hex").slice(0, 16)}";\n`;
    writeFileSync(join(outDir, "offline.js"), head + readFileSync(at("offline.js"), "utf8"));
  },
};

/** The name of the package leads to the site around the page. */
const home: Plugin = {
  name: "home",
  transformIndexHtml: (html) => html.replace(/(<h1>)([\s\S]*?)(<\/h1>)/, '$1<a href="../">$2</a>$3'),
};

/**
 * Relative addresses: the built page works from any folder of any server, and needs nothing from elsewhere. In the mode `site` it is a
 * part of one, whose service worker keeps its files too.
 */
export default defineConfig(({ command, mode }) => ({
  root: at("."),
  base: "./",
  publicDir: at("../../build/playground-data"),
  define: {
    __VERSION__: JSON.stringify(version),
    __OFFLINE__: JSON.stringify(command !== "build" ? "" : mode === "site" ? "../offline.js" : "./offline.js"),
  },
  plugins: [mode === "site" ? home : offline],
  worker: { format: "es" },
  build: { outDir, emptyOutDir: true, target: "es2022", modulePreload: false },
}));
