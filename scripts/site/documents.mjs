/** The documents of the project as pages: where each comes from, where it goes, and in which group it is listed. */
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { root } from "../entries.mjs";

/** Documents with an address of their own. */
const PLACES = {
  "docs/landing.md": "index.html",
  "docs/README.md": "docs/index.html",
  "docs/equation.md": "equation/index.html",
  "docs/zoo.md": "zoo/index.html",
  "docs/neighbours.md": "neighbours/index.html",
  "docs/balance.md": "balance/index.html",
  "docs/ring.md": "ring/index.html",
  "docs/figures.md": "figures/index.html",
  "docs/train.md": "play/index.html",
  "docs/lessons/README.md": "lessons/index.html",
  "docs/licences.md": "licences.html",
};

/** The path of the page of a document, both from their roots; undefined for a file that is none. */
export function pageOf(file) {
  if (!file.endsWith(".md")) return undefined;
  if (PLACES[file] !== undefined) return PLACES[file];
  if (file.startsWith("docs/lessons/")) return file.replace(/^docs\/(.*)\.md$/, "$1.html");
  if (file.startsWith("docs/")) return file.replace(/\.md$/, ".html");
  return file.includes("/") ? undefined : `docs/${file.replace(/\.md$/, "").toLowerCase()}.html`;
}

/** All documents, by their paths from the root of the project. */
export const documents = () => [
  ...["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md"],
  ...readdirSync(join(root, "docs"), { recursive: true })
    .map((name) => `docs/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".md") && !path.startsWith("docs/api/"))
    .sort(),
];

export const sourceOf = (file) => readFileSync(join(root, file), "utf8");

/** The file that a link in a document leads to, from the root of the project, and its hash. */
export function targetOf(file, href) {
  const [, path, hash] = /^([^#]*)(#.*)?$/.exec(href).map((part) => part ?? "");
  const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
  return [path === "" ? file : normalize(join(folder, decodeURI(path))).replaceAll("\\", "/"), hash];
}

const titleOf = (file) => /^# (.+)$/m.exec(sourceOf(file))?.[1].replaceAll("`", "") ?? file;

/** The groups in which docs/README.md lists documents; where there is none, all in one. */
export function groupsOf(files) {
  const listed = new Set();
  const page = (file, name) => {
    listed.add(file);
    return { path: pageOf(file), name };
  };
  const groups = [];
  if (files.includes("docs/README.md")) {
    for (const [, title, body] of sourceOf("docs/README.md").matchAll(/^## (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/gm)) {
      const links = [...body.matchAll(/\[([^\]]+)\]\(([^)#\s]+\.md)(?:#[^)]*)?\)/g)];
      const pages = links
        .map(([, name, href]) => [targetOf("docs/README.md", href)[0], name.replaceAll("`", "")])
        .filter(([file], i, all) => files.includes(file) && all.findIndex(([other]) => other === file) === i)
        .map(([file, name]) => page(file, name));
      if (pages.length > 0) groups.push({ title, pages });
    }
  }
  const others = files.filter((file) => !listed.has(file) && !/README\.md$/.test(file));
  if (groups.length === 0) groups.push({ title: "Documents", pages: others.map((file) => page(file, titleOf(file))) });
  return groups;
}
