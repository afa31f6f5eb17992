import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const { version } = JSON.parse(readFileSync(at("../../package.json"), "utf8")) as { version: string };

/** Relative addresses: the built page works from any folder of any server, and needs nothing from elsewhere. */
export default defineConfig({
  root: at("."),
  base: "./",
  publicDir: at("../../build/playground-data"),
  define: { __VERSION__: JSON.stringify(version) },
  worker: { format: "es" },
  build: { outDir: at("../../build/playground"), emptyOutDir: true, target: "es2022", modulePreload: false },
});
