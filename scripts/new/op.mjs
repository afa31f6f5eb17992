/** An op of one tensor, made of others. */
import { ofFunction } from "./names.mjs";

const source = (name) => `/** A function that is made of other ops, whose gradients it has. */
import { composedOp } from "../composed.ts";
import type { Tensor } from "../tensor.ts";
import { add, div } from "./arithmetic.ts";
import { abs } from "./unary.ts";

/** z = x / (1 + |x|), elementwise.  ∂L/∂x = ∂L/∂z / (1 + |x|)². */
export const ${name} = composedOp((x: Tensor): Tensor => div(x, add(abs(x), 1)));
`;

/** @type {import("../new.mjs").Kind} */
export const op = {
  ...ofFunction,
  entry: "index.ts",
  steps: ({ name, file }) => [
    { path: `engine/ops/${file}.ts`, text: source(name), why: "the function, its gradient in the comment" },
    {
      path: "engine/ops/public.ts",
      among: /^export .*\bfrom "\.\//,
      text: `export * from "./${file}.ts";`,
      why: "the export",
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
  ],
  commands: () => [
    "npm run types",
    "npx vitest run engine/ops/ops",
    "npm run lint",
    "npm run fuzz -- programs --minutes 1",
    "npm run size",
  ],
};
