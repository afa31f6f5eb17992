/** An op of one tensor, also in the language of steps. */
import { ofFunction } from "./names.mjs";

const source = (name) => `/** z = x³, elementwise.  ∂L/∂x = 3x² ⊙ ∂L/∂z. */
export const ${name} = (x: Tensor): Tensor => pow(x, 3);

`;

/** @type {import("../new.mjs").Kind} */
export const op = {
  ...ofFunction,
  entry: "index.ts",
  steps: ({ name }) => [
    {
      path: "engine/ops/formula.ts",
      before: /^\/\*\* z = ln\(1 \/ \(1 \+ e⁻ˣ\)\), elementwise, without/,
      text: source(name),
      why: "the function, its gradient in the comment; in another file where its family stands there",
    },
    {
      path: "engine/ops/index.ts",
      before: /^ {2}clamp: functions\.clamp,$/,
      text: `  ${name}: functions.${name},`,
      why: "the method of tensors",
    },
    {
      path: "test/support/elementwise.ts",
      table: /^const ROWS/,
      text: `  ${name}: {},`,
      why: "the range of x, where it is not [−2, 2)",
    },
    {
      path: "engine/fuse/operations.ts",
      before: /^ {2}sin: formula\(SIN\),$/,
      text: `  ${name}: formula(POW, 3),`,
      why: "the operation of a step: its lane operations and gradient, or its number",
    },
    {
      path: "engine/fuse/terms.ts",
      before: /^ {2}\/\*\* The sine\. \*\/$/,
      text: `  /** The equation of ${name}. */\n  ${name}(): Value;`,
      why: "the method of the values of a step, and its equation",
    },
  ],
  commands: () => [
    "npm run format  # 20 s",
    "npm run types  # a minute: a missing row is an error",
    "npx vitest run readme -u  # half a minute: writes the list of operations in docs/neurons.md",
    "npx vitest run engine/ops/ops engine/fuse/fuse kernels/formula test/names  # a minute",
    "npm run lint  # 20 s",
    "npm run fuzz -- programs steps attack --minutes 1  # three minutes",
    "npm run size  # a minute",
  ],
};
