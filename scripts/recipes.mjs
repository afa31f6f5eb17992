/**
 * Follows the recipes docs/contributing-*.md on a copy of the tree. A recipe is a worked example in fenced blocks:
 *
 *   ```ts file=engine/ops/family.ts     a new file, with a language of any name
 *   ```diff file=engine/ops/index.ts    an edit: lines after " " and "-" are there once, next to each other, "+" takes the place of "-";
 *                                       a line @@ stands between edits of one file; an edit of imports adds and removes names of modules,
 *                                       whatever else the file imports from these, in however many lines
 *   ```sh                               commands, each in a line; those behind the last file of a page check the work, but for fuzzers and
 *                                       `npm run size`, which a reader runs: they take long, or ask for a decision
 *
 *   npm run test:recipes                follows all pages on one copy, and runs their checks once, with the files of all of them
 *   npm run test:recipes -- op layer    follows two of them, and prints what each command takes
 *   npm run test:recipes -- --each op   leaves out each block by itself, and expects that a check then fails, but for tests, for which
 *                                       nobody asks; minutes for a block, so it is run by hand, after a page or a table has changed
 *   npm run test:recipes -- --keep op   leaves the copy where it is, and prints the folder
 *
 * Prints the files and lines that a recipe costs. Lines that the checks write, as `readme -u` does, are stated apart.
 */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Pages in the order in which they are followed. */
export const pages = readdirSync(join(root, "docs"))
  .filter((name) => /^contributing-.*\.md$/.test(name))
  .map((name) => `docs/${name}`);

/** Built files that a check of a fresh copy can use. */
const BUILT = ["kernels/build", "build/types", "build/demos", "build/bench"];

const FENCE = /^( *)(`{3,})(\w*)(?: +file=(\S+))?\n((?:.*\n)*?) *\2`*$/gm;

/**
 * The blocks of a page that a reader follows: files, edits and commands, in order.
 *
 * @param {string} page
 * @param {string} text
 * @returns {{ page: string, line: number, language: string, file: string | undefined, body: string }[]}
 */
export function blocksOf(page, text) {
  const blocks = [];
  for (const { index, 1: indent = "", 3: language = "", 4: file, 5: code = "" } of text.matchAll(FENCE)) {
    if (file === undefined && language !== "sh") continue;
    const body = code.replaceAll(new RegExp(`^ {0,${indent.length}}`, "gm"), "");
    blocks.push({ page, line: text.slice(0, index).split("\n").length, language, file, body });
  }
  return blocks;
}

/**
 * The text of a file after a block. `text` is undefined where there is no file.
 *
 * @param {{ page: string, line: number, language: string, file?: string | undefined, body: string }} block
 * @param {string | undefined} text
 * @returns {string}
 */
export function applied({ page, line, language, file, body }, text) {
  const where = `${page}:${line}: ${file}`;
  if (language !== "diff") {
    if (text !== undefined) throw new Error(`${where}: expected a new file, got one that exists`);
    return body;
  }
  if (text === undefined) throw new Error(`${where}: expected a file to edit, got none`);
  for (const hunk of body.replace(/\n$/, "").split(/^@@.*\n/m)) {
    const edits = hunk.replace(/\n$/, "").split("\n");
    const wrong = edits.find((edit) => !/^([-+ ]|$)/.test(edit));
    if (wrong !== undefined)
      throw new Error(`${where}: expected lines that begin with " ", "-" or "+", got "${wrong}"`);
    text = edits.every((edit) => IMPORT.test(edit.slice(1)))
      ? withImports(where, edits, text)
      : withLines(where, edits, text);
  }
  return text;
}

/** A text with lines changed in the place where the lines before and around the change are. */
function withLines(where, edits, text) {
  const lines = text.split("\n");
  const before = edits.filter((edit) => !edit.startsWith("+")).map((edit) => edit.slice(1));
  const places = lines.flatMap((_, at) => (before.every((line, i) => isSame(lines[at + i], line)) ? [at] : []));
  if (places.length !== 1) {
    throw new Error(`${where}: expected these lines once, found them ${places.length} times:\n${before.join("\n")}`);
  }
  let at = places[0] ?? 0;
  for (const edit of edits) {
    if (edit.startsWith("+")) lines.splice(at++, 0, edit.slice(1));
    else if (edit.startsWith("-")) lines.splice(at, 1);
    else at++;
  }
  return lines.join("\n");
}

/** Whether two lines are the same, or rows of tables with columns of other widths. */
const isSame = (line, other) =>
  line === other || (other.startsWith("|") && line?.replace(/ +/g, " ") === other.replace(/ +/g, " "));

const IMPORT = /^import (type )?\{([^}]*)\} from ("[^"]+");$/;

