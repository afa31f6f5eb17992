/** Markdown as the pages of the site show it: code is coloured here, headings have addresses, and links lead to pages. */
import MarkdownIt from "markdown-it";
import { createCssVariablesTheme, createHighlighter } from "shiki";
import temml from "temml";
import { isProgram, isRunnable, typesIn } from "./programs.mjs";

const LANGUAGES = ["ts", "js", "html", "css", "json", "sh", "python", "diff"];
const THEME = "variables";

const highlighter = await createHighlighter({
  langs: LANGUAGES,
  themes: [createCssVariablesTheme({ name: THEME, variablePrefix: "--" })],
});

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);

/** Code as spans whose classes name what a word is: a content policy without inline styles lets them through. */
function colored(code, language) {
  if (!LANGUAGES.includes(language)) return escapeHtml(code);
  const { tokens } = highlighter.codeToTokens(code, { lang: language, theme: THEME });
  return tokens
    .map((line) =>
      line
        .map(({ content, color }) => {
          const kind = /^var\(--token-([\w-]+)\)$/.exec(color ?? "")?.[1];
          return kind === undefined ? escapeHtml(content) : `<span class="c-${kind}">${escapeHtml(content)}</span>`;
        })
        .join(""),
    )
    .join("\n");
}

/** Inline styles of formulas by the names that stand for them in the sheet; "" for those that an attribute says too. */
const FORMULA_STYLES = {
  "display:block math;": "",
  "margin-left:-0.1667em;": "close",
  "math-depth:0;": "flat",
  "padding-left:0em;padding-right:0em;": "tight",
  "padding-left:1em;padding-right:0em;": "apart",
  "padding-left:0em;padding-right:5.9776pt;": "first",
  "padding-left:5.9776pt;padding-right:0em;": "last",
};

/** A formula in the language of TeX as MathML. */
function formulaOf(tex, isBlock) {
  const html = temml.renderToString(tex, { displayMode: isBlock, throwOnError: true });
  return html.replace(/ style="([^"]*)"/g, (_, style) => {
    const name = FORMULA_STYLES[style];
    if (name === undefined)
      throw new Error(`site: ${tex}: expected a style that the sheet has as a class, got ${style}`);
    return name === "" ? "" : ` data-style="${name}"`;
  });
}

/** `$…$` in a text, as hosts of repositories know it: no space beside the dollars inside, no digit behind. */
function formulaRule(state, silent) {
  if (state.src[state.pos] !== "$") return false;
  const found = /^\$(?!\s)((?:\\[\s\S]|[^$\\`])+?)(?<!\s)\$(?!\d)/.exec(state.src.slice(state.pos));
  if (found === null) return false;
  if (!silent) state.push("formula", "math", 0).content = found[1];
  state.pos += found[0].length;
  return true;
}

/** The address of a heading on its page, as hosts of repositories give it. */
const slugOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");

const textOf = (token) => (token.children ?? []).map((child) => child.content).join("");

/** The frame of a program, which the script of the page gives its buttons; one that runs says where its types stand. */
function framed(html, { info, content }, next) {
  const language = info.split(/\s/)[0];
  if (!isProgram(language)) return html;
  const printed = next?.type === "fence" && next.info === "text" ? next.content : undefined;
  const types = isRunnable(language, content, printed) ? ` data-types="${typesIn(content)}"` : "";
  return `<div class="program"${types}>${html.trimEnd()}</div>\n`;
}

/** Tags that stand in a text, with the addresses on the page. */
const linked = (html, link) =>
  html.replace(/\b(src|href)="([^"]*)"/g, (_, name, target) => `${name}="${link(target)}"`);

/**
 * A text as HTML, with its title, its headings from the second level on, and its sections as plain words for the search. `link` gives the
 * address on the page for a target of the text, `name` the address of a public name that stands alone in code, or undefined, and `figure`
 * the element of the figure whose poster an image shows, or undefined.
 */
export function render(text, { link, name, figure }) {
  const markdown = new MarkdownIt({
    html: true,
    highlight: (code, info) => colored(code.replace(/\n$/, ""), info.split(/\s/)[0]),
  });
  markdown.inline.ruler.before("escape", "formula", formulaRule);
  const used = new Map();
  const headings = [];
  const sections = [{ heading: "", id: "", words: [] }];
  let title = "";
  const { rules } = markdown.renderer;
  markdown.core.ruler.push("site", ({ tokens }) => {
    tokens.forEach((token, i) => {
      if (token.type === "heading_open") {
        const heading = textOf(tokens[i + 1]);
        const slug = slugOf(heading);
        const times = used.get(slug) ?? 0;
        used.set(slug, times + 1);
        const id = times === 0 ? slug : `${slug}-${times}`;
        token.attrSet("id", id);
        const level = Number(token.tag.slice(1));
        if (level === 1) title = heading;
        else headings.push({ level, heading, id });
        sections.push({ heading, id: level === 1 ? "" : id, words: [] });
      }
      // A head without words is none.
      if (token.type === "th_open" && tokens[i + 1].content === "") token.tag = tokens[i + 2].tag = "td";
      if (token.type === "inline" && token.children.length === 1 && token.children[0].type === "image") {
        const [image] = token.children;
        const living = figure(image.attrGet("src"), image.content);
        if (living !== undefined) {
          tokens[i - 1].hidden = tokens[i + 1].hidden = true;
          token.type = "html_block";
          token.content = `${living}\n`;
          return;
        }
      }
      if (token.type === "html_block") token.content = linked(token.content, link);
      if (token.type === "inline" && tokens[i - 1].type !== "heading_open") sections.at(-1).words.push(textOf(token));
      if (token.type === "fence" && token.info !== "math") sections.at(-1).words.push(token.content);
      for (const child of token.children ?? []) {
        if (child.type === "link_open") child.attrSet("href", link(child.attrGet("href")));
        if (child.type === "image") child.attrSet("src", link(child.attrGet("src")));
        if (child.type === "html_inline") child.content = linked(child.content, link);
      }
    });
  });
  rules.heading_close = (tokens, i, options, _, self) => {
    const open = tokens[i - 2];
    const anchor = `<a class="anchor" href="#${open.attrGet("id")}" aria-label="Link to this section">#</a>`;
    return (open.tag === "h1" ? "" : anchor) + self.renderToken(tokens, i, options);
  };
  rules.code_inline = (tokens, i) => {
    const { content } = tokens[i];
    const target = tokens[i - 1]?.type === "link_open" ? undefined : name(content);
    const code = `<code>${escapeHtml(content)}</code>`;
    return target === undefined ? code : `<a class="name" href="${target}">${code}</a>`;
  };
  rules.table_open = () => '<div class="wide" tabindex="0"><table>';
  rules.table_close = () => "</table></div>";
  rules.formula = (tokens, i) => formulaOf(tokens[i].content, false);
  // Blocks that scroll are reached by keys.
  for (const rule of ["fence", "code_block"]) {
    const plain = rules[rule];
    rules[rule] = (...args) => plain(...args).replace("<pre>", '<pre tabindex="0">');
  }
  const { fence } = rules;
  rules.fence = (tokens, i, ...rest) =>
    tokens[i].info === "math"
      ? `<div class="formula" tabindex="0">${formulaOf(tokens[i].content, true)}</div>\n`
      : framed(fence(tokens, i, ...rest), tokens[i], tokens[i + 1]);
  const html = markdown.render(text).replace(/ style="text-align:(\w+)"/g, ' class="$1"');
  return { title, html, headings, sections: sections.map((each) => ({ ...each, words: each.words.join(" ") })) };
}
