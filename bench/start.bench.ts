/** From `import` to the end of the first training step of the toy, in fresh processes. */
import { execFileSync } from "node:child_process";
import { median } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const RUNS = 15;
const [data, settings] = ["data", "settings"].map((name) => new URL(`../demos/toy/${name}.js`, import.meta.url).href);

/** The network and one step by an entry. The data are made after the import and not counted, as an application brings its own. */
const program = (entry: string) => `
  const start = performance.now();
  const { Adam, crossEntropy, LIF, Linear, meanOverTime, poissonEncode, surrogate, tape } = await import("${entry}");
  const imported = performance.now() - start;
  const { toyData } = await import("${data}");
  const { DEFAULTS: { batchSize, dataSeed, hidden, lr, timesteps } } = await import("${settings}");
  const { x, y } = toyData(dataSeed).train.batch(Array.from({ length: batchSize }, (_, i) => i));
  const begin = performance.now();
  const first = new Linear(x.shape[1], hidden);
  const neurons = new LIF({ surrogate: surrogate.sigmoid({ slope: 10 }) });
  const second = new Linear(hidden, 2);
  const optimizer = new Adam([...first.parameters(), ...second.parameters()], { lr });
  tape(() => {
    const spikes = neurons.forward(first.forward(poissonEncode(x, { timesteps })));
    crossEntropy(second.forward(meanOverTime(spikes)), y).backward();
  });
  optimizer.step();
  console.log(JSON.stringify([imported, imported + performance.now() - begin]));
`;

function measured(entry: string): readonly [imported: number, stepped: number] {
  const text = execFileSync(process.execPath, ["--input-type=module", "--eval", program(entry)], { encoding: "utf8" });
  return JSON.parse(text);
}

const runs = Array.from({ length: RUNS }, () => [measured("jarvis-snn"), measured("jarvis-snn/core")] as const);
report({
  import: { value: median(runs.map(([[imported]]) => imported)) },
  toy: { value: median(runs.map(([[, stepped]]) => stepped)) },
  core: { value: median(runs.map(([, [, stepped]]) => stepped)) },
});
