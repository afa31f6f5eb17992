/**
 * The ops of one tensor, z = f(x), without options. A row says where the values come from that tests and fuzzers draw; the table of ops, the
 * programs of the fuzzer and the attack take their rows from it. The compiler asks for a row for each op of this form.
 */

import type { Tensor } from "../../engine/core/tensor.ts";
import type { ops } from "../../engine/ops/index.ts";

type Ops = typeof ops;

/** The names of these ops. */
type Elementwise = { [Name in keyof Ops]: Parameters<Ops[Name]> extends [Tensor] ? Name : never }[keyof Ops];

type Range = readonly [low: number, high: number];

/** The range of the values of x, [−2, 2) by default. */
const ROWS: Readonly<Record<Elementwise, { range?: Range }>> = {
  abs: {},
  atan: {},
  clone: {},
  cos: {},
  detach: {},
  erf: {},
  exp: { range: [-4, 2] },
  floor: {},
  log: { range: [0.1, 4] },
  log1p: { range: [-0.8, 4] },
  logSigmoid: {},
  neg: {},
  reciprocal: { range: [0.4, 4] },
  relu: {},
  round: {},
  rsqrt: { range: [0.3, 4] },
  sigmoid: {},
  sign: {},
  silu: {},
  sin: {},
  sqrt: { range: [0.1, 4] },
  square: {},
  tanh: {},
};

/** A table with a row for each of these ops. */
export const elementwise = <Row>(row: (name: Elementwise, range: Range | undefined) => Row): Record<Elementwise, Row> =>
  Object.fromEntries(
    Object.entries(ROWS).map(([name, { range }]) => [name, row(name as Elementwise, range)]),
  ) as Record<Elementwise, Row>;
