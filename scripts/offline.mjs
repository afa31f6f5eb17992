/** Writes the service worker of a built folder, `offline.js`, and `offline.json`, the digests of the files that it may keep. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { root } from "./entries.mjs";

/** The worker; alone it ends one that an earlier build has left. */
export const worker = () => readFileSync(join(root, "demos/playground/offline.js"), "utf8");

/** Sixteen digits tell files of a build from answers of somebody else. */
const digestOf = (content) => createHash("sha256").update(content).digest("hex").slice(0, 16);

const FIRST =
  /^(index\.html|docs\/(index|getting-started)\.html|(equation|figures|lessons|play|zoo)\/.*|assets\/(?!search\.json$|figures\/[\w-]+-whole-).*)$/;

/**
 * When a file of the site is kept: at once are the shell, the first pages, lessons and figures; the rest is kept when it is visited. null for
 * files that no page asks for.
 */
export const ofSite = (path) =>
  /^(cards\/|sitemap\.xml$|play\/offline\.js$)/.test(path) ? null : FIRST.test(path) ? "first" : "later";

/** Writes both files into a folder; returns the version. `whenOf` gives "first", "later" or null for the path of a file. */
export function writeOffline(folder, whenOf) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, "/").length).replaceAll("\\", "/"))
    .filter((path) => !/^offline\.js(on)?$/.test(path))
    .sort();
  const digests = { first: {}, later: {} };
  for (const path of paths) {
    // A page that is the first of its folder is asked for by the name of the folder.
    const address = path.replace(/(^|\/)index\.html$/, "$1");
    const when = whenOf(path);
    if (when !== null) digests[when][address] = digestOf(readFileSync(join(folder, path)));
  }
  const list = JSON.stringify(digests);
  const version = digestOf(list);
  const addresses = [digests.first, digests.later].flatMap(Object.keys);
  const own = [...new Set(addresses.map((address) => address.replace(/\/.*/, "/")))];
  writeFileSync(join(folder, "offline.json"), list);
  const head = `const OWN = ${JSON.stringify(own)};\nconst VERSION = "${version}";\n`;
  writeFileSync(join(folder, "offline.js"), head + transformSync(worker(), { minify: true }).code);
  return version;
}
