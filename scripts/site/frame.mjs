/** The frame of every page: bar, lists of pages and of sections, and what a content policy allows. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../entries.mjs";
import { escapeHtml } from "./markdown.mjs";

/** Neither scripts nor styles stand in a page; WebAssembly is compiled, and workers may be texts. */
const POLICY = JSON.parse(readFileSync(join(root, "demos/playground/site/policy.json"), "utf8")).join("; ");

/** The mark of the project, a trace with two spikes, 40 × 16. */
export const MARK_PATH = "M0 12h9l2.5-10L15 14l2-4h6l2.5-8L29 13l2-3h9";
/** The sign of the button for light and dark. */
const HALVES =
  '<svg viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.5" /><path d="M8 1.5a6.5 6.5 0 0 0 0 13z" /></svg>';
const MARK = `<svg viewBox="0 0 40 16" aria-hidden="true"><path d="${MARK_PATH}" /></svg>`;

/** The way from one page to another, both by their paths from the root of the site; the first page of a folder has the folder's address. */
export function relative(from, to) {
  const [, path, hash] = /^([^#]*)(#.*)?$/.exec(to).map((part) => part ?? "");
  if (path === from && hash !== "") return hash;
  const up = "../".repeat(from.split("/").length - 1);
  return (up + path.replace(/(^|\/)index\.html$/, "$1") || "./") + hash;
}

const listOf = (page, groups) =>
  groups
    .map(({ title, pages }) => {
      const items = pages.map(({ path, name }) => {
        const current = path === page.path ? ' aria-current="page"' : "";
        return `<li><a href="${relative(page.path, path)}"${current}>${escapeHtml(name)}</a></li>`;
      });
      return `<h2>${escapeHtml(title)}</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
    })
    .join("\n");

function sectionsOf({ headings }) {
  const shown = headings.filter(({ level }) => level <= 3);
  if (shown.length < 3) return "";
  const items = shown.map(
    ({ level, heading, id }) => `<li class="level-${level}"><a href="#${id}">${escapeHtml(heading)}</a></li>`,
  );
  return `<nav class="sections" aria-label="On this page"><h2>On this page</h2><ul>${items.join("")}</ul></nav>`;
}

const titleOf = ({ path, title }) => (path === "index.html" ? title : `${title} · jarvis-snn`);
const addressOf = ({ path }, origin) => new URL(path.replace(/(^|\/)index\.html$/, "$1"), origin).href;

/** What a page says of its own address, and of the card `page.card` that is shown beside links to it. */
function addressTags(page, origin) {
  const title = escapeHtml(titleOf(page));
  return `<link rel="canonical" href="${addressOf(page, origin)}">
<meta property="og:type" content="website">
<meta property="og:site_name" content="jarvis-snn">
<meta property="og:title" content="${title}">
<meta property="og:description" content="${escapeHtml(page.description)}">
<meta property="og:url" content="${addressOf(page, origin)}">
<meta property="og:image" content="${new URL(page.card, origin).href}">
<meta property="og:image:width" content="1200">
<meta property="og:image:height" content="630">
<meta property="og:image:alt" content="${title}">
<meta name="twitter:card" content="summary_large_image">
`;
}

/** The map of a site for search engines. */
export const siteMap = (pages, origin) =>
  `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
${pages.map((page) => `<url><loc>${escapeHtml(addressOf(page, origin))}</loc></url>`).join("\n")}
</urlset>
`;

/** Pages of one figure, which begin with it, and its name. */
export const FIGURES = {
  "equation/index.html": "equation",
  "zoo/index.html": "zoo",
  "play/index.html": "train",
  "neighbours/index.html": "neighbours",
  "balance/index.html": "balance",
  "ring/index.html": "ring",
};

/** Pages that have the whole width, without lists at their sides; one of the documents has the list of pages above. */
const WHOLE = [...Object.keys(FIGURES), "index.html", "figures/index.html", "docs/nano.html"];

const sidesOf = (page) =>
  `<details class="pages"><summary>Pages</summary><nav aria-label="Pages">
${listOf(page, page.groups)}
</nav></details>
`;

/** What stands in `main`: on the page of a figure no heading stands above it, and the sections are listed beside the text below. */
function contentOf(page) {
  if (FIGURES[page.path] === undefined) return page.html + turnsOf(page);
  const [figure] = /<snn-figure[\s\S]*?<\/snn-figure>/.exec(page.html);
  return `${figure}\n${sectionsOf(page)}\n${page.html.replace(figure, "")}`;
}

/** The name of the first figure that stands directly in `main`, as an attribute for the style sheet. Cards stand in a row of their own. */
function figureOf(content) {
  const name = /^<snn-figure name="(?!card-)([\w-]+)"/m.exec(content)?.[1];
  return name === undefined ? "" : ` data-figure="${name}"`;
}

/** The ways from a lesson to those before and after it. */
function turnsOf(page) {
  const lessons = page.groups.flatMap(({ pages }) => pages).filter(({ path }) => path.startsWith("lessons/"));
  const i = lessons.findIndex(({ path }) => path === page.path);
  if (i < 0) return "";
  const turn = (lesson, rel, text) =>
    lesson === undefined
      ? "<span></span>"
      : `<a class="card-link" rel="${rel}" href="${relative(page.path, lesson.path)}">${escapeHtml(text(lesson.name))}</a>`;
  const [before, after] = [lessons[i - 1], lessons[i + 1]];
  return `\n<nav class="turns" aria-label="Lessons">${turn(before, "prev", (name) => `← ${name}`)}${turn(after, "next", (name) => `${name} →`)}</nav>`;
}

/** Fonts of what stands at the top of every page, and of code where a page has some: asked for with the page, they come before its first picture. */
const fontsOf = ({ html }, { fonts }) =>
  ["sans.woff2", "sans-bold.woff2", "serif.woff2", ...(html.includes("<code") ? ["mono.woff2"] : [])].map(
    (name) => fonts[name],
  );

/**
 * The document of a page: `path` from the root of the site, `title`, `description`, `html` of its content, `headings`, and `groups` of pages
 * for the list beside it. `assets` has the paths of style sheet and scripts, `origin` the address of the site for canonical links, or null. A
 * page that is served for a look has no service worker.
 */
export function documentOf(page, { assets, tabs, version, origin, isLook }) {
  const to = (path) => relative(page.path, path);
  const tab = ({ path, name, begins }) =>
    `<a href="${to(path)}"${begins.test(page.path) ? ' aria-current="true"' : ""}>${name}</a>`;
  const isWhole = WHOLE.includes(page.path);
  const isListed = !isWhole || page.path.startsWith("docs/");
  const content = contentOf(page);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escapeHtml(page.description)}">
<title>${escapeHtml(titleOf(page))}</title>
${origin === null ? "" : addressTags(page, origin)}<link rel="icon" href="${to(assets.icon)}" type="image/svg+xml">
<link rel="stylesheet" href="${to(assets.style)}">
${fontsOf(page, assets)
  .map((font) => `<link rel="preload" as="font" type="font/woff2" href="${to(font)}" crossorigin>`)
  .join("\n")}
<script src="${to(assets.theme)}"></script>
<script type="module" src="${to(assets.script)}"></script>
</head>
<body data-root="${"../".repeat(page.path.split("/").length - 1) || "./"}"${isLook ? " data-look" : ""}>
<a class="skip" href="#content">Skip to the content</a>
<header class="bar">
<a class="brand" href="${to("index.html")}">${MARK} <span>jarvis-snn</span></a>
<nav aria-label="Parts of the site">${tabs.map(tab).join("")}</nav>
<search class="search"><input type="search" placeholder="Search" aria-label="Search" data-search></search>
<button type="button" class="theme" data-theme-button aria-label="Light or dark">${HALVES}</button>
</header>
<div class="${isWhole ? "whole" : "body"}"${figureOf(content)}>
${isListed ? sidesOf(page) : ""}<main id="content">
${content}
</main>
${isWhole ? "" : sectionsOf(page)}
</div>
<footer>jarvis-snn ${version} · <a href="${to("licences.html")}">Licences</a></footer>
</body>
</html>
`;
}
