/** What can be called, and with what. The compiler asks for what is missing: functions, classes, methods, parameters, options. */
import type * as engine from "../../../engine/index.ts";
import type * as kernels from "../../../engine/kernels.ts";
import type * as node from "../../../engine/node.ts";
import type { ops } from "../../../engine/ops/index.ts";
import type * as audio from "../../../snn/audio/index.ts";
import type * as events from "../../../snn/events/index.ts";
import type * as snn from "../../../snn/index.ts";
import type * as quantize from "../../../snn/quantize/index.ts";
import { elementwise } from "../../support/elementwise.ts";
import { argsOfEncoders, fieldArgs, latencyArgs } from "../../support/encoders.ts";
import { SURROGATE_LIST } from "../../support/surrogates.ts";
import { ENCODER } from "./audio.ts";
import {
  anyTensor,
  anything,
  bool,
  choice,
  count,
  either,
  fn,
  indices,
  type Kind,
  list,
  listOf,
  must,
  nullable,
  num,
  numbers,
  oneOf,
  operand,
  options,
  orNull,
  record,
  type Spec,
  small,
  spare,
  t,
} from "./kinds.ts";
import { neuronRows, OF_SPIKES } from "./neurons.ts";
import {
  bytes,
  dataset,
  encode,
  entry,
  generator,
  loader,
  loss,
  model,
  optimizer,
  params,
  path,
  probed,
  recording,
  recordingWithLoss,
  run,
  schedulers,
  self,
  surrogate,
} from "./objects.ts";
import { layer, RULES, rule as synapticRule, state as synapticState } from "./rules.ts";
import type { Classes, Methods, Rows, Writable } from "./typed.ts";

const axis = num(0, 1, -1, -2);
const reduction = choice("mean", "sum", "none");
const requiresGrad = bool;
const shape = either(list(2, 3), list(4), list());
const pair = either(num(1, 2), list(1, 2));
const reduce = { axis: either(axis, list(0, 1), list(-1)), keepdim: bool };
const search = { axis, keepdim: bool };

const unary = [t(2, 3)] as const;
const binary = [t(2, 3), operand(2, 3)] as const;
const reducing = [t(2, 3), reduce] as const;
const searching = [t(2, 3), search] as const;
const along = [t(2, 3), axis] as const;

const window = { stride: pair, padding: either(num(0, 1), list(0, 1)), dilation: pair, groups: num(1, 2) };
const pooling = { stride: pair, padding: num(0, 1), ceilMode: bool };
const norm = { eps: num(1e-5, 0.1), weight: orNull(t(3)), bias: orNull(t(3)) };
const affine = { eps: num(1e-5, 0.1), affine: bool };

const throughTime = { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool };
const thresholdDependent = {
  eps: affine.eps,
  momentum: throughTime.momentum,
  trackRunningStats: bool,
  alpha: num(1, 0.5),
  threshold: num(1, 0.5),
};
/** Of two samples of up to four steps. */
const lengths = nullable(oneOf(["[2, 4]", "Int32Array.of(4, 1)"], ["list", "typed"]));
const sequence = { reduction, weight: nullable(t(3)), lengths };
const entropy = { ...sequence, labelSmoothing: num(0, 0.1) };

const beta = either(num(0, 0.5, 1), t(3));
const decay = { beta, tau: spare(num(2)), dt: spare(num(1, 0.5)), decay: spare(choice("exp", "euler")) };
const neuron = {
  ...decay,
  threshold: either(num(0, 1), t(3)),
  rest: spare(either(num(0, 0.1), t(3))),
  start: choice("zero", "rest", "resetValue"),
  inputScale: spare(either(num(1, 2), t(3), oneOf(['"leak"'], ["string"]))),
  reset: choice("zero", "subtract", "none"),
  resetValue: spare(either(num(0, 0.1), t(3))),
  lowerBound: spare(either(num(-1, 0), t(3))),
  resetDelay: bool,
  resetInput: spare(bool),
  detachReset: bool,
  fire: choice("ge", "gt"),
  refractorySteps: num(0, 1, 3),
  refractory: spare(choice("hold", "leak")),
  gradedSpikesFactor: spare(either(num(1, 2), t(3))),
  inhibition: OF_SPIKES.inhibition,
  constrain: OF_SPIKES.constrain,
  surrogate,
  numerics: spare(choice("snntorch", "norse", "spikingjelly", "nir", "bindsnet")),
  learn: spare(listOf(oneOf(['"rest"', '"inputScale"', '"resetValue"', '"gradedSpikesFactor"']))),
  learnBeta: bool,
  learnThreshold: bool,
  spiking: spare(bool),
};
/** Options of all neurons. */
const firing = { surrogate, fire: choice("ge", "gt"), spiking: spare(bool), ...OF_SPIKES };
/** Methods of neurons with this state. */
const layerOf = (state: Kind) =>
  ({
    forward: [current],
    unroll: [current, state],
    step: [t(2, 3), state],
    initialState: [list(2, 3)],
    toString: [],
  }) as const;
const held: Kind = { ...t(2, 3), draw: () => "zeros([2, 3])" };
const firstStep: Kind = { ...t(), draw: () => "zeros([])" };
const state = record({ v: t(2, 3), refractory: held });
const lstmState = record({ c: t(2, 3), v: t(2, 3) });
/** Choices of neurons that reset. */
const resets = {
  reset: choice("zero", "subtract", "none"),
  resetDelay: bool,
  resetInput: spare(bool),
  detachReset: bool,
};
const adaptiveRecurrentState = record({ v: t(2, 3), a: t(2, 3), spikes: t(2, 3) });
const recurrentState = record({ v: t(2, 3), refractory: held, spikes: t(2, 3) });

