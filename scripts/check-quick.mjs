/**
 * npm run check:quick: types, lint and the nearest tests of the files that differ from the commit at which this branch left main, with
 * those that are not committed and those that git does not know yet.
 *
 * Most test files import the package by an entry, so that nearly all of them are related to any source by its imports. A test file counts
 * as near where it has the name of the source, or where it has words that the source exports; a word counts the more, the fewer test
 * files have it. `npm test` runs all.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { KERNELS } from "./build-kernels.mjs";
import { root } from "./entries.mjs";
import { unlessFresh } from "./fresh.mjs";
import { runSteps } from "./steps.mjs";

/** As many files as two processors run in about ten seconds. */
const MOST = 12;

const git = (...args) =>
  execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const lines = (text) => text.split("\n").filter((line) => line !== "");

/** The commit at which HEAD left main; HEAD itself where there is no main. */
function base() {
  for (const main of ["main", "origin/main"]) {
    try {
      return git("merge-base", "HEAD", main).trim();
    } catch {
      // No such branch here.
    }
  }
  return "HEAD";
}

function changedFiles() {
  const known = lines(git("diff", "--name-only", "--diff-filter=d", base()));
  const unknown = lines(git("ls-files", "--others", "--exclude-standard"));
  return [...new Set([...known, ...unknown])].filter((file) => existsSync(join(root, file))).sort();
}

const read = (file) => readFileSync(join(root, file), "utf8");
const isTest = (file) => file.endsWith(".test.ts");

/** The words by which tests know a file: names that it exports, or its own where it is no module of TypeScript. */
function namesOf(file) {
  if (!/\.ts$/.test(file)) return [basename(file)];
  const exported = read(file).matchAll(/^export (?:abstract |async )?(?:const|function\*?|class|let) (\w+)/gm);
  return [...exported].map(([, name]) => name);
}

/** Reads all documents, by a list of its own. */
const DOCUMENTS = "test/documents.test.ts";

/**
 * The test files that a change comes near to, the nearest first: the changed ones and those beside a changed file, then those that share
 * names with it, then those of its folder. `texts` has the text of each test file.
 */
export function nearest(changed, texts) {
  const names = [...new Set(changed.filter((file) => !isTest(file)).flatMap(namesOf))];
  const wordsOf = (text) => new Set([...text.matchAll(/\w+/g), ...text.matchAll(/[\w.-]+/g)].map(([word]) => word));
  const words = new Map(Object.entries(texts).map(([test, text]) => [test, wordsOf(text)]));
  const weights = names.map((name) => 1 / [...words.values()].filter((own) => own.has(name)).length);
  const sources = changed.filter((file) => file.endsWith(".ts"));
  const folders = new Set(sources.map((file) => dirname(file)));
  const stems = sources.map((file) => file.replace(/(\.test)?\.ts$/, ""));
  const isBeside = (test) =>
    stems.some((stem) => test.startsWith(`${stem}.`) || test.startsWith(`${stem}-`)) ||
    (test === DOCUMENTS && changed.some((file) => file.endsWith(".md")));
  const scoreOf = (test) => {
    const shared = weights.filter((_, i) => words.get(test).has(names[i])).reduce((sum, weight) => sum + weight, 0);
    const place = isBeside(test) ? names.length + 1 : folders.has(dirname(test)) ? Number.MIN_VALUE : 0;
    return changed.includes(test) ? Number.POSITIVE_INFINITY : shared + place;
  };
  const scores = Object.keys(texts).map((test) => ({ test, score: scoreOf(test) }));
  const near = scores.filter(({ score }) => score > 0).sort((x, y) => y.score - x.score || (x.test < y.test ? -1 : 1));
  return near.map(({ test }) => test);
}

/** The steps that these files ask for; tests come last, as they take longest. */
function stepsFor(changed) {
  const texts = Object.fromEntries(
    lines(git("ls-files", "-co", "--exclude-standard", "*.test.ts")).map((file) => [file, read(file)]),
  );
  const near = nearest(changed, texts);
  const chosen = near.slice(0, MOST);
  if (near.length > MOST)
    console.log(`check:quick: the nearest ${MOST} of ${near.length} test files; npm test runs all`);
  const steps = [
    { name: "types", command: "npx tsc -b --stopBuildOnErrors", of: /\.(ts|mjs)$|tsconfig.*\.json$/ },
    {
      name: "lint",
      command: `npx biome check --error-on-warnings --no-errors-on-unmatched ${changed.join(" ")}`,
      of: /\.(ts|mjs|js|json|css|html)$/,
    },
    { name: "rooms", command: "node scripts/rooms.mjs", of: /^(kernels|engine|snn)\/|^ARCHITECTURE\.md$/ },
  ].filter(({ of }) => changed.some((file) => of.test(file)));
  return chosen.length === 0 ? steps : [...steps, { name: "tests", command: `npx vitest run ${chosen.join(" ")}` }];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const changed = changedFiles();
  const list = changed.map((file) => `\n       ${file}`).join("");
  console.log(
    `check:quick: ${changed.length === 0 ? "no file differs from main" : `these files differ from main:${list}`}`,
  );
  await unlessFresh(KERNELS, (name) => console.log(`build: ${name}`));
  if (changed.length > 0 && !(await runSteps(stepsFor(changed)))) process.exitCode = 1;
}
