/** Losses in every reduction, against PyTorch. */
import {
  bceWithLogits,
  type CrossEntropyOptions,
  crossEntropy,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  nllLoss,
  permute,
  type Reduction,
  smoothL1Loss,
  type Tensor,
} from "jarvis-snn";
import { present } from "../support/close.ts";
import { numbersOf } from "../support/golden.ts";
import { type Inputs, numberOf, type OpAttrs, type OpCase, type OpEntry, opSuite } from "./op-suite.ts";

const reductionOf = (attrs: OpAttrs): Reduction => (attrs.reduction ?? "mean") as Reduction;

/** PyTorch's class axis is the second one; here it is the last. */
function classesLast(x: Tensor): Tensor {
  if (x.ndim < 3) return x;
  return permute(x, [0, ...Array.from({ length: x.ndim - 2 }, (_, i) => i + 2), 1]);
}

/** Class indices as numbers, probabilities as a tensor. */
function targetOf(inputs: Inputs, entry: OpEntry): number[] | Tensor {
  const golden = entry.inputs.target;
  return golden?.dtype === "int64" ? numbersOf(golden) : classesLast(present(inputs, "target"));
}

function classOptions(inputs: Inputs, attrs: OpAttrs): CrossEntropyOptions {
  return {
    weight: inputs.weight ?? null,
    ignoreIndex: numberOf(attrs, "ignore_index", -100),
    labelSmoothing: numberOf(attrs, "label_smoothing", 0),
    reduction: reductionOf(attrs),
  };
}

type PairLoss<Options> = (input: Tensor, target: Tensor, options: Options & { reduction: Reduction }) => Tensor;

/** A loss of an input and a target of one kind. */
function pair<Options>(loss: PairLoss<Options>, optionsOf: (attrs: OpAttrs, inputs: Inputs) => Options): OpCase {
  return (inputs, attrs) => {
    const options = { ...optionsOf(attrs, inputs), reduction: reductionOf(attrs) };
    return loss(present(inputs, "input"), present(inputs, "target"), options);
  };
}

const cases: Record<string, OpCase> = {
  cross_entropy: (inputs, attrs, entry) =>
    crossEntropy(classesLast(present(inputs, "logits")), targetOf(inputs, entry), classOptions(inputs, attrs)),
  nll: (inputs, attrs, entry) =>
    nllLoss(classesLast(present(inputs, "input")), targetOf(inputs, entry), classOptions(inputs, attrs)),
  mse: pair(mseLoss, () => ({})),
  l1: pair(l1Loss, () => ({})),
  smooth_l1: pair(smoothL1Loss, (attrs) => ({ beta: numberOf(attrs, "beta", 1) })),
  huber: pair(huberLoss, (attrs) => ({ delta: numberOf(attrs, "delta", 1) })),
  bce_with_logits: pair(bceWithLogits, (_attrs, { weight = null, pos_weight: posWeight = null }) => ({
    weight,
    posWeight,
  })),
  kl_div: pair(klDiv, ({ log_target }) => ({ logTarget: log_target === true })),
};

opSuite({
  file: "torch/ops_loss",
  cases,
  leftOut: {},
  // exp and log to 1 or 2 ulp on both sides, sums over a few classes and rows.
  tolerance: {
    forward: { absolute: 1e-6, relative: 1e-6 },
    gradient: { absolute: 1e-6, relative: 2e-6 },
  },
});
