/** Elementwise arithmetic and comparisons with broadcasting, against PyTorch. */
import { add, div, eq, ge, gt, le, lt, maximum, minimum, mul, sub } from "jarvis-snn";
import { EXACT, present } from "../support/close.ts";
import { later, type OpCase, opSuite } from "./op-suite.ts";

const binary = { add, sub, mul, div, maximum, minimum, gt, ge, lt, le, eq };

const cases: Record<string, OpCase> = Object.fromEntries(
  Object.entries(binary).map(([name, op]) => [name, (inputs) => op(present(inputs, "a"), present(inputs, "b"))]),
);

opSuite({
  file: "torch/ops_binary",
  cases,
  leftOut: later("pow", "pow_scalar", "where", "atan2"),
  tolerance: {
    // Correctly rounded operations.
    forward: EXACT,
    // Sums over the broadcast axes, which may cancel, and −(a/b)/b instead of −a/b².
    gradient: { absolute: 1e-5, relative: 1e-5 },
  },
});
