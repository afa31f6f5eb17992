/** An encoder: one spike, the earlier the larger the value. */
import { fileOf } from "./names.mjs";

const capital = (name) => name[0].toUpperCase() + name.slice(1);

const source = (name, exported) => `/** Values as one spike, the earlier the larger the value. */
import { numberOf, withDefaults } from "../../engine/arguments.ts";
import type { Tensor } from "../../engine/index.ts";
import { packed, STEP_COUNTS, shapeOverTime, stepsOver } from "./spikes.ts";

/** Options of {@link ${exported}}. */
export interface ${capital(name)}Options {
  /** T, the number of steps, an integer in [1, 2²⁴]. */
  timesteps: number;
}

const DEFAULTS = { timesteps: Number.NaN } satisfies Record<keyof ${capital(name)}Options, unknown>;

/**
 * One spike for each value, the earlier the larger the value. NaN gives no spike. No gradient.
 *
 *   s[t] = 1 if t = ⌊T·(1 − x)⌋ else 0     x clamped to [0, 1]
 *
 * Shapes: x [...] → spikes [T, ...].
 *
 * @throws RangeError unless timesteps is an integer in [1, 2²⁴]; TypeError for an option of another name or kind.
 * @see Author (year), Title, Journal.
 *
 * @example
 * \`\`\`ts
 * import { ${exported}, tensor } from "jarvis-snn";
 *
 * console.log(${exported}(tensor([0.25, 0.5]), { timesteps: 8 }).shape); // [ 8, 2 ]
 * \`\`\`
 */
export function ${exported}(x: Tensor, options: ${capital(name)}Options): Tensor {
  const { timesteps } = withDefaults("${exported}", DEFAULTS, options);
  numberOf("${exported}", "timesteps", timesteps, STEP_COUNTS);
  const shape = shapeOverTime("${exported}", timesteps, x);
  return packed("${exported}", shape, () => {
    const time = x.clamp(0, 1).neg().add(1).mul(timesteps).floor();
    return stepsOver(timesteps, x.ndim).eq(time);
  });
}
`;

const row = (exported) => `  ${exported}: {
    example: (x) => snn.${exported}(x, { timesteps: 9 }),
    times: (x) => steps.filter((step) => step === Math.floor(9 * (1 - x))),
    draw: (g) => [rates(g), { timesteps: timesteps(g) }],
    borders: (x, { timesteps }: { readonly timesteps: number }) =>
      Array.from(x.data).map((v) => met(timesteps * unit(v) - Math.round(timesteps * unit(v)))),
    args: [t(2, 3), { timesteps: must(num(1, 3)) }],
  },
`;

const section = (name, exported) => `### ${capital(name)} code

\`${exported}(x, { timesteps })\` gives each value one spike, the earlier the larger the value (Author, year).

    s[t] = 1 if t = ⌊T·(1 − x)⌋ else 0

`;

/** @type {import("../new.mjs").Kind} */
export const encoder = {
  entry: "index.ts",
  pattern: /^[a-z][A-Za-z0-9]*(?<!Encode)$/,
  looks: "in letters and digits that begin with a small one, without Encode at the end",
  names: (name) => ({ name, file: fileOf(name), exported: `${name}Encode` }),
  steps: ({ name, file, exported }) => [
    { path: `snn/coding/${file}.ts`, text: source(name, exported), why: "the equation, the code, the paper" },
    {
      path: "snn/core.ts",
      among: /^export .*\bfrom "\.\/coding\//,
      text: `export * from "./coding/${file}.ts";`,
      why: "the export",
    },
    {
      path: "test/support/encoders.ts",
      table: /^export const ENCODER_ROWS/,
      text: row(exported),
      why: "`times`, the equation in float64; `borders`, where a rounding decides about a spike; options",
    },
    {
      path: "docs/coding.md",
      before: /^### Currents$/,
      text: section(name, exported),
      why: "options, use, source, equation",
    },
  ],
  commands: () => [
    "npm run format  # 20 s",
    "npm run types  # a minute: a missing row is an error",
    "npx vitest run test/charts -u  # half a minute: draws the panel",
    "npx vitest run snn/coding test/names  # half a minute",
    "npm run lint  # 20 s",
    "npm run fuzz -- programs attack --minutes 1  # two minutes",
    "npm run size  # a minute",
  ],
};
