/**
 * The site: documents, reference and playground in one shell, as plain files that any host serves from any folder.
 *
 *   npm run site                     writes build/site
 *   npm run site -- --open           opens it in a browser, from a server of its own
 *   npm run site -- --origin URL     adds canonical addresses, cards and a map, for a site that is served there
 *   npm run site -- --out FOLDER     writes another folder
 */

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { transform } from "esbuild";
import MiniSearch from "minisearch";
import { build } from "vite";
import { apiModel } from "./docs.mjs";
import { root } from "./entries.mjs";
import { apiPages } from "./site/api.mjs";
import { cardPainter } from "./site/cards.mjs";
import { documents, groupsOf, pageOf, sourceOf, targetOf } from "./site/documents.mjs";
import { figureIn, writePosters } from "./site/figures.mjs";
import { addressTags, documentOf, relative, siteMap } from "./site/frame.mjs";
import { packagesOf, withTexts } from "./site/licences.mjs";
import { render } from "./site/markdown.mjs";
import { openInBrowser, serveFolder } from "./site/serve.mjs";

const { values: options } = parseArgs({
  options: {
    origin: { type: "string" },
    open: { type: "boolean", default: false },
    out: { type: "string", default: join(root, "build/site") },
  },
});
const origin = options.origin === undefined ? null : new URL(options.origin.replace(/\/?$/, "/"));
const out = resolve(options.out);
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

rmSync(out, { recursive: true, force: true });

const fontsource = (path) => join(root, "node_modules/@fontsource", path);

const FONTS = {
  "serif.woff2": fontsource("source-serif-4/files/source-serif-4-latin-400-normal.woff2"),
  "serif-greek.woff2": fontsource("source-serif-4/files/source-serif-4-greek-400-normal.woff2"),
  "serif-bold.woff2": fontsource("source-serif-4/files/source-serif-4-latin-600-normal.woff2"),
  "sans.woff2": fontsource("source-sans-3/files/source-sans-3-latin-400-normal.woff2"),
  "sans-bold.woff2": fontsource("source-sans-3/files/source-sans-3-latin-600-normal.woff2"),
  "mono.woff2": fontsource("jetbrains-mono/files/jetbrains-mono-latin-400-normal.woff2"),
  "mono-greek.woff2": fontsource("jetbrains-mono/files/jetbrains-mono-greek-400-normal.woff2"),
};

/** A font of signs that those above lack, ∂ and ≤ among them: cards are painted with it, pages take such signs from the reader's fonts. */
const SIGNS = fontsource("noto-sans-math/files/noto-sans-math-latin-400-normal.woff2");

/** Paths of the modules that have code in scripts of the site. */
const modules = [];

async function buildPage(config) {
  const { output } = await build(config);
  modules.push(...output.flatMap(({ moduleIds = [] }) => moduleIds));
  return { output };
}

/** Writes a file of the site, at its path from the root of it. */
function write(path, content) {
  mkdirSync(dirname(join(out, path)), { recursive: true });
  writeFileSync(join(out, path), content);
}

/** Writes a file whose name tells its content, so that a newer version is another file; returns its path. */
function asset(name, content) {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 8);
  const path = `assets/${name.slice(0, -extname(name).length)}-${digest}${extname(name)}`;
  write(path, content);
  return path;
}

const at = (path) => join(root, "demos/playground/site", path);

/** Writes the scripts of pages, of their figures and of the worker; returns a function that gives the path of a page's script by its name. */
async function writeScripts() {
  const { output } = await buildPage({
    configFile: false,
    root: join(root, "demos/playground"),
    base: "./",
    publicDir: false,
    logLevel: "warn",
    define: { __OFFLINE__: "true" },
    worker: { format: "es" },
    build: {
      outDir: out,
      emptyOutDir: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: {
        input: { shell: at("shell.ts"), theme: at("theme.ts") },
        output: { entryFileNames: "assets/[name]-[hash].js" },
      },
    },
  });
  return (script) => output.find(({ isEntry, name }) => isEntry && name === script).fileName;
}

async function assetsOf() {
  let style = readFileSync(at("style.css"), "utf8");
  for (const [name, file] of Object.entries(FONTS)) {
    const path = asset(name, readFileSync(file));
    style = style.replace(`fonts/${name}`, path.slice("assets/".length));
  }
  const script = await writeScripts();
  const { paletteStyle } = await import("../build/demos/playground/figures/palette.js");
  const css = await transform(paletteStyle() + style, { loader: "css", minify: true });
  return {
    style: asset("site.css", css.code),
    icon: asset("icon.svg", readFileSync(at("icon.svg"))),
    script: script("shell"),
    theme: script("theme"),
  };
}

const files = documents();
const groups = groupsOf(files);

/** Pages of documents by the public names that stand in code in their headings or texts, the most fitting first. */
function guidesBy(pages) {
  const guides = new Map();
  for (const { path, title, sections } of pages) {
    for (const { heading, id, words } of sections) {
      const counts = new Map();
      for (const [name] of words.matchAll(/\b[A-Za-z]\w+\b/g)) counts.set(name, (counts.get(name) ?? 0) + 1);
      for (const [name, count] of counts) {
        const weight = new RegExp(`\\b${name}\\b`).test(heading) ? 1000 + count : count;
        const place = {
          path: id === "" ? path : `${path}#${id}`,
          name: id === "" ? title : `${title}: ${heading}`,
          weight,
        };
        guides.set(name, [...(guides.get(name) ?? []), place]);
      }
    }
  }
  return (name) =>
    (guides.get(name) ?? [])
      .filter(({ weight }) => weight > 1)
      .sort((a, b) => b.weight - a.weight)
      .slice(0, 3);
}

