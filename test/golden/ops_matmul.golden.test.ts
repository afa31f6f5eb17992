/** Products from 1-D to batched and broadcast, against PyTorch. */
import { linear, matmul, type Tensor, transpose } from "jarvis-snn";
import { present } from "../support/close.ts";
import { type OpCase, opSuite } from "./op-suite.ts";

const turned = (x: Tensor, turn: unknown): Tensor => (turn === true ? transpose(x) : x);

const cases: Record<string, OpCase> = {
  matmul: (inputs) => matmul(present(inputs, "a"), present(inputs, "b")),
  matmul_trans: (inputs, attrs) =>
    matmul(turned(present(inputs, "a"), attrs.trans_a), turned(present(inputs, "b"), attrs.trans_b)),
  linear: (inputs) => linear(present(inputs, "input"), present(inputs, "weight"), inputs.bias ?? null),
};

opSuite({
  file: "torch/ops_matmul",
  cases,
  leftOut: { einsum: "no op of this package: matmul covers the products that it is used for" },
  // Sums of up to a few hundred products of size 1 in another order: 1e-7·√n, more where they cancel.
  tolerance: {
    forward: { absolute: 2e-5, relative: 2e-6 },
    gradient: { absolute: 2e-5, relative: 2e-6 },
  },
});
