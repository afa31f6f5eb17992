/** docs/nano.md shows demos/nano/nano.ts part by part, each beside its paragraph, and demos/nano/own.ts. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./entries.mjs";
import { withBlock } from "./ladder.mjs";

const SOURCE = "demos/nano/nano.ts";
const OWN = "demos/nano/own.ts";
const PAGE = join(root, "docs/nano.md");

/** The source before the first line `// 1. …`, and from each such line to the next one, without that line. */
const partsOf = (source) => source.split(/^\/\/ \d\. .*\n/m).map((part) => part.trim());

const read = (path) => readFileSync(join(root, path), "utf8");
const block = (path, code) => `\`\`\`ts shown=${path}\n${code}\n\`\`\``;

/** docs/nano.md with the sources of today. */
export const nanoPage = (text = readFileSync(PAGE, "utf8")) =>
  withBlock(
    partsOf(read(SOURCE)).reduce((page, part, i) => withBlock(page, `part ${i}`, block(SOURCE, part)), text),
    "own",
    block(OWN, read(OWN).trim()),
  );

export const writeNanoPage = () => writeFileSync(PAGE, nanoPage());
