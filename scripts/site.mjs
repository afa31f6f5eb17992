/**
 * The site: documents, reference and figures in one frame, as plain files that any host serves from any folder.
 *
 *   npm run site                     writes build/site
 *   npm run site -- --open           writes build/site-open, without a service worker, and opens it in a browser
 *   npm run site -- --origin URL     adds canonical addresses, cards and a map, for a site that is served there
 *   npm run site -- --out FOLDER     writes another folder
 */

import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build as bundle, transform } from "esbuild";
import MiniSearch from "minisearch";
import { apiJson } from "./docs.mjs";
import { root } from "./entries.mjs";
import { ofSite, worker, writeOffline } from "./offline.mjs";
import { apiPages } from "./site/api.mjs";
import { cardPainter } from "./site/cards.mjs";
import { documents, groupsOf, pageOf, sourceOf, targetOf } from "./site/documents.mjs";
import { figureIn, writePosters } from "./site/figures.mjs";
import { documentOf, relative, siteMap } from "./site/frame.mjs";
import { packagesOf, withTexts } from "./site/licences.mjs";
import { render } from "./site/markdown.mjs";
import { siteScripts } from "./site/scripts.mjs";
import { openInBrowser, serveFolder } from "./site/serve.mjs";

const { values: options } = parseArgs({
  options: {
    origin: { type: "string" },
    open: { type: "boolean", default: false },
    out: { type: "string" },
  },
});
const origin = options.origin === undefined ? null : new URL(options.origin.replace(/\/?$/, "/"));
/** Pages that are served for a look have no service worker: it would outlast them at their address. */
const isLook = options.open;
const out = resolve(options.out ?? join(root, isLook ? "build/site-open" : "build/site"));
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

/** The script that runs before anything is drawn: one classic file, which no import delays. */
async function writeTheme() {
  const [{ text }] = (await bundle({ entryPoints: [at("theme.ts")], bundle: true, minify: true, write: false }))
    .outputFiles;
  return asset("theme.js", text);
}

async function assetsOf(script) {
  let style = readFileSync(at("style.css"), "utf8");
  const fonts = {};
  for (const [name, file] of Object.entries(FONTS)) {
    fonts[name] = asset(name, readFileSync(file));
    style = style.replaceAll(`fonts/${name}`, fonts[name].slice("assets/".length));
  }
  const { paletteStyle } = await import("../build/demos/playground/draw/palette.js");
  const css = await transform(paletteStyle() + style, { loader: "css", minify: true });
  return {
    style: asset("site.css", css.code),
    icon: asset("icon.svg", readFileSync(at("icon.svg"))),
    script,
    fonts,
    theme: await writeTheme(),
  };
}

const files = documents();
const groups = groupsOf(files);
groups.find(({ title }) => title === "Reference").pages.unshift({ path: "api/index.html", name: "API" });

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
const scripts = await siteScripts();
cpSync(scripts.folder, out, { recursive: true });
cpSync(join(root, "build/site-data"), join(out, "assets"), { recursive: true });
// Ends the worker that the folder had as a site of its own.
write("play/offline.js", worker());
const assets = await assetsOf(scripts.shell);
/** Packages of others that the site has files or code of. */
const packages = packagesOf([...Object.values(FONTS), ...scripts.modules]);

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
  const figure = (href, label) => figureIn(path, targetOf(file, href)[0], label, (target) => relative(path, target));
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

const json = await apiJson();
// Documents link to names, and names to documents: the sections are read first.
const plain = files
  .filter((file) => file.startsWith("docs/") && !file.includes("contributing"))
  .map((file) => documentPage(file, new Map()));
const { pages: reference, names } = apiPages(json, guidesBy(plain));
const pages = [...files.map((file) => documentPage(file, names)), ...reference];
if (missing.length > 0)
  throw new Error(`site: links that lead to no page or picture:\n${[...new Set(missing)].join("\n")}`);

const tabs = [
  { path: "lessons/index.html", name: "Learn", begins: /^lessons\// },
  { path: "figures/index.html", name: "Figures", begins: /^(figures|equation|zoo|play|neighbours|balance|ring)\// },
  { path: "docs/index.html", name: "Docs", begins: /^(docs|api)\// },
];

const pictureOf = (path) => path.replace(/^(.*)\.html$/, "cards/$1.png");
if (origin !== null) {
  const paint = await cardPainter([...Object.values(FONTS), SIGNS]);
  for (const page of pages) {
    // Pages of names have the card of their entry.
    page.card = pictureOf(page.path.replace(/^(api\/[\w-]+\/).*$/, "$1index.html"));
    if (page.card === pictureOf(page.path)) write(page.card, paint(page));
  }
  write("sitemap.xml", siteMap(pages, origin));
}
for (const page of pages) write(page.path, documentOf(page, { assets, tabs, version, origin, isLook }));

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

if (isLook) write("offline.js", worker());
else writeOffline(out, ofSite);
console.log(
  `${out}: ${pages.length} pages${origin === null ? "; without --origin there are no canonical addresses, no cards and no map" : ""}`,
);

if (isLook) {
  const address = await serveFolder(out);
  console.log(address);
  openInBrowser(address);
}