export const ENGINE: Rows<typeof engine> = {
  ...elementwise(() => unary),
  readSafetensors: [bytes],
  loadSafetensors: [bytes],
  saveSafetensors: [record({ a: entry, b: entry }), record({ c: oneOf(['"d"'], ["string"]) })],
  arange: [num(0, -1), num(3, 5), num(1, 0.5)],
  bernoulli: [t(2, 3), { generator }],
  eye: [num(3)],
  full: [shape, num(1), { requiresGrad }],
  ones: [shape, { requiresGrad }],
  rand: [shape, { generator, requiresGrad }],
  randn: [shape, { generator, requiresGrad }],
  tensor: [
    either(num(1), listOf(list(1, 2), list(3, 4)), numbers(4)),
    { shape: spare(nullable(list(2, 2))), requiresGrad },
  ],
  zeros: [shape, { requiresGrad }],
  manualSeed: [num(0, 1)],
  gradcheck: [
    fn("(x, y) => y.mul(y).add(x)", "(x, y) => [x.exp(), y]"),
    listOf(small(2), small(1)),
    { eps: num(1e-6), atol: num(1e-5), rtol: num(1e-4) },
  ],
  summary: [model, list(2, 4, 3)],
  add: binary,
  div: binary,
  maximum: binary,
  minimum: binary,
  mul: binary,
  sub: binary,
  eq: binary,
  ge: binary,
  gt: binary,
  le: binary,
  lt: binary,
  conv1d: [
    t(2, 2, 6),
    t(4, 2, 3),
    orNull(t(4)),
    { ...window, stride: num(1, 2), padding: num(0, 1), dilation: num(1, 2), groups: num(1) },
  ],
  conv2d: [t(2, 2, 5, 5), t(4, 2, 2, 2), orNull(t(4)), { ...window, groups: num(1) }],
  convTranspose2d: [
    t(2, 2, 3, 3),
    t(2, 3, 2, 2),
    orNull(t(3)),
    { ...window, padding: num(0), groups: num(1), outputPadding: num(0) },
  ],
  dropout: [t(2, 3), { p: num(0, 0.5, 1), training: bool, generator, sharedAxes: spare(either(axis, list(0, 1))) }],
  expand: [t(2, 1), list(2, 3)],
  tile: [t(2, 3), list(2, 1)],
  atan2: binary,
  elu: [t(2, 3), num(1)],
  gelu: [t(2, 3), { approximate: choice("none", "tanh") }],
  hardtanh: [t(2, 3), num(-1, 0), num(1, 2)],
  leakyRelu: [t(2, 3), num(0.01)],
  pow: binary,
  softplus: [t(2, 3), { beta: num(1, 2), threshold: num(20) }],
  embedding: [indices(3, 4), t(3, 2), { paddingIdx: orNull(num(0, -1)) }],
  gather: [t(2, 3), num(1, -1), indices(3, 2, 2)],
  indexSelect: [t(2, 3), num(1, -1), indices(3, 4)],
  scatterAdd: [t(2, 3), num(1, -1), indices(3, 2, 2), t(2, 2)],
  concat: [listOf(t(2, 3), t(2, 3)), axis],
  flip: [t(2, 3), either(axis, list(0, 1))],
  permute: [t(2, 3), either(list(1, 0), list(-1, 0))],
  select: [t(2, 3), axis, num(0, 1, -1)],
  slice: [t(4, 3), num(0), num(0, 1), num(3, -1), num(1, 2)],
  split: [t(4, 3), either(num(2), list(1, 3)), num(0)],
  stack: [listOf(t(2, 3), t(2, 3)), axis],
  transpose: [t(2, 3), axis, axis],
  unbind: along,
  bceWithLogits: [t(2, 3), t(2, 3), { reduction, weight: nullable(t(2, 3)), posWeight: nullable(t(2, 3)) }],
  crossEntropy: [
    t(2, 3),
    indices(3, 2),
    { reduction, weight: nullable(t(3)), ignoreIndex: num(-1, -100), labelSmoothing: num(0, 0.1) },
  ],
  huberLoss: [t(2, 3), t(2, 3), { reduction, delta: num(1, 0.5) }],
  klDiv: [t(2, 3), t(2, 3), { reduction: choice("mean", "sum", "none", "batchmean"), logTarget: bool }],
  l1Loss: [t(2, 3), t(2, 3), { reduction }],
  mseLoss: [t(2, 3), t(2, 3), { reduction }],
  nllLoss: [t(2, 3), indices(3, 2), { reduction, weight: nullable(t(3)), ignoreIndex: num(-1, -100) }],
  smoothL1Loss: [t(2, 3), t(2, 3), { reduction, beta: num(1, 0) }],
  linear: [t(2, 3), t(4, 3), orNull(t(4))],
  matmul: [either(t(2, 3), t(2, 2, 3)), t(3, 2)],
  batchNorm: [
    t(4, 3),
    {
      ...norm,
      axis: num(1, -1),
      training: must(oneOf(["true"], bool.takes)),
      runningMean: must(t(3)),
      runningVar: must(t(3)),
      momentum: num(0.1, 1),
    },
  ],
  groupNorm: [t(2, 3, 4), num(1, 3), { ...norm, axis: num(1, -2) }],
  layerNorm: [t(2, 3), either(num(3), list(3)), norm],
  pad: [t(2, 3), either(list(1, 1), list(-1, 2, 1, 0)), num(0, 1)],
  tril: [t(3, 3), num(0, -1, 1)],
  adaptiveAvgPool2d: [t(2, 4, 4), pair],
  avgPool2d: [t(2, 5, 5), num(2, 3), { ...pooling, countIncludePad: bool }],
  maxPool2d: [t(2, 5, 5), num(2, 3), { ...pooling, dilation: num(1, 2) }],
  amax: reducing,
  amin: reducing,
  argmax: searching,
  argmin: searching,
  cumsum: [t(2, 3), { ...search, axis: must(axis) }],
  max: [t(2, 3), { ...search, axis: must(axis) }],
  mean: reducing,
  min: [t(2, 3), { ...search, axis: must(axis) }],
  prod: reducing,
  sum: reducing,
  logSoftmax: along,
  softmax: along,
  logsumexp: reducing,
  norm: [t(2, 3), { ...reduce, p: num(1, 2, Infinity) }],
  std: [t(2, 3), { ...reduce, unbiased: bool }],
  variance: [t(2, 3), { ...reduce, unbiased: bool }],
  clamp: [t(2, 3), orNull(num(0)), orNull(num(1))],
  flatten: [t(2, 3, 2), num(0, 1), num(-1, 2)],
  reshape: [t(2, 3), either(list(3, 2), list(-1), list(6))],
  squeeze: [t(2, 1), num(1, -1)],
  unsqueeze: along,
  maskedFill: [t(2, 3), t(2, 3), operand(2, 3)],
  where: [t(2, 3), operand(2, 3), operand(2, 3)],
  clipGradNorm: [either(params, t(2, 3)), num(1, 0.1), { normType: num(1, 2, Infinity) }],
  clipGradValue: [either(params, t(2, 3)), num(1, 0.1)],
  keep: unary,
  memoryStats: [],
  noGrad: [fn("() => ones([2])", "() => [ones([2]).mul(2), 1]")],
  parameter: unary,
  resetPeak: [],
  tape: [fn("() => ones([2])", "() => ({ a: ones([2], { requiresGrad: true }).mul(2) })")],
  accuracy: [t(2, 3), indices(3, 2)],
  evaluate: [model, loader, fn("(z) => z.sum().item()", "(z, y) => 1"), { encode }],
  fit: [
    model,
    loader,
    {
      epochs: must(count(1, 2)),
      optimizer: must(optimizer),
      loss: must(loss),
      encode,
      validate: must(fn("() => 1", "async () => 1")),
      scheduler: oneOf(
        ["{ step() {} }", "new StepLR(new SGD([parameter(ones([2]))], { lr: 1 }), { stepSize: 1 })"],
        ["object"],
      ),
      patience: count(1, 2),
      mode: choice("min", "max"),
      progress: fn("() => {}"),
      onBatch: fn("() => {}"),
      onEpoch: fn("() => {}"),
      signal: oneOf(["new AbortController().signal"], ["object"]),
    },
  ],
  padSequences: [
    either(listOf(t(2, 3), t(4, 3)), oneOf(["[new Float32Array(3), [1, 2]]"], ["list", "typed"])),
    { shape: list(), value: num(0, -1) },
  ],
  warmup: [],
};

