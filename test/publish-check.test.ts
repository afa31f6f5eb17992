/** What a publisher has to fill in. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../scripts/entries.mjs";
import { missing, optional } from "../scripts/publish-check.mjs";

const manifest = {
  name: "@some/one",
  version: "1.2.0",
  author: "A",
  bugs: { url: "https://example.org/issues" },
  homepage: "https://example.org",
  repository: { type: "git", url: "git+https://example.org/sources.git" },
};
const documents = {
  "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n## 1.2.0\n\n- An entry.\n",
  "README.md": "[site](https://example.org), [faults](https://example.org/issues)\n",
  "docs/a.md": "npm i ../some-one-1.2.0.tgz\n",
};

test("publish:check: where all is filled in, nothing is missing", () => {
  expect(missing(manifest, documents)).toEqual([]);
  expect(optional(manifest, documents["README.md"])).toEqual([]);
});

test.each(["author", "bugs", "homepage", "repository"])("publish:check: the field %s", (field) => {
  expect(missing({ ...manifest, [field]: undefined }, documents)).toEqual([
    expect.stringMatching(`^package.json: ${field}, `),
  ]);
});

test("publish:check: the changelog has the number of the version over its newest entries", () => {
  const said = (text: string) => missing(manifest, { ...documents, "CHANGELOG.md": text });
  expect(said("# Changelog\n\n## 1.2.0\n")).toEqual([]);
  expect(said("## Unreleased\n\n- New.\n\n## 1.2.0\n")).toEqual([
    "CHANGELOG.md: expected 1.2.0, the version of package.json, over the newest entries, got Unreleased",
  ]);
  expect(said("## 1.1.0\n")).toEqual([expect.stringMatching(/got 1\.1\.0$/)]);
  expect(said("")).toEqual([expect.stringMatching(/got none$/)]);
});

test("publish:check: placeholders of documents and names of older tarballs, with their lines", () => {
  const text = "git clone ADDRESS one\n\nnpm i ../some-one-1.1.0.tgz\nIt is not in the npm registry yet.\nADDRESSES\n";
  expect(missing(manifest, { ...documents, "docs/a.md": text })).toEqual([
    'docs/a.md:1: replace "ADDRESS"',
    "docs/a.md:3: expected some-one-1.2.0.tgz, got some-one-1.1.0.tgz",
    'docs/a.md:4: replace "not in the npm registry yet"',
  ]);
});

test("publish:check: links that the README may have", () => {
  expect(optional({}, documents["README.md"])).toHaveLength(2);
  expect(optional(manifest, "[site](https://example.org)")).toEqual([
    "README.md: a link to the place for reports, the field bugs of package.json",
  ]);
});

test("publish:check: the command fails exactly where something is missing", () => {
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/publish-check.mjs")], {
    encoding: "utf8",
  });
  expect(status).toBe(stdout.startsWith("missing:\n") ? 1 : 0);
  expect(/ can be published$/m.test(stdout)).toBe(status === 0);
});
