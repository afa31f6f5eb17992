/** A surrogate without a kernel: the derivative of a logistic function. */
import { ofFunction } from "./names.mjs";

const source = (name) => `/**
 * Logistic: surrogate′(x) = k·σ(kx)·(1 − σ(kx)), primitive σ(kx). Default slope k = 4.
 *
 * @throws RangeError unless the slope is in [1e-9, 1e9]; TypeError for another option.
 * @see Author (year), Title, Journal.
 */
export const ${name} = (options: { slope?: number } = {}): Surrogate =>
  traced("${name}", { slope: 4 }, { slope: SCALE }, options, ({ slope }) => ({
    derivative(x) {
      const y = x.mul(slope).sigmoid();
      return y.sub(y.square()).mul(slope);
    },
    primitive: (x) => x.mul(slope).sigmoid(),
  }));

`;

const row = (name) => `  ${name}: {
    examples: [surrogate.${name}(), surrogate.${name}({ slope: 2 })],
    make: (slope) => surrogate.${name}({ slope }),
    args: [{ slope: num(1, 10) }],
  },
`;

/** @type {import("../new.mjs").Kind} */
export const surrogate = {
  ...ofFunction,
  entry: "snn/surrogates/surrogates.ts",
  steps: ({ name }) => [
    {
      path: "snn/surrogates/traced.ts",
      above: /^export function custom\(/,
      text: source(name),
      why: "defaults, ranges, derivative, smooth step, paper",
    },
    {
      path: "test/support/surrogates.ts",
      table: /^export const SURROGATE_ROWS/,
      text: row(name),
      why: "two examples, one of a given size, the places where the derivative jumps",
    },
    {
      path: "docs/coding.md",
      before: /^\| `custom\(/,
      text: `| \`${name}({ slope: 4 })\` | k·σ(kx)·(1 − σ(kx)) | σ(kx) |`,
      why: "the row in the table",
    },
  ],
  commands: () => [
    "npm run format  # 20 s",
    "npm run types  # a minute: a missing row is an error",
    "npx vitest run test/charts -u  # half a minute: draws the panel",
    "npx vitest run snn/surrogates snn/neurons/lif-fused kernels/surrogate kernels/lif documents test/names  # a minute",
    "npm run lint  # 20 s",
    "npm run fuzz -- programs neurons attack --minutes 1  # three minutes",
    "npm run size  # a minute",
  ],
};
