/** A neuron: a leaky membrane, from which a spike subtracts the threshold. */
import { ofClass } from "./names.mjs";

const source = (name) => `import { lazyNeuron } from "../neuron/define.ts";

/**
 * Leaky neuron; a spike subtracts the threshold from its membrane.
 *
 *   u[t] = β·v[t−1] + I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = u[t] − θ·s[t]
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. Defaults β = 0.9, θ = 1.
 *
 * @throws RangeError for a parameter outside of its bounds, or as every class of {@link neuron} does.
 * @see Author (year), Title, Journal.
 *
 * @example
 * \`\`\`ts
 * import { full, ${name} } from "jarvis-snn";
 *
 * const { spikes, membrane } = new ${name}({ beta: 0.8 }).unroll(full([25, 1, 1], 0.5)); // [T, B, N]
 * console.log(spikes.shape, membrane.shape); // [ 25, 1, 1 ] [ 25, 1, 1 ]
 * \`\`\`
 */
export const ${name} = /* @__PURE__ */ lazyNeuron({
  name: "${name}",
  state: { v: 0 },
  parameters: {
    /** β, the decay of the membrane per step, in [0, 1]. Default 0.9. */
    beta: 0.9,
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
  },
  constrain: { beta: [0, 1] },
  step({ current, v, beta, threshold, spike }) {
    const decayed = v.mul(beta);
    const u = decayed.add(current);
    const s = spike(u.sub(threshold));
    return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), leaked: decayed };
  },
});

/** A layer of {@link ${name}} neurons. */
export type ${name} = InstanceType<typeof ${name}>;
`;

const row = (name) => `  ${name}: {
    loops: {
      "of the paper": {
        options: { beta: 0.5 },
        loop: over({ v: 0 }, (state, I) => {
          const u = 0.5 * (state.v as number) + I;
          state.membrane = u;
          state.spikes = u >= 1 ? 1 : 0;
          state.v = u - state.spikes;
        }),
        scale: 2,
      },
    },
  },
`;

const section = (name) => `## ${name}

    u[t] = β·v[t−1] + I[t]      s[t] = 1 if u[t] ≥ θ else 0      v[t] = u[t] − θ·s[t]

The membrane leaks, and a spike subtracts the threshold from it. Source: Author (year).

\`\`\`ts
import { ${name}, surrogate } from "jarvis-snn";

console.log(String(new ${name}({ surrogate: surrogate.triangular() })));
\`\`\`

\`\`\`text
${name}
  u = v·β + I
  x1 = u − θ
  s = [x1 ≥ 0]
  v′ = u − detach(s)·θ
backward
  x2 = |x1|
  x3 = ∂s·(1 − x2 if x2 < 1 else 0)
  ∇u = ∂u + ∂v′ + x3
  ∇I = ∇u
  ∇v = ∇u·β
  ∇β += ∇u·v
  ∇θ += −∂v′·s − x3
\`\`\`

`;

/** @type {import("../new.mjs").Kind} */
export const neuron = {
  ...ofClass,
  entry: "index.ts",
  steps: ({ name, file }) => [
    { path: `snn/neurons/${file}.ts`, text: source(name), why: "the equation, the step, the paper" },
    {
      path: "snn/index.ts",
      among: /^export .*\bfrom "\.\/neurons\//,
      text: `export { ${name} } from "./neurons/${file}.ts";`,
      why: "the export",
    },
    {
      path: "test/support/neuron-rows.ts",
      table: /^export const NEURON_ROWS/,
      text: row(name),
      why: "a loop in float64, written from the paper; currents, where the defaults do not make it fire",
    },
    {
      path: "docs/neuron-models.md",
      before: /^- \[TsodyksMarkram\]/,
      text: `- [${name}](#${name.toLowerCase()})`,
      why: "the chapter in the list",
    },
    {
      path: "docs/neuron-models.md",
      before: /^## TsodyksMarkram$/,
      text: section(name),
      why: "the equation, its use, the source, the printed gradient",
    },
    {
      path: "demos/neurons/catalogue.ts",
      before: /^ {2}type Module,$/,
      text: `  ${name},`,
      why: "the import",
    },
    {
      path: "demos/neurons/catalogue.ts",
      table: /^export const SPECIMENS/,
      text: `  ${name}: { make: () => new ${name}(), step: 0.3, most: 1 },`,
      why: "the current of the demo `neurons`, and the largest one of its f–I curve",
    },
  ],
  commands: () => [
    "npm run format  # 20 s",
    "npm run types  # a minute: a missing row is an error",
    "npx vitest run readme -u  # half a minute: writes the printed gradient",
    "npx vitest run snn/neurons/neurons.test snn/neurons/options test/names test/core demos/neurons  # half a minute",
    "npm run lint  # 20 s",
    "npm run fuzz -- neurons attack --minutes 1  # two minutes",
    "npm run size  # a minute",
  ],
};
