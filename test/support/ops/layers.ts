/** Cases of normalisations, dropout and losses. */
import {
  batchNorm,
  bceWithLogits,
  crossEntropy,
  dropout,
  expand,
  Generator,
  groupNorm,
  huberLoss,
  klDiv,
  l1Loss,
  layerNorm,
  mseLoss,
  nllLoss,
  smoothL1Loss,
  type Tensor,
  tensor,
} from "../../../engine/index.ts";
import { type Case, type Cases, chained, row } from "./row.ts";

type PairLoss = (x: Tensor, y: Tensor, options: { reduction: "mean" | "sum" | "none" }) => Tensor;

const pairLoss = (run: PairLoss, of = "", range?: Case["range"]): Case[] => [
  row(`the mean${of}`, "[2, 3] [2, 3] → []", (x, y) => run(x, y, { reduction: "mean" }), { range }),
  row(`the sum${of}`, "[2, 3] [2, 3] → []", (x, y) => run(x, y, { reduction: "sum" }), { range }),
  row(`no reduction, a broadcast target${of}`, "[2, 3] [3] → [2, 3]", (x, y) => run(x, y, { reduction: "none" }), {
    range,
  }),
];

const LABELS = [0, 2, 1, 2];

export const LAYERS = {
  batchNorm: [
    row("images in training", "[3, 2, 2, 3] [2] [2] → [3, 2, 2, 3]", (x, weight, bias) =>
      batchNorm(x, { weight, bias, training: true }),
    ),
    row("vectors in training", "[5, 3] [3] [3] → [5, 3]", (x, weight, bias) =>
      batchNorm(x, { weight, bias, training: true, eps: 0.1 }),
    ),
    row("neither weight nor bias", "[2, 3, 4] → [2, 3, 4]", (x) => batchNorm(x, { training: true })),
    row("a bias alone", "[2, 3, 4] [3] → [2, 3, 4]", (x, bias) => batchNorm(x, { bias, training: true })),
    chained("running statistics", "[3, 2, 2, 2] [2] [2] → [3, 2, 2, 2]", (x, weight, bias) =>
      batchNorm(x, { weight, bias, runningMean: tensor([0.5, -1]), runningVar: tensor([2, 0.5]) }),
    ),
    chained("running statistics of vectors", "[4, 2] [2] → [4, 2]", (x, weight) =>
      batchNorm(x, { weight, runningMean: tensor([0.5, -1]), runningVar: tensor([2, 0.5]) }),
    ),
    row("images over time", "[2, 2, 3, 1, 2] [3] [3] → [2, 2, 3, 1, 2]", (x, weight, bias) =>
      batchNorm(x, { weight, bias, training: true }),
    ),
    row("vectors over time", "[2, 3, 4] [4] [4] → [2, 3, 4]", (x, weight, bias) =>
      batchNorm(x, { weight, bias, training: true, axis: -1 }),
    ),
    chained("a constant over time", "[3, 2, 2, 2] [2] [2] → [4, 3, 2, 2, 2]", (x, weight, bias) =>
      batchNorm(expand(x, [4, 3, 2, 2, 2]), { weight, bias, training: true }),
    ),
  ],
  layerNorm: [
    row("the last axis", "[2, 3, 5] [5] [5] → [2, 3, 5]", (x, weight, bias) => layerNorm(x, 5, { weight, bias })),
    row("several axes", "[2, 3, 4] [3, 4] [3, 4] → [2, 3, 4]", (x, weight, bias) =>
      layerNorm(x, [3, 4], { weight, bias, eps: 0.1 }),
    ),
    row("all axes, nothing learned", "[2, 3] → [2, 3]", (x) => layerNorm(x, [2, 3])),
    row("a weight alone", "[4, 3] [3] → [4, 3]", (x, weight) => layerNorm(x, 3, { weight })),
    chained("a constant over time", "[2, 3] [3] [3] → [4, 2, 3]", (x, weight, bias) =>
      layerNorm(expand(x, [4, 2, 3]), 3, { weight, bias }),
    ),
  ],
  groupNorm: [
    row("signals", "[2, 4, 3] [4] [4] → [2, 4, 3]", (x, weight, bias) => groupNorm(x, 2, { weight, bias })),
    row("one group", "[2, 4, 2, 2] [4] → [2, 4, 2, 2]", (x, weight) => groupNorm(x, 1, { weight })),
    row("a group a channel", "[2, 3, 5] [3] → [2, 3, 5]", (x, bias) => groupNorm(x, 3, { bias })),
    row("vectors", "[3, 6] [6] [6] → [3, 6]", (x, weight, bias) => groupNorm(x, 2, { weight, bias })),
    row("images over time", "[2, 2, 4, 1, 3] [4] [4] → [2, 2, 4, 1, 3]", (x, weight, bias) =>
      groupNorm(x, 2, { weight, bias }),
    ),
    chained("a constant over time", "[2, 4, 1, 2] [4] → [3, 2, 4, 1, 2]", (x, weight) =>
      groupNorm(expand(x, [3, 2, 4, 1, 2]), 2, { weight }),
    ),
  ],
  dropout: [
    row("training", "[5, 9] → [5, 9]", (x) => dropout(x, { p: 0.4, generator: new Generator(1) })),
    row("training with masks fixed over time", "[3, 2, 9] → [3, 2, 9]", (x) =>
      dropout(x, { p: 0.4, generator: new Generator(1), sharedAxes: 0 }),
    ),
    row("everything", "[7] → [7]", (x) => dropout(x, { p: 1 })),
    row("nothing", "[7] → [7]", (x) => dropout(x, { p: 0 })),
    row("evaluation", "[2, 3] → [2, 3]", (x) => dropout(x, { training: false })),
  ],
  crossEntropy: [
    row("class indices", "[4, 3] → []", (x) => crossEntropy(x, LABELS)),
    row("the sum", "[4, 3] → []", (x) => crossEntropy(x, LABELS, { reduction: "sum" })),
    row("no reduction", "[4, 3] → [4]", (x) => crossEntropy(x, LABELS, { reduction: "none" })),
    row("time and batch", "[2, 2, 3] → []", (x) => crossEntropy(x, LABELS)),
    row("time and batch, no reduction", "[2, 2, 3] → [2, 2]", (x) => crossEntropy(x, LABELS, { reduction: "none" })),
    row("one row", "[3] → []", (x) => crossEntropy(x, [1])),
    chained("labels in a tensor", "[4, 3] → []", (x) => crossEntropy(x, tensor(LABELS))),
    row("smoothed labels", "[4, 3] → []", (x) => crossEntropy(x, LABELS, { labelSmoothing: 0.2 })),
    chained("class weights", "[4, 3] → []", (x) =>
      crossEntropy(x, LABELS, { weight: tensor([0.5, 2, 1]), labelSmoothing: 0.1 }),
    ),
    row("ignored rows", "[4, 3] → []", (x) => crossEntropy(x, LABELS, { ignoreIndex: 2 })),
    chained("probabilities", "[2, 3] → []", (x) =>
      crossEntropy(
        x,
        tensor([
          [0.2, 0.3, 0.5],
          [1, 0, 0],
        ]),
      ),
    ),
    chained("probabilities that want a gradient, weights and smoothing, no reduction", "[2, 3] [2, 3] → [2]", (x, y) =>
      crossEntropy(x, y, { weight: tensor([0.5, 2, 1]), labelSmoothing: 0.2, reduction: "none" }),
    ),
  ],
  nllLoss: [
    row("class indices", "[4, 3] → []", (x) => nllLoss(x, LABELS)),
    chained("weights and an ignored class, the sum", "[2, 2, 3] → []", (x) =>
      nllLoss(x, LABELS, { weight: tensor([0.5, 2, 1]), ignoreIndex: 2, reduction: "sum" }),
    ),
    chained("time and batch, no reduction", "[2, 2, 3] → [2, 2]", (x) =>
      nllLoss(x, LABELS, { weight: tensor([0.5, 2, 1]), reduction: "none" }),
    ),
    row("one row", "[3] → []", (x) => nllLoss(x, [1], { reduction: "none" })),
  ],
  l1Loss: pairLoss(l1Loss),
  smoothL1Loss: [
    ...pairLoss(smoothL1Loss),
    ...pairLoss((x, y, options) => smoothL1Loss(x, y, { ...options, beta: 0.5 }), ", beta 0.5"),
    ...pairLoss((x, y, options) => smoothL1Loss(x, y, { ...options, beta: 0 }), ", beta 0"),
  ],
  huberLoss: [
    ...pairLoss(huberLoss),
    ...pairLoss((x, y, options) => huberLoss(x, y, { ...options, delta: 0.5 }), ", delta 0.5"),
  ],
  bceWithLogits: [
    ...pairLoss(bceWithLogits),
    row(
      "weights of elements and of the positive part",
      "[2, 3] [2, 3] [2, 1] [3] → [2, 3]",
      (x, y, weight, posWeight) => bceWithLogits(x, y, { weight, posWeight, reduction: "none" }),
    ),
  ],
  klDiv: [
    ...pairLoss(klDiv, ", probabilities", [0.1, 2]),
    ...pairLoss((x, y, options) => klDiv(x, y, { ...options, logTarget: true }), ", logarithms"),
    row("the mean of the batch", "[2, 3] [2, 3] → []", (x, y) =>
      klDiv(x, y, { logTarget: true, reduction: "batchmean" }),
    ),
  ],
  mseLoss: pairLoss(mseLoss),
} satisfies Cases;
