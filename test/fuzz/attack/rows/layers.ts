/** Layers of spiking networks, and rules that train them online. */
import type * as snn from "../../../../snn/index.ts";
import {
  bool,
  choice,
  either,
  fn,
  indices,
  type Kind,
  list,
  listOf,
  must,
  nullable,
  num,
  oneOf,
  orNull,
  record,
  small,
  spare,
  t,
} from "../kinds.ts";
import { OF_SPIKES } from "../neurons.ts";
import { generator, model, probed, surrogate } from "../objects.ts";
import type { Classes } from "../typed.ts";
import { affine, current, firing, held, networkState, state } from "./arguments.ts";

const throughTime = { ...affine, momentum: orNull(num(0.1)), trackRunningStats: bool };

const thresholdDependent = {
  eps: affine.eps,
  momentum: throughTime.momentum,
  trackRunningStats: bool,
  alpha: num(1, 0.5),
  threshold: num(1, 0.5),
};

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

const firstStep: Kind = { ...t(), draw: () => "zeros([])" };

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

const withoutTraces = networkState.replace("{ trace: rand([2, 4]) }", "null");

const rule = { loss: must(fn("crossEntropy", "(z, y) => crossEntropy(z, y).mul(2)")) };

const target = nullable(indices(2, 2));

export const LAYERS = {
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
} satisfies Partial<Classes<typeof snn>>;