/** A text with names imported from modules, or not any more. */
function withImports(where, edits, text) {
  const imports = edits.map((edit) => {
    const [, type = "", list = "", from = ""] = IMPORT.exec(edit.slice(1)) ?? [];
    return { sign: edit[0], type, from, names: namesIn(list) };
  });
  for (const [type, from] of new Map(imports.map(({ type, from }) => [type + from, [type, from]])).values()) {
    const all = (sign) =>
      imports.flatMap((one) => (one.type === type && one.from === from && one.sign === sign ? one.names : []));
    const [gone, come] = [all("-"), all("+")];
    const line = new RegExp(`^import ${type}\\{([^}]*)\\} from ${from.replaceAll(".", "\\.")};$`, "m");
    const [, list] = line.exec(text) ?? [];
    const old = namesIn(list ?? "");
    const missing = gone.find((name) => !old.includes(name));
    if (missing !== undefined) throw new Error(`${where}: expected an import of ${missing} from ${from}, got none`);
    const names = [...new Set([...old.filter((name) => !gone.includes(name) || come.includes(name)), ...come])];
    const written = names.length === 0 ? "" : `import ${type}{ ${names.join(", ")} } from ${from};`;
    if (list !== undefined) text = text.replace(line, written);
    else if (written !== "") text = text.replace(/^import /m, `${written}\nimport `);
  }
  return text;
}

const namesIn = (list) =>
  list
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

/**
 * Commands of several pages, each once; test files of equal runs of vitest are one list.
 *
 * @param {string[]} commands
 */
export function merged(commands) {
  /** @type {Map<string, { run: string, files: Set<string>, write: string }>} */
  const runs = new Map();
  for (const command of commands) {
    const [, run = command, files = "", write = ""] = /^(.*\bvitest run)((?: +\w[\w./-]*)+)( -u)?$/.exec(command) ?? [];
    const all = runs.get(run + write) ?? { run, files: new Set(), write };
    runs.set(run + write, all);
    for (const file of files.split(" ")) if (file !== "") all.files.add(file);
  }
  return [...runs.values()].map(({ run, files, write }) => [run, ...files].join(" ") + write);
}

/** Commands of a block, without trailing comments. */
const commandsOf = ({ body }) =>
  body
    .split("\n")
    .map((line) => line.replace(/ +#.*/, ""))
    .filter((line) => line !== "");

/** Whether a reader alone runs the command. */
const isForReaders = (command) => /^npm run (fuzz|size)\b/.test(command);

function run(cwd, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 28 });
  return { passed: status === 0, output: stdout + stderr };
}

/** Settings of a caller, such as signatures, do not matter for commits of the copy. */
const SETTINGS = ["user.name=recipes", "user.email=recipes@localhost", "commit.gpgsign=false"];

function git(folder, ...args) {
  const { passed, output } = run(folder, "git", [...SETTINGS.flatMap((setting) => ["-c", setting]), ...args]);
  if (!passed) throw new Error(`git ${args.join(" ")}: ${output}`);
  return output;
}

