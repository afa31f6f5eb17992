/**
 * Checkpoints of an earlier version, as fixtures that later versions resume: the runs of test/support/saved on the package that is built in
 * another folder, a checkout of any commit.
 *
 *   git worktree add --detach <checkout> 3c77a22 && cd <checkout> && npm ci && npm run build
 *   node scripts/checkpoints.mjs write <checkout>   trains, and writes test/fixtures/checkpoints/v0.2/<run>.safetensors
 *   node scripts/checkpoints.mjs hash <checkout>    resumes these files, trains on, and writes their after.json
 *
 * Commit 3c77a22 has written the files, commit 87f5685 the hashes of after.json. All weights and inputs come from generators of the package.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";

const [task, checkout] = process.argv.slice(2);
if (!["write", "hash"].includes(task) || checkout === undefined) {
  throw new RangeError("checkpoints: expected write or hash and the folder of a built checkout");
}

const root = join(fileURLToPath(import.meta.url), "../..");
const sources = join(root, "test/support/saved");
const fixtures = join(root, "test/fixtures/checkpoints/v0.2");
/** JavaScript in the checkout imports the package that is built there. */
const scratch = join(checkout, "build/checkpoints");

const compilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  useDefineForClassFields: false,
  verbatimModuleSyntax: true,
};

async function fromCheckout() {
  mkdirSync(scratch, { recursive: true });
  for (const name of readdirSync(sources)) {
    const { outputText } = ts.transpileModule(readFileSync(join(sources, name), "utf8"), { compilerOptions });
    writeFileSync(join(scratch, name.replace(/ts$/, "js")), outputText);
  }
  writeFileSync(
    join(scratch, "node.js"),
    'export * from "jarvis-snn/node";\nexport { manualSeed } from "jarvis-snn";\n',
  );
  const load = (name) => import(pathToFileURL(join(scratch, `${name}.js`)).href);
  return { ...(await load("runs")), ...(await load("node")) };
}

const isWriting = task === "write";
const { names, makeSavedRun, manualSeed, saveCheckpoint, resumeCheckpoint } = await fromCheckout();
rmSync(scratch, { recursive: true });
mkdirSync(fixtures, { recursive: true });
const after = {};
for (const name of names) {
  const file = join(fixtures, `${name}.safetensors`);
  manualSeed(isWriting ? 3 : 98);
  const run = makeSavedRun(name, isWriting ? 11 : 99);
  if (isWriting) {
    run.start();
    saveCheckpoint(file, run);
  } else {
    resumeCheckpoint(file, run);
    run.goOn();
    after[name] = run.hashes();
  }
}
if (!isWriting) writeFileSync(join(fixtures, "after.json"), `${JSON.stringify(after, null, 2)}\n`);
