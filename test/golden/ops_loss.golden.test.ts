/** Losses in every reduction, against PyTorch. */
import { type CrossEntropyOptions, crossEntropy, mseLoss, permute, type Reduction, type Tensor } from "jarvis-snn";
import { present } from "../support/close.ts";
import { numbersOf } from "../support/golden.ts";
import { later, numberOf, type OpAttrs, type OpCase, opSuite } from "./op-suite.ts";

const reduction = (attrs: OpAttrs): Reduction => (attrs.reduction ?? "mean") as Reduction;

/** PyTorch's class axis is the second one; here it is the last. */
function classesLast(x: Tensor): Tensor {
  if (x.ndim < 3) return x;
  return permute(x, [0, ...Array.from({ length: x.ndim - 2 }, (_, i) => i + 2), 1]);
}

const cases: Record<string, OpCase> = {
  cross_entropy(inputs, attrs, entry) {
    const options: CrossEntropyOptions = {
      weight: inputs.weight ?? null,
      labelSmoothing: numberOf(attrs, "label_smoothing", 0),
      ignoreIndex: numberOf(attrs, "ignore_index", -100),
      reduction: reduction(attrs),
    };
    const target = present(inputs, "target");
    const labels = entry.inputs.target?.dtype === "int64" ? numbersOf(entry.inputs.target) : classesLast(target);
    return crossEntropy(classesLast(present(inputs, "logits")), labels, options);
  },
  mse: (inputs, attrs) => mseLoss(present(inputs, "input"), present(inputs, "target"), { reduction: reduction(attrs) }),
};

opSuite({
  file: "torch/ops_loss",
  cases,
  leftOut: later("l1", "smooth_l1", "huber", "bce_with_logits", "nll", "kl_div"),
  // exp and log to 1 or 2 ulp on both sides, sums over a few classes and rows.
  tolerance: {
    forward: { absolute: 1e-6, relative: 1e-6 },
    gradient: { absolute: 1e-6, relative: 2e-6 },
  },
});