/** Copies the files of the tree that git does not ignore, and built files, into a separate repository. */
export function copyTree(copy) {
  const files = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0");
  const infos = existsSync(join(root, "build")) ? readdirSync(join(root, "build")) : [];
  const built = [...BUILT, ...infos.filter((name) => name.endsWith(".tsbuildinfo")).map((name) => `build/${name}`)];
  for (const path of [...new Set(files), ...built]) {
    // A link to modules is a file for git.
    if (path === "" || path === "node_modules" || !existsSync(join(root, path))) continue;
    cpSync(join(root, path), join(copy, path), { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  git(copy, "init", "-q");
  writeFileSync(join(copy, ".git/info/exclude"), "node_modules\n");
  commit(copy, "the tree");
}

function commit(copy, message) {
  git(copy, "add", "-A");
  git(copy, "commit", "-q", "--allow-empty", "-m", message);
}

/** Files and lines of the last commit. */
function costOf(copy) {
  const rows = git(copy, "show", "--numstat", "--format=", "HEAD").trim().split("\n");
  const counts = rows.filter((row) => row !== "").map((row) => row.split("\t"));
  const sum = (column) => counts.reduce((total, row) => total + Number(row[column]), 0);
  return { files: counts.length, added: sum(0), removed: sum(1), names: counts.map((row) => row[2]) };
}

/** Runs a command of a page. Returns its output where it fails, else null. */
function failureOf(copy, command, log) {
  const start = Date.now();
  const { passed, output } = run(copy, "sh", ["-c", command]);
  if (log)
    console.log(`  ${command}: ${passed ? "passed" : "failed"} after ${Math.round((Date.now() - start) / 1000)} s`);
  return passed ? null : output;
}

/** Applies the blocks of a page, and runs the commands between them; returns the commands after the last file. */
function follow(copy, blocks, log) {
  const last = blocks.findLastIndex(({ file }) => file !== undefined);
  for (const block of blocks.slice(0, last + 1)) {
    const { page, line, file } = block;
    if (file !== undefined) {
      const path = join(copy, file);
      const text = applied(block, existsSync(path) ? readFileSync(path, "utf8") : undefined);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      continue;
    }
    for (const command of commandsOf(block)) {
      const failure = failureOf(copy, command, log);
      if (failure !== null) throw new Error(`${page}:${line}: ${command} failed:\n${failure}`);
    }
  }
  return blocks
    .slice(last + 1)
    .flatMap(commandsOf)
    .filter((command) => !isForReaders(command));
}

const told = ({ files, added, removed }) => `${files} files, +${added} −${removed} lines`;

function followAll(copy, named) {
  const checks = [];
  for (const page of named) {
    const commands = follow(copy, read(page), true);
    commit(copy, page);
    const cost = costOf(copy);
    console.log(`${page}: ${told(cost)}: ${cost.names.join(", ")}`);
    checks.push(...commands);
  }
  for (const command of merged(checks)) {
    const failure = failureOf(copy, command, true);
    if (failure === null) continue;
    console.error(failure);
    return false;
  }
  commit(copy, "written by the checks");
  console.log(`written by the checks: ${told(costOf(copy))}`);
  return true;
}

/**
 * Whether, for each block of the page, a check fails if the block is left out. The compiler runs first, since it detects most missing
 * blocks.
 */
function followEach(copy, page) {
  const blocks = read(page);
  const start = git(copy, "rev-parse", "HEAD").trim();
  let asked = true;
  for (const block of blocks.filter(({ file }) => file !== undefined)) {
    git(copy, "reset", "-q", "--hard", start);
    git(copy, "clean", "-fdq");
    let reason = "";
    try {
      const checks = follow(
        copy,
        blocks.filter((other) => other !== block),
        false,
      );
      const first = checks.filter((check) => check.includes("types"));
      for (const check of new Set([...first, ...checks])) {
        const failure = failureOf(copy, check, false);
        if (failure === null) continue;
        const lines = failure.split("\n").filter((line) => /error|FAIL|×/i.test(line));
        reason = `${check}: ${(lines[0] ?? failure.trim()).slice(0, 200)}`;
        break;
      }
    } catch (error) {
      reason = error.message.split("\n")[0];
    }
    const isTest = block.file?.endsWith(".test.ts");
    if (reason === "" && !isTest) asked = false;
    const told = reason === "" ? (isTest ? "a test" : "NOT asked for") : `asked for by ${reason}`;
    console.log(`${page}:${block.line}: ${block.file}: ${told}`);
  }
  return asked;
}

function read(page) {
  const blocks = blocksOf(page, readFileSync(join(root, page), "utf8"));
  if (!blocks.some(({ file }) => file !== undefined)) throw new Error(`${page}: expected a block with file=, got none`);
  return blocks;
}

function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { each: { type: "boolean", default: false }, keep: { type: "boolean", default: false } },
  });
  const named = positionals.length === 0 ? pages : positionals.map((name) => `docs/contributing-${name}.md`);
  const unknown = named.find((page) => !pages.includes(page));
  if (unknown !== undefined) throw new Error(`recipes: expected one of ${pages.join(", ")}, got ${unknown}`);
  const copy = mkdtempSync(join(tmpdir(), "recipes-"));
  try {
    copyTree(copy);
    const passed = values.each ? named.map((page) => followEach(copy, page)).every(Boolean) : followAll(copy, named);
    if (!passed) process.exitCode = 1;
  } finally {
    if (values.keep) console.log(copy);
    else rmSync(copy, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
