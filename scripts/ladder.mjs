/**
 * The kept run of the ladder (demos/ladder), and docs/ladder.md, which is made of it and of the sources of the rungs.
 *
 *   npm run ladder                 measures all rungs in turns, keeps the run and writes the page and its chart
 *   npm run ladder -- --steps 200  so many steps of each rung that count; by default 100
 *   npm run ladder -- --stored     measures nothing: writes the page and the chart of the kept run
 */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { curvePlot } from "jarvis-snn/plot";
import { root } from "./entries.mjs";

const KEPT = join(root, "demos/ladder/kept.json");
const PAGE = join(root, "docs/ladder.md");

const read = (path) => readFileSync(join(root, path), "utf8");
const fileOf = (name) => `demos/ladder/rungs/${name}.ts`;

/** The run that is kept: machine, versions and day, and of each rung times, size and the digest of its sources. */
export const keptRun = () => JSON.parse(readFileSync(KEPT, "utf8"));

/** A rung as one minified module, with the package or without it. */
async function bundled(name, external) {
  const { build } = await import("esbuild");
  return build({
    ...{ absWorkingDir: root, entryPoints: [fileOf(name)], bundle: true, minify: true, write: false, metafile: true },
    ...{ format: "esm", charset: "utf8", target: "es2022", logLevel: "warning", external, tsconfigRaw: {} },
  });
}

/** What is built from other sources: the loops of rung 3. */
const ALSO = { loops: ["demos/ladder/assembly/loops.ts"] };

const isCode = (line) => !/^\s*(\/\/|\/\*|\*|$)/.test(line);

/** The texts of the sources of a rung in demos/. */
async function sourcesOf(name) {
  const { metafile } = await bundled(name, ["jarvis-snn", "jarvis-snn/*"]);
  const [{ inputs }] = Object.values(metafile.outputs);
  const paths = Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0 && !path.includes("/build/"));
  return [...paths.sort(), ...(ALSO[name] ?? [])].map(read);
}

const digestOf = (texts) => createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 16);

/** Bytes and lines of a rung, and the digest of its sources. Lines are those of its own files, without comments. */
async function sizeOf({ name, shown }) {
  const [{ contents }] = (await bundled(name, [])).outputFiles;
  const own = [...new Set([fileOf(name), shown.file, ...(ALSO[name] ?? [])])];
  const lines = own.flatMap((path) => read(path).split("\n").filter(isCode)).length;
  return { bytes: gzipSync(contents, { level: 9 }).length, lines, digest: digestOf(await sourcesOf(name)) };
}

/** The rungs whose sources have changed since the kept run. */
export async function changedRungs({ rungs } = keptRun()) {
  const names = Object.keys(rungs);
  const digests = await Promise.all(names.map(async (name) => digestOf(await sourcesOf(name))));
  return names.filter((name, i) => rungs[name].digest !== digests[i]);
}

async function run(steps, ladder) {
  const { measure, mnistBatch } = await import("../build/demos/ladder/measure.js");
  const { toyBatch } = await import("../build/demos/ladder/batches.js");
  const { Generator } = await import("jarvis-snn");
  const progress = (network) => (done) => done % 20 === 0 && console.error(`ladder: ${network}, ${done} steps`);
  const toy = await measure("toy", toyBatch(128, new Generator(0)), 0, steps, progress("toy"));
  const tutorial5 = await measure("tutorial5", mnistBatch(), 0, steps, progress("tutorial 5"));
  const rounded = (ms) => +ms.toPrecision(4);
  const entries = ladder.map(async (words) => {
    const { name } = words;
    const times = { toy: rounded(toy.times[name]) };
    if (name in tutorial5.times) times.tutorial5 = rounded(tutorial5.times[name]);
    return [name, { ...times, ...(await sizeOf(words)) }];
  });
  return {
    machine: cpus()[0].model.trim(),
    node: process.versions.node,
    date: new Date().toISOString().slice(0, 10),
    threads: availableParallelism(),
    steps,
    rungs: Object.fromEntries(await Promise.all(entries)),
  };
}

/** Milliseconds of the same steps on one thread, by others: the faster form of PyTorch, and engines for pages. */
const PEERS = {
  toy: ["toy", "step/"],
  tutorial5: ["mnist", "static/"],
};

/** Those that the bench has, as name, milliseconds and day. */
export function peersOf(network) {
  const [family, prefix] = PEERS[network];
  const { rows } = JSON.parse(read(`bench/results/${family}.json`));
  return ["plain-js", "tfjs", "jax-js", "pytorch"].flatMap((peer) => {
    const row = rows[`${prefix}${peer}`];
    if (row === undefined) return [];
    const [name, ms] = Object.entries(row.times).find(([who]) => who !== "jarvis-snn");
    return [{ peer, name, ms, date: row.date }];
  });
}

/** The chart of the page: milliseconds of a step over the rungs, with those of others as level lines. */
export async function ladderCharts() {
  const rungs = Object.values(keptRun().rungs);
  const points = (network) => {
    const known = rungs.map((rung, i) => [i + 1, rung[network]]).filter(([, ms]) => ms !== undefined);
    return { x: known.map(([x]) => x), y: known.map(([, ms]) => ms) };
  };
  const level = ({ name, ms }) => [name, { x: [1, rungs.length], y: [ms, ms] }];
  const curves = {
    toy: points("toy"),
    "tutorial 5": points("tutorial5"),
    ...Object.fromEntries(peersOf("toy").map(level)),
  };
  const look = {
    title: "A training step on each rung; level lines: the toy by others",
    xLabel: "rung",
    yLabel: "milliseconds of a step",
    ...{ log: true, points: true, height: 380 },
  };
  return { "ladder.svg": await curvePlot(curves, look) };
}

