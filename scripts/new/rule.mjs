/** A rule for synapses: a postsynaptic spike strengthens the synapses whose inputs were active before. */
import { ofClass } from "./names.mjs";

const source = (name) => `import { lazyRule } from "../plasticity.ts";

/**
 * A postsynaptic spike strengthens each synapse by the trace of its presynaptic spikes.
 *
 *   at a postsynaptic spike:  Δw = η·x      x ← x·exp(−dt/τ), and x + 1 at each presynaptic spike
 *
 * Shapes: see {@link Plastic}. Parameters: eta 0.01, a number or a tensor [out]; tau 20, in the unit of dt, a number.
 *
 * @throws RangeError for a tau that is not positive.
 * @see Author (year), Title, Journal.
 *
 * @example
 * \`\`\`ts
 * import { Linear, Plastic, ${name}, tensor } from "jarvis-snn";
 *
 * const layer = new Linear(2, 1, { bias: false });
 * const plastic = new Plastic(layer, new ${name}({ eta: 0.1 }));
 * plastic.step(tensor([[1, 0]]), tensor([[1]]), plastic.initialState(1)); // changes layer.weight
 * \`\`\`
 */
export const ${name} = /* @__PURE__ */ lazyRule({
  name: "${name}",
  traces: { x: { of: "pre", tau: "tau" } },
  parameters: { eta: 0.01, tau: 20 },
  onPost: ({ x, eta }) => x.mul(eta),
});
`;

const check = (name, file) => `import { Linear, Plastic, ${name} } from "jarvis-snn";
import { expect, test } from "vitest";
import { random, values } from "../../../test/support/tensors.ts";

test("${file}: weights are those of a float64 loop, written from the paper", () => {
  const [inputs, outputs, eta, tau] = [4, 3, 0.05, 10];
  const layer = new Linear(inputs, outputs, { bias: false });
  const w = layer.weight.toArray() as number[][];
  const plastic = new Plastic(layer, new ${name}({ eta, tau }));
  let state = plastic.initialState(1);
  let x = new Array<number>(inputs).fill(0);
  for (let t = 0; t < 50; t++) {
    const pre = random([1, inputs], 100 + t).gt(0.3);
    const post = random([1, outputs], 200 + t).gt(0.3);
    state = plastic.step(pre, post, state);
    x = x.map((trace) => trace * Math.exp(-1 / tau));
    for (const [j, row] of w.entries()) {
      const y = values(post)[j] as number;
      for (const [i, trace] of x.entries()) row[i] = (row[i] as number) + eta * y * trace;
    }
    x = x.map((trace, i) => trace + (values(pre)[i] as number));
    values(layer.weight).forEach((v, i) => void expect(v).toBeCloseTo(w.flat()[i] as number, 5));
  }
  expect(() => new ${name}({ tau: -1 })).toThrow("${name}: tau must be finite and > 0, got -1");
});
`;

const section = (name) => `## ${name}

    at a postsynaptic spike:  Δw = η·x      x ← x·exp(−dt/τ), and x + 1 at each presynaptic spike

\`${name}\` strengthens the synapses whose presynaptic neurons have fired lately. Source:
Author (year), Title, Journal.

\`\`\`ts
import { Linear, Plastic, ${name}, tensor } from "jarvis-snn";

const layer = new Linear(2, 1, { bias: false });
layer.weight.copyFrom([0.5, 0.5]);
const plastic = new Plastic(layer, new ${name}({ eta: 0.1 }));
const state = plastic.step(tensor([[1, 0]]), tensor([[0]]), plastic.initialState(1));
plastic.step(tensor([[0, 0]]), tensor([[1]]), state);
console.log(\`\${layer.weight}\`);
\`\`\`

\`\`\`text
Tensor([1, 2], [0.59512, 0.5], requiresGrad)
\`\`\`

`;

/** @type {import("../new.mjs").Kind} */
export const rule = {
  ...ofClass,
  entry: "index.ts",
  steps: ({ name, file }) => [
    { path: `snn/learning/rules/${file}.ts`, text: source(name), why: "the equations, the definition, the paper" },
    { path: `snn/learning/rules/${file}.test.ts`, text: check(name, file), why: "a loop in float64 from the paper" },
    {
      path: "snn/index.ts",
      among: /^export .*\bfrom "\.\/learning\/rules\//,
      text: `export { ${name} } from "./learning/rules/${file}.ts";`,
      why: "the export",
    },
    {
      path: "docs/plasticity.md",
      before: /^## Batches, bounds and sums$/,
      text: section(name),
      why: "the equation, its use, an example that runs, the source",
    },
  ],
  commands: () => [
    "npm run format  # 20 s",
    "npm run types  # a minute",
    "npx vitest run readme -u  # half a minute: writes what the example prints",
    "npx vitest run snn/learning/rules test/names test/core  # half a minute",
    "npm run lint  # 20 s",
    "npm run fuzz -- attack --minutes 1  # a minute",
    "npm run size  # a minute",
  ],
};
