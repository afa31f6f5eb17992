/** Unknown options, and plain values or lists in place of options, each of which would silently keep all defaults. */
import { expect, test } from "vitest";
import { random } from "../test/support/tensors.ts";
import { show } from "./arguments.ts";
import {
  Adam,
  AdamW,
  AvgPool2d,
  accuracy,
  amax,
  amin,
  argmax,
  argmin,
  avgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  batchNorm,
  bceWithLogits,
  bernoulli,
  Conv1d,
  Conv2d,
  clipGradNorm,
  conv1d,
  conv2d,
  convTranspose2d,
  crossEntropy,
  cumsum,
  DataLoader,
  Dropout,
  dropout,
  Embedding,
  embedding,
  evaluate,
  full,
  GroupNorm,
  gelu,
  gradcheck,
  groupNorm,
  huberLoss,
  klDiv,
  LambdaLR,
  LayerNorm,
  Linear,
  l1Loss,
  layerNorm,
  logsumexp,
  MaxPool2d,
  max,
  maxPool2d,
  mean,
  min,
  mseLoss,
  nllLoss,
  norm,
  ones,
  parameter,
  prod,
  RMSprop,
  rand,
  randn,
  SGD,
  StepLR,
  smoothL1Loss,
  softplus,
  std,
  sum,
  TensorDataset,
  tape,
  tensor,
  variance,
  zeros,
} from "./index.ts";

const x = random([2, 3], 1);
const signal = random([1, 4], 2);
const image = random([1, 4, 4], 2);
const weight = random([1, 1, 2, 2], 3);
const samples = new TensorDataset(new Float32Array(4), [0, 1]);
const optimizer = () => new SGD([parameter(tensor([1]))], { lr: 0.1 });

/** Functions with options, each called with an option of a sibling. */
const CALLS: Record<string, readonly [foreign: string, call: (options: never) => unknown]> = {
  sum: ["p", (options) => sum(x, options)],
  mean: ["unbiased", (options) => mean(x, options)],
  prod: ["p", (options) => prod(x, options)],
  amax: ["p", (options) => amax(x, options)],
  amin: ["p", (options) => amin(x, options)],
  variance: ["p", (options) => variance(x, options)],
  std: ["p", (options) => std(x, options)],
  norm: ["unbiased", (options) => norm(x, options)],
  logsumexp: ["p", (options) => logsumexp(x, options)],
  argmax: ["p", (options) => argmax(x, options)],
  argmin: ["p", (options) => argmin(x, options)],
  max: ["p", (options) => max(x, options)],
  min: ["p", (options) => min(x, options)],
  cumsum: ["p", (options) => cumsum(x, options)],
  gelu: ["beta", (options) => gelu(x, options)],
  softplus: ["approximate", (options) => softplus(x, options)],
  dropout: ["axis", (options) => dropout(x, options)],
  zeros: ["shape", (options) => zeros([2], options)],
  ones: ["generator", (options) => ones([2], options)],
  full: ["generator", (options) => full([2], 1, options)],
  rand: ["shape", (options) => rand([2], options)],
  randn: ["shape", (options) => randn([2], options)],
  tensor: ["generator", (options) => tensor([1, 2], options)],
  bernoulli: ["requiresGrad", (options) => bernoulli(x, options)],
  mseLoss: ["delta", (options) => mseLoss(x, x, options)],
  l1Loss: ["beta", (options) => l1Loss(x, x, options)],
  smoothL1Loss: ["delta", (options) => smoothL1Loss(x, x, options)],
  huberLoss: ["beta", (options) => huberLoss(x, x, options)],
  bceWithLogits: ["labelSmoothing", (options) => bceWithLogits(x, x, options)],
  klDiv: ["weight", (options) => klDiv(x, x, options)],
  crossEntropy: ["posWeight", (options) => crossEntropy(x, [0, 1], options)],
  nllLoss: ["posWeight", (options) => nllLoss(x, [0, 1], options)],
  conv1d: ["outputPadding", (options) => conv1d(signal, random([1, 1, 2], 3), null, options)],
  conv2d: ["outputPadding", (options) => conv2d(image, weight, null, options)],
  convTranspose2d: ["bias", (options) => convTranspose2d(image, weight, null, options)],
  maxPool2d: ["groups", (options) => maxPool2d(image, 2, options)],
  avgPool2d: ["groups", (options) => avgPool2d(image, 2, options)],
  embedding: ["generator", (options) => embedding([0, 1], x, options)],
  batchNorm: ["trackRunningStats", (options) => batchNorm(x, options)],
  layerNorm: ["axis", (options) => layerNorm(x, 3, options)],
  groupNorm: ["momentum", (options) => groupNorm(x, 1, options)],
  gradcheck: ["p", (options) => gradcheck((y) => y.sum(), [x], options)],
  Linear: ["groups", (options) => new Linear(1, 1, options)],
  Conv1d: ["outputPadding", (options) => new Conv1d(1, 1, 2, options)],
  Conv2d: ["outputPadding", (options) => new Conv2d(1, 1, 2, options)],
  MaxPool2d: ["groups", (options) => new MaxPool2d(2, options)],
  AvgPool2d: ["groups", (options) => new AvgPool2d(2, options)],
  BatchNorm1d: ["weight", (options) => new BatchNorm1d(2, options)],
  BatchNorm2d: ["axis", (options) => new BatchNorm2d(2, options)],
  LayerNorm: ["momentum", (options) => new LayerNorm(2, options)],
  GroupNorm: ["momentum", (options) => new GroupNorm(1, 2, options)],
  Dropout: ["training", (options) => new Dropout(0.5, options)],
  Embedding: ["bias", (options) => new Embedding(2, 2, options)],
  TensorDataset: ["dtype", (options) => new TensorDataset(new Float32Array(2), [0, 1], options)],
  DataLoader: ["timesteps", (options) => new DataLoader(samples, options)],
  SGD: ["betas", (options) => new SGD([parameter(tensor([1]))], options)],
  Adam: ["momentum", (options) => new Adam([parameter(tensor([1]))], options)],
  AdamW: ["momentum", (options) => new AdamW([parameter(tensor([1]))], options)],
  RMSprop: ["betas", (options) => new RMSprop([parameter(tensor([1]))], options)],
  StepLR: ["milestones", (options) => new StepLR(optimizer(), options)],
  LambdaLR: ["gamma", (options) => new LambdaLR(optimizer(), options)],
  clipGradNorm: ["max", (options) => clipGradNorm([x], 1, options)],
  evaluate: ["loss", (options) => evaluate(new Linear(2, 2), [], accuracy, options)],
};

test.each(Object.entries(CALLS))("options: %s wants its own, by their names", (name, [foreign, call]) => {
  for (const given of [1, "sum", true, [0], null]) {
    expect(() => tape(() => void call(given as never))).toThrow(
      new TypeError(`${name}: expected options, got ${show(given)}`),
    );
  }
  const act = () => tape(() => void call({ [foreign]: 1 } as never));
  expect(act).toThrow(TypeError);
  expect(act).toThrow(new RegExp(`^${name}: expected the options .*, got ${foreign}$`));
});

test("options: a label smoothing that nllLoss does not have must be none", () => {
  expect(nllLoss(x, [0, 1], { labelSmoothing: 0 } as object).item()).toBe(nllLoss(x, [0, 1]).item());
  const act = () => nllLoss(x, [0, 1], { labelSmoothing: 0.1 } as object);
  expect(act).toThrow(new RangeError("nllLoss: labelSmoothing must be 0, got 0.1"));
});
