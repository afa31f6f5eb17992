/**
 * Writes a new neuron, op, surrogate, encoder or rule: its file with a small example that works, its export, its rows in tables of
 * tests and its place in the documentation.
 *
 *   npm run new -- neuron SpikeResponse
 *
 * The example passes its tests at once. All edits are prepared before the first file is written: if a place for one is missing, nothing
 * changes. Templates are in scripts/new/, one kind a file.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { hintOf } from "./nearest.mjs";
import { encoder } from "./new/encoder.mjs";
import { neuron } from "./new/neuron.mjs";
import { op } from "./new/op.mjs";
import { rule } from "./new/rule.mjs";
import { surrogate } from "./new/surrogate.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * A kind: what its names look like, its steps, and the commands that check the work.
 *
 * @typedef {object} Kind
 * @property {RegExp} pattern
 * @property {string} looks
 * @property {string} entry the file with the names beside which its own stands
 * @property {(name: string) => Names} names
 * @property {(names: Names) => Step[]} steps
 * @property {(names: Names) => string[]} commands
 *
 * @typedef {{ name: string, file: string, exported: string }} Names
 *
 * A new file, or a text for a place in a file: before the only line that matches, before the comment above this line, sorted into all
 * lines that match, or as the last row of the table that begins with the line. `why` says what to write there.
 * @typedef {{ path: string, why: string, text: string, before?: RegExp, above?: RegExp, among?: RegExp, table?: RegExp }} Step
 */

/** @type {Readonly<Record<string, Kind>>} */
export const kinds = { neuron, op, surrogate, encoder, rule };

/**
 * The files that a new thing writes, by their paths, and the steps that they come from.
 *
 * @param {readonly string[]} args
 * @param {(path: string) => string | undefined} read
 * @returns {{ files: Map<string, string>, steps: Step[], commands: string[] }}
 */
export function planned(args, read) {
  const usage = `npm run new -- ${Object.keys(kinds).join("|")} NAME`;
  const [word, name] = args;
  if (word === undefined || name === undefined || args.length > 2) {
    throw new Error(`new: expected ${usage}, got "${args.join(" ")}"`);
  }
  const kind = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (kind === undefined) {
    throw new Error(`new: expected ${usage}, got ${word}${hintOf(word, Object.keys(kinds))}`);
  }
  if (!kind.pattern.test(name))
    throw new Error(
      `new: expected the name of ${/^[aeiou]/.test(word) ? "an" : "a"} ${word} ${kind.looks}, got ${name}`,
    );
  const names = kind.names(name);
  if (!isIdentifier(names.exported)) {
    throw new Error(`new: expected a name that is no word of the language, got ${names.exported}`);
  }
  if (exportedBy(kind.entry, read).includes(names.exported)) {
    throw new Error(`new: expected a name that ${kind.entry} does not have, got ${names.exported}`);
  }
  const steps = kind.steps(names);
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const step of steps) files.set(step.path, applied(step, files.get(step.path) ?? read(step.path)));
  return { files, steps, commands: kind.commands(names) };
}

/** Whether a variable of a module may have the name. */
function isIdentifier(name) {
  try {
    return new Script(`"use strict"; async () => { const ${name} = 0; }`) instanceof Script;
  } catch {
    return false;
  }
}

/** The names that a file exports, values and types, including those of its `export *`. */
function exportedBy(path, read) {
  const text = read(path) ?? "";
  const declared = [
    ...text.matchAll(/^export (?:declare |abstract |async )*(?:const|let|function|class|type|interface) (\w+)/gm),
  ];
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list]) => list.split(","));
  const stars = [...text.matchAll(/^export \* from "(\.[^"]+)"/gm)];
  return [
    ...declared.map(([, name]) => name),
    ...listed.map((entry) => entry.trim().split(" ").at(-1)),
    ...[...text.matchAll(/^export \* as (\w+)/gm)].map(([, name]) => name),
    ...stars.flatMap(([, file]) => exportedBy(join(dirname(path), file).replaceAll("\\", "/"), read)),
  ];
}

/** The text of a file after a step. */
function applied({ path, text, ...place }, old) {
  const [[how, anchor] = []] = Object.entries(place).filter(([how]) => how in PLACES);
  if (how === undefined) {
    if (old !== undefined) throw new Error(`new: expected no file ${path}, got one that exists`);
    return text;
  }
  if (old === undefined) throw new Error(`new: expected a file ${path}, got none`);
  const lines = old.split("\n");
  const found = lines.flatMap((line, at) => (anchor.test(line) ? [at] : []));
  if (found.length === 0 || (how !== "among" && found.length > 1)) {
    const times = how === "among" ? "one or more" : "one";
    throw new Error(`new: expected lines like ${anchor} in ${path}: ${times}, got ${found.length}`);
  }
  const at = PLACES[how](lines, found, text);
  if (at < 0)
    throw new Error(`new: expected a comment above, or an end of the table, at ${anchor} in ${path}, got none`);
  return lines.toSpliced(at, 0, ...text.replace(/\n$/, "").split("\n")).join("\n");
}

const fromOf = (line) => line.replace(/^.* from /, "");

/** The line before which a text is inserted, from the lines that the anchor matches. */
const PLACES = {
  before: (_, [at]) => at,
  above: (lines, [at]) => lines.lastIndexOf("/**", at),
  among: (lines, found, text) => found.find((at) => fromOf(lines[at]) > fromOf(text)) ?? found.at(-1) + 1,
  table: (lines, [at]) => lines.indexOf("};", at),
};

const read = (path) => (existsSync(join(root, path)) ? readFileSync(join(root, path), "utf8") : undefined);

/** The text as `npm run format` writes it. */
function formatted(path, text) {
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [biome, "check", "--write", `--stdin-file-path=${path}`],
    { cwd: root, encoding: "utf8", input: text, maxBuffer: 2 ** 26 },
  );
  if (status !== 0) throw new Error(`new: expected biome to format ${path}, got\n${stderr}`);
  return stdout;
}

function main(args) {
  const { files, steps, commands } = planned(args, read);
  const written = [...files].map(([path, text]) => [join(root, path), formatted(path, text)]);
  for (const [path, text] of written) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const width = Math.max(...steps.map(({ path }) => path.length));
  console.log(["Written:", ...steps.map(({ path, why }) => `  ${path.padEnd(width)}  ${why}`)].join("\n"));
  console.log(["Then:", ...commands.map((command) => `  ${command}`)].join("\n"));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
