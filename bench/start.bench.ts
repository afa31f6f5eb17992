/** From `import` to the end of the first training step of the toy, in fresh processes. */
import { execFileSync } from "node:child_process";
import { median } from "./support/interleave.ts";

const RUNS = 11;
const network = new URL("../demos/toy/network.js", import.meta.url).href;

/** The data set and the loader are made after the import and not counted, as an application brings its own. */
const program = `
  const start = performance.now();
  const { crossEntropy, tape } = await import("jarvis-snn");
  const imported = performance.now();
  const { DEFAULTS, prepareToy } = await import(${JSON.stringify(network)});
  const { model, trainLoader, encode, optimizer } = prepareToy(DEFAULTS);
  const [{ x, y }] = trainLoader;
  const begin = performance.now();
  tape(() => crossEntropy(model.forward(encode(x)), y).backward());
  optimizer.step();
  console.log(JSON.stringify([imported - start, performance.now() - begin]));
`;

const runs = Array.from({ length: RUNS }, () => {
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" });
  return JSON.parse(output) as [number, number];
});
const [imports, steps] = [0, 1].map((i) => median(runs.map((run) => run[i] as number))) as [number, number];
console.log(
  `import ${imports.toFixed(1)} ms, first training step ${steps.toFixed(1)} ms, together ${(imports + steps).toFixed(1)} ms`,
);
