/**
 * Runs the golden tests and shows, per peer and case, how far this package is from it: spikes equal or not, and the largest
 * deviations of states, outputs and gradients.
 *
 *   npm run conformance               prints the matrix and writes docs/conformance.md
 *   npm run conformance -- --check    prints it and fails where the page says otherwise; the bits are the same on every machine
 *
 * $GOLDENS names a folder with other goldens of the same schema; the page is left alone then.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/conformance.md");
const { GOLDENS: goldens } = process.env;

const KINDS = ["spikes", "states", "outputs", "gradients"];

/** Peers by folder, in the order of the page. */
const PEERS = {
  snntorch: "snnTorch",
  norse: "Norse",
  spikingjelly: "SpikingJelly",
  bindsnet: "BindsNET",
  nir: "NIR",
  eprop: "E-prop, from its equations in float64",
  plasticity: "Triplets of spikes and Oja's rule, from their equations in float64",
  toy: "The toy network",
  torch: "PyTorch",
};

/** Peers with too many cases for a row each: a row stands for a file. */
const BY_FILE = ["torch"];

/** Runs the golden tests; returns their observations. */
function observed() {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const to = join(folder, "observed.jsonl");
  writeFileSync(to, "");
  try {
    const vitest = [join(root, "node_modules/vitest/vitest.mjs"), "run", "golden", "--reporter=default"];
    const { status } = spawnSync(process.execPath, vitest, {
      cwd: root,
      stdio: ["ignore", 2, 2],
      env: { ...process.env, CONFORMANCE: to },
    });
    const lines = readFileSync(to, "utf8").split("\n").filter(Boolean);
    return { failed: status !== 0, all: lines.map((line) => JSON.parse(line)) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The worst deviation and sensitivity of the observations of a row, by kind. */
function rowOf(observations) {
  const row = { deviation: {}, sensitivity: {} };
  for (const { kind, deviation, sensitivity } of observations) {
    if (deviation !== undefined) row.deviation[kind] = Math.max(row.deviation[kind] ?? 0, deviation ?? Infinity);
    if (sensitivity !== undefined)
      row.sensitivity[kind] = Math.max(row.sensitivity[kind] ?? 0, sensitivity ?? Infinity);
  }
  return row;
}

const shown = (x) => (x === 0 ? "0" : x === Infinity ? "∞" : x.toExponential(1).replace("e-", "e−"));

function cellOf({ deviation, sensitivity }, kind) {
  const off = deviation[kind];
  if (off === undefined) return "";
  const own = sensitivity[kind] === undefined ? "" : ` (${shown(sensitivity[kind])})`;
  return kind === "spikes" ? `${off === 0 ? "yes" : "no"}${own}` : `${shown(off)}${own}`;
}

/** A table as Biome and Markdown like it, columns padded. */
function table(head, rows) {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(3, ...all.map((row) => row[i].length)));
  const line = (cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`;
  return [line(head), `| ${widths.map((n) => "-".repeat(n)).join(" | ")} |`, ...rows.map(line)].join("\n");
}

function groupedBy(items, key) {
  const groups = new Map();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

/** Package and version that a file was made with. */
function sourceOf(file) {
  const other = goldens ? join(goldens, `${file}.json`) : "";
  const path = existsSync(other) ? other : join(root, "test/fixtures", `${file}.json`);
  const { package: name, version } = JSON.parse(readFileSync(path, "utf8")).source ?? {};
  return name === undefined ? "" : `${name} ${version ?? ""}`.trim();
}

const byText = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function sectionOf(peer, observations) {
  const compared = observations.filter(({ kind }) => kind !== undefined);
  const isByFile = BY_FILE.includes(peer);
  const nameOf = ({ file }) => file.slice(file.indexOf("/") + 1);
  const labelOf = (o) => (isByFile ? nameOf(o) : `${nameOf(o)}: ${o.case}`);
  const kinds = KINDS.filter((kind) => compared.some((o) => o.kind === kind));
  const files = [...groupedBy(compared, (o) => o.file).keys()].sort(byText);
  const rows = files.flatMap((file) =>
    [
      ...groupedBy(
        compared.filter((o) => o.file === file),
        labelOf,
      ),
    ]
      // Test files run side by side, and several may compare entries of one golden file.
      .sort(([a], [b]) => byText(a, b))
      .map(([label, own]) => {
        const cases = new Set(own.map((o) => o.case)).size;
        const row = rowOf(own);
        return [`\`${label}\``, ...(isByFile ? [`${cases}`] : []), ...kinds.map((kind) => cellOf(row, kind))];
      }),
  );
  const heads = kinds.map((kind) => (kind === "spikes" ? "spikes equal" : kind));
  const sources = [...new Set(files.map(sourceOf))].filter(Boolean).sort(byText).join(", ");
  const parts = [`## ${PEERS[peer] ?? peer}`];
  if (sources !== "") parts.push(`Made with ${sources}.`);
  if (rows.length > 0) parts.push(table(["case", ...(isByFile ? ["cases"] : []), ...heads], rows));
  const notes = (key) =>
    observations
      // Entries that another test of the same file compares are rows of the table.
      .filter((o) => o[key] !== undefined && !o[key].startsWith("tested in "))
      .map((o) => `- \`${nameOf(o)}: ${o.case}\`: ${o[key]}`)
      .sort(byText);
  const bugs = notes("peerBug");
  const left = notes("leftOut");
  if (bugs.length > 0) parts.push("Faults of the peer that are reproduced:", bugs.join("\n"));
  if (left.length > 0) parts.push("Left out:", left.join("\n"));
  return parts.join("\n\n");
}

