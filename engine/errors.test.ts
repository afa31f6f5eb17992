/**
 * Layers, optimizers, schedules, loaders and the training loop, with each argument in turn replaced by wrong values: they accept the value
 * or throw an error with the expected one. They leak no memory and draw no random numbers.
 */
import { expect, test } from "vitest";
import { random } from "../test/support/tensors.ts";
import { defaultGenerator } from "./generator.ts";
import {
  Adagrad,
  Adam,
  AdamW,
  AvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv1d,
  Conv2d,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  clipGradNorm,
  clipGradValue,
  DataLoader,
  Dropout,
  Embedding,
  ExponentialLR,
  evaluate,
  Flatten,
  fit,
  Generator,
  GroupNorm,
  LambdaLR,
  LayerNorm,
  Linear,
  LinearLR,
  MaxPool2d,
  Module,
  MultiStepLR,
  memoryStats,
  mseLoss,
  OneCycleLR,
  parameter,
  ReduceLROnPlateau,
  RMSprop,
  Sequential,
  SGD,
  StepLR,
  summary,
  type Tensor,
  TensorDataset,
  tape,
  tensor,
} from "./index.ts";

const endless: unknown[] = [];
endless[0] = endless;

const freed = tensor([1, 2]);
freed.dispose();

const detached = new Float32Array(2);
structuredClone(detached, { transfer: [detached.buffer] });

const WRONG: readonly unknown[] = [
  undefined,
  null,
  -1,
  0.5,
  Number.NaN,
  Infinity,
  2 ** 31,
  2 ** 53,
  "3",
  "",
  true,
  3n,
  Symbol("s"),
  {},
  { length: 2 },
  [],
  ["3"],
  [1, 2, 3],
  [Number.NaN],
  [null],
  endless,
  new Array(2 ** 32 - 1),
  new Uint8Array(3),
  detached,
  new BigInt64Array(2),
  () => 1,
  async () => 1,
  Object.create(null),
  freed,
  structuredClone(tensor([1, 2])),
  new Map([["weight", 1]]),
];

/** Messages of JavaScript engines for code that uses an argument without a check. */
const RAW =
  /Cannot |is not (iterable|a function|a constructor|defined)|[Ii]nvalid (array|typed|value)|out of bounds|stack size/;

type Call = (...args: never[]) => unknown;
type Case = readonly [name: string, call: Call, args: readonly unknown[]];

const generator = new Generator(3);
const w = parameter(random([4], 1));
const x = random([4, 2], 2);
const data = new TensorDataset(new Float32Array(8), new Float32Array(8), { shape: [2] });
const [norm1d, norm2d] = [new BatchNorm1d(2), new BatchNorm2d(2)];
const model = new Linear(2, 2);
const optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.5 });
const adam = new Adam([w]);
const schedule = new StepLR(optimizer, { stepSize: 2 });
const loss = (z: Tensor, y: Tensor) => mseLoss(z, y);
tape(() => w.square().sum().backward());
adam.step();

const made = <Args extends unknown[], Z>(of: new (...args: Args) => Z, ...args: Args): Case => [
  of.name,
  (...given) => new of(...(given as unknown as Args)),
  args,
];

