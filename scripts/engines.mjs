/**
 * Same seed, same bits: trains the networks of test/determinism on every Node version, on other processors, in every browser and on the
 * kernels with assertions, and compares the hashes with the pinned ones. `--update` pins new ones, if all engines agree on them.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { browsers } from "./browsers.mjs";
import { debugKernels } from "./build-kernels.mjs";
import { emulatedNodes, nodes } from "./nodes.mjs";
import { start } from "./programs.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pins = join(root, "test/determinism/hashes.json");

/** Folders of one bundle each, on the release and on the debug kernels. */
const release = join(root, "build/determinism/release");
const debug = join(root, "build/determinism/debug");

/** The networks as one file, for Node and, with a page around it, for browsers. */
async function writeBundle(outDir, alias) {
  const lib = { entry: join(root, "test/determinism/run.ts"), formats: ["es"], fileName: () => "run.js" };
  // All of the sources: package.json speaks of built files where it names those with side effects.
  const rolldownOptions = { treeshake: false };
  const options = { outDir, minify: false, lib, rolldownOptions };
  await build({ root, configFile: false, logLevel: "warn", resolve: { alias }, build: options });
  const script =
    'import { measureAll } from "./run.js";' +
    'fetch("/result", { method: "POST", body: JSON.stringify(await measureAll()) });';
  writeFileSync(join(outDir, "page.html"), `<!doctype html><head><script type="module">${script}</script></head>`);
}

/** Of an emulated one, on a busy machine. */
const TIMEOUT_MS = 600_000;

async function runInNode([program, ...args], folder) {
  const bundle = pathToFileURL(join(folder, "run.js"));
  const source = `import { measureAll } from "${bundle}"; console.log(JSON.stringify(await measureAll()));`;
  return JSON.parse(await start(program, [...args, "--input-type=module", "--eval", source]).finished(TIMEOUT_MS));
}

/** Every engine with the hashes that it gives for each network. */
async function* measurements() {
  // Emulation takes as long as all others together, and one core: it runs beside them.
  const emulated = emulatedNodes({ isBigEndian: false }).map(({ name, command }) => [
    name,
    runInNode(command, release),
  ]);
  for (const [, hashes] of emulated) hashes.catch(() => {}); // until they are awaited
  for (const { name, command } of nodes()) yield [name, await runInNode(command, release)];
  yield ["debug kernels", await runInNode([process.execPath], debug)];
  for (const { name, visit } of await browsers()) yield [name, await visit(release, "page.html")];
  for (const [name, hashes] of emulated) yield [name, await hashes];
}

/** How the error of the import begins where memory is big-endian. */
const REFUSAL = "jarvis-snn needs a little-endian machine";

/** Throws unless the import is refused. */
async function checkRefusal({ name, command: [program, ...args] }) {
  const bundle = pathToFileURL(join(release, "run.js"));
  const source = `await import("${bundle}").catch((error) => console.log(error.message));`;
  const said = await start(program, [...args, "--input-type=module", "--eval", source]).finished(TIMEOUT_MS);
  if (!said.startsWith(REFUSAL)) throw new Error(`engines: ${name}: expected "${REFUSAL} …", got "${said.trim()}"`);
  console.log(`${name.padEnd(26)}  refused, as its memory is big-endian`);
}

/** What is pinned of hashes: the outputs are the same however they are computed. */
const pinOf = ({ weights, outputs }) => ({ weights, outputs });

/** Where hashes are not as pinned. */
function differences(engine, hashes, pinned) {
  const of = (name) => {
    const { weights, outputs } = pinned[name] ?? { weights: "nothing", outputs: "nothing" };
    const expected = { weights, outputs, byBatches: outputs, bySteps: outputs };
    return Object.keys(expected)
      .filter((key) => hashes[name][key] !== expected[key])
      .map((key) => `${engine}, ${name}.${key}: expected ${expected[key]}, got ${hashes[name][key]}`);
  };
  return Object.keys(hashes).flatMap(of);
}

const updating = process.argv.includes("--update");
let pinned = updating ? null : JSON.parse(readFileSync(pins, "utf8"));

await writeBundle(release, []);
// The sources, as dist/ has the release kernels in it.
await writeBundle(debug, [
  { find: /^jarvis-snn$/, replacement: join(root, "index.ts") },
  { find: /^jarvis-snn\/engine$/, replacement: join(root, "engine/index.ts") },
  { find: /^jarvis-snn\/kernels$/, replacement: join(root, "engine/kernels.ts") },
  { find: /^jarvis-snn\/(audio|events|quantize)$/, replacement: join(root, "snn/$1/index.ts") },
  ...debugKernels,
]);
const wrong = [];
for await (const [engine, hashes] of measurements()) {
  pinned ??= Object.fromEntries(Object.entries(hashes).map(([name, all]) => [name, pinOf(all)]));
  const found = differences(engine, hashes, pinned);
  wrong.push(...found);
  const shown = Object.entries(hashes).map(
    ([name, { weights, outputs }]) => `${name} ${weights.slice(0, 8)} ${outputs.slice(0, 8)}`,
  );
  console.log([engine.padEnd(26), ...shown, found.length === 0 ? "" : "wrong"].join("  "));
}
for (const node of emulatedNodes({ isBigEndian: true })) await checkRefusal(node);
if (wrong.length > 0) {
  const hint = updating ? "" : "\nchanged on purpose? npm run test:engines -- --update";
  throw new Error(`engines: the hashes of weights and outputs differ\n${wrong.join("\n")}${hint}`);
}
if (updating) writeFileSync(pins, `${JSON.stringify(pinned, null, 2)}\n`);
