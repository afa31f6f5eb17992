/** From `import` to the end of the first training step of the toy, in fresh processes. */
import { execFileSync } from "node:child_process";
import { median } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const RUNS = 15;
const network = new URL("../demos/toy/network.js", import.meta.url).href;

/** The data set and the loader are made after the import and not counted, as an application brings its own. */
const program = `
  const start = performance.now();
  const { Adam, crossEntropy, tape } = await import("jarvis-snn");
  const imported = performance.now() - start;
  const { DEFAULTS, prepareToy, ToyNetwork } = await import(${JSON.stringify(network)});
  const { trainLoader, encode } = prepareToy(DEFAULTS);
  const [{ x, y }] = trainLoader;
  const begin = performance.now();
  const model = new ToyNetwork(DEFAULTS.hidden, DEFAULTS.refractory);
  const optimizer = new Adam(model.parameters(), { lr: DEFAULTS.lr });
  tape(() => crossEntropy(model.forward(encode(x)), y).backward());
  optimizer.step();
  console.log(JSON.stringify([imported, imported + performance.now() - begin]));
`;

const runs = Array.from({ length: RUNS }, () => {
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  return JSON.parse(text) as [imported: number, stepped: number];
});
report({
  import: { value: median(runs.map(([imported]) => imported)) },
  toy: { value: median(runs.map(([, stepped]) => stepped)) },
});
