/** The frame of every page: bar, lists of pages and of sections, and what a content policy allows. */
import { escapeHtml } from "./markdown.mjs";

/** Neither scripts nor styles stand in a page; WebAssembly is compiled, and workers may be texts. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "img-src 'self' data: blob:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "object-src 'none'",
].join("; ");

const MARK =
  '<svg viewBox="0 0 40 16" aria-hidden="true"><path d="M0 12h9l2.5-10L15 14l2-4h6l2.5-8L29 13l2-3h9" /></svg>';

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

/**
 * The document of a page: `path` from the root of the site, `title`, `description`, `html` of its content, `headings`, and `groups` of pages
 * for the list beside it. `assets` has the paths of style sheet and scripts, `origin` the address of the site for canonical links, or null.
 */
export function documentOf(page, { assets, tabs, version, origin }) {
  const to = (path) => relative(page.path, path);
  const tab = ({ path, name, begins }) =>
    `<a href="${to(path)}"${page.path.startsWith(begins) ? ' aria-current="true"' : ""}>${name}</a>`;
  const title = page.path === "index.html" ? page.title : `${page.title} · jarvis-snn`;
  const where = page.path.replace(/(^|\/)index\.html$/, "$1");
  const cards =
    origin === null
      ? ""
      : `<link rel="canonical" href="${new URL(where, origin)}">
<meta property="og:title" content="${escapeHtml(title)}">
<meta property="og:description" content="${escapeHtml(page.description)}">
<meta property="og:url" content="${new URL(where, origin)}">
`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="${escapeHtml(page.description)}">
<title>${escapeHtml(title)}</title>
${cards}<link rel="icon" href="${to(assets.icon)}" type="image/svg+xml">
<link rel="stylesheet" href="${to(assets.style)}">
<script src="${to(assets.theme)}"></script>
<script type="module" src="${to(assets.script)}"></script>
</head>
<body data-root="${"../".repeat(page.path.split("/").length - 1) || "./"}">
<a class="skip" href="#content">Skip to the content</a>
<header class="bar">
<a class="brand" href="${to("index.html")}">${MARK} jarvis-snn</a>
<nav aria-label="Parts of the site">${tabs.map(tab).join("")}</nav>
<search class="search"><input type="search" placeholder="Search" aria-label="Search" data-search></search>
<button type="button" class="theme" data-theme-button aria-label="Light or dark">◐</button>
</header>
<div class="body">
<details class="pages"><summary>Pages</summary><nav aria-label="Pages">
${listOf(page, page.groups)}
</nav></details>
<main id="content">
${page.html}
</main>
${sectionsOf(page)}
</div>
<footer>jarvis-snn ${version}</footer>
</body>
</html>
`;
}
