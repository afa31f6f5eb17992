/** Cards: the picture of a page that messengers show beside a link to it, with title, first sentence and figure. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import { decompress } from "wawoff2";
import { root } from "../entries.mjs";
import { LIGHT, posterOf } from "./figures.mjs";
import { MARK_PATH } from "./frame.mjs";
import { escapeHtml } from "./markdown.mjs";

const WIDTH = 1200;
const HEIGHT = 630;
const EDGE = 72;

/** Room for the figure, at the right. */
const FIGURE = { x: 660, y: 72, width: 468, height: 486 };

/** Sizes of the texts, and characters that fit into a line beside a figure and without one. */
const TITLE = { size: 60, line: 70, lines: 4, beside: 17, alone: 34 };
const SENTENCE = { size: 30, line: 44, lines: 5, beside: 37, alone: 74 };

/** The name that the files of Source Sans 3 have, in all weights. */
const SANS = "Source Sans 3 ExtraLight";

/** Files of fonts as the renderer reads them, which knows no compressed ones. */
async function fontFiles(fonts) {
  const folder = join(root, "build/fonts");
  mkdirSync(folder, { recursive: true });
  const files = fonts.map((_, i) => join(folder, `${i}.ttf`));
  // One after the other: what the decompressor returns lies in its memory, which the next font overwrites.
  for (const [i, font] of fonts.entries()) writeFileSync(files[i], await decompress(readFileSync(font)));
  return files;
}

/** A text in lines of at most so many characters, the last one with an ellipsis where more is left. */
function linesOf(text, characters, count) {
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`.trim();
    if (longer.length <= characters || lines.at(-1) === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  if (lines.length <= count) return lines;
  return [...lines.slice(0, count - 1), `${lines[count - 1].slice(0, characters - 1).trimEnd()}…`];
}

const textAt = (lines, y, { size, line }, style) =>
  lines
    .map((text, i) => `<text x="${EDGE}" y="${y + i * line}" font-size="${size}" ${style}>${escapeHtml(text)}</text>`)
    .join("");

/** The poster of a figure, as large as the room lets it be. */
function figureAt(name) {
  const svg = posterOf(name, FIGURE.width, LIGHT);
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg).map(Number);
  const scale = Math.min(FIGURE.width / width, FIGURE.height / height);
  const [w, h] = [width * scale, height * scale];
  const place = `x="${FIGURE.x + (FIGURE.width - w) / 2}" y="${FIGURE.y + (FIGURE.height - h) / 2}"`;
  return svg.replace(/width="\d+" height="\d+"/, `${place} width="${w}" height="${h}"`);
}

/** A trace with spikes, the mark of the project, over the whole width. */
const TRACE = `<path d="M0 560${"h96l28-72 16 96 20-24h76l22-58 18 78 18-20h88".repeat(4)}h1200" fill="none" stroke="${LIGHT.accent}" stroke-width="4" stroke-linejoin="round"/>`;
const MARK = `<g transform="translate(${EDGE} 62) scale(1.6)" fill="none" stroke="${LIGHT.accent}" stroke-width="1.6" stroke-linejoin="round"><path d="${MARK_PATH}"/></g>`;

/** A painter of cards as PNG, with these files of fonts (woff2). */
export async function cardPainter(fonts) {
  const files = await fontFiles(fonts);
  const font = {
    fontFiles: files,
    loadSystemFonts: false,
    defaultFontFamily: SANS,
    sansSerifFamily: SANS,
    serifFamily: "Source Serif 4",
    monospaceFamily: "JetBrains Mono",
  };
  return function cardOf({ title, description, html }) {
    const figure = /<snn-figure name="([\w-]+)"/.exec(html)?.[1];
    const room = figure === undefined ? "alone" : "beside";
    const head = linesOf(title, TITLE[room], TITLE.lines);
    const top = 196;
    const below = top + head.length * TITLE.line + 8;
    const fitting = Math.min(
      SENTENCE.lines,
      Math.floor((HEIGHT - (figure === undefined ? 170 : 60) - below) / SENTENCE.line) + 1,
    );
    const sentence = description === title ? [] : linesOf(description, SENTENCE[room], Math.max(1, fitting));
    const svg =
      `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">` +
      `<rect width="100%" height="100%" fill="${LIGHT.paper}"/>${MARK}` +
      `<text x="${EDGE + 80}" y="86" font-family="${SANS}" font-weight="600" font-size="32" fill="${LIGHT.ink}">jarvis-snn</text>` +
      textAt(head, top, TITLE, `font-family="${SANS}" font-weight="600" fill="${LIGHT.ink}"`) +
      textAt(sentence, below, SENTENCE, `font-family="Source Serif 4" fill="${LIGHT.muted}"`) +
      `${figure === undefined ? TRACE : figureAt(figure)}</svg>`;
    return new Resvg(svg, { font }).render().asPng();
  };
}