const rate = num(0, 0.5, 1);

/** Of a network of three layers: that of `probed`, of two samples. */
const networkState = "{ layers: [null, { v: rand([2, 4]), refractory: zeros([2, 4]) }, { trace: rand([2, 4]) }] }";
const withoutTraces = networkState.replace("{ trace: rand([2, 4]) }", "null");
const rule = { loss: must(fn("crossEntropy", "(z, y) => crossEntropy(z, y).mul(2)")) };
const target = nullable(indices(2, 2));

export const SNN: Rows<typeof snn> = {
  record: [probed, t(4, 2, 3), { loss, layers: listOf(oneOf(['"1"'], ["string"])) }],
  fromPython: [
    record({
      weight: record({ shape: list(2, 3), data: numbers(6) }),
      "lifted_module.bias": record({ shape: list(2), data: numbers(2) }),
    }),
    record({ model, from: choice("norse", "snntorch", "spikingjelly") }),
  ],
  observe: [probed, record({ current: t(4, 2, 3), spikes: t(4, 2, 3), membrane: spare(t(4, 2, 3)) })],
  disposeState: [nullable(oneOf([networkState], ["object", "list"]))],
  truncatedBackward: [
    probed,
    // Backward of the first piece would consume what an x was made by.
    { ...t(4, 2, 3), draw: (g) => g.pick(["rand([4, 2, 3])", "zeros([4, 2, 3])", "parameter(rand([4, 2, 3]))"]) },
    fn("(z) => z.sum()", "(z, from, to) => (from > 0 ? z.square().mean() : null)"),
    { steps: must(num(1, 3, 4)) },
  ],
  firingRates: [recording, { silentRate: rate, saturatedRate: rate }],
  gradientNorms: [recordingWithLoss],
  diagnose: [
    probed,
    t(4, 2, 3),
    {
      loss: must(loss),
      encode: fn("(x) => x.mul(2)", "(x) => x"),
      silentRate: rate,
      saturatedRate: rate,
      deadShare: rate,
      saturatedShare: rate,
      passingShare: rate,
      vanishing: rate,
      exploding: num(1, 10),
    },
  ],
  firingCurve: [
    oneOf(["new LIF()", "new IF()"]),
    numbers(3),
    { timesteps: count(10), discard: num(0, 5), features: num(1, 2) },
  ],
  adExPattern: [choice("tonicSpiking", "regularBursting"), { duration: num(20), dt: num(0.5) }],
  izhikevichPattern: [choice("tonicSpiking", "phasicBursting")],
  rasterText: [t(4, 2, 3), { sample: num(0, 1), width: num(10), height: num(3) }],
  traceText: [t(4, 2, 3), { sample: num(0), neuron: num(1), width: num(10), height: num(3) }],
  ...argsOfEncoders(),
  receptiveFields: [t(2, 3), fieldArgs],
  rateTargets: [
    indices(3, 4),
    {
      numClasses: must(num(3)),
      timesteps: must(num(2, 3)),
      correctRate: num(0.5, 1),
      incorrectRate: num(0, 0.25),
      firstSpikeTime: num(0, 1),
      firingPattern: choice("regular", "uniform", "poisson"),
      interpolate: bool,
      onTarget: num(1, 2),
      offTarget: num(0, 0.5),
      generator,
    },
  ],
  latencyTargets: [indices(3, 4), { numClasses: must(num(3)), ...latencyArgs }],
  filteredTrace: [t(4, 2, 3), { beta: num(0, 0.5), lengths }],
  lastMembrane: [t(4, 2, 3), { lengths }],
  maxMembrane: [t(4, 2, 3), { lengths }],
  meanOverTime: [t(4, 2, 3), { lengths }],
  spikeCount: [t(4, 2, 3), { lengths }],
  spikeTimes: [t(4, 2, 3), { count: num(1, 2), lengths }],
  ceRateLoss: [t(4, 2, 3), indices(3, 2), entropy],
  ceCountLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, numClasses: nullable(num(3)) }],
  ceMaxMembraneLoss: [t(4, 2, 3), indices(3, 2), entropy],
  tetLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, lambda: num(0, 0.5), target: spare(num(1, 0)) }],
  mseCountLoss: [
    t(4, 2, 3),
    indices(3, 2),
    { ...sequence, numClasses: nullable(num(3)), correctRate: num(1, 0.5), incorrectRate: num(0, 0.25) },
  ],
  mseMembraneLoss: [
    t(4, 2, 3),
    either(indices(3, 2), t(2, 3)),
    {
      ...sequence,
      weight: spare(nullable(t(3))),
      onTarget: num(1),
      offTarget: num(0, -1),
      timeVarTargets: spare(bool),
    },
  ],
  ceTemporalLoss: [t(4, 2, 3), indices(3, 2), { ...entropy, inverse: choice("negate", "reciprocal") }],
  mseTemporalLoss: [
    t(4, 2, 3),
    indices(3, 2),
    {
      ...sequence,
      onTarget: either(num(0, 1), list(0, 1)),
      offTarget: spare(either(num(3, -1), list(2, 3))),
      targetIsTime: spare(bool),
      tolerance: num(0, 2),
    },
  ],
  vanRossumLoss: [t(4, 2, 3), t(4, 2, 3), { tau: num(10, 2), dt: num(1, 0.5), reduction, lengths }],
  l1RateSparsity: [t(4, 2, 3), { lambda: num(1e-5, 0), lengths }],
  maximumRate: [t(4, 2, 3), { maximum: must(num(0.5, 1)), lambda: num(1, 0), lengths }],
  silence: [t(4, 2, 3), { minimum: must(num(0.5, 0)), lambda: num(1, 0), lengths }],
  synapticOperations: [t(4, 2, 3), either(num(3, 1), t(3), oneOf(["new Linear(3, 4)"])), { lengths }],
  accuracyRate: [t(4, 2, 3), indices(3, 2), { numClasses: nullable(num(3)), lengths }],
  accuracyTemporal: [t(4, 2, 3), indices(3, 2), { lengths }],
  confusionMatrix: [
    t(2, 3),
    indices(3, 2),
    { into: nullable(oneOf(["[[0, 0, 0], [0, 1, 0], [0, 0, 0]]"], ["list", "object"])) },
  ],
  neuron: [
    record({
      name: must(oneOf(['"Odd"'], ["string"])),
      state: must(
        record({
          v: oneOf(["0", "0.5"], ["number", "function"]),
          w: must(either(num(0), fn("({ beta }) => beta.mul(2)"))),
        }),
      ),
      parameters: must(record({ beta: num(0.9), threshold: num(1) })),
      reset: oneOf(['"v"', '"w"']),
      choices: spare(record({ mode: list(1, 2) })),
      constrain: spare(record({ beta: list(0, 1) })),
      numerics: spare(record({ other: record({ beta: num(0.5) }) })),
      step: must(
        fn(
          "({ current, v, w, beta, threshold, spike }) => { const s = spike(v.sub(threshold)); " +
            "return { spikes: s, v: v.mul(beta).add(current).sub(s), w: w.add(s) }; }",
        ),
      ),
    }),
  ],
  plasticity: [
    record({
      name: must(oneOf(['"Odd"'], ["string"])),
      traces: must(
        record({
          x: must(
            // A function gives the trace when a rule is made.
            either(
              record({ of: choice("pre", "post"), tau: either(num(20), oneOf(['"tau"'])), amount: spare(num(0.5)) }),
              oneOf(['() => ({ of: "pre", tau: 20 })'], ["function"]),
            ),
          ),
          y: oneOf(['({ mode }) => (mode === "one" ? { of: "post", tau: "tau" } : null)'], ["function"]),
        }),
      ),
      synapse: must(
        record({ e: must(either(record({ tau: num(20, 0) }), oneOf(["() => ({ tau: 20 })"], ["function"]))) }),
      ),
      parameters: must(record({ rate: num(0.1), tau: num(20) })),
      choices: must(record({ mode: oneOf(['["one", "two"]'], ["list", "boolean", "number"]) })),
      needs: spare(record({ rate: record({ mode: oneOf(['["one"]'], ["list"]) }) })),
      constrain: spare(record({ rate: list(0, 1) })),
      numerics: spare(record({ other: record({ rate: num(0.5) }) })),
      explains: spare(nullable(choice("all", "below"))),
      onPre: fn("({ w, rate }) => w.mul(rate).neg()", "({ x, rate, where }) => where(x.gt(0), rate, 0)"),
      onPost: must(fn("({ e, x, rate }) => ({ w: x.mul(rate), e: e.neg() })", "({ constant }) => constant(0.5)")),
      onStep: spare(fn("({ w, rate }) => w.mul(rate)")),
      onReward: spare(fn("({ e, reward }) => e.mul(reward)")),
    }),
  ],
  spike: [t(2, 3), { threshold: operand(2, 3), surrogate, fire: choice("ge", "gt") }],
};