const missing = [];
writePosters(write);
const assets = await assetsOf();
await buildPage({
  configFile: join(root, "demos/playground/vite.config.ts"),
  mode: "site",
  logLevel: "warn",
  build: { outDir: join(out, "play") },
});
/** Packages of others that the site has files or code of. */
const packages = packagesOf([...Object.values(FONTS), ...modules]);

function documentPage(file, names) {
  const path = pageOf(file);
  const link = (href) => {
    if (/^[a-z]+:/i.test(href)) return href;
    const [target, hash] = targetOf(file, href);
    const page = files.includes(target) ? pageOf(target) : undefined;
    if (page !== undefined) return relative(path, page + hash);
    if (!existsSync(join(root, target))) missing.push(`${file}: ${href}`);
    if (!/\.(svg|webp|png|gif)$/.test(target)) missing.push(`${file}: ${href}, which is no page`);
    if (!existsSync(join(out, target))) {
      mkdirSync(dirname(join(out, target)), { recursive: true });
      cpSync(join(root, target), join(out, target));
    }
    return relative(path, target);
  };
  const figure = (href, label) => figureIn(targetOf(file, href)[0], label, (target) => relative(path, target));
  const name = (code) => {
    const target = names.get(code.replace(/\(\)$/, ""));
    return target === undefined ? undefined : relative(path, target);
  };
  const source = file === "docs/licences.md" ? withTexts(sourceOf(file), packages) : sourceOf(file);
  const page = render(source, { link, name, figure });
  const [first = ""] = page.sections.filter(({ words }) => words !== "").map(({ words }) => words);
  const description = (/^[\s\S]*?[.](?=\s|$)/.exec(first)?.[0] ?? page.title).slice(0, 200);
  const own = groups.filter(({ pages }) => pages.some((each) => each.path.startsWith("lessons/")));
  return { path, ...page, description, groups: path.startsWith("lessons/") ? own : groups };
}

const model = await apiModel();
if (model === null) process.exit(1);
const json = model.app.serializer.projectToObject(model.project, root);
// Documents link to names, and names to documents: the sections are read first.
const plain = files
  .filter((file) => file.startsWith("docs/") && !file.includes("contributing"))
  .map((file) => documentPage(file, new Map()));
const { pages: reference, names } = apiPages(json, guidesBy(plain));
const pages = [...files.map((file) => documentPage(file, names)), ...reference];
if (missing.length > 0)
  throw new Error(`site: links that lead to no page or picture:\n${[...new Set(missing)].join("\n")}`);

const tabs = [
  { path: "lessons/index.html", name: "Lessons", begins: "lessons/" },
  { path: "docs/index.html", name: "Documents", begins: "docs/" },
  { path: "api/index.html", name: "API", begins: "api/" },
  { path: "equation/index.html", name: "Equation", begins: "equation/" },
  { path: "play/index.html", name: "Play", begins: "play/" },
].filter(({ path }) => path === "play/index.html" || pages.some((page) => page.path === path));

const pictureOf = (path) => path.replace(/^(.*)\.html$/, "cards/$1.png");
if (origin !== null) {
  const play = {
    path: "play/index.html",
    title: "Playground",
    description: "One neuron, spike codes, a network that learns, and drawn digits, to play with in the browser.",
    html: "",
  };
  const paint = await cardPainter([...Object.values(FONTS), SIGNS]);
  const shown = [...pages, play];
  for (const page of shown) {
    // Pages of names have the card of their entry.
    page.card = pictureOf(page.path.replace(/^(api\/[\w-]+\/).*$/, "$1index.html"));
    if (page.card === pictureOf(page.path)) write(page.card, paint(page));
  }
  const html = readFileSync(join(out, play.path), "utf8");
  write(play.path, html.replace("</title>", `</title>\n${addressTags(play, origin)}`));
  write("sitemap.xml", siteMap(shown, origin));
}
for (const page of pages) write(page.path, documentOf(page, { assets, tabs, version, origin }));

const search = new MiniSearch(JSON.parse(readFileSync(at("search.json"), "utf8")));
search.addAll(
  pages
    .flatMap(({ path, title, sections }) =>
      sections
        .filter(({ heading, words }) => heading !== "" || words !== "")
        .map(({ heading, id, words }) => ({
          id: id === "" ? path : `${path}#${id}`,
          title,
          heading: heading === title ? "" : heading,
          words: words.slice(0, 2000),
        })),
    )
    .filter(({ id }, i, all) => all.findIndex((other) => other.id === id) === i),
);
write("assets/search.json", JSON.stringify(search));

/** Whether a file is asked for at once: the shell, the first pages, lessons, figures and the playground; the rest is kept when it is visited. */
const isFirst = (path) =>
  /^(index\.html|docs\/(index|getting-started)\.html|(equation|lessons|zoo|play)\/.*|assets\/(?!search\.json$).*)$/.test(
    path,
  );

const paths = readdirSync(out, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) =>
    join(parentPath, name)
      .slice(out.length + 1)
      .replaceAll("\\", "/"),
  )
  .sort();
const digest = createHash("sha256");
for (const path of paths) digest.update(path).update(readFileSync(join(out, path)));
// A page that is the first of its folder is asked for by the name of the folder.
const kept = paths.filter(isFirst).map((path) => path.replace(/(^|\/)index\.html$/, "$1") || "./");
const head = `const FILES = ${JSON.stringify(kept)};\nconst VERSION = "${digest.digest("hex").slice(0, 16)}";\n`;
write("offline.js", head + readFileSync(join(root, "demos/playground/offline.js"), "utf8"));
console.log(
  `build/site: ${pages.length} pages${origin === null ? "; without --origin there are no canonical addresses, no cards and no map" : ""}`,
);

if (options.open) {
  const address = await serveFolder(out);
  console.log(address);
  openInBrowser(address);
}
