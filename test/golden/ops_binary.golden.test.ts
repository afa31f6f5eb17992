/** Elementwise arithmetic and comparisons with broadcasting, against PyTorch. */
import { add, atan2, div, eq, ge, gt, le, lt, maximum, minimum, mul, pow, sub, where } from "jarvis-snn";
import { EXACT, present, type Tolerance } from "../support/close.ts";
import { numberOf, type OpCase, type OpTolerance, opSuite } from "./op-suite.ts";

const binary = { add, sub, mul, div, maximum, minimum, gt, ge, lt, le, eq, pow, atan2 };

const cases: Record<string, OpCase> = {
  ...Object.fromEntries(
    Object.entries(binary).map(([name, op]): [string, OpCase] => [
      name,
      (inputs) => op(present(inputs, "a"), present(inputs, "b")),
    ]),
  ),
  pow_scalar: (inputs, attrs) => pow(present(inputs, "a"), numberOf(attrs, "exponent", Number.NaN)),
  where: (inputs) => where(present(inputs, "c"), present(inputs, "a"), present(inputs, "b")),
};

// Sums over the broadcast axes, which may cancel, and −(a/b)/b instead of −a/b².
const gradient: Tolerance = { absolute: 1e-5, relative: 1e-5 };

/** Both sides approximate to 1 or 2 ulp; PyTorch multiplies for some exponents. */
const approximate: OpTolerance = { forward: { absolute: 1.2e-38, relative: 5e-7 }, gradient };

opSuite({
  file: "torch/ops_binary",
  cases,
  leftOut: {},
  // Correctly rounded operations.
  tolerance: { forward: EXACT, gradient },
  exceptions: { pow: approximate, pow_scalar: approximate, atan2: approximate },
});
