/**
 * Number of words in the pages of docs/, without programs, other fenced blocks, tables that commands write, and docs/conformance.md, which
 * `npm run conformance` writes.
 *
 *   npm run words              by folder, and the longest pages
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./entries.mjs";

/** Fenced blocks, and what commands write between two comments: <!-- name --> … <!-- /name -->. */
const FENCED = /^ *(```+)[^\n]*\n.*?^ *\1 *$/gms;
const WRITTEN = /<!-- ([\w-]+)[^>]*-->.*?<!-- \/\1 -->/gs;
const WORD = /[\p{L}\p{N}]\S*/gu;

const wordsOf = (text) => text.replace(WRITTEN, "").replace(FENCED, "").match(WORD)?.length ?? 0;

const pages = readdirSync(join(root, "docs"), { recursive: true })
  .map((path) => join("docs", path).replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".md") && !path.startsWith("docs/api/") && path !== "docs/conformance.md")
  .map((path) => ({ path, words: wordsOf(readFileSync(join(root, path), "utf8")) }))
  .sort((a, b) => b.words - a.words);

const line = (name, words) => console.log(`${name.padEnd(36)}${`${words}`.padStart(8)}`);
const sum = (pages) => pages.reduce((sum, { words }) => sum + words, 0);
for (const folder of [...new Set(pages.map(({ path }) => dirname(path)))].sort()) {
  line(`${folder}/`, sum(pages.filter(({ path }) => dirname(path) === folder)));
}
line("all", sum(pages));
console.log();
for (const { path, words } of pages.slice(0, 12)) line(path, words);