export const SURROGATES: { readonly [name: string]: readonly Spec[] } = Object.fromEntries(
  SURROGATE_LIST.map(([name, { args }]) => [name, args]),
);

export const QUANTIZE: Rows<typeof quantize> = {
  toSpiking: [
    oneOf([
      "new Sequential(new Linear(3, 4), new BatchNorm1d(4), new ReLU(), new Dropout(), new Linear(4, 2))",
      "[new ReLU(), new Linear(3, 2), new ReLU(), [new Linear(2, 2), new ReLU()]]",
    ]),
    {
      data: must(
        oneOf([
          "rand([4, 3])",
          "new TensorDataset(new Float32Array(12), [0, 1, 1, 0])",
          "new DataLoader(new TensorDataset(rand([3, 3]), [0, 1, 0]), { batchSize: 2 })",
          "[{ x: rand([2, 3]), y: Int32Array.of(0, 1) }]",
        ]),
      ),
      timesteps: must(num(1, 4)),
      mode: choice("percentile", "max"),
      percentile: spare(num(50, 99.9)),
      perChannel: bool,
      initial: num(0, 0.5),
      maxPool: choice("refuse", "spikes"),
      encode,
    },
  ],
  dequantizedState: [
    record({
      w_scale: record({ shape: list(2), data: numbers(2) }),
      w: record({ shape: list(2, 3), data: numbers(6) }),
      v_packed: record({ shape: list(3), data: numbers(3) }),
      v_shape: record({ shape: list(2), data: oneOf(["Int32Array.of(2, 3)"], ["typed"]) }),
      v_bits: record({ shape: list(1), data: oneOf(["[4]"]) }),
      v_scale: record({ shape: list(1), data: numbers(1) }),
    }),
  ],
  quantize: [
    probed,
    {
      weights: must(nullable(options({ bits: must(either(num(2, 8), choice("ternary"))), perChannel: bool }))),
      state: nullable(
        options({
          bits: must(num(1, 6)),
          uniform: bool,
          thrCentered: spare(bool),
          threshold: num(1, 0.5),
          lowerLimit: num(0, 1),
          upperLimit: num(0.2, 1),
          multiplier: spare(num(0.5)),
          states: listOf(choice("v")),
        }),
      ),
      decays: nullable(choice("shift")),
    },
  ],
  quantizedState: [model],
  quantizedWeights: [oneOf(["quantize(new Linear(3, 2), { weights: { bits: 4 } })"], ["object"])],
  applyMasks: [model],
  profile: [
    model,
    either(t(4, 2, 3), { ...loader, draw: () => "[{ x: rand([2, 2, 3]), y: Int32Array.of(0, 1) }]" }),
    // No layer tells the samples of a network of linear layers alone.
    { encode, batchAxis: must(num(0, 1)), joules: { mac: num(4.6e-12), ac: num(0, 1), update: num(0, 1) } },
  ],
  profileText: [oneOf(["profile(new Sequential(new Linear(3, 2), new LIF()), rand([4, 2, 3]))"], ["object"])],
  prune: [
    model,
    {
      amount: must(num(0, 0.5, 1)),
      threshold: spare(num(0.1, 1)),
      scope: choice("layer", "global"),
      unit: choice("weight", "output"),
      layers: spare(listOf(oneOf(['"0"', '"2"']))),
    },
  ],
  synapticCost: [model, t(4, 2, 3), { target: must(num(1, 100)), lambda: num(0, 1), batchAxis: num(0, 1) }],
};

