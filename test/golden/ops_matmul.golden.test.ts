/** Products from 1-D to batched and broadcast, against PyTorch. */
import { linear, matmul, mul, permute, reshape, sum, type Tensor, transpose } from "jarvis-snn";
import { present } from "../support/close.ts";
import { type OpCase, opSuite } from "./op-suite.ts";

const turned = (x: Tensor, turn: unknown): Tensor => (turn === true ? transpose(x) : x);

/** An einsum as it is defined: axes of one name meet, products are summed over the names that the result does not have. */
function einsum(equation: string, operands: readonly Tensor[]): Tensor {
  const [left, result] = equation.replaceAll(" ", "").split("->") as [string, string];
  const names = [...new Set(result + left.replaceAll(",", ""))];
  const aligned = left.split(",").map((term, i) => {
    const own = names.filter((name) => term.includes(name));
    const x = permute(
      operands[i] as Tensor,
      own.map((name) => term.indexOf(name)),
    );
    return reshape(
      x,
      names.map((name) => x.shape[own.indexOf(name)] ?? 1),
    );
  });
  return sum(aligned.reduce(mul), { axis: names.map((_, axis) => axis).slice(result.length) });
}

const cases: Record<string, OpCase> = {
  matmul: (inputs) => matmul(present(inputs, "a"), present(inputs, "b")),
  matmul_trans: (inputs, attrs) =>
    matmul(turned(present(inputs, "a"), attrs.trans_a), turned(present(inputs, "b"), attrs.trans_b)),
  linear: (inputs) => linear(present(inputs, "input"), present(inputs, "weight"), inputs.bias ?? null),
  einsum: (inputs, attrs) => einsum(attrs.eq as string, Object.values(inputs)),
};

opSuite({
  file: "torch/ops_matmul",
  cases,
  leftOut: {},
  // Sums of up to a few hundred products of size 1 in another order: 1e-7·√n, more where they cancel.
  tolerance: {
    forward: { absolute: 2e-5, relative: 2e-6 },
    gradient: { absolute: 2e-5, relative: 2e-6 },
  },
});
