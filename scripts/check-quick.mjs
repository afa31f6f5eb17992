/**
 * npm run check:quick: types, lint and the nearest tests of the files that differ from the commit at which this branch left main, including
 * uncommitted and untracked files.
 *
 * Most test files import the package by an entry, so by imports nearly all of them are related to any source. A test file counts as near if
 * it has the name of the source or of its folder, imports a changed table of test/, or contains names that the source exports; the fewer
 * test files contain a table or name, the more it counts. `npm test` runs all.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, posix } from "node:path";
import { pathToFileURL } from "node:url";
import { buildKernels } from "./build-kernels.mjs";
import { root } from "./entries.mjs";
import { runSteps } from "./steps.mjs";

/** Number of files that two processors run in about ten seconds. */
export const MOST = 12;

const git = (...args) =>
  execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
const lines = (text) => text.split("\n").filter((line) => line !== "");

/** The commit at which HEAD left main; HEAD itself if there is no main. */
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

/**
 * The words by which tests refer to a file: names that it exports, or its own name if it is not a TypeScript module.
 */
function namesOf(file) {
  if (!/\.ts$/.test(file)) return [basename(file)];
  const exported = read(file).matchAll(/^export (?:abstract |async )?(?:const|function\*?|class|let) (\w+)/gm);
  return [...exported].map(([, name]) => name);
}

/** Reads all documents, which it lists itself. */
const DOCUMENTS = "test/documents.test.ts";

/**
 * The test files near a change, the nearest first: the changed ones and those beside a changed file, then those that import a changed table
 * or share names with a changed file, then those of its folder. `texts` has the text of each test file.
 */
export function nearest(changed, texts) {
  const tests = Object.keys(texts);
  const names = [...new Set(changed.filter((file) => !isTest(file)).flatMap(namesOf))];
  const sources = changed.filter((file) => file.endsWith(".ts"));
  const tables = sources.filter((file) => file.startsWith("test/") && !isTest(file));
  const withWord = testsOfEach(names, texts, wordsOf);
  const withTable = testsOfEach(tables, texts, importsOf);

  const folders = new Set(sources.map((file) => dirname(file)));
  const stems = sources.map((file) => file.replace(/(\.test)?\.ts$/, ""));
  const namesakes = new Set([
    ...[...folders].map((folder) => `${folder}/${basename(folder)}.test.ts`),
    ...tables.flatMap((table) => tests.filter((test) => basename(test) === basename(table).replace(".", ".test."))),
  ]);
  const isBeside = (test) =>
    stems.some((stem) => test.startsWith(`${stem}.`) || test.startsWith(`${stem}-`)) ||
    namesakes.has(test) ||
    (test === DOCUMENTS && changed.some((file) => file.endsWith(".md")));

  // More than all names together.
  const most = names.length + 1;
  const scoreOf = (test) => {
    if (changed.includes(test)) return Number.POSITIVE_INFINITY;
    const place = isBeside(test) ? most : folders.has(dirname(test)) ? Number.MIN_VALUE : 0;
    return sharesOf(test, withWord) + most * sharesOf(test, withTable) + place;
  };
  const scores = tests.map((test) => ({ test, score: scoreOf(test) }));
  const near = scores.filter(({ score }) => score > 0).sort((x, y) => y.score - x.score || (x.test < y.test ? -1 : 1));
  return near.map(({ test }) => test);
}

const wordsOf = (_, text) => [...text.matchAll(/\w+/g), ...text.matchAll(/[\w.-]+/g)].map(([word]) => word);

/** The files that a test imports by their paths. */
const importsOf = (test, text) =>
  [...text.matchAll(/ from "(\.[^"]+)"/g)].map(([, path]) => posix.join(dirname(test), path));

/** Maps each thing to the tests that have it; `thingsOf` returns the things of a test. */
function testsOfEach(things, texts, thingsOf) {
  const found = Object.entries(texts).map(([test, text]) => ({ test, own: new Set(thingsOf(test, text)) }));
  return things.map((thing) => found.filter(({ own }) => own.has(thing)).map(({ test }) => test));
}

/** For each list with this test, the test's share of it. */
const sharesOf = (test, lists) =>
  lists.filter((tests) => tests.includes(test)).reduce((sum, { length }) => sum + 1 / length, 0);

/** The text of each test file. */
export function textsOfTests() {
  const tests = lines(git("ls-files", "-co", "--exclude-standard", "*.test.ts")).filter((file) =>
    existsSync(join(root, file)),
  );
  return Object.fromEntries(tests.map((file) => [file, read(file)]));
}

/** The steps that these files require; tests come last, since they take longest. */
function stepsFor(changed) {
  const near = nearest(changed, textsOfTests());
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
  await buildKernels((name) => console.log(`build: ${name}`));
  if (changed.length > 0 && !(await runSteps(stepsFor(changed)))) process.exitCode = 1;
}