export const NODE: Rows<typeof node> = {
  readIdx: [path("idx('a.idx')")],
  saveCheckpoint: [path("'a.safetensors'", "checkpoint('b.safetensors')"), record({ ...run, epoch: num(0, 3) })],
  resumeCheckpoint: [path("checkpoint('c.safetensors')"), record(run)],
  progressBar: [
    {
      label: oneOf(['"images"'], ["string"]),
      intervalMs: num(0, 100),
      stream: oneOf(["{ isTTY: true, columns: 40, write() {} }"], ["object"]),
      clock: fn("() => 0"),
    },
  ],
};

const recorded = oneOf(
  [
    "{ t: Float64Array.of(1, 20), x: Uint16Array.of(0, 1), y: Uint16Array.of(1, 0), p: Uint8Array.of(0, 1), width: 2, height: 2 }",
    "{ t: Float64Array.of(), x: Uint16Array.of(), y: Uint16Array.of(), p: Uint8Array.of(), width: 3, height: 4 }",
  ],
  ["object"],
);

/** One way to cut a recording, with what goes with it. */
const sliced = {
  timeWindow: must(num(10, 25)),
  eventCount: spare(num(1, 2)),
  nTimeBins: spare(num(1, 3)),
  nEventBins: spare(num(1, 2)),
  overlap: num(0, 5),
  includeIncomplete: bool,
  startTime: num(0, 2),
  endTime: num(30, 60),
};
const framed = { ...sliced, polarities: num(1, 2) };

/** Recordings of event cameras. Their readers give promises; test/fuzz/events.ts gives them damaged files. */
export const EVENTS: Omit<Rows<typeof events>, "readEvents" | "readEventChunks" | "readSHD"> = {
  crop: [recorded, { targetSize: must(list(1, 2)), at: either(choice("center", "random"), list(0, 0)), generator }],
  denoise: [recorded, { filterTime: num(0, 10, 1e4) }],
  downsample: [recorded, { spatialFactor: either(num(0.5, 1), list(0.5, 1)), timeFactor: num(0.5, 3) }],
  dropEvents: [recorded, { probability: must(num(0, 0.5, 1)), generator }],
  dropEventsByArea: [recorded, { areaRatio: num(0, 0.5), generator }],
  dropEventsByTime: [recorded, { durationRatio: num(0, 0.5), generator }],
  dropPixels: [
    recorded,
    {
      coordinates: spare(listOf(list(0, 1))),
      hotPixelFrequency: must(num(0, 10)),
      probability: spare(num(0, 0.5)),
      generator,
    },
  ],
  eventsFromFrames: [
    oneOf(["rand([3, 2, 2])", "zeros([3, 1, 4])"]),
    list(0, 100, 250),
    {
      onThreshold: num(0.2, 1),
      offThreshold: num(0.2, 1),
      mismatch: num(0, 0.1),
      refractoryPeriod: num(0, 50),
      leakRate: num(0, 10),
      shotNoiseRate: num(0, 10),
      logOffset: num(0.01, 0.1),
      generator,
    },
  ],
  flip: [recorded, { axis: must(choice("x", "y", "polarity", "time")), probability: num(0, 0.5, 1), generator }],
  jitter: [recorded, { time: num(0, 10), x: num(0, 1), y: num(0, 1), generator }],
  mergePolarities: [recorded],
  refractoryPeriod: [recorded, { refractoryPeriod: must(num(0, 10)) }],
  toAveragedTimesurface: [
    recorded,
    { cellSize: num(5, 6), surfaceSize: num(1, 3), timeWindow: num(100), tau: num(10), decay: choice("exp", "lin") },
  ],
  toBinaryRepresentation: [oneOf(["rand([8, 1, 2, 2])"]), { nFrames: num(1), nBits: num(8) }],
  toFrames: [either(recorded, listOf(recorded)), framed],
  toSpikes: [either(recorded, listOf(recorded)), framed],
  toTimesurface: [recorded, { dt: must(num(10, 20)), tau: must(num(5)), includeIncomplete: bool }],
  toVoxelGrid: [recorded, { nTimeBins: num(1, 3), signed: bool }],
  uniformNoise: [recorded, { n: must(num(0, 3)), generator }],
  writeEvents: [recorded, choice("evt3", "aedat4", "npz")],
};

/** An address in a descriptor, which nothing follows before a kernel runs. */
const word = num(0, 64);

/** Not the kernels: they trust their caller. An address that was not lent is nothing that `free` could notice. */
export const KERNELS: Rows<typeof kernels> = {
  alloc: [num(16, 100)],
  free: [oneOf(["alloc(16)"], ["number"], { numbers: [] }), oneOf(["16"], ["number"], { numbers: [] })],
  lifDescriptor: [
    oneOf(["alloc(LIF_DESCRIPTOR_BYTES)"], ["number"], { numbers: [] }),
    {
      ...{ T: must(num(3)), rows: must(num(1, 2)), n: must(num(4)), beta: must(num(64)), u: must(num(128)) },
      ...{
        stepBeta: num(0, 1),
        threshold: num(0, 64),
        stepThreshold: num(0, 1),
        reset: num(0, 1, 2),
        delayed: num(0, 1),
      },
      ...{
        strict: num(0, 1),
        stepU: num(0, 8),
        from: word,
        resetValue: num(0, -0.5),
        current: word,
        stepCurrent: num(0, 8),
      },
      ...{
        spikes: word,
        v: word,
        last: word,
        kind: num(0, 3),
        slope: num(1, 5),
        dSpikes: word,
        stepDSpikes: num(0, 8),
      },
      ...{ dMembrane: word, stepDMembrane: num(0, 8), dV: word, stepDV: num(0, 8), dLast: word, dU: word },
      ...{ stepDU: num(0, 8), dSum: word, dFrom: word, stepAll: word, product: word },
    },
  ],
  productDescriptor: [
    oneOf(["alloc(PRODUCT_DESCRIPTOR_BYTES)"], ["number"], { numbers: [] }),
    {
      ...{ c: must(num(64)), m: must(num(3)), n: must(num(1, 2)), k: must(num(4)), a: must(num(0, 64)) },
      ...{ init: word, aRow: num(4), aCol: num(1), b: word, bRow: num(2), bCol: num(1), cRow: num(2), cCol: num(1) },
      ...{ rows: word, cols: word, bits: word, count: num(0, 3), work: word },
    },
  ],
};

