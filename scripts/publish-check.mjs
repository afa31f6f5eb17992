/**
 * npm run publish:check: facts that a publisher must fill in before a release, since the repository lacks them, and optional ones. The exit
 * code is 1 while something is missing.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./entries.mjs";

/** Fields of package.json that a registry shows, with their meaning. */
const FIELDS = {
  author: "who publishes the package",
  bugs: "the address for reports of faults",
  homepage: "the address of the site",
  repository: "the address of the sources; provenance and relative links of the README need it",
};

/** Texts of documents that hold until the package is published. */
const PLACEHOLDERS = [/\bADDRESS\b/, /not in the npm registry yet/];

/** The name of a tarball, as `npm pack` makes it. */
const tarballOf = ({ name, version }) => `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;

/** What is missing, a line each. `manifest` is package.json; `documents` has the text of each document by its path. */
export function missing(manifest, documents) {
  const fields = Object.entries(FIELDS).filter(([field]) => manifest[field] === undefined);
  const lines = Object.entries(documents).flatMap(([path, text]) =>
    text.split("\n").flatMap((line, i) => placeholdersOf(line, manifest).map((what) => `${path}:${i + 1}: ${what}`)),
  );
  return [
    ...fields.map(([field, meaning]) => `package.json: ${field}, ${meaning}`),
    ...versionOf(manifest, documents["CHANGELOG.md"]),
    ...lines,
  ];
}

/** The version must be the newest heading of the changelog, with no entries above it. */
function versionOf({ version }, changelog) {
  const [, ...sections] = changelog.split(/^## /m);
  const [newest = "none"] = sections.filter((text) => text.trim() !== "Unreleased").map((text) => text.split("\n")[0]);
  if (newest === version) return [];
  return [`CHANGELOG.md: expected ${version}, the version of package.json, over the newest entries, got ${newest}`];
}

function placeholdersOf(line, manifest) {
  const [tarball = tarballOf(manifest)] = /[\w.-]+-\d+\.\d+\.\d+\.tgz/.exec(line) ?? [];
  const found = PLACEHOLDERS.flatMap((pattern) => pattern.exec(line) ?? []).map((text) => `replace "${text}"`);
  return tarball === tarballOf(manifest) ? found : [...found, `expected ${tarballOf(manifest)}, got ${tarball}`];
}

/** Links that a README may have, by the fields of package.json with their addresses. */
const LINKS = { bugs: "the place for reports", homepage: "the site" };

/** What may be added, a line each. */
export function optional(manifest, readme) {
  const lacking = Object.entries(LINKS).filter(([field]) => {
    const address = manifest[field]?.url ?? manifest[field];
    return address === undefined || !readme.includes(address);
  });
  return lacking.map(([field, what]) => `README.md: a link to ${what}, the field ${field} of package.json`);
}

const list = (title, lines) => console.log([title, ...lines.map((line) => `  ${line}`)].join("\n"));

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const read = (path) => readFileSync(join(root, path), "utf8");
  const paths = execFileSync("git", ["ls-files", "*.md"], { cwd: root, encoding: "utf8" }).trim().split("\n");
  const documents = Object.fromEntries(paths.map((path) => [path, read(path)]));
  const manifest = JSON.parse(read("package.json"));
  const lines = missing(manifest, documents);
  const more = optional(manifest, documents["README.md"]);
  if (lines.length > 0) list("missing:", lines);
  if (more.length > 0) list("optional:", more);
  if (lines.length === 0) console.log(`publish:check: ${manifest.name} ${manifest.version} can be published`);
  else process.exitCode = 1;
}
