/**
 * The package as its users get it: packed, installed into an empty project, and used there by Node, by a bundled page and
 * worker under content policies, and by a TypeScript compiler.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { browsers } from "../../scripts/browsers.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const consumer = mkdtempSync(join(tmpdir(), "jarvis-snn-consumer-"));

let tarball;
let packed;

function run(command, args, cwd = consumer) {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw new Error(`${command} ${args.join(" ")}\n${error.stdout}${error.stderr}`);
  }
}

const bin = (name, ...args) => run(process.execPath, [join(root, "node_modules", name), ...args]);

before(() => {
  cpSync(join(here, "consumer"), consumer, { recursive: true });
  const options = ["--ignore-scripts", "--json", "--pack-destination", consumer];
  const [{ filename, files }] = JSON.parse(run("npm", ["pack", ...options], root));
  tarball = join(consumer, filename);
  packed = files.map(({ path }) => path);
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", tarball]);
});

after(() => rmSync(consumer, { recursive: true, force: true }));

test("package: it holds the built library and nothing else", () => {
  for (const path of ["LICENSE", "package.json", "dist/index.js", "dist/chunks/kernels.js"]) {
    assert.ok(packed.includes(path), `${path} is missing`);
  }
  const documents = ["LICENSE", "README.md", "CHANGELOG.md", "package.json"];
  for (const path of packed.filter((name) => !documents.includes(name))) {
    assert.match(path, /^dist\/.+\.(js|d\.ts)$/);
    assert.doesNotMatch(path, /\.test\.|build\/debug/);
    if (path.startsWith("dist/chunks/")) continue;
    const source = path.slice("dist/".length).replace(/\.(js|d\.ts)$/, ".ts");
    assert.ok(existsSync(join(root, source)), `${path} has no source ${source}; npm run clean`);
  }
});

test("package: it has no dependencies", () => {
  const installed = JSON.parse(run("npm", ["ls", "--all", "--json"])).dependencies;
  assert.deepEqual(Object.keys(installed), ["jarvis-snn"]);
  assert.equal(installed["jarvis-snn"].dependencies, undefined);
});

test("package: an entry loads its own layers", () => {
  const imports = (path) =>
    readFileSync(join(root, "dist", path), "utf8")
      .match(/chunks\/\w+(?=\.js")/g)
      .sort();
  assert.deepEqual(imports("index.js"), ["chunks/engine", "chunks/snn"]);
  assert.deepEqual(imports("engine/index.js"), ["chunks/engine"]);
  assert.deepEqual(imports("engine/kernels.js"), ["chunks/kernels"]);
  assert.deepEqual(imports("snn/index.js"), ["chunks/snn"]);
});

test("package: publint finds nothing", () => {
  bin("publint/src/cli.js", "--strict", tarball);
});

test("package: the types resolve for every entry", () => {
  bin("@arethetypeswrong/cli/dist/index.js", "--profile", "esm-only", tarball);
});

for (const resolution of ["nodenext", "bundler"]) {
  test(`package: a strict TypeScript project compiles, module resolution ${resolution}`, () => {
    const module = resolution === "nodenext" ? "nodenext" : "preserve";
    const options = ["--strict", "--noEmit", "--skipLibCheck", "false", "--target", "es2022"];
    bin("typescript/bin/tsc", ...options, "--module", module, "--moduleResolution", resolution, "types.ts");
  });
}

test("package: tensors keep their methods where a bundler drops unused modules", async () => {
  await bundle({ outDir: "methods", lib: { entry: "methods.js", formats: ["es"], fileName: () => "methods.js" } });
  assert.equal(run(process.execPath, ["methods/methods.js"]).trim(), "6");
});

test("package: a bundle holds the surrogates that it names", async () => {
  await bundle({ outDir: "names", lib: { entry: "surrogates.js", formats: ["es"], fileName: () => "names.js" } });
  const code = readFileSync(join(consumer, "names/names.js"), "utf8");
  assert.match(code, /["`]atan["`], 2/);
  assert.doesNotMatch(code, /["`](gaussian|boxcar|superSpike)["`]/);
});

test("package: a step of a stream allocates no objects", () => {
  // A semi-space that no run fills, so that what is allocated is still there at its end.
  const options = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
  const bytes = JSON.parse(run(process.execPath, [...options, "stream.js"]));
  // Less than the smallest object: what the engine itself takes in all that time.
  for (const [network, perStep] of Object.entries(bytes)) assert.ok(perStep < 4, `${network}: ${perStep} bytes a step`);
});

test("package: every entry can be imported, and the same training gives the same bits everywhere", async (t) => {
  const node = JSON.parse(run(process.execPath, ["--no-warnings", "node.js"]));
  for (const [entry, names] of Object.entries(node.exported)) assert.ok(names > 0, `${entry} exports nothing`);
  assert.ok(node.one, "Node: the entries must share one kernel instance");

  await bundle({ rolldownOptions: { input: ["page.html", "blocked.html"].map((name) => join(consumer, name)) } });
  for (const { name, visit } of browsers()) {
    await t.test(`${name}, on a page and in a worker`, async () => {
      const { page, worker } = await visit(join(consumer, "dist"), "page.html");
      assert.ok(page.one, "page: the entries must share one kernel instance");
      assert.ok(worker.one, "worker: the entries must share one kernel instance");
      assert.equal(page.weights, node.weights);
      assert.equal(worker.weights, node.weights);
    });

    await t.test(`${name}: where the content policy blocks WebAssembly, the error says what to do`, async () => {
      const text = await visit(join(consumer, "dist"), "blocked.html");
      assert.match(text, /content policy blocks WebAssembly: allow 'wasm-unsafe-eval' in script-src/);
    });
  }
});

const vite = { root: consumer, configFile: false, logLevel: "warn", worker: { format: "es" } };

async function bundle(options) {
  await build({ ...vite, build: options });
}