/** Optimizers have methods of their base class alone; each kind updates in its own way. */
const stepping = { step: [], zeroGrad: [], stateDict: [], dispose: [] } as const;

const current = t(4, 2, 3);

/** Networks of which `Int8` makes others. */
const EIGHT_BITS = ["new Linear(3, 2)", "quantize(new Linear(3, 2), { weights: { bits: 4 } })"];
const EIGHT_BITS_NETWORK = "new Sequential(new Linear(3, 2), new LIF(), new Dropout())";

/** A class that `neuron` has made stands for all. */
export const CLASSES: Classes<typeof engine & typeof snn & typeof quantize & typeof audio> = {
  SpikeEncoder: ENCODER,
  TensorDataset: {
    new: [
      either(t(4, 3), oneOf(["new Float32Array(12)", "new Uint8Array(12)"], ["typed"])),
      either(indices(3, 4), t(4, 2)),
      { shape: nullable(list(3)), scale: num(1, 0.5) },
    ],
    call: { batch: [either(list(0, 2), oneOf(["Int32Array.of(0, 2)"], ["typed"]))] },
  },
  DataLoader: {
    new: [dataset, { batchSize: must(num(1, 2, 3)), shuffle: bool, dropLast: bool, generator }],
    call: { dispose: [], "[Symbol.iterator]": [] },
  },
  Generator: {
    new: [num(0, 1)],
    call: {
      seed: [num(0, 1)],
      getState: [],
      setState: [record({ key: list(1, -2), block: num(0, 5) })],
      permutation: [num(0, 5)],
    },
  },
  Flatten: { new: [num(1), num(-1)], call: { forward: [t(2, 3, 2)] } },
  ReLU: { new: [], call: { forward: unary } },
  Sequential: {
    new: [oneOf(["new Linear(3, 4)"], [], model), oneOf(["new LIF()", "new Flatten(2)"], [], model)],
    call: { forward: [current] },
  },
  Conv1d: {
    new: [
      num(2),
      num(4),
      num(3, 2),
      { ...window, stride: num(1, 2), padding: num(0, 1), dilation: num(1, 2), bias: bool, generator },
    ],
    call: { forward: [t(2, 2, 6)] },
  },
  Conv2d: {
    new: [num(2), num(4), either(num(2), list(2, 1)), { ...window, bias: bool, generator }],
    call: { forward: [t(2, 2, 5, 5)] },
  },
  Dropout: {
    new: [num(0.5, 0), { generator, sharedAxes: spare(either(axis, list(0, 1))) }],
    call: { forward: unary },
  },
  Embedding: {
    new: [num(3), num(2), { paddingIdx: orNull(num(0, -1)), generator }],
    call: { forward: [indices(3, 4)] },
  },
  Linear: { new: [num(3), num(2), { bias: bool, generator }], call: { forward: [t(2, 3)] } },
  BatchNorm1d: {
    new: [num(3), { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool, axis: spare(num(1)) }],
    call: { forward: [t(4, 3)] },
  },
  BatchNorm2d: {
    new: [num(2), { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool }],
    call: { forward: [t(2, 2, 3, 3)] },
  },
  GroupNorm: { new: [num(1, 2), num(2), { ...affine, axis: spare(num(1)) }], call: { forward: [t(2, 2, 3, 3)] } },
  LayerNorm: { new: [either(num(3), list(3)), affine], call: { forward: [t(2, 3)] } },
  AvgPool2d: { new: [num(2), { ...pooling, countIncludePad: bool }], call: { forward: [t(2, 5, 5)] } },
  MaxPool2d: { new: [num(2), { ...pooling, dilation: num(1, 2) }], call: { forward: [t(2, 5, 5)] } },
  Adagrad: {
    new: [
      params,
      {
        lr: num(0.1),
        lrDecay: num(0, 0.1),
        weightDecay: num(0, 0.1),
        initialAccumulatorValue: num(0, 1),
        eps: num(1e-8),
      },
    ],
    call: stepping,
  },
  Adam: {
    new: [params, { lr: num(0.1), betas: list(0.9, 0.99), eps: num(1e-8), weightDecay: num(0, 0.1), amsgrad: bool }],
    call: stepping,
  },
  AdamW: {
    new: [params, { lr: num(0.1), betas: list(0.9, 0.99), eps: num(1e-8), weightDecay: num(0, 0.1), amsgrad: bool }],
    call: stepping,
  },
  RMSprop: {
    new: [
      params,
      {
        lr: num(0.1),
        alpha: num(0.9),
        eps: num(1e-8),
        weightDecay: num(0, 0.1),
        momentum: num(0, 0.9),
        centered: bool,
      },
    ],
    call: stepping,
  },
  SGD: {
    new: [
      params,
      { lr: must(num(0.1)), momentum: num(0, 0.9), dampening: num(0), weightDecay: num(0, 0.1), nesterov: spare(bool) },
    ],
    call: {
      ...stepping,
      loadStateDict: [
        record({
          name: oneOf(['"SGD"']),
          options: record({
            lr: num(0.1),
            momentum: num(0),
            dampening: num(0),
            weightDecay: num(0),
            nesterov: oneOf(["false"], bool.takes),
          }),
          steps: list(0, 0),
          slots: listOf(record({}), record({})),
        }),
      ],
    },
  },
  CosineAnnealingLR: { new: [optimizer, { tMax: must(num(1, 3)), etaMin: num(0, 0.01) }], call: {} },
  CosineAnnealingWarmRestarts: {
    new: [optimizer, { t0: must(num(1, 3)), tMult: num(1, 2), etaMin: num(0, 0.01) }],
    call: {},
  },
  ExponentialLR: { new: [optimizer, { gamma: must(num(0.9)) }], call: {} },
  LambdaLR: { new: [optimizer, { lrLambda: must(fn("(epoch) => 1 / (1 + epoch)")) }], call: { step: [anything] } },
  LinearLR: { new: [optimizer, { startFactor: num(0.5), endFactor: num(1), totalIters: num(1, 5) }], call: {} },
  MultiStepLR: { new: [optimizer, { milestones: must(list(1, 3)), gamma: num(0.5) }], call: {} },
  StepLR: {
    new: [optimizer, { stepSize: must(num(1, 2)), gamma: num(0.5) }],
    call: {
      loadStateDict: [record({ stepSize: num(2), gamma: num(0.1), epoch: num(3), baseLr: num(0.1), lastLr: num(0.1) })],
    },
  },
  OneCycleLR: {
    new: [
      optimizer,
      {
        maxLr: must(num(1)),
        totalSteps: must(num(5, 10)),
        epochs: spare(num(2)),
        stepsPerEpoch: spare(num(2)),
        pctStart: num(0.3),
        annealStrategy: choice("cos", "linear"),
        cycleMomentum: must(oneOf(["false"], bool.takes)),
        baseMomentum: num(0.85),
        maxMomentum: num(0.95),
        divFactor: num(25),
        finalDivFactor: num(1e4),
        threePhase: bool,
      },
    ],
    call: {
      loadStateDict: [
        record({
          maxLr: num(1),
          totalSteps: num(10),
          pctStart: num(0.3),
          annealStrategy: choice("cos", "linear"),
          cycleMomentum: oneOf(["false"], bool.takes),
          baseMomentum: num(0.85),
          maxMomentum: num(0.95),
          divFactor: num(25),
          finalDivFactor: num(1e4),
          threePhase: bool,
          epoch: num(0, 3),
          baseLr: num(0.04),
          lastLr: num(0.04),
        }),
      ],
    },
  },
  ReduceLROnPlateau: {
    new: [
      optimizer,
      {
        mode: choice("min", "max"),
        factor: num(0.1),
        patience: num(0, 2),
        threshold: num(1e-4),
        thresholdMode: choice("rel", "abs"),
        cooldown: num(0, 1),
        minLr: num(0),
        eps: num(1e-8),
      },
    ],
    call: { step: [must(num(1))] },
  },
  ...neuronRows(firing, layerOf),
  SpikingLSTM: {
    new: [
      num(3),
      num(3),
      {
        ...firing,
        threshold: either(num(0.1), t(3)),
        resetValue: spare(num(0, 0.1)),
        ...resets,
        learn: listOf(oneOf(['"threshold"'])),
        numerics: spare(choice("snntorch")),
        bias: bool,
        generator,
      },
    ],
    call: {
      forward: [current],
      unroll: [current, lstmState],
      step: [t(2, 3), lstmState],
      initialState: [list(2, 3)],
    },
  },
  CurrentNoise: {
    new: [{ std: either(num(0, 0.5), t(3)), learnStd: bool, evaluation: bool, generator }],
    call: { forward: [current] },
  },
  ThresholdDependentBatchNorm1d: { new: [num(3), thresholdDependent], call: { forward: [current] } },
  ThresholdDependentBatchNorm2d: { new: [num(2), thresholdDependent], call: { forward: [t(2, 3, 2, 2, 2)] } },
  BatchNormTT1d: {
    new: [num(3), num(4), throughTime],
    call: {
      forward: [current],
      unroll: [current, record({ t: firstStep })],
      step: [t(2, 3), record({ t: firstStep })],
      initialState: [list(2, 3)],
    },
  },
  BatchNormTT2d: {
    new: [num(2), num(2), throughTime],
    call: {
      forward: [t(2, 3, 2, 2, 2)],
      unroll: [t(2, 3, 2, 2, 2), record({ t: firstStep })],
      step: [t(3, 2, 2, 2), record({ t: firstStep })],
      initialState: [list(3, 2, 2, 2)],
    },
  },
  Delay: {
    new: [either(num(2), list(0, 1, 2)), { axis: spare(num(-1)) }],
    call: {
      forward: [current],
      unroll: [current, record({ past: t(2, 2, 3) })],
      step: [t(2, 3), record({ past: t(2, 2, 3) })],
      initialState: [list(2, 3)],
    },
  },
  DelayedLinear: {
    new: [num(3), num(2), { maxDelay: must(num(2)), sigma: num(1, 0.5), finalSigma: num(0.5), bias: bool, generator }],
    call: {
      anneal: [num(0, 0.5, 1)],
      forward: [current],
      unroll: [current, record({ past: t(2, 2, 3) })],
      step: [t(2, 3), record({ past: t(2, 2, 3) })],
      initialState: [list(2, 3)],
    },
  },
  PSN: {
    new: [
      {
        kind: must(oneOf(['"sliding"'])),
        timesteps: spare(num(4)),
        order: must(num(3)),
        lambda: spare(num(0, 0.5)),
        expInit: bool,
        surrogate,
        fire: choice("ge", "gt"),
        spiking: spare(bool),
        generator,
      },
    ],
    call: {
      anneal: [num(0, 0.5, 1)],
      forward: [current],
      unroll: [current, record({ past: t(2, 2, 3) })],
      step: [t(2, 3), record({ past: t(2, 2, 3) })],
      initialState: [list(2, 3)],
    },
  },
  LeakyIntegrator: {
    new: [
      {
        ...decay,
        learnBeta: bool,
        rest: spare(either(num(0, 0.1), t(3))),
        inputScale: spare(either(num(1, 2), t(3), oneOf(['"leak"'], ["string"]))),
        numerics: spare(choice("norse", "spikingjelly", "nir")),
        learn: spare(listOf(oneOf(['"beta"', '"rest"']))),
        constrain: spare(record({ beta: list(0, 1) })),
      },
    ],
    call: {
      forward: [current],
      unroll: [current, t(2, 3)],
      step: [t(2, 3), t(2, 3)],
      initialState: [list(2, 3)],
      toString: [],
    },
  },
  LIF: {
    new: [neuron],
    call: {
      forward: [current],
      unroll: [current, state],
      step: [t(2, 3), state],
      initialState: [list(2, 3)],
      toString: [],
    },
  },
  OTTT: {
    new: [probed, { ...rule, lambda: num(0, 0.5, 1), inputLambda: spare(num(0, 0.5, 1)) }],
    call: { step: [t(2, 3), target, spare(oneOf([networkState], ["object"]))] },
  },
  SLTT: {
    new: [probed, rule],
    call: { step: [t(2, 3), target, spare(oneOf([withoutTraces], ["object"]))] },
  },
  Recurrent: {
    new: [
      oneOf(['new AdaptiveLIF({ learn: ["beta"] })'], [], model),
      {
        features: must(num(3)),
        connection: choice("all", "one"),
        bias: bool,
        selfConnections: spare(bool),
        generator,
      },
    ],
    call: {
      forward: [current],
      unroll: [current, adaptiveRecurrentState],
      step: [t(2, 3), adaptiveRecurrentState],
      initialState: [list(2, 3)],
      toString: [],
    },
  },
  RecurrentLIF: {
    new: [
      { ...neuron, features: must(num(3)), connection: choice("all", "one"), selfConnections: spare(bool), generator },
    ],
    call: {
      forward: [current],
      unroll: [current, recurrentState],
      step: [t(2, 3), recurrentState],
      initialState: [list(2, 3)],
      toString: [],
    },
  },
  EProp: {
    new: [
      oneOf(
        [
          "new Sequential(new Linear(3, 4), new Recurrent(new AdaptiveLIF(), { features: 4 }), new Linear(4, 2), new LeakyIntegrator())",
          "[new Linear(3, 4, { bias: false }), new LIF({ refractorySteps: 1 }), new Linear(4, 2)]",
        ],
        ["list"],
        model,
      ),
      {
        loss: must(fn("mseLoss", "(y, target) => y.sub(target).square().sum()")),
        feedback: either(choice("symmetric", "random"), t(4, 2)),
        generator,
      },
    ],
    // A loss of one's own may take a number as its target.
    call: { step: [t(2, 3), { ...orNull(small(2, 2)), takes: ["null", "number"] }, oneOf(["undefined"])] },
  },
  ...RULES,
  Plastic: {
    new: [
      layer,
      synapticRule,
      {
        bounds: nullable(list(-1, 1)),
        normalize: must(
          either(
            num(1, 2),
            { ...t(2), draw: () => "full([2], 1.5)" },
            oneOf(["{ sum: 2, every: 2 }", "{ sum: ones([2]) }"], ["object"]),
          ),
        ),
        reduction: choice("sum", "mean"),
        weightDecay: num(0, 0.1),
      },
    ],
    call: {
      initialState: [either(num(1, 2), list(2, 3))],
      step: [t(2, 3), t(2, 2), synapticState(2), { reward: either(num(0, 1), list(1, -1), t(2)), apply: bool }],
      events: [
        oneOf(["[0, 1, 1.5]", "Float64Array.of(0, 0, 3)"], ["list", "typed", "object"]),
        oneOf(['["pre", "post", "both"]', '[{ pre: 1, post: [0, 1] }, { reward: 1 }, "pre"]'], ["list"]),
        synapticState(1),
      ],
      normalize: [],
    },
  },
  PlasticLayer: {
    new: [oneOf(["new Plastic(new Linear(3, 2), new RewardSTDP())"]), oneOf(["new LIF()"], [], model)],
    call: {
      forward: [current],
      unroll: [
        current,
        record({ plastic: synapticState(2), neurons: record({ v: t(2, 2), refractory: oneOf(["zeros([2, 2])"]) }) }),
      ],
      step: [
        t(2, 3),
        record({ plastic: synapticState(2), neurons: record({ v: t(2, 2), refractory: oneOf(["zeros([2, 2])"]) }) }),
      ],
      initialState: [list(2, 3)],
    },
  },
  Stream: {
    new: [either(model, listOf({ ...model, takes: ["list"] })), list(2, 3)],
    call: { step: [numbers(6)], reset: [], dispose: [] },
  },
  Int8: {
    new: [
      either(oneOf([...EIGHT_BITS, EIGHT_BITS_NETWORK]), listOf({ ...oneOf(EIGHT_BITS), takes: ["list"] })),
      { perChannel: bool },
    ],
    call: {
      forward: [either(t(4, 2, 3), { ...t(4, 2, 3), draw: () => "poissonEncode(rand([2, 3]), { timesteps: 4 })" })],
      arrays: [],
      dispose: [],
      stateDict: [],
      loadStateDict: [
        record({
          "0.weight": must(
            record({ shape: list(2, 3), data: oneOf(["Int8Array.of(1, -2, 3, 127, -127, 0)"], ["typed"]) }),
          ),
          "0.weight_scale": must(
            either(
              record({ shape: list(2), data: oneOf(["Float32Array.of(0.5, 2)"], ["typed"]) }),
              record({ shape: list(1), data: oneOf(["Float32Array.of(0.25)"], ["typed"]) }),
            ),
          ),
          "0.bias": must(record({ shape: list(2), data: numbers(2) })),
        }),
        record({ strict: bool }),
      ],
    },
  },
};

