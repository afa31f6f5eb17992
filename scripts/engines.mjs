/**
 * Same seed, same bits: trains the networks of test/determinism on every Node version, on other processors, in Deno, Bun and every browser,
 * with threads, and with V8's wide vectors, and compares the hashes with the pinned ones; `npm run test:debug` does so on the kernels with
 * assertions. Those of fused products (`jarvis-snn/relaxed`) are compared with each other, on each engine that has them.
 *
 *   npm run test:engines                  all engines
 *   npm run test:engines -- Deno WebKit   some of them
 *   npm run test:engines -- --update      pins new hashes, if all engines agree on them
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { browsers, ISOLATED } from "./browsers.mjs";
import { emulatedNodes, nodes, otherRuntimes } from "./nodes.mjs";
import { start } from "./programs.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const pins = join(root, "test/determinism/hashes.json");

/** Folders of one bundle each: the package as it is built, with threads, and with fused products. */
const release = join(root, "build/determinism/release");
const shared = join(root, "build/determinism/threads");
const relaxed = join(root, "build/determinism/relaxed");

/** The sources, since dist/ contains the release kernels and no options for the limits of threads. */
const SOURCES = [
  { find: /^jarvis-snn$/, replacement: join(root, "index.ts") },
  { find: /^jarvis-snn\/engine$/, replacement: join(root, "engine/index.ts") },
  { find: /^jarvis-snn\/(kernels|relaxed)$/, replacement: join(root, "engine/$1.ts") },
  { find: /^jarvis-snn\/(audio|events|quantize)$/, replacement: join(root, "snn/$1/index.ts") },
];

/** How the error of an engine without fused products begins. */
const NO_RELAXED = "jarvis-snn/relaxed: expected an engine with relaxed SIMD";

/** How many threads share the work on the oldest Node, on the other engines, and where a processor is emulated. */
const MANY = [2, 3, 4, 7];
const FEW = [2, 3];
const TWO = [2];
/** Networks that threads share on an emulated processor, where all of them take minutes. */
const QUICK = ["toy", "nano20", "recurrent", "conv", "online"];

/**
 * The networks as one file, a program with them for Node, Deno and Bun, which takes counts of threads and names of networks and prints
 * their hashes, and a page for browsers. The page works in a worker, since the main thread of a page must not wait for threads.
 */
async function writeBundle(outDir, source, alias) {
  const lib = { entry: join(root, "test/determinism", source), formats: ["es"], fileName: () => "run.js" };
  // Side effects of all sources are kept: package.json lists only built files with side effects.
  const rolldownOptions = { treeshake: false };
  const options = { outDir, minify: false, lib, rolldownOptions };
  await build({ root, configFile: false, logLevel: "warn", resolve: { alias }, build: options });
  const written = {
    "main.js":
      'import { measureAll } from "./run.js";' +
      'const [counts, names] = process.argv.slice(2).map((words) => words.split(","));' +
      "console.log(JSON.stringify(await measureAll(counts?.map(Number), names)));",
    "worker.js":
      'import { measureAll } from "./run.js";' +
      "onmessage = ({ data }) => measureAll(data).then((result) => postMessage({ result }), (error) => postMessage({ error }));",
    "page.html": `<!doctype html><head><script type="module">
      const worker = new Worker("./worker.js", { type: "module" });
      worker.onmessage = ({ data: { error, result } }) => {
        if (error !== undefined) throw error;
        fetch("/result", { method: "POST", body: JSON.stringify(result) });
      };
      worker.onerror = ({ message }) => { throw new Error(message); };
      worker.postMessage(location.search.slice(1).split(",").map(Number));
    </script></head>`,
  };
  for (const [name, text] of Object.entries(written)) writeFileSync(join(outDir, name), text);
}

/** Time limit of an emulated engine, on a busy machine. */
const TIMEOUT_MS = 600_000;

/** The hashes of networks, all unless some are named; `counts`: of threads. */
async function run([program, ...args], folder, counts, names) {
  const given = [counts, names].flatMap((words) => words?.join() ?? []);
  return JSON.parse(await start(program, [...args, join(folder, "main.js"), ...given]).finished(TIMEOUT_MS));
}

/** Parts of the names of the engines to run; if empty, all engines. */
const chosen = process.argv.slice(2).filter((word) => !word.startsWith("--"));
const runs = (name) => chosen.length === 0 || chosen.some((word) => name.includes(word));

/** The hashes of an engine for each network, with one thread and with each of these counts: `[name, hashes, orders]`. */
async function* ways(name, counts, measure) {
  if (!runs(name)) return;
  fused.push(...differencesAmong(name, await measure(relaxed, TWO)));
  yield [name, await measure(release)];
  const all = await measure(shared, counts);
  for (const { threads, hashes, orders } of all) yield [`  ${threads} threads`, hashes, orders];
}

/**
 * The flags with which V8 pairs vectors of four numbers to vectors of eight, and prints how; the text that it prints after pairing some.
 */
const WIDE = "--experimental-wasm-revectorize";
const TRACE = "--trace-wasm-revectorize";
const PAIRED = /Decided? to vectorize, [1-9]|VectorizeTree/g;

