/** The scripts of pages and of their figures: every build of the site has the same, made again where a source has changed. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { root } from "../entries.mjs";
import { unlessFresh } from "../fresh.mjs";
import { writePackage } from "./package.mjs";

const FOLDER = "build/site-scripts";
const MADE = "build/site-scripts.json";
const SITE = "demos/playground/site";

/** What pages load besides scripts: texts, styles, weights. */
const otherFiles = () =>
  readdirSync(join(root, "demos"), { recursive: true })
    .map((path) => `demos/${path.replaceAll("\\", "/")}`)
    .filter((path) => /\.(html|css|json|bin|svg)$/.test(path))
    .sort();

/** Writes the shell with the figures, the workers and the package into the folder. */
async function make() {
  const folder = join(root, FOLDER);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const modules = [];
  const noted = {
    name: "noted",
    generateBundle: (_, files) => modules.push(...Object.values(files).flatMap(({ moduleIds = [] }) => moduleIds)),
  };
  const { output } = await build({
    configFile: false,
    plugins: [noted],
    root: join(root, "demos/playground"),
    base: "./",
    publicDir: false,
    logLevel: "warn",
    define: { __VERSION__: JSON.stringify(version), __ENTRIES__: JSON.stringify(writePackage(folder)) },
    worker: { format: "es", plugins: () => [noted] },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: { shell: join(root, SITE, "shell.ts") },
        output: { entryFileNames: "assets/[name]-[hash].js" },
      },
    },
  });
  const { fileName: shell } = output.find(({ isEntry, name }) => isEntry && name === "shell");
  writeFileSync(join(root, MADE), JSON.stringify({ shell, modules }));
}

/** The folder of the scripts, the path of the shell in it, and the paths of the modules that have code in them. */
export async function siteScripts() {
  await unlessFresh({
    name: "the scripts of the site",
    stamp: "build/site-scripts.sha256",
    inputs: [
      ...["demos", ...otherFiles(), "build/dist.sha256", "package-lock.json"],
      ...["scripts/site/scripts.mjs", "scripts/site/package.mjs"],
    ],
    outputs: [FOLDER, MADE],
    make,
  });
  return { folder: join(root, FOLDER), ...JSON.parse(readFileSync(join(root, MADE), "utf8")) };
}