/** What objects of several classes have in common; the first argument is the object. */
const MODULE: Methods<engine.Module, "forward"> = {
  namedParameters: [],
  parameters: [],
  namedModules: [],
  stateDict: [],
  loadStateDict: [
    record({
      weight: record({ shape: list(2, 3), data: numbers(6) }),
      bias: record({ shape: list(2), data: numbers(2) }),
    }),
    record({ strict: bool }),
  ],
  train: [bool],
  eval: [],
  dispose: [],
  evaluating: [fn("() => 1")],
  zeroGrad: [],
  toString: [],
};
const OPTIMIZER: Methods<engine.Optimizer, "loadStateDict"> = stepping;
const SCHEDULER: Methods<engine.Scheduler, "loadStateDict"> = {
  getLastLr: [],
  step: [{ ...anything, draw: () => "1" }],
  stateDict: [],
};

export const BASES = {
  Module: { object: self("new Linear(3, 2)"), ...MODULE },
  Optimizer: { object: self("new SGD([graded(parameter(ones([2])))], { lr: 0.1, momentum: 0.9 })"), ...OPTIMIZER },
  Scheduler: { object: schedulers, ...SCHEDULER },
};

/** Methods of tensors that are no functions as well; the first argument is the tensor. */
type TensorMethods = Methods<engine.Tensor, Exclude<keyof typeof ops & keyof typeof engine, "where">>;
export const TENSOR: { readonly [Name in keyof TensorMethods]: readonly [Kind, ...TensorMethods[Name]] } = {
  where: [t(2, 3), t(2, 3), operand(2, 3)],
  backward: [{ ...t(2, 3), draw: () => "rand([2, 3], { requiresGrad: true }).mul(2)" }, t(2, 3)],
  item: [t(1)],
  toFloat32Array: unary,
  toArray: unary,
  copyFrom: [t(2, 3), either(numbers(6), t(2, 3))],
  dispose: [anyTensor],
  zeroGrad: [anyTensor],
  toString: [anyTensor],
};

/** Properties that may be written to. */
export const SETTERS: Writable<engine.Tensor> & Writable<engine.Module> & Writable<engine.Optimizer> = {
  requiresGrad: [self("rand([2, 3])"), bool],
  grad: [self("graded(parameter(ones([2, 3])))"), oneOf(["null"], ["null"])],
  isParameter: [self("rand([2, 3])"), bool],
  isBuffer: [self("rand([2, 3])"), bool],
  training: [self("new Linear(3, 2)"), bool],
  lr: [optimizer, num(0.1, 1)],
  initialLr: [optimizer, anything],
};
