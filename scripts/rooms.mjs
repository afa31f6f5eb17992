/**
 * The rooms of the house, floor by floor: a file imports files of its own room and of floors below, types included, and files of snn import
 * only certain files of engine, its doors. `npm run lint` checks the imports, and the picture of the rooms in ARCHITECTURE.md, which is
 * printed from this table.
 *
 * Then come the counts of the house: files and lines of code of each room, long functions, and names that two files export.
 *
 *   node scripts/rooms.mjs           reports forbidden imports, and counts
 *   node scripts/rooms.mjs --list    names the long functions and the names, too
 *   node scripts/rooms.mjs --write   prints the picture into ARCHITECTURE.md
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { codeLines, exportsOf, functionsOf, parsed } from "./counts.mjs";
import { entries } from "./entries.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/**
 * Floors from the ground up, each with its rooms: a folder, or files that are named, and the content. If two rooms match, the longer name
 * counts.
 */
const FLOORS = [
  {
    "kernels/": "AssemblyScript: plain functions over pointers; reference/ has the dense kernels, naive and in float64",
  },
  { "engine/core/": "what a step runs through: memory, scopes, tensors, records, gradients, tape, backward" },
  {
    "engine/forms/": "short forms of values and gradients: bits, repeats, places, products, columns",
    "engine/outside/": "tensors outside of tapes: parameters, garbage, an op that fails",
  },
  { "engine/": "checks of arguments and foreign tensors; tensors from values, random numbers, raw kernels" },
  { "engine/ops/": "tensor operations: a family a file, an op a record" },
  {
    "engine/fuse/": "the compiler of functions of one time step",
    "engine/nn/": "modules",
    "engine/optim/": "optimizers, schedules, clipping",
    "engine/data/": "data sets, loaders, padding",
  },
  {
    "engine/threads/": "threads that share the work of kernels: the entry `jarvis-snn/threads`",
    "engine/train.ts": "fit and evaluate",
    "engine/gradcheck.ts": "gradients against differences, on the reference kernels",
    "engine/checkpoint.ts": "safetensors",
  },
  {
    "engine/index.ts": "the entry `jarvis-snn/engine`",
    "engine/extend.ts": "ops of one's own: the entry `jarvis-snn/extend`",
    "engine/unchecked.ts": "ops without checks, for the layers of the package; short forms",
    "engine/protocol.ts": "modules, losses, schedules and batches from inside",
    "engine/lasting.ts": "memory, records and gradients beside those of tapes",
    "engine/node.ts": "files of Node: checkpoints, the bar of a training, the entry `jarvis-snn/node`",
  },
  { "snn/files/": "the library that reads HDF5: its complaints and memory, a check of files" },
  { "snn/layer/": "layers through time: stages of streams, checks of states, tensors shown to `record`" },
  {
    "snn/surrogates/": "derivatives of spikes; the op `spike`",
    "snn/coding/": "encoders, targets",
  },
  {
    "snn/neuron/": "a layer of neurons from its equation: definition, step, run",
    "snn/audio/": "sound: the entry `jarvis-snn/audio`",
  },
  {
    "snn/neurons/": "the neurons: one equation a file",
    "snn/temporal/": "delays, normalisation, noise, PSN, SpikingLSTM",
    "snn/stream/": "networks step by step",
  },
  {
    "snn/recurrent/": "neurons that feed each other",
    "snn/losses/": "losses, metrics, readouts over time",
  },
  {
    "snn/probes/": "recordings, rates, diagnosis, text",
    "snn/learning/": "rules for synapses, gradients in each time step; rules/ has one rule a file",
    "snn/quantize/": "few bits, conversion, integers, costs: the entry `jarvis-snn/quantize`",
  },
  {
    "snn/events/": "recordings of event cameras: the entry `jarvis-snn/events`",
    "snn/nir/": "graphs and files of NIR: the entry `jarvis-snn/nir`",
    "snn/plot/": "charts as SVG: the entry `jarvis-snn/plot`",
  },
  { "snn/": "the entry `jarvis-snn/snn`; names of states of Python packages" },
];

/** The doors between engine and snn: files of snn import no other file of engine. */
const DOORS = [
  "engine/index.ts",
  "engine/extend.ts",
  "engine/unchecked.ts",
  "engine/protocol.ts",
  "engine/lasting.ts",
  "engine/fuse/index.ts",
  "engine/arguments.ts",
  "engine/shape.ts",
];

/** Rooms with their floors, the longest name first. */
const ROOMS = FLOORS.flatMap((floor, height) => Object.keys(floor).map((room) => ({ room, height }))).sort(
  (x, y) => y.room.length - x.room.length,
);

const roomOf = (file) => ROOMS.find(({ room }) => file === room || file.startsWith(room));

/** Files of code that ships: no tests, nothing that is built. */
function filesOf(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "build" ? [] : filesOf(path);
    return /(?<!\.test|\.d)\.ts$/.test(path) ? [path] : [];
  });
}

/** Imports of files of the house by static and dynamic `import`, types too. */
function importsOf(file) {
  const source = readFileSync(join(root, file), "utf8");
  const matches = source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g);
  return [...matches].map(([, path]) => normalize(join(dirname(file), path)).replaceAll("\\", "/"));
}

