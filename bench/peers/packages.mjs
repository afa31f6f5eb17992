/** The packages that `npm run bench -- --peers` has put into $BENCH_PEERS. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const folder = process.env.BENCH_PEERS;

export const load = createRequire(`${folder}/package.json`);

export const version = (name) =>
  JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, "utf8")).version;