const INTRO = `# Conformance

This page shows the differences between this package and stored results of other packages, or of equations in float64 where no package
has them. \`npm run conformance\` runs the golden tests (\`test/golden/\`), which fail beyond the bounds below, and writes this page.

A row is a case of a stored file, of PyTorch a file with many cases. Spikes must be equal in every step. The other columns show the
largest difference of a tensor in the case, relative to the largest value of that tensor: states (membranes, currents, traces, weights
that a rule changes) may differ by 10⁻⁵, gradients by 2·10⁻⁴, and both by 5·10⁻⁴ for chaotic or stiff neurons (Izhikevich, AdEx,
conductances). Outputs are all other results, such as losses and codes. An empty cell means that the case stores no such result. A value in
parentheses shows how sensitive a case is: two runs of this package differ so much where the inputs of the second run are moved by one
unit in the last place.

The files \`presets\` have neurons with the defaults of their package, from the state in which it makes them: every preset of this package
with no arguments but those that the other package requires, over 100 steps, and shorter runs with arguments that change the state at the
start. Gradients in these files may differ by 10⁻⁴. One class has gradients that no option here gives: \`IzhikevichNode\` of SpikingJelly
with \`detach_reset\` and a \`v_reset\` or \`b\` other than 0.

Lists below a table name faults of the other package that this package reproduces, and stored entries that no test compares, with the reason.`;

const { failed, all } = observed();
const groups = groupedBy(all, ({ file }) => file.split("/")[0]);
const order = [...Object.keys(PEERS), ...[...groups.keys()].filter((peer) => !(peer in PEERS)).sort(byText)];
const sections = order.filter((peer) => groups.has(peer)).map((peer) => sectionOf(peer, groups.get(peer)));
const text = `${[INTRO, ...sections].join("\n\n")}\n`;
console.log(text);
if (failed) {
  console.error("conformance: golden tests failed");
  process.exitCode = 1;
} else if (process.argv.includes("--check")) {
  if (readFileSync(page, "utf8") !== text) {
    console.error("conformance: docs/conformance.md is out of date; npm run conformance writes it");
    process.exitCode = 1;
  }
} else if (!goldens) writeFileSync(page, text);
