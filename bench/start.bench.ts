/** From `import` to the end of the first training step of the toy, in fresh processes. */
import { execFileSync } from "node:child_process";
import { median } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const RUNS = 15;
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
  console.log(imported - start + performance.now() - begin);
`;

const runs = Array.from({ length: RUNS }, () =>
  Number(execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" })),
);
report({ toy: { value: median(runs) } });