const CASES: readonly Case[] = [
  made(Generator, 1),
  ["setState", (state) => new Generator().setState(state), [generator.getState()]],
  ["permutation", (n) => new Generator().permutation(n), [3]],
  made(Linear, 2, 3, { bias: true, generator }),
  made(Conv1d, 2, 4, 3, { stride: 1, padding: 1, dilation: 1, groups: 2, bias: true, generator }),
  made(Conv2d, 2, 4, [1, 2], { stride: [1, 2], padding: 0, dilation: 1, groups: 2, bias: false, generator }),
  made(MaxPool2d, [2, 3], { stride: 2, padding: [0, 1], dilation: 1, ceilMode: true }),
  made(AvgPool2d, 2, { stride: [1, 2], padding: 1, countIncludePad: true }),
  made(BatchNorm1d, 2, { eps: 0, affine: true, momentum: null, trackRunningStats: true, axis: -1 }),
  made(BatchNorm2d, 2, { eps: 0, affine: true, momentum: 0.5, trackRunningStats: false }),
  made(LayerNorm, [2, 3], { eps: 0, affine: true }),
  made(GroupNorm, 2, 4, { eps: 0, affine: true, axis: -1 }),
  made(Dropout, 0.5, { generator }),
  made(Embedding, 4, 3, { paddingIdx: 1, generator }),
  made(Flatten, 1, 2),
  made(Sequential, new Flatten(), new Dropout()),
  ["BatchNorm1d.forward", (z) => norm1d.forward(z), [x]],
  ["BatchNorm2d.forward", (z) => norm2d.forward(z), [random([1, 2, 2, 2], 1)]],
  ["Module.train", (mode) => void model.train(mode), [true]],
  ["Module.evaluating", (fn) => model.evaluating(fn), [() => 1]],
  ["Module.loadStateDict", (state) => model.loadStateDict(state), [model.stateDict()]],
  ["summary", summary, [model, [4, 2]]],
  made(SGD, [w], { lr: 1, momentum: 0.5, dampening: 0, nesterov: true, weightDecay: 0 }),
  made(Adam, [w], { lr: 1, betas: [0.9, 0.9], eps: 1, weightDecay: 0, amsgrad: true }),
  made(AdamW, new Set([w]), { lr: 1 }),
  made(RMSprop, [w], { lr: 1, alpha: 0.5, eps: 1, weightDecay: 0, momentum: 0, centered: true }),
  made(Adagrad, [w], { lr: 1, lrDecay: 0, weightDecay: 0, initialAccumulatorValue: 1, eps: 1 }),
  ["Optimizer.loadStateDict", (state) => adam.loadStateDict(state), [adam.stateDict()]],
  ["Optimizer.lr", (lr) => Object.assign(adam, { lr }), [0.1]],
  made(StepLR, optimizer, { stepSize: 1, gamma: 0.5 }),
  made(MultiStepLR, optimizer, { milestones: [1, 2], gamma: 0.5 }),
  made(ExponentialLR, optimizer, { gamma: 0.5 }),
  made(LinearLR, optimizer, { startFactor: 0.5, endFactor: 1, totalIters: 3 }),
  made(LambdaLR, optimizer, { lrLambda: () => 1 }),
  made(CosineAnnealingLR, optimizer, { tMax: 2, etaMin: 0 }),
  made(CosineAnnealingWarmRestarts, optimizer, { t0: 2, tMult: 2, etaMin: 0 }),
  made(OneCycleLR, optimizer, {
    maxLr: 1,
    epochs: 2,
    stepsPerEpoch: 3,
    totalSteps: 6,
    pctStart: 0.5,
    annealStrategy: "cos",
    cycleMomentum: true,
    baseMomentum: 0.1,
    maxMomentum: 0.2,
    divFactor: 2,
    finalDivFactor: 3,
    threePhase: true,
  }),
  made(ReduceLROnPlateau, optimizer, {
    mode: "max",
    factor: 0.5,
    patience: 1,
    threshold: 0,
    thresholdMode: "abs",
    cooldown: 1,
    minLr: 0,
    eps: 0,
  }),
  ["Scheduler.step", (metric) => new ReduceLROnPlateau(optimizer).step(metric), [1]],
  ["Scheduler.loadStateDict", (state) => schedule.loadStateDict(state), [schedule.stateDict()]],
  ["clipGradNorm", clipGradNorm, [[w], 1, { normType: 2 }]],
  ["clipGradValue", clipGradValue, [w, 1]],
  made(TensorDataset, new Float32Array(4), [0, 1], { shape: [2], scale: 2 }),
  made(DataLoader, data, { batchSize: 2, shuffle: true, dropLast: true, generator }),
  [
    "fit",
    fit as Call,
    [
      model,
      [{ x, y: x }],
      {
        epochs: 1,
        optimizer,
        loss,
        encode: (z: Tensor) => z,
        validate: () => 1,
        scheduler: schedule,
        patience: 1,
        mode: "max",
        progress() {},
        onBatch() {},
        onEpoch() {},
        signal: new AbortController().signal,
      },
    ],
  ],
  ["evaluate", evaluate as Call, [model, [{ x, y: x }], () => 1, { encode: (z: Tensor) => z }]],
];

/** The value, or one of its fields or entries, replaced by each of the wrong values. */
function* variants(value: unknown, path: string): Iterable<[path: string, variant: unknown]> {
  for (const wrong of WRONG) yield [path, wrong];
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      for (const [at, other] of variants(item, `${path}[${i}]`)) yield [at, value.map((v, j) => (i === j ? other : v))];
    }
  } else if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [name, field] of Object.entries(value)) {
      for (const [at, other] of variants(field, `${path}.${name}`)) yield [at, { ...value, [name]: other }];
    }
  }
}

const dispose = (made: unknown): void => {
  if (made instanceof Module) for (const [, t] of made.namedState()) t.dispose();
};

test.each(CASES)("wrong arguments: %s", async (_name, call, args) => {
  const run = async (given: readonly unknown[]) => dispose(await call(...(given as never[])));
  await run(args);
  for (let i = 0; i < args.length; i++) {
    for (const [path, variant] of variants(args[i], `${i}`)) {
      const { live } = memoryStats();
      const drawn = [generator.getState(), defaultGenerator.getState()];
      let error: unknown;
      try {
        await run(args.map((arg, j) => (i === j ? variant : arg)));
        continue;
      } catch (thrown) {
        error = thrown;
      }
      const { message } = error as Error;
      expect(error, path).toBeInstanceOf(Error);
      expect(message, path).toMatch(/^[\w, :[\].]+: |^out of memory: /);
      expect(message, path).not.toMatch(RAW);
      expect(message.length, path).toBeLessThan(300);
      expect(memoryStats().live, `${path}: ${message}`).toBe(live);
      expect([generator.getState(), defaultGenerator.getState()], path).toEqual(drawn);
    }
  }
});
