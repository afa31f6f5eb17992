/** The reference of the built site: each entry lists its names by categories, and a class shows how it is used. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "parse5";
import { root } from "../../scripts/entries.mjs";
import { programOfEntries, publicNames } from "../../scripts/public-names.mjs";

const site = join(root, "build/site");

function* elementsOf(node) {
  if (node.tagName !== undefined) yield node;
  for (const child of node.childNodes ?? []) yield* elementsOf(child);
}

const textOf = (node) => node.value ?? (node.childNodes ?? []).map(textOf).join("");
const attributeOf = (element, name) => element.attrs.find((attr) => attr.name === name)?.value;

/** The content of a page of the reference. */
function contentOf(path) {
  const elements = [...elementsOf(parse(readFileSync(join(site, path), "utf8")))];
  return elements.find((element) => attributeOf(element, "id") === "content");
}

/** The folder of an entry in the reference, by its source: `snn/index.ts` has api/snn, and `index.ts` has api/jarvis-snn. */
const folderOf = (source) =>
  source === "index.ts" ? "jarvis-snn" : source.replace(/(\/index)?\.ts$/, "").replace(/^(engine|snn)\/(?=.)/, "");

const entries = [];
before(() => {
  for (const [source, names] of publicNames(programOfEntries())) {
    const content = contentOf(`api/${folderOf(source)}/index.html`);
    entries.push({ source, names, content, elements: [...elementsOf(content)] });
  }
});

describe("entries", () => {
  test("the page of an entry links each name that it exports", () => {
    for (const { source, names, elements } of entries) {
      const links = elements.filter(({ tagName }) => tagName === "a").map(textOf);
      const missing = names.map(({ name }) => name).filter((name) => !links.includes(name));
      assert.deepEqual(missing, [], source);
    }
    const [whole] = entries.filter(({ source }) => source === "index.ts");
    assert.ok(whole.names.length > 400, `${whole.names.length} names`);
  });

  test("each name stands in one category, and each category has names", () => {
    for (const { source, content } of entries) {
      let title = null;
      const sections = new Map();
      for (const child of content.childNodes.filter(({ tagName }) => tagName !== undefined)) {
        if (child.tagName === "h2") {
          title = attributeOf(child, "id");
          sections.set(title, []);
        } else if (title !== null) {
          const links = [...elementsOf(child)].filter(({ tagName }) => tagName === "a");
          sections.get(title).push(...links.map((link) => attributeOf(link, "href")));
        }
      }
      assert.ok(sections.size > 0, source);
      for (const [name, links] of sections) assert.ok(links.length > 0, `${source}: ${name}`);
      const all = [...sections.values()].flat();
      assert.deepEqual(
        all.filter((link, i) => all.indexOf(link) !== i),
        [],
        source,
      );
    }
  });

  test("neurons stand among the neurons, and are classes", () => {
    const [{ content }] = entries.filter(({ source }) => source === "index.ts");
    const children = content.childNodes.filter(({ tagName }) => tagName !== undefined);
    const at = children.findIndex((child) => attributeOf(child, "id") === "neurons");
    const listed = [...elementsOf(children[at + 1])].filter(({ tagName }) => tagName === "a").map(textOf);
    for (const name of ["AdEx", "Izhikevich", "LIF", "neuron"]) assert.ok(listed.includes(name), name);
    for (const name of ["AdEx", "Izhikevich", "LIF"]) {
      assert.match(textOf(contentOf(`api/snn/${name}.html`)), /^\s*class of jarvis-snn\/snn/, name);
    }
  });
});

describe("pages of names", () => {
  test("each class has its example, in colours", () => {
    const classes = new Map();
    for (const { source, names } of entries) {
      for (const { name, kind, examples } of names) {
        const path = `api/${folderOf(source)}/${name}.html`;
        if (kind === "class" && existsSync(join(site, path))) classes.set(path, examples);
      }
    }
    assert.ok(classes.size > 70, `${classes.size} classes`);
    for (const [path, [code]] of classes) {
      const tags = [...elementsOf(contentOf(path))].filter((element) => attributeOf(element, "class") === "tag");
      const example = tags.find((tag) => textOf(tag).includes(code.trim()));
      assert.ok(example !== undefined, path);
      const spans = [...elementsOf(example)].filter(({ tagName }) => tagName === "span");
      assert.ok(spans.length > 5, `${path}: ${spans.length} coloured parts`);
    }
  });
});
