/**
 * The package as its users get it: packed, installed into an empty project, and used there by Node, by a bundled page and
 * worker under content policies, and by a TypeScript compiler.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import ts from "typescript";
import { build, createServer } from "vite";
import { browsers, ISOLATED } from "../../scripts/browsers.mjs";
import { bundlers } from "../../scripts/bundlers.mjs";
import { compilers } from "../../scripts/compilers.mjs";
import { entries, WORKER } from "../../scripts/entries.mjs";
import { oldestNode } from "../../scripts/nodes.mjs";

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

const read = (path) => readFileSync(join(root, path), "utf8");

/** The programs that the documents show, as files of the consumer. */
function readmeExamples() {
  const pages = ["README.md", "docs/extend.md", "docs/neurons.md", "docs/nir.md", "docs/probes.md"].map(read).join("");
  const programs = pages.match(/(?<=^```ts\n).*?(?=^```$)/gms);
  return programs.map((program, i) => {
    const file = `readme-${i + 1}.ts`;
    writeFileSync(join(consumer, file), program);
    return file;
  });
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

test("package: it holds the entries with their declarations, the files they share, documents, and nothing else", () => {
  const built = Object.keys(entries()).flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`]);
  built.push(`dist/${WORKER.file}`);
  for (const path of ["LICENSE", "README.md", "package.json", "dist/chunks/kernels.js", ...built]) {
    assert.ok(packed.includes(path), `${path} is missing`);
  }
  for (const path of packed.filter((name) => !built.includes(name))) {
    assert.match(
      path,
      /^dist\/([\w/]+\/)?\w+\.js\.map$|^dist\/chunks\/\w+\.(js|d\.ts)$|^docs\/((decisions|figures|lessons)\/)?[\w-]+\.(md|svg)$|^[A-Z]+(\.md)?$|^package\.json$/,
    );
  }
});

test("package: relative links of its documents lead to files in it", () => {
  const documents = packed.filter((path) => path.endsWith(".md"));
  const links = documents.flatMap((path) => {
    const text = read(path).replace(/^```.*?^```/gms, "");
    const found = [...text.matchAll(/\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g)].map(
      ([, link, source]) => link ?? source,
    );
    return found.filter((link) => !/^(\w+:|#)/.test(link)).map((link) => [path, posix.join(posix.dirname(path), link)]);
  });
  assert.ok(links.some(([path]) => path === "README.md"));
  for (const [path, target] of links) assert.ok(packed.includes(target.replace(/#.*/, "")), `${path}: no ${target}`);
});

test("package: declarations show what is public", () => {
  const declarations = packed.filter((path) => path.endsWith(".d.ts"));
  for (const path of declarations) assert.doesNotMatch(read(path), /@internal|gradPtr/, path);
});

test("package: it has no dependencies", () => {
  const installed = JSON.parse(run("npm", ["ls", "--all", "--json"])).dependencies;
  assert.deepEqual(Object.keys(installed), ["jarvis-snn"]);
  // Optional peers that are not installed are listed without a version.
  for (const [name, { version }] of Object.entries(installed["jarvis-snn"].dependencies ?? {})) {
    assert.equal(version, undefined, `${name} is installed`);
  }
});

test("package: an entry loads its own layers", () => {
  const imports = (path) =>
    readFileSync(join(root, "dist", path), "utf8")
      .match(/chunks\/\w+(?=\.js")/g)
      .sort();
  assert.deepEqual(imports("index.js"), [
    "chunks/compiled",
    "chunks/engine",
    "chunks/neuron",
    "chunks/neurons",
    "chunks/recurrent",
    "chunks/snn",
  ]);
  assert.deepEqual(imports("core.js"), ["chunks/engine", "chunks/plain", "chunks/snn"]);
  assert.deepEqual(imports("engine/index.js"), ["chunks/engine"]);
  assert.deepEqual(
    imports("engine/kernels.js"),
    ["arithmetic", "codes", "engine", "kernels", "kinds"].map((name) => `chunks/${name}`),
  );
  assert.deepEqual(imports("engine/relaxed.js"), ["chunks/arithmetic"]);
  assert.deepEqual(imports("engine/threads/index.js"), ["chunks/arithmetic", "chunks/engine", "chunks/kernels"]);
  assert.doesNotMatch(read(`dist/${WORKER.file}`), /\b(import|export) /);
  assert.deepEqual(imports("engine/extend.js"), ["chunks/engine", "chunks/saves"]);
  assert.match(read("dist/chunks/saves.js"), /from "\.\/engine\.js";$/m);
  for (const path of ["chunks/codes.js", "chunks/kinds.js"])
    assert.match(read(`dist/${path}`), /from "\.\/kernels\.js";$/m);
  assert.deepEqual(imports("snn/index.js"), [
    "chunks/compiled",
    "chunks/neuron",
    "chunks/neurons",
    "chunks/recurrent",
    "chunks/snn",
    "chunks/surrogates",
  ]);
  assert.deepEqual(imports("snn/audio/index.js"), ["chunks/engine", "chunks/snn"]);
  assert.deepEqual(
    imports("snn/events/index.js"),
    ["aedat31", "aedat4", "engine", "evt", "formats", "hdf5", "npz", "recordings", "records", "spikes"].map(
      (name) => `chunks/${name}`,
    ),
  );
  assert.deepEqual(imports("snn/plot/index.js"), ["chunks/engine", "chunks/peer", "chunks/snn"]);
});

test("package: a peer is no dependency, and the error of the first chart says how to install it", () => {
  const draw =
    'import { rasterPlot } from "jarvis-snn/plot"; import { ones } from "jarvis-snn"; await rasterPlot(ones([2, 1, 3]));';
  assert.throws(() => run(process.execPath, ["--input-type=module", "-e", draw]), /install it: npm install echarts/);
});

test("package: NIR files need their peer, and the error of the first one says how to install it", () => {
  assert.throws(() => run(process.execPath, ["--input-type=module", "-e", NIR]), /install it: npm install h5wasm/);
});

/** Prints what comes of a NIR file. */
const NIR = 'import { roundTrip } from "./nir.js"; console.log(JSON.stringify(await roundTrip()));';

/** Files that need a package: HDF5 whose addresses have 8 bytes, and AEDAT 4 whose header says Zstandard. */
const needy = {
  h5wasm: "Uint8Array.from([137, 72, 68, 70, 13, 10, 26, 10, 0, 0, 0, 0, 0, 8, 8])",
  fzstd: 'Buffer.from("IyFBRVItREFUNC4wDQooAAAAFAAAAElPSEUAAAoADAAIAAAABAAKAAAACAAAAAMAAAAAAAAAAAAAAA==", "base64")',
};
for (const [name, file] of Object.entries(needy)) {
  test(`package: the error of a recording that needs ${name} says how to install it`, () => {
    const read = `import { readEvents } from "jarvis-snn/events"; await readEvents(${file});`;
    const says = new RegExp(`readEvents: expected the package ${name}, .* install it: npm install ${name}`);
    assert.throws(() => run(process.execPath, ["--input-type=module", "-e", read]), says);
  });
}

test("package: publint finds nothing", () => {
  bin("publint/src/cli.js", "--strict", tarball);
});

test("package: the types resolve for every entry", () => {
  bin(
    "@arethetypeswrong/cli/dist/index.js",
    "--profile",
    "esm-only",
    "--exclude-entrypoints",
    "threads/worker",
    "--",
    tarball,
  );
});

/** Where users compile: how modules are found, the types that are known besides those of the language, the files. */
const projects = {
  "no platform": { module: "node16", moduleResolution: "node16", lib: ["es2022"], files: ["types.ts"] },
  Node: {
    module: "nodenext",
    moduleResolution: "nodenext",
    lib: ["es2022"],
    types: ["node"],
    files: ["types.ts", ...readmeExamples()],
  },
  browsers: { moduleResolution: "bundler", lib: ["es2022", "dom"], files: ["types.ts", "browser.ts"] },
  workers: { moduleResolution: "bundler", lib: ["es2022", "webworker"], files: ["types.ts", "browser.ts"] },
};

for (const { version, tsc } of compilers()) {
  for (const [platform, { files, ...options }] of Object.entries(projects)) {
    test(`package: a strict project compiles with TypeScript ${version} and the types of ${platform}`, () => {
      // The declarations of the package are checked, those of the language, which take longer, are not.
      const checked = { skipLibCheck: false, skipDefaultLibCheck: true };
      const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, ...checked };
      const typeRoots = [join(root, "node_modules/@types")];
      const compilerOptions = { ...strict, target: "es2022", module: "esnext", types: [], typeRoots, ...options };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
      run(process.execPath, [tsc]);
    });
  }
}

test("package: an editor shows the sentence and the default of an option", () => {
  const shown = { AdaptiveLIF: ["kappa", "synapse"], LIF: ["rest", "reset", "tau", "learnBeta"], Lapicque: ["beta"] };
  const made = Object.entries(shown).map(([name, options]) => {
    const given = options.map((option) => `${option}: undefined as never`);
    return `new ${name}({ ${given.join(", ")} });`;
  });
  const source = `import { ${Object.keys(shown).join(", ")} } from "jarvis-snn";\n${made.join("\n")}`;
  const file = join(consumer, "editor.ts");
  writeFileSync(file, source);
  const { ScriptTarget, ModuleKind, ModuleResolutionKind } = ts;
  const modules = { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext };
  const settings = { strict: true, target: ScriptTarget.ES2022, types: [], ...modules };
  const service = ts.createLanguageService({
    ...ts.createCompilerHost(settings),
    getCompilationSettings: () => settings,
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (path) => ts.ScriptSnapshot.fromString(readFileSync(path, "utf8")),
  });
  for (const [, option] of source.matchAll(/ (\w+): undefined/g)) {
    const { documentation } = service.getQuickInfoAtPosition(file, source.indexOf(` ${option}:`) + 1);
    assert.match(ts.displayPartsToString(documentation), /^\S.*Default:? ./s, option);
  }
});

test("package: resolvers that do not know exports find it", () => {
  const [{ tsc }] = compilers();
  const options = ["--strict", "--noEmit", "--target", "es2022", "--module", "esnext", "--moduleResolution", "node"];
  run(process.execPath, [tsc, ...options, "readme-1.ts"]);
});

test("package: tensors keep their methods where a bundler drops unused modules", async () => {
  await bundle({ outDir: "methods", lib: { entry: "methods.js", formats: ["es"], fileName: () => "methods.js" } });
  assert.equal(run(process.execPath, ["methods/methods.js"]).trim(), "6");
});

test("package: a bundle holds the surrogates that it names", async () => {
  await bundle({ outDir: "names", lib: { entry: "surrogates.js", formats: ["es"], fileName: () => "names.js" } });
  const code = readFileSync(join(consumer, "names/names.js"), "utf8");
  assert.match(code, /["`]atan["`], 2/);
  assert.doesNotMatch(code, /["`](gaussian|boxcar|triangular)["`]/);
});

/** Programs of the consumer that use neurons or none, and the result of each; `compiler` says whether a bundle of it has the compiler. */
const SPIKES = [1, 0, 0, 1];
const PROGRAMS = {
  complete: { compiler: true, result: { spikes: SPIKES, named: SPIKES, membrane: ["1.00", "0.95"] } },
  "core-alone": {
    compiler: false,
    result: {
      learned: true,
      option: 'Error: LIF: refractorySteps is compiled; import it from "jarvis-snn"',
      line: "LIF()",
    },
  },
  "core-first": { compiler: true, result: { one: true, spikes: SPIKES } },
  "core-last": { compiler: true, result: { one: true, spikes: SPIKES } },
  "core-quantize": { compiler: true, result: { spikes: SPIKES, quantized: [0, 1] } },
  "core-nir": { compiler: true, result: { spikes: SPIKES, fromGraph: [1, 0] } },
  "no-neuron": { compiler: false, result: 6 },
  "with-threads": { compiler: false, result: { one: 1, counts: [2, 1] } },
};

/** Messages of the compiler: one of the step, one of the neurons. */
const COMPILER = /a value of a step is no number|spike takes one value/;

const { webpack, rspack } = bundlers();

/** Bundlers: each makes one file of a program. webpack, which takes seconds for it, bundles threads alone; Rspack does the same for all. */
const BUNDLERS = {
  vite: (program, file) =>
    bundle({
      outDir: dirname(file),
      emptyOutDir: false,
      lib: { entry: `${program}.js`, formats: ["es"], fileName: () => `${program}.js` },
    }),
  async rollup(program, file) {
    const input = join(consumer, `${program}.js`);
    const made = await rollup({ input, external: ["h5wasm"], plugins: [installed()] });
    await made.write({ file });
    await made.close();
  },
  esbuild: (program, outfile) =>
    esbuild({
      absWorkingDir: consumer,
      entryPoints: [`${program}.js`],
      outfile,
      bundle: true,
      format: "esm",
      minify: true,
    }),
  rspack: (program, file) => forNode(rspack, program, file),
};

/** Makes one module of a program by a bundler of webpack's kind. */
function forNode(make, program, file) {
  const output = { path: dirname(file), library: { type: "module" } };
  return make({ ...entriesOf([program]), target: "node", externals: ["h5wasm"], output });
}

/** Programs of the consumer as webpack names them. */
function entriesOf(programs) {
  return { context: consumer, entry: Object.fromEntries(programs.map((program) => [program, `./${program}.js`])) };
}

/**
 * Writes a page of the consumer that shows its pages one after the other in a frame, as documents of their own: a browser starts once. A frame
 * calls `parent.ended` with its name and its result. All results go to the server that the address of the page names behind #, or to its own.
 */
function writeFrames(page, names) {
  const show = `
    const names = ${JSON.stringify(names)};
    const results = {};
    function next() {
      const frame = document.createElement("iframe");
      frame.src = names.shift();
      document.body.replaceChildren(frame);
    }
    function ended(name, result) {
      results[name] = result;
      if (names.length > 0) return next();
      fetch(location.hash.slice(1) + "/result", { method: "POST", mode: "no-cors", body: JSON.stringify(results) });
    }
    next();`;
  writeFileSync(join(consumer, page), `<!doctype html><head></head><body><script>${show}</script></body>`);
}

/** Finds installed packages for Rollup, and reads the files with side effects from their package.json, as the plugin of Rollup for Node does. */
function installed() {
  const resolve = createRequire(join(consumer, "package.json")).resolve;
  const folder = dirname(resolve("jarvis-snn/package.json"));
  const { sideEffects } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const files = sideEffects.map((path) => join(folder, path));
  return {
    name: "installed",
    resolveId(name, importer) {
      const id = name.startsWith(".") ? join(dirname(importer), name) : importer && resolve(name);
      return id && { id, moduleSideEffects: !id.startsWith(folder) || files.includes(id) };
    },
  };
}

const resultOf = (path, { flags = [], node = process.execPath } = {}) => {
  const print = `import { result } from "./${path}"; console.log(JSON.stringify(result));`;
  return JSON.parse(run(node, [...flags, "--input-type=module", "-e", print]));
};

/** Node 20 has relaxed SIMD behind a flag, which later versions do not know. */
const RELAXED = process.versions.node.startsWith("20.") ? ["--experimental-wasm-relaxed-simd"] : [];

for (const [bundler, make] of [...Object.entries(BUNDLERS), ["nothing", () => {}]]) {
  test(`package: bundled by ${bundler}, a program that begins with the import of relaxed arithmetic runs it`, async () => {
    const path = bundler === "nothing" ? "relaxed.js" : `made-by-${bundler}/relaxed.js`;
    await make("relaxed", join(consumer, path));
    assert.deepEqual(resultOf(path, { flags: RELAXED }), { arithmetic: "relaxed", product: 6 });
  });
}

for (const [bundler, make] of Object.entries(BUNDLERS)) {
  test(`package: bundled by ${bundler}, neurons have the compiler where the program imports it, and no program has it beside`, async (t) => {
    for (const [program, { result, compiler }] of Object.entries(PROGRAMS)) {
      await t.test(program, async () => {
        const path = `made-by-${bundler}/${program}.js`;
        await make(program, join(consumer, path));
        assert.deepEqual(resultOf(path), result);
        assert.equal(COMPILER.test(readFileSync(join(consumer, path), "utf8")), compiler);
      });
    }
    await t.test("bare", async () => {
      const file = join(consumer, `made-by-${bundler}/bare.js`);
      await make("bare", file);
      assert.ok(readFileSync(file).length < 100);
    });
  });
}

test("package: threads run in this Node and in the oldest, bundled or not", async (t) => {
  const { result } = PROGRAMS["with-threads"];
  const makers = { ...BUNDLERS, webpack: (program, file) => forNode(webpack, program, file), nothing: () => {} };
  for (const [bundler, make] of Object.entries(makers)) {
    await t.test(bundler, async () => {
      const path = bundler === "nothing" ? "with-threads.js" : `threads-by-${bundler}/with-threads.js`;
      await make("with-threads", join(consumer, path));
      for (const node of [process.execPath, oldestNode()]) assert.deepEqual(resultOf(path, { node }), result, node);
    });
  }
});

test("package: without a bundler the entries share one class and one compiler, in Node and on a page", async (t) => {
  await t.test("Node", () => {
    for (const [program, { result }] of Object.entries(PROGRAMS))
      assert.deepEqual(resultOf(`${program}.js`), result, program);
  });
  const { exports } = JSON.parse(read("package.json"));
  const paths = Object.entries(exports).filter(([, target]) => target.default);
  const imports = Object.fromEntries(
    paths.map(([name, target]) => [
      `jarvis-snn${name.slice(1)}`,
      `./node_modules/jarvis-snn/${target.default.slice(2)}`,
    ]),
  );
  for (const program of Object.keys(PROGRAMS)) {
    const map = `<script type="importmap">${JSON.stringify({ imports })}</script>`;
    const script = `<script type="module">import { result } from "./${program}.js"; parent.ended("${program}", result);</script>`;
    writeFileSync(join(consumer, `${program}.html`), `<!doctype html><head>${map}${script}</head>`);
  }
  writeFrames(
    "programs.html",
    Object.keys(PROGRAMS).map((program) => `${program}.html`),
  );
  for (const { name, visit } of await browsers()) {
    const results = await visit(consumer, "programs.html", undefined, ISOLATED);
    for (const [program, { result }] of Object.entries(PROGRAMS)) {
      await t.test(`${name}: ${program}`, () => assert.deepEqual(results[program], result));
    }
  }
});

test("package: it works beside a library that has changed the prototype of all objects", () => {
  const plain = JSON.parse(run(process.execPath, ["--no-warnings", "node.js"]));
  const { weights, names } = JSON.parse(run(process.execPath, ["polluted.js"]));
  assert.equal(weights, plain.weights);
  assert.ok(names.includes("ATAN") && !names.includes("extend"), `${names}`);
});

test("package: where the address space is limited, the error of the import says how to get by", () => {
  const limited = (flags) => run("sh", ["-c", `ulimit -v 6000000; exec "${process.execPath}" ${flags} methods.js`]);
  assert.throws(() => limited(""), /no address space for a WebAssembly memory; raise ulimit -v, run Node with/);
  assert.equal(limited("--disable-wasm-trap-handler").trim(), "6");
});

/** Options with a semi-space that no run fills, so that all objects of a run are still there at its end. */
const COUNTING = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];

test("package: steps and forward of neurons allocate what they return, as an op does", () => {
  const { op, ...layers } = JSON.parse(run(process.execPath, [...COUNTING, "calls.js"]));
  for (const [name, bytes] of Object.entries(layers))
    assert.ok(bytes < 1.3 * op, `${name}: ${bytes} bytes, an op ${op}`);
});

test("package: a step of a stream allocates no objects", () => {
  const bytes = JSON.parse(run(process.execPath, [...COUNTING, "stream.js"]));
  // Less than the smallest object: what the engine itself takes in all that time.
  for (const [network, perStep] of Object.entries(bytes)) assert.ok(perStep < 4, `${network}: ${perStep} bytes a step`);
});

test("package: every entry can be imported, and the same training gives the same bits everywhere", async (t) => {
  const node = JSON.parse(run(process.execPath, ["--no-warnings", "node.js"]));
  for (const [entry, names] of Object.entries(node.exported)) assert.ok(names > 0, `${entry} exports nothing`);
  assert.ok(node.one, "Node: the entries must share one kernel instance");

  await bundle({ rolldownOptions: { input: ["page.html", "blocked.html"].map((name) => join(consumer, name)) } });
  for (const { name, visit } of await browsers()) {
    await t.test(`${name}, on a page and in a worker`, async () => {
      const { page, worker, refused } = await visit(join(consumer, "dist"), "page.html");
      assert.ok(page.one, "page: the entries must share one kernel instance");
      assert.ok(worker.one, "worker: the entries must share one kernel instance");
      assert.equal(page.weights, node.weights);
      assert.equal(worker.weights, node.weights);
      assert.match(refused, /Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp/);
    });

    await t.test(`${name}: where the content policy blocks WebAssembly, the error says what to do`, async () => {
      const text = await visit(join(consumer, "dist"), "blocked.html");
      assert.match(text, /content policy blocks WebAssembly: allow 'wasm-unsafe-eval' in script-src/);
    });
  }
});

/** Bundlers of pages: each makes the files of these programs in a folder of the consumer. */
const PAGES_BY = {
  async rollup(programs, dir) {
    const input = programs.map((program) => join(consumer, `${program}.js`));
    const made = await rollup({ input, plugins: [installed()] });
    await made.write({ dir });
    await made.close();
  },
  esbuild: (programs, outdir) =>
    esbuild({
      absWorkingDir: consumer,
      entryPoints: programs.map((program) => `${program}.js`),
      outdir,
      bundle: true,
      splitting: true,
      format: "esm",
      minify: true,
    }),
  webpack: (programs, path) => forWeb(webpack, programs, path, ROOMY),
  rspack: (programs, path) => forWeb(rspack, programs, path),
};

const forWeb = (make, programs, path, options = {}) =>
  make({ ...entriesOf(programs), target: "web", output: { path }, ...options });

/** webpack warns of pages with more bytes, minified and not compressed; by default it does from 250 000 on. */
const MOST_BYTES = 260_000;
const ROOMY = { performance: { maxAssetSize: MOST_BYTES, maxEntrypointSize: MOST_BYTES } };

const program = () => join(consumer, "node_modules/jarvis-snn/dist", WORKER.file);

/** Bundles the pages with threads by each bundler. Returns their names. */
async function bundleThreads() {
  const pages = ["threads.html", "threads-url.html"];
  await bundle({
    outDir: "threads/vite",
    base: "./",
    rolldownOptions: { input: pages.map((page) => join(consumer, page)) },
  });
  const names = pages.map((page) => `threads/vite/${page}`);
  for (const [bundler, make] of Object.entries(PAGES_BY)) {
    const folder = `threads/${bundler}`;
    await make(["threads-page", "threads-worker", "threads-served"], join(consumer, folder));
    copyFileSync(program(), join(consumer, folder, "program.js"));
    copyFileSync(join(consumer, "threads.html"), join(consumer, folder, "threads.html"));
    const served = readFileSync(join(consumer, "threads-url.html"), "utf8").replace(
      "threads-url.js",
      "threads-served.js",
    );
    writeFileSync(join(consumer, folder, "served.html"), served);
    names.push(`${folder}/threads.html`, `${folder}/served.html`);
  }
  return names;
}

/** Throws unless all trainings of a page gave these weights, two threads ran between one and one, and no view of the memory before lives. */
function checkThreads({ page, worker }, hash) {
  for (const { refused, ...result } of [page, worker].filter((each) => each !== undefined)) {
    const weights = [hash, hash, hash];
    // Where a start was refused before, the memory was shared already, of which no view can be detached.
    const before = refused === undefined ? 0 : 3;
    assert.deepEqual(result, { weights, counts: [2, 1], isAlive: true, before, memory: "SharedArrayBuffer" });
    if (refused !== undefined) assert.match(refused, /worker-src blob:.*threads\(n, \{ worker: url \}\)/);
  }
}

test("package: threads train to the bits of one thread, in Node, on pages with content policies, and in their workers", async (t) => {
  const print =
    'import { trainWithThreads } from "./threads.js"; console.log(JSON.stringify({ page: await trainWithThreads() }));';
  const inNode = JSON.parse(run(process.execPath, ["--input-type=module", "-e", print]));
  const [hash] = inNode.page.weights;
  checkThreads(inNode, hash);

  const names = await bundleThreads();
  writeFrames("threads-all.html", names);
  const [chromium, ...others] = await browsers();
  for (const { name, visit } of [chromium, ...others]) {
    const results = await visit(consumer, "threads-all.html", undefined, ISOLATED);
    for (const page of names) await t.test(`${name}: ${page}`, () => checkThreads(results[`/${page}`], hash));
  }

  await t.test(`${chromium.name}: the development server of Vite`, async () => {
    const include = ["core", "kernels", "threads"].map((entry) => `jarvis-snn/${entry}`);
    const settings = { host: "127.0.0.1", port: 0, headers: ISOLATED, hmr: false, watch: null };
    const server = await createServer({ ...vite, optimizeDeps: { include }, server: settings });
    try {
      await server.listen();
      const pages = ["threads.html", "threads-url.html"];
      writeFrames("threads-dev.html", pages);
      const [address] = server.resolvedUrls.local;
      const go = `location.href = "${address}threads-dev.html#" + location.origin`;
      writeFileSync(join(consumer, "to-server.html"), `<!doctype html><head></head><script>${go}</script>`);
      const results = await chromium.visit(consumer, "to-server.html");
      for (const page of pages) checkThreads(results[`/${page}`], hash);
    } finally {
      await server.close();
    }
  });
});

test("package: with the peer, NIR files are written and read in Node and on a page", async (t) => {
  const wanted = {
    version: "1.0.7",
    edges: [["input", "fc"]],
    weight: [1.5, -2],
    refused: "readNIR: expected a whole HDF5 file at /, got 1000 bytes that are none",
  };
  const peer = join(consumer, "node_modules/h5wasm");
  cpSync(join(root, "node_modules/h5wasm"), peer, { recursive: true });
  try {
    assert.deepEqual(JSON.parse(run(process.execPath, ["--input-type=module", "-e", NIR])), wanted);
    await bundle({ outDir: "nir", rolldownOptions: { input: join(consumer, "nir.html") } });
    for (const { name, visit } of await browsers()) {
      await t.test(name, async () => assert.deepEqual(await visit(join(consumer, "nir"), "nir.html"), wanted));
    }
  } finally {
    rmSync(peer, { recursive: true });
  }
});

const vite = { root: consumer, configFile: false, logLevel: "warn", worker: { format: "es" } };

/** Addresses of files begin with `base`. */
async function bundle({ base, ...options }) {
  await build({ ...vite, base, build: options });
}
