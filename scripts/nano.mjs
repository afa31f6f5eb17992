/** docs/nano.md shows demos/nano/nano.ts part by part, each beside its paragraph. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./entries.mjs";
import { withBlock } from "./ladder.mjs";

const SOURCE = "demos/nano/nano.ts";
const PAGE = join(root, "docs/nano.md");

/** The source before the first line `// 1. …`, and from each such line to the next one, without that line. */
const partsOf = (source) => source.split(/^\/\/ \d\. .*\n/m).map((part) => part.trim());

/** docs/nano.md with the source of today. */
export const nanoPage = (text = readFileSync(PAGE, "utf8")) =>
  partsOf(readFileSync(join(root, SOURCE), "utf8")).reduce(
    (page, part, i) => withBlock(page, `part ${i}`, `\`\`\`ts shown=${SOURCE}\n${part}\n\`\`\``),
    text,
  );

export const writeNanoPage = () => writeFileSync(PAGE, nanoPage());