function wrongImports() {
  const wrong = [];
  for (const file of ["kernels", "engine", "snn"].flatMap(filesOf)) {
    const from = roomOf(file);
    for (const path of importsOf(file)) {
      const to = roomOf(path);
      if (file.startsWith("snn/") && path.startsWith("engine/") && !DOORS.includes(path)) {
        wrong.push(`${file} imports ${path}, which is no door: snn imports of engine ${DOORS.join(", ")}`);
      }
      if (to === undefined || to.room === from.room || to.height < from.height) continue;
      wrong.push(`${file} imports ${path}: ${to.room} does not lie below ${from.room}`);
    }
  }
  return wrong;
}

/** The picture: the top floor first, each room with the number of its floor. */
function picture() {
  const lines = FLOORS.flatMap((floor, height) =>
    Object.entries(floor).map(([room, content]) => [height, room.padEnd(22) + content]),
  ).toSorted(([x], [y]) => y - x);
  return `\`\`\`\n${lines.map(([height, line]) => `${String(height).padStart(2)}  ${line}`).join("\n")}\n\`\`\``;
}

/** Lines of a function beyond which it is listed. */
const LONG = 60;

/**
 * A kernel, its twin in float64 and the op over it share a name on purpose; some ops lie beside what they make or draw, and a surrogate has
 * the name of the function that it is made of.
 */
const TWINS = /^(kernels|engine\/ops|snn\/surrogates)\/|^engine\/(create|generator)\.ts$/;
const isTwin = (files) => files.every((file) => TWINS.test(file));

/**
 * Public names of two entries: functions of tensors and of recordings, the record of an op and of a run, the arithmetic of a program; and an op of a
 * program, whose shortcuts stand in it, beside that of core.
 */
const PUBLIC = {
  Op: ["engine/core/tensor.ts", "engine/extend.ts"],
  Recorded: ["engine/core/tensor.ts", "engine/extend.ts"],
  arithmetic: ["engine/kernels.ts", "engine/relaxed.ts"],
  flip: ["engine/ops/layout.ts", "snn/events/augmentation.ts"],
  record: ["engine/extend.ts", "snn/probes/record.ts"],
};

/** Names that files take from others, as `path name`. Those that they only reach in a namespace, as LANE.add, say there whose they are. */
function takenByName(files) {
  const taken = new Set();
  for (const file of files) {
    const source = readFileSync(join(root, file), "utf8");
    for (const [, names, path] of source.matchAll(/^(?:import|export)(?: type)? (\{[^}]*\}|\*) from "(\.[^"]+)"/gm)) {
      const from = join(dirname(file), path)
        .replaceAll("\\", "/")
        .replace(/(?<!\.ts)$/, ".ts");
      for (const [name] of names.matchAll(/(?<!as )(?<=[{,]\s*(?:type )?)\w+|\*/g)) taken.add(`${from} ${name}`);
    }
  }
  return taken;
}

/** The counts of the house, as lines of text. */
function counts() {
  const rooms = new Map();
  const [long, exporters] = [[], new Map()];
  const files = ["kernels", "engine", "snn"].flatMap(filesOf);
  const taken = takenByName([...files, "index.ts", "core.ts"]);
  const open = Object.values(entries()).map((path) => relative(root, path));
  const isTaken = (file, name) => open.includes(file) || taken.has(`${file} ${name}`) || taken.has(`${file} *`);
  for (const file of files) {
    const source = readFileSync(join(root, file), "utf8");
    const { room } = roomOf(file);
    const count = rooms.get(room) ?? { files: 0, lines: 0 };
    rooms.set(room, { files: count.files + 1, lines: count.lines + codeLines(source) });
    const tree = parsed(file, source);
    for (const { name, line, lines } of functionsOf(tree)) {
      if (lines > LONG) long.push({ lines, text: `${name} (${file}:${line}, ${lines})` });
    }
    for (const name of exportsOf(tree)) {
      if (isTaken(file, name)) exporters.set(name, [...(exporters.get(name) ?? []), file]);
    }
  }
  const total = [...rooms.values()].reduce((sum, { lines }) => sum + lines, 0);
  const isPublic = (name, files) => files.every((file) => PUBLIC[name]?.includes(file));
  const shared = [...exporters].filter(([name, files]) => files.length > 1 && !isTwin(files) && !isPublic(name, files));
  const listed = (title, lines) => [`${title}: ${lines.length}`, ...(isList ? lines.map((line) => `  ${line}`) : [])];
  return [
    ...[...rooms].map(
      ([room, { files, lines }]) => `${room.padEnd(24)}${`${files}`.padStart(5)}${`${lines}`.padStart(8)}`,
    ),
    `${"lines of code".padEnd(24)}${`${total}`.padStart(13)}`,
    ...listed(
      `functions above ${LONG} lines`,
      long.sort((x, y) => y.lines - x.lines).map(({ text }) => text),
    ),
    ...listed(
      "names that two files export",
      shared.map(([name, files]) => `${name}: ${files.join(", ")}`),
    ),
  ];
}

const isList = process.argv.includes("--list");
const ARCHITECTURE = join(root, "ARCHITECTURE.md");
const MARKS = /(<!-- rooms -->\n\n)[\s\S]*?(\n\n<!-- \/rooms -->)/;
const text = readFileSync(ARCHITECTURE, "utf8");
const now = text.replace(MARKS, (_, begin, end) => begin + picture() + end);

const problems = wrongImports();
if (process.argv.includes("--write")) writeFileSync(ARCHITECTURE, now);
else if (now !== text || !MARKS.test(text))
  problems.push("ARCHITECTURE.md has another picture: node scripts/rooms.mjs --write");
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
console.log(counts().join("\n"));
