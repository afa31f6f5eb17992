/**
 * Same seed, same bits: runs test/determinism/run.ts from one bundle on every Node version and in Chromium, and compares
 * the hash of the trained weights with the pinned one. `--update` pins a new one, if the engines agree on it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "vite";
import { launchChromium } from "./chromium.mjs";
import { nodes } from "./nodes.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const bundle = join(root, "build/determinism/run.js");
const pin = join(root, "test/determinism/weights.sha256");

async function writeBundle() {
  const entry = join(root, "test/determinism/run.ts");
  const lib = { entry, formats: ["es"], fileName: () => "run.js" };
  const outDir = dirname(bundle);
  await build({ root, configFile: false, logLevel: "warn", build: { outDir, emptyOutDir: true, minify: false, lib } });
}

function hashInNode(path) {
  const program = `import { weightsHash } from "${pathToFileURL(bundle)}"; console.log(await weightsHash());`;
  return execFileSync(path, ["--input-type=module", "--eval", program], { encoding: "utf8" }).trim();
}

async function hashInChromium(browser) {
  const page = await browser.newPage();
  await page.route("http://localhost/**", (route) =>
    route.request().url().endsWith("/run.js")
      ? route.fulfill({ contentType: "text/javascript; charset=utf-8", path: bundle })
      : route.fulfill({ contentType: "text/html", body: "<!doctype html>" }),
  );
  await page.goto("http://localhost/");
  return await page.evaluate(`import("/run.js").then((run) => run.weightsHash())`);
}

async function hashes() {
  const results = [];
  for (const { name, path } of nodes()) results.push({ name, hash: hashInNode(path) });
  const browser = await launchChromium();
  try {
    results.push({ name: `Chromium ${browser.version()}`, hash: await hashInChromium(browser) });
  } finally {
    await browser.close();
  }
  return results;
}

await writeBundle();
const results = await hashes();
for (const { name, hash } of results) console.log(`${name.padEnd(28)} ${hash}`);

const agreed = results.every(({ hash }) => hash === results[0].hash);
const pinned = existsSync(pin) ? readFileSync(pin, "utf8").trim() : "nothing";
console.log(`${"pinned".padEnd(28)} ${pinned}`);
if (!agreed) {
  throw new Error("engines: expected the same weights everywhere, got the hashes above");
} else if (process.argv.includes("--update")) {
  writeFileSync(pin, `${results[0].hash}\n`);
  console.log("pinned the new hash");
} else if (results[0].hash !== pinned) {
  throw new Error(
    `engines: expected the pinned weights ${pinned}, got ${results[0].hash}; changed on purpose? npm run test:engines -- --update`,
  );
}