/**
 * The reason why V8 pairs no vectors on this machine; null if it does. Only Linux reports the features of a processor.
 */
function withoutWide() {
  if (process.arch !== "x64" || process.platform !== "linux") return `${process.platform} on ${process.arch}`;
  return readFileSync("/proc/cpuinfo", "utf8").includes(" avx2") ? null : "a processor without AVX2";
}

/** The hashes of a Node ≥ 22 with wide vectors: `[name, hashes]`. */
async function* wide({ name, command: [program] }) {
  const title = `  ${name}, wide`;
  if (!runs(title)) return;
  const reason = withoutWide();
  if (reason !== null) {
    console.log(`${title.padEnd(26)}  not checked: V8 pairs no vectors, ${reason}`);
    return;
  }
  const source = `const { measure } = await import("${pathToFileURL(join(release, "run.js"))}"); await measure("toy");`;
  const traced = start(program, [WIDE, TRACE, "--input-type=module", "--eval", source]).finished(TIMEOUT_MS);
  const said = await traced.catch((error) => (error.message.includes("bad option") ? null : Promise.reject(error)));
  if (said === null) {
    console.log(`${title.padEnd(26)}  not checked: ${name} has no ${WIDE}`);
    return;
  }
  const pairs = said.match(PAIRED)?.length ?? 0;
  if (pairs === 0) throw new Error(`engines: ${name} with ${WIDE}: expected paired vectors, got none`);
  console.log(`${title.padEnd(26)}  ${pairs} groups of vectors paired in toy`);
  yield [title, await run([program, WIDE], release)];
}

/** Where results of fused products on one engine differ from each other. */
const fused = [];

/** Says where promises of one machine do not hold: the same outputs however they are computed, and the same bits with any count of threads. */
function differencesAmong(engine, all) {
  if (all.refused !== undefined) {
    console.log(`${`  ${engine}, relaxed`.padEnd(26)}  refused, as there is none`);
    return all.refused.startsWith(NO_RELAXED) ? [] : [`${engine}, relaxed: ${all.refused}`];
  }
  console.log(`${`  ${engine}, relaxed`.padEnd(26)}  ${all.map(({ threads }) => threads).join(", ")} threads`);
  const [{ hashes: first }] = all;
  const pins = Object.fromEntries(Object.entries(first).map(([name, hashes]) => [name, pinOf(hashes)]));
  return all.flatMap(({ threads, hashes }) => differences(`${engine}, relaxed, ${threads} threads`, hashes, pins));
}

/** Every engine with the hashes that it gives for each network. */
async function* measurements() {
  // Emulation takes as long as all others together, and one core: it runs beside them.
  const emulated = emulatedNodes({ isBigEndian: false }).map(({ name, command }) => {
    const hashes = collect(ways(name, TWO, (folder, counts) => run(command, folder, counts, counts && QUICK)));
    hashes.catch(() => {}); // until they are awaited
    return hashes;
  });
  const all = nodes();
  for (const [i, { name, command }] of all.entries()) {
    yield* ways(name, i === 0 ? MANY : FEW, (folder, counts) => run(command, folder, counts));
  }
  yield* wide(all.at(-1));
  for (const { name, command } of otherRuntimes()) {
    yield* ways(name, FEW, (folder, counts) => run(command, folder, counts));
  }
  for (const { name, visit } of await browsers()) {
    yield* ways(name, FEW, (folder, counts = []) => visit(folder, `page.html?${counts}`, undefined, ISOLATED));
  }
  for (const hashes of emulated) yield* await hashes;
}

/** Values of an asynchronous generator. */
async function collect(all) {
  const found = [];
  for await (const one of all) found.push(one);
  return found;
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
if (updating && chosen.length > 0)
  throw new RangeError("engines: expected no names with --update, as all engines have to agree");
let pinned = updating ? null : JSON.parse(readFileSync(pins, "utf8"));

await writeBundle(release, "run.ts", []);
await writeBundle(shared, "threads.ts", SOURCES);
await writeBundle(relaxed, "relaxed.ts", SOURCES);
const wrong = [];
for await (const [engine, hashes, orders] of measurements()) {
  pinned ??= Object.fromEntries(Object.entries(hashes).map(([name, all]) => [name, pinOf(all)]));
  const found = differences(engine, hashes, pinned);
  if (orders === 0) found.push(`${engine}: expected work that threads share, got none`);
  wrong.push(...found);
  const shown = Object.entries(hashes).map(
    ([name, { weights, outputs }]) => `${name} ${weights.slice(0, 8)} ${outputs.slice(0, 8)}`,
  );
  const cut = orders === undefined ? [] : [`${orders} orders`];
  console.log([engine.padEnd(26), ...shown, ...cut, ...(found.length === 0 ? [] : ["wrong"])].join("  "));
}
wrong.push(...fused);
for (const node of emulatedNodes({ isBigEndian: true })) if (runs(node.name)) await checkRefusal(node);
if (wrong.length > 0) {
  const hint = updating ? "" : "\nchanged on purpose? npm run test:engines -- --update";
  throw new Error(`engines: the hashes of weights and outputs differ\n${wrong.join("\n")}${hint}`);
}
if (updating) writeFileSync(pins, `${JSON.stringify(pinned, null, 2)}\n`);
