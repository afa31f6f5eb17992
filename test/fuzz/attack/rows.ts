/** What can be called, and with what. The compiler asks for what is missing: functions, classes, methods, parameters, options. */
import type * as engine from "../../../engine/index.ts";
import type { ops } from "../../../engine/ops/index.ts";
import type * as audio from "../../../snn/audio/index.ts";
import type * as snn from "../../../snn/index.ts";
import type * as quantize from "../../../snn/quantize/index.ts";
import { ENCODER } from "./audio.ts";
import {
  anyTensor,
  anything,
  bool,
  either,
  fn,
  type Kind,
  list,
  num,
  numbers,
  oneOf,
  operand,
  record,
  t,
} from "./kinds.ts";
import { neuronRows } from "./neurons.ts";
import { optimizer, schedulers, self } from "./objects.ts";
import { current, firing, stepping, unary } from "./rows/arguments.ts";
import { LAYERS } from "./rows/layers.ts";
import { MODULES } from "./rows/modules.ts";
import { OPTIM } from "./rows/optim.ts";
import { PLASTIC } from "./rows/plastic.ts";
import { RULES } from "./rules.ts";
import type { Classes, Methods, Writable } from "./typed.ts";

export { ENGINE } from "./rows/engine.ts";
export { EVENTS } from "./rows/events.ts";
export { KERNELS, NODE } from "./rows/node.ts";
export { QUANTIZE } from "./rows/quantize.ts";
export { SNN, SURROGATES } from "./rows/snn.ts";

/** Methods of neurons with this state. */
const layerOf = (state: Kind) =>
  ({
    forward: [current],
    unroll: [current, state],
    step: [t(2, 3), state],
    initialState: [list(2, 3)],
    toString: [],
  }) as const;

/** A class that `neuron` has made stands for all. */
export const CLASSES: Classes<typeof engine & typeof snn & typeof quantize & typeof audio> = {
  SpikeEncoder: ENCODER,
  ...MODULES,
  ...OPTIM,
  ...neuronRows(firing, layerOf),
  ...LAYERS,
  ...RULES,
  ...PLASTIC,
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
