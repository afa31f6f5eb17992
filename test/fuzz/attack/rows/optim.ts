/** Optimizers and schedules. */
import type * as engine from "../../../../engine/index.ts";
import { anything, bool, choice, fn, list, listOf, must, num, oneOf, record, spare } from "../kinds.ts";
import { optimizer, params } from "../objects.ts";
import type { Classes } from "../typed.ts";
import { stepping } from "./arguments.ts";

export const OPTIM = {
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
} satisfies Partial<Classes<typeof engine>>;
