/** Figures in pages of the site: their posters, and the elements that stand for them. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../entries.mjs";
import { FIGURES } from "./frame.mjs";
import { escapeHtml } from "./markdown.mjs";

const BUILT = join(root, "build/demos/playground/figures");

const { SvgPen } = await import(join(root, "build/demos/playground/draw/pen.js"));
const { LIGHT, DARK } = await import(join(root, "build/demos/playground/draw/palette.js"));

export { LIGHT };

/** Posters by the names of their figures, from the folders of figures. */
export const posters = new Map();
for (const name of readdirSync(BUILT).sort()) {
  const path = join(BUILT, name, "poster.js");
  if (existsSync(path)) posters.set(name, (await import(path)).poster);
}

for (const name of posters.keys()) {
  const path = join(root, "demos/playground/figures", name, "weights.bin");
  if (!existsSync(path)) continue;
  const { SHA256 } = await import(join(BUILT, name, "weights.js"));
  const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (digest !== SHA256) throw new Error(`site: expected ${path} with the digest ${SHA256}, got ${digest}`);
}

/** Widths in CSS pixels of a poster on a page of its own, in a column of text, and on a phone. */
const WHOLE = 1200;
const WIDE = 720;
const NARROW = 358;
const NAMES = { [WHOLE]: "whole", [WIDE]: "wide", [NARROW]: "narrow" };

/** The poster of a figure as a document of SVG. */
export function posterOf(name, width = WIDE, palette = LIGHT) {
  const poster = posters.get(name);
  const height = poster.heightFor(width);
  const pen = new SvgPen();
  poster.paint(pen, width, height, palette);
  return pen.document(width, height, palette.paper);
}

const pathOf = (name, width, look) => `assets/figures/${name}-${NAMES[width]}-${look}.svg`;

/** Writes all posters, for each width and both looks. */
export function writePosters(write) {
  const hasPage = (name) => Object.values(FIGURES).includes(name);
  for (const name of posters.keys()) {
    for (const width of [...(hasPage(name) ? [WHOLE] : []), WIDE, NARROW]) {
      write(pathOf(name, width, "light"), posterOf(name, width, LIGHT));
      write(pathOf(name, width, "dark"), posterOf(name, width, DARK));
    }
  }
}

/** Where a figure has the picture of a phone: on one, and in a column of its own beside a wide text. */
const SMALL = "(max-width: 600px)";
const NARROW_PLACES = { nano: [SMALL, "(min-width: 1024px)"] };
/** Where a page has room for a figure of the whole width. */
const LARGE = ["(min-width: 1248px)"];
const DARKNESS = "(prefers-color-scheme: dark)";

/**
 * The element of the figure whose poster the page at `path` shows at `target`; undefined where `target` is no poster. On a page of its own the
 * figure has the whole width.
 */
export function figureIn(path, target, label, link) {
  const name = /^docs\/figures\/([\w-]+)\.svg$/.exec(target)?.[1];
  if (name === undefined) return undefined;
  if (!posters.has(name))
    throw new Error(`site: ${target}: no figure has this name, among ${[...posters.keys()].join(", ")}`);
  // Each picture keeps its own place until it comes.
  const sizeOf = (width) => `width="${width}" height="${posters.get(name).heightFor(width)}"`;
  const source = (width, look, media) =>
    `<source srcset="${link(pathOf(name, width, look))}" media="${media}" ${sizeOf(width)}>`;
  const sources = (width, places) =>
    source(width, "dark", places.map((place) => `${place} and ${DARKNESS}`).join(", ")) +
    source(width, "light", places.join(", "));
  return (
    `<snn-figure name="${name}"><picture>` +
    sources(NARROW, NARROW_PLACES[name] ?? [SMALL]) +
    (FIGURES[path] === name ? sources(WHOLE, LARGE) : "") +
    source(WIDE, "dark", DARKNESS) +
    `<img src="${link(pathOf(name, WIDE, "light"))}" ${sizeOf(WIDE)} alt="${escapeHtml(label)}">` +
    "</picture></snn-figure>"
  );
}
