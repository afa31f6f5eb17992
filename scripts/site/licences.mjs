/** Licences of what others made and the site holds: the document names all of it, and its page has the texts. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../entries.mjs";

/** The package of a module by its path; undefined for the project's own. */
const packageOf = (path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(path)?.[1];

/** The packages that have code among these modules, in the order of the alphabet. */
export const packagesOf = (modules) =>
  [...new Set(modules.map((path) => packageOf(path.replaceAll("\\", "/"))))]
    .filter((name) => name !== undefined)
    .sort();

function textOf(name) {
  const folder = join(root, "node_modules", name);
  const file = readdirSync(folder).find((each) => /^licen[cs]e(\.\w+)?$/i.test(each));
  if (file === undefined) throw new Error(`licences: expected a text of the licence in ${folder}, got none`);
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return `### ${name} ${version}\n\n\`\`\`text\n${readFileSync(join(folder, file), "utf8").trim()}\n\`\`\`\n`;
}

/** The document with the texts for these packages behind it, each of which it has to name. */
export function withTexts(document, packages) {
  const silent = packages.filter((name) => !document.includes(`\`${name}\``));
  if (silent.length > 0)
    throw new Error(
      `licences: expected docs/licences.md to name all packages in the site, got none of ${silent.join(", ")}`,
    );
  const own = readFileSync(join(root, "LICENSE"), "utf8").trim();
  return `${document}\n## Texts\n\n### jarvis-snn\n\n\`\`\`text\n${own}\n\`\`\`\n\n${packages.map(textOf).join("\n")}`;
}
