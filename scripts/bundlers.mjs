/**
 * Bundlers that users have and this project does not otherwise need: webpack and Rspack.
 *
 * As dev dependencies they would add a quarter to the packages that everyone installs.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import { cached } from "./cache.mjs";

const PINNED = { webpack: "5.113.0", "@rspack/core": "2.3.4" };

/**
 * The function of each, which takes options of webpack's kind and writes modules of JavaScript; a warning is an error.
 */
export function bundlers() {
  const require = createRequire(join(cached("bundlers", PINNED), "package.json"));
  const by = (bundler) => async (options) => {
    const output = { module: true, chunkFormat: "module", filename: "[name].js", ...options.output };
    const settings = { mode: "production", experiments: { outputModule: true }, externalsType: "import" };
    const stats = await promisify(bundler)({ ...settings, ...options, output });
    const { errors, warnings } = stats.toJson({ all: false, errors: true, warnings: true });
    const [first] = [...errors, ...warnings];
    if (first !== undefined) throw new Error(`${first.moduleName ?? ""}: ${first.message}`);
  };
  return { webpack: by(require("webpack")), rspack: by(require("@rspack/core").rspack) };
}