/** Padded, as a formatter of Markdown leaves it. */
function markdown(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const line = (row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  const [heads, ...others] = rows.map(line);
  return [heads, line(widths.map((width) => "-".repeat(width))), ...others].join("\n");
}

/** Two digits, or all of a whole number. */
const short = (value) => (value >= 10 ? Math.round(value).toLocaleString("en") : `${+value.toPrecision(2)}`);
const milliseconds = (ms) =>
  ms === undefined ? "" : ms >= 1000 ? Math.round(ms).toLocaleString("en") : `${+ms.toPrecision(3)}`;
const times = (before, after) => (before === undefined || after === undefined ? "" : `${short(before / after)}\u00a0×`);

/** The figures of all rungs. */
function tableBlock(ladder, kept) {
  const { machine, node, date, threads, steps, rungs } = kept;
  const rows = ladder.map(({ name, title, part }, i) => {
    const [own, before] = [rungs[name], rungs[ladder[i - 1]?.name] ?? {}];
    return [
      `[${i + 1}. ${title}](#${anchorOf(headingOf(title, i))})`,
      part === undefined ? milliseconds(own.toy) : `${milliseconds(own.toy)}, multiplied`,
      times(before.toy, own.toy),
      i === 0 ? "" : times(rungs.scalars.toy, own.toy),
      milliseconds(own.tutorial5),
      times(before.tutorial5, own.tutorial5),
      (own.bytes / 1000).toFixed(1),
      String(own.lines),
    ];
  });
  const heads = ["rung", "toy, ms", "than before", "in all", "tutorial 5, ms", "than before", "kB", "lines"];
  const peers = Object.entries({ toy: "Toy", tutorial5: "Tutorial 5" }).map(([network, title]) => {
    const all = peersOf(network).map(({ name, ms }) => `${name} ${milliseconds(ms)} ms`);
    return `${title}: ${all.join(", ")}.`;
  });
  const dates = [...new Set(Object.keys(PEERS).flatMap((network) => peersOf(network).map((peer) => peer.date)))];
  return [
    markdown([heads, ...rows]),
    "",
    `${machine}, Node ${node}, ${date}; medians of ${steps} steps that the rungs took in turns; ${threads} threads on the last.`,
    "",
    `The same steps by others on one thread, from the [benchmarks](benchmarks.md) (${dates.join(", ")}). ${peers.join(" ")}`,
  ].join("\n");
}

const headingOf = (title, i) => `${i + 1}. ${title}`;
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");

/** A declaration of a file, from its first line to the bracket that closes it. */
export function declaration({ file, begins }) {
  const lines = read(file).split("\n");
  const first = lines.findIndex((line) => line.startsWith(begins));
  if (first < 0) throw new Error(`ladder: expected a line of ${file} that begins with ${begins}, got none`);
  const length = lines[first].endsWith(";")
    ? 1
    : 1 + lines.slice(first + 1).findIndex((line) => /^[}\])]/.test(line) && !/^\): .*\{$/.test(line)) + 1;
  return lines.slice(first, first + length).join("\n");
}

/** Each rung with the declaration that makes it. */
function rungsBlock(ladder) {
  return ladder
    .map(({ name, title, adds, shown, room }, i) => {
      const kept = room === null ? "The package has no such objects." : `In the package: \`${room}\`.`;
      const source = `Source: \`${fileOf(name)}\`.`;
      return [
        `### ${headingOf(title, i)}`,
        `${adds} ${source} ${kept}`,
        `\`\`\`ts shown=${shown.file}\n${declaration(shown)}\n\`\`\``,
      ].join("\n\n");
    })
    .join("\n\n");
}

/** The text with a block between the marks of its name. */
export const withBlock = (text, name, block) =>
  text.replace(
    new RegExp(`(<!-- ${name} -->\n).*(\n<!-- /${name} -->)`, "s"),
    (_, begin, end) => `${begin}\n${block}\n${end}`,
  );

/** docs/ladder.md with the blocks of today. */
export const pageOf = (text, ladder, kept = keptRun()) =>
  withBlock(withBlock(text, "ladder", tableBlock(ladder, kept)), "rungs", rungsBlock(ladder));

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const flags = { steps: { type: "string", default: "100" }, stored: { type: "boolean", default: false } };
  const { steps, stored } = parseArgs({ options: flags }).values;
  if (!/^[1-9]\d*$/.test(steps)) throw new RangeError(`--steps: expected an integer ≥ 1, got ${steps}`);
  const { LADDER } = await import("../build/demos/ladder/words.js");
  if (!stored) writeFileSync(KEPT, `${JSON.stringify(await run(Number(steps), LADDER), null, 2)}\n`);
  writeFileSync(PAGE, pageOf(readFileSync(PAGE, "utf8"), LADDER));
  for (const [file, svg] of Object.entries(await ladderCharts())) writeFileSync(join(root, "docs", file), svg);
  console.log(/<!-- ladder -->\n(.*)\n<!-- \/ladder -->/s.exec(readFileSync(PAGE, "utf8"))[1].trim());
}
