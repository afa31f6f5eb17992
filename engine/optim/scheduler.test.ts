/** Learning rate schedules: closed forms, states, several on one optimizer, and use in fit. Other tests compare them with PyTorch. */
import { describe, expect, test } from "vitest";
import type { OneCycleLROptions, Optimizer, ReduceLROnPlateauOptions, Scheduler, Tensor } from "../index.ts";
import {
  Adagrad,
  Adam,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  DataLoader,
  ExponentialLR,
  fit,
  LambdaLR,
  Linear,
  LinearLR,
  MultiStepLR,
  mseLoss,
  OneCycleLR,
  parameter,
  ReduceLROnPlateau,
  RMSprop,
  SGD,
  StepLR,
  TensorDataset,
  tensor,
} from "../index.ts";

const sgd = (lr = 0.5) => new SGD([parameter(tensor([1]))], { lr });

type Make = (optimizer: Optimizer) => Scheduler;

/** Each schedule, and its rate after `epoch` steps from 0.5. */
const KINDS: [name: string, make: Make, lrAt: (epoch: number) => number][] = [
  ["StepLR", (o) => new StepLR(o, { stepSize: 3, gamma: 0.5 }), (e) => 0.5 * 0.5 ** Math.floor(e / 3)],
  ["StepLR by default", (o) => new StepLR(o, { stepSize: 5 }), (e) => 0.5 * 0.1 ** Math.floor(e / 5)],
  [
    "MultiStepLR",
    (o) => new MultiStepLR(o, { milestones: [7, 2, 7], gamma: 0.5 }),
    (e) => 0.5 * 0.5 ** [2, 7, 7].filter((m) => m <= e).length,
  ],
  [
    "MultiStepLR from the start",
    (o) => new MultiStepLR(o, { milestones: [0, 4] }),
    (e) => 0.5 * 0.1 ** [0, 4].filter((m) => m <= e).length,
  ],
  ["ExponentialLR", (o) => new ExponentialLR(o, { gamma: 0.9 }), (e) => 0.5 * 0.9 ** e],
  ["LinearLR", (o) => new LinearLR(o), (e) => 0.5 * (1 / 3 + (2 / 3) * Math.min(1, e / 5))],
  [
    "LinearLR down",
    (o) => new LinearLR(o, { startFactor: 1, endFactor: 0, totalIters: 8 }),
    (e) => 0.5 * (1 - Math.min(1, e / 8)),
  ],
  ["LambdaLR", (o) => new LambdaLR(o, { lrLambda: (e) => 1 / (2 + e) }), (e) => 0.5 / (2 + e)],
  [
    "CosineAnnealingLR",
    (o) => new CosineAnnealingLR(o, { tMax: 4, etaMin: 0.1 }),
    (e) => 0.1 + 0.2 * (1 + Math.cos((Math.PI * e) / 4)),
  ],
  [
    "CosineAnnealingWarmRestarts",
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 2, tMult: 3, etaMin: 0.1 }),
    (e) => 0.1 + 0.2 * (1 + Math.cos(Math.PI * (e < 2 ? e / 2 : e < 8 ? (e - 2) / 6 : (e - 8) / 18))),
  ],
  [
    "OneCycleLR",
    (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 20, annealStrategy: "linear" }),
    (e) => (e <= 5 ? 0.04 + (0.96 * e) / 5 : 1 - (1 - 0.000004) * ((e - 5) / 14)),
  ],
];

describe.each(KINDS)("%s", (name, make, lrAt) => {
  test(`${name}: the rate at every step`, () => {
    const optimizer = sgd();
    const scheduler = make(optimizer);
    for (let epoch = 0; epoch < 20; epoch++) {
      if (epoch > 0) scheduler.step();
      expect(Math.abs(optimizer.lr - lrAt(epoch)), `epoch ${epoch}`).toBeLessThanOrEqual(1e-14);
      expect([scheduler.lr, ...scheduler.getLastLr()]).toEqual([optimizer.lr, optimizer.lr]);
    }
  });

  test(`${name}: a schedule that is resumed goes on as the straight one, in whatever order things are made`, () => {
    const optimizer = sgd();
    const straight = make(optimizer);
    for (let i = 0; i < 7; i++) straight.step();
    const state = JSON.parse(JSON.stringify(straight.stateDict()));
    const optimizerState = optimizer.stateDict();
    const after = sgd(optimizer.lr);
    const before = sgd();
    const resumed = [make(after), make(before)];
    before.loadStateDict(optimizerState);
    for (const scheduler of resumed) {
      scheduler.loadStateDict(state);
      expect(scheduler.stateDict()).toEqual(straight.stateDict());
      expect(scheduler.optimizer.options).toEqual(optimizer.options);
    }
    const rates = Array.from({ length: 12 }, () =>
      [straight, ...resumed].map((scheduler) => {
        scheduler.step();
        return scheduler.optimizer.lr;
      }),
    );
    for (const [expected, ...got] of rates) expect(got).toEqual([expected, expected]);
  });
});

test("schedulers: the state is a copy, and does not change with later steps", () => {
  const scheduler = new MultiStepLR(sgd(), { milestones: [1, 2] });
  const state = scheduler.stateDict();
  const copy = structuredClone(state);
  (scheduler.stateDict().milestones as number[])[0] = 9;
  scheduler.step();
  expect(state).toEqual(copy);
  expect(scheduler.stateDict()).not.toEqual(copy);
  scheduler.loadStateDict(state);
  scheduler.step();
  expect(state).toEqual(copy);
});

test("schedulers: a state of another kind is an error that names the field, and changes nothing", () => {
  const optimizer = sgd();
  const scheduler = new StepLR(optimizer, { stepSize: 2 });
  scheduler.step();
  const before = scheduler.stateDict();
  const { gamma, ...rest } = before;
  const broken: [state: typeof before, error: Error][] = [
    [rest, new TypeError("loadStateDict: expected gamma of type number, got undefined")],
    [{ ...before, gamma: "0.1" }, new TypeError('loadStateDict: expected gamma of type number, got "0.1"')],
    [{ ...before, gamma: NaN }, new RangeError("loadStateDict: gamma must be finite and ≥ 0, got NaN")],
    [{ ...before, stepSize: 0 }, new RangeError("loadStateDict: stepSize must be a positive integer, got 0")],
    [{ ...before, epoch: -1 }, new RangeError("loadStateDict: epoch must be a count of steps, got -1")],
    [{ ...before, epoch: 7, lastLr: Infinity }, new RangeError("loadStateDict: lastLr must be finite, got Infinity")],
    [{ ...before, baseLr: -Infinity }, new RangeError("loadStateDict: baseLr must be finite, got -Infinity")],
    [{ ...before, gamma: -1 }, new RangeError("loadStateDict: gamma must be finite and ≥ 0, got -1")],
    [{ ...before, lastLr: null }, new TypeError("loadStateDict: expected lastLr of type number, got null")],
    [null as unknown as typeof before, new TypeError("loadStateDict: expected a state, got null")],
    [
      { ...before, tMax: 3 },
      new TypeError("loadStateDict: expected the options stepSize, gamma, epoch, baseLr, lastLr, got tMax"),
    ],
    [
      new ExponentialLR(sgd(), { gamma: 0.5 }).stateDict(),
      new TypeError("loadStateDict: expected stepSize of type number, got undefined"),
    ],
  ];
  for (const [state, error] of broken) {
    expect(() => scheduler.loadStateDict(state)).toThrow(error);
    expect(scheduler.stateDict()).toEqual(before);
    expect(optimizer.lr).toBe(0.5);
  }
});

test("schedulers: several act on one optimizer; each counts from the rate that the first one found", () => {
  const optimizer = sgd(1);
  const warmup = new LinearLR(optimizer, { startFactor: 0.25, totalIters: 3 });
  const decay = new ExponentialLR(optimizer, { gamma: 0.5 });
  const rates = [optimizer.lr];
  for (let i = 0; i < 4; i++) {
    warmup.step();
    decay.step();
    rates.push(optimizer.lr);
  }
  [0.25, 0.25, 0.1875, 0.125, 0.0625].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 14));
  expect(optimizer.initialLr).toBe(1);
  new LambdaLR(optimizer, { lrLambda: () => 2 });
  expect(optimizer.lr).toBe(2);
});

test("schedulers: what is no optimizer is a TypeError", () => {
  const wrong = { lr: 1, params: [] } as unknown as Optimizer;
  expect(() => new StepLR(wrong, { stepSize: 1 })).toThrow(TypeError);
  expect(() => new StepLR(undefined as unknown as Optimizer, { stepSize: 1 })).toThrow(
    new TypeError("StepLR: expected an optimizer, got undefined"),
  );
});

test("LambdaLR: an error in the function leaves the schedule where it was", () => {
  const optimizer = sgd();
  const scheduler = new LambdaLR(optimizer, {
    lrLambda: (epoch) => {
      if (epoch === 2) throw new Error("on purpose");
      return epoch + 1;
    },
  });
  scheduler.step();
  const before = scheduler.stateDict();
  expect(() => scheduler.step()).toThrow("on purpose");
  expect(scheduler.stateDict()).toEqual(before);
  expect(optimizer.lr).toBe(1);
});

describe("OneCycleLR", () => {
  const momentumAt = (e: number) => (e <= 5 ? 0.95 - (0.1 * e) / 5 : 0.85 + (0.1 * (e - 5)) / 14);
  const options: OneCycleLROptions = { maxLr: 1, totalSteps: 20, annealStrategy: "linear" };

  test("OneCycleLR: the momentum, or the first β, goes the other way", () => {
    const p = parameter(tensor([1]));
    const [plain, adam, rmsprop] = [sgd(), new Adam([p], { betas: [0.5, 0.75] }), new RMSprop([p])];
    const schedulers = [plain, adam, rmsprop].map((optimizer) => new OneCycleLR(optimizer, options));
    for (let epoch = 0; epoch < 20; epoch++) {
      if (epoch > 0) for (const scheduler of schedulers) scheduler.step();
      for (const momentum of [plain.options.momentum, adam.options.betas[0], rmsprop.options.momentum]) {
        expect(momentum).toBeCloseTo(momentumAt(epoch), 14);
      }
      expect(adam.options.betas[1]).toBe(0.75);
    }
  });

  test("OneCycleLR: without cycleMomentum the momentum stays, and an optimizer need not have one", () => {
    const optimizer = sgd();
    new OneCycleLR(optimizer, { ...options, cycleMomentum: false }).step();
    expect(optimizer.options.momentum).toBe(0);
    const adagrad = new Adagrad([parameter(tensor([1]))]);
    new OneCycleLR(adagrad, { ...options, cycleMomentum: false });
    expect(adagrad.options).not.toHaveProperty("momentum");
    expect(() => new OneCycleLR(adagrad, options)).toThrow(
      new RangeError("OneCycleLR: cycleMomentum must be false for an optimizer without momentum or betas, got true"),
    );
  });

  test("OneCycleLR: three phases: as fast down as up, then on to the last rate", () => {
    const optimizer = sgd();
    const scheduler = new OneCycleLR(optimizer, { ...options, totalSteps: 15, pctStart: 0.4, threePhase: true });
    const rates = Array.from({ length: 15 }, (_, i) => {
      if (i > 0) scheduler.step();
      return [optimizer.lr, optimizer.options.momentum];
    });
    for (const [step, lr, momentum] of [
      [0, 0.04, 0.95],
      [5, 1, 0.85],
      [10, 0.04, 0.95],
      [12, 0.02 + 0.000002, 0.95],
      [14, 0.000004, 0.95],
    ] as const) {
      expect(rates[step]?.[0]).toBeCloseTo(lr, 14);
      expect(rates[step]?.[1]).toBeCloseTo(momentum, 14);
    }
  });

  test("OneCycleLR: the steps are given as such or as epochs of steps, and one more is let pass as in PyTorch", () => {
    const scheduler = new OneCycleLR(sgd(), { maxLr: 1, epochs: 2, stepsPerEpoch: 3 });
    for (let i = 0; i < 6; i++) scheduler.step();
    const before = scheduler.stateDict();
    expect(() => scheduler.step()).toThrow(new Error("OneCycleLR: expected at most 6 steps, got 7"));
    expect(scheduler.stateDict()).toEqual(before);
  });

  test("OneCycleLR: phases without a length do not give NaN", () => {
    for (const pctStart of [0, 0.1, 1]) {
      const optimizer = sgd();
      const scheduler = new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, pctStart });
      for (let i = 0; i < 10; i++) {
        scheduler.step();
        expect(optimizer.lr).toBeGreaterThanOrEqual(0);
        expect(optimizer.lr).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("ReduceLROnPlateau", () => {
  function rates(options: ReduceLROnPlateauOptions, metrics: number[]): number[] {
    const optimizer = sgd(1);
    const scheduler = new ReduceLROnPlateau(optimizer, options);
    return metrics.map((metric) => {
      scheduler.step(metric);
      expect(scheduler.lr).toBe(optimizer.lr);
      return optimizer.lr;
    });
  }

  test("ReduceLROnPlateau: it waits for patience epochs without progress, and then again", () => {
    const metrics = [5, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3];
    expect(rates({ factor: 0.5, patience: 2 }, metrics)).toEqual([1, 1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25]);
    expect(rates({}, Array(12).fill(1)).slice(-2)).toEqual([1, 0.1]);
  });

  test("ReduceLROnPlateau: what counts as progress, downwards and upwards, as a share and as it is", () => {
    const options = { factor: 0.5, patience: 0, threshold: 0.25 } as const;
    expect(rates(options, [4, 3.5, 2.9])).toEqual([1, 0.5, 0.5]);
    expect(rates({ ...options, thresholdMode: "abs" }, [4, 3.75, 3.5])).toEqual([1, 0.5, 0.5]);
    expect(rates({ ...options, mode: "max" }, [4, 5, 5.5])).toEqual([1, 0.5, 0.5]);
    expect(rates({ ...options, mode: "max", thresholdMode: "abs" }, [4, 4.25, 4.5])).toEqual([1, 0.5, 0.5]);
  });

  test("ReduceLROnPlateau: cooldown, smallest rate and smallest step", () => {
    const flat = Array(8).fill(1);
    expect(rates({ factor: 0.5, patience: 0, cooldown: 2 }, flat)).toEqual([1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]);
    expect(rates({ factor: 0.5, patience: 0, minLr: 0.2 }, flat).slice(0, 5)).toEqual([1, 0.5, 0.25, 0.2, 0.2]);
    expect(rates({ factor: 0.5, patience: 0, eps: 0.25 }, flat).slice(0, 4)).toEqual([1, 0.5, 0.5, 0.5]);
  });

  test("ReduceLROnPlateau: NaN is no progress, and no metric is a TypeError that changes nothing", () => {
    expect(rates({ factor: 0.5, patience: 1 }, [Number.NaN, Number.NaN, 1, Number.NaN, 1])).toEqual([
      1, 0.5, 0.5, 0.5, 0.25,
    ]);
    const scheduler = new ReduceLROnPlateau(sgd());
    const before = scheduler.stateDict();
    expect(() => scheduler.step()).toThrow(
      new TypeError("ReduceLROnPlateau: expected a number as metric (in fit, what validate gives), got undefined"),
    );
    expect(scheduler.stateDict()).toEqual(before);
  });

  test("ReduceLROnPlateau: its state goes through JSON, before the first metric and after", () => {
    for (const mode of ["min", "max"] as const) {
      const [optimizer, other] = [sgd(1), sgd(1)];
      const scheduler = new ReduceLROnPlateau(optimizer, { mode, patience: 1 });
      const resumed = new ReduceLROnPlateau(other);
      for (const metric of [3, 3, 3, 3]) {
        resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())));
        scheduler.step(metric);
        resumed.step(metric);
        expect(resumed.stateDict()).toEqual(scheduler.stateDict());
        expect(other.lr).toBe(optimizer.lr);
      }
      expect(optimizer.lr).toBe(0.1);
    }
  });
});

type Wrong = [message: string, make: (optimizer: Optimizer) => unknown];

const WRONG: Wrong[] = [
  ["StepLR: stepSize must be a positive integer, got 0", (o) => new StepLR(o, { stepSize: 0 })],
  ["StepLR: gamma must be finite and ≥ 0, got -1", (o) => new StepLR(o, { stepSize: 1, gamma: -1 })],
  ["MultiStepLR: milestones[1] must be an integer ≥ 0, got 1.5", (o) => new MultiStepLR(o, { milestones: [1, 1.5] })],
  [
    "MultiStepLR: gamma must be finite and ≥ 0, got NaN",
    (o) => new MultiStepLR(o, { milestones: [], gamma: Number.NaN }),
  ],
  ["ExponentialLR: gamma must be finite and ≥ 0, got Infinity", (o) => new ExponentialLR(o, { gamma: Infinity })],
  ["LinearLR: startFactor must be in (0, 1], got 2", (o) => new LinearLR(o, { startFactor: 2 })],
  ["LinearLR: startFactor must be in (0, 1], got 0", (o) => new LinearLR(o, { startFactor: 0 })],
  ["LinearLR: endFactor must be in [0, 1], got 1.5", (o) => new LinearLR(o, { endFactor: 1.5 })],
  ["LinearLR: totalIters must be a positive integer, got 0", (o) => new LinearLR(o, { totalIters: 0 })],
  ["CosineAnnealingLR: tMax must be a positive integer, got 0.5", (o) => new CosineAnnealingLR(o, { tMax: 0.5 })],
  [
    "CosineAnnealingLR: etaMin must be finite and ≥ 0, got -1",
    (o) => new CosineAnnealingLR(o, { tMax: 1, etaMin: -1 }),
  ],
  [
    "CosineAnnealingWarmRestarts: t0 must be a positive integer, got 1.5",
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 1.5 }),
  ],
  [
    "CosineAnnealingWarmRestarts: tMult must be a positive integer, got 1.5",
    (o) => new CosineAnnealingWarmRestarts(o, { t0: 1, tMult: 1.5 }),
  ],
  ["OneCycleLR: totalSteps must be a positive integer, got 0", (o) => new OneCycleLR(o, { maxLr: 1, epochs: 3 })],
  [
    "OneCycleLR: divFactor must be finite and > 0, got 0",
    (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 2, divFactor: 0 }),
  ],
  [
    "OneCycleLR: pctStart must be in [0, 1], got 30",
    (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 2, pctStart: 30 }),
  ],
  [
    'OneCycleLR: expected annealStrategy "cos" or "linear", got "cosine"',
    (o) => new OneCycleLR(o, { maxLr: 1, totalSteps: 2, annealStrategy: "cosine" as "cos" }),
  ],
  [
    'ReduceLROnPlateau: expected mode "min" or "max", got "low"',
    (o) => new ReduceLROnPlateau(o, { mode: "low" as "min" }),
  ],
  [
    'ReduceLROnPlateau: expected thresholdMode "rel" or "abs", got "relative"',
    (o) => new ReduceLROnPlateau(o, { thresholdMode: "relative" as "rel" }),
  ],
  ["ExponentialLR: gamma must be finite and ≥ 0, got NaN", (o) => new ExponentialLR(o, {} as { gamma: number })],
  [
    "CosineAnnealingLR: tMax must be a positive integer, got NaN",
    (o) => new CosineAnnealingLR(o, {} as { tMax: number }),
  ],
  ["ReduceLROnPlateau: factor must be in [0, 1), got 1", (o) => new ReduceLROnPlateau(o, { factor: 1 })],
  ["ReduceLROnPlateau: patience must be finite and ≥ 0, got -1", (o) => new ReduceLROnPlateau(o, { patience: -1 })],
];

test.each(WRONG)("%s", (message, make) => {
  const optimizer = sgd();
  expect(() => make(optimizer)).toThrow(new RangeError(message));
  expect(optimizer.lr).toBe(0.5);
});

test("schedulers: options that are missing, no options or other types are errors in words; the rate stays", () => {
  const optimizer = sgd();
  const wrong: [make: () => unknown, error: Error][] = [
    [() => new OneCycleLR(optimizer, undefined as never), new TypeError("OneCycleLR: expected options, got undefined")],
    [() => new StepLR(optimizer, null as never), new TypeError("StepLR: expected options, got null")],
    [
      () => new CosineAnnealingWarmRestarts(optimizer, undefined as never),
      new TypeError("CosineAnnealingWarmRestarts: expected options, got undefined"),
    ],
    [
      () => new ReduceLROnPlateau(optimizer, null as never),
      new TypeError("ReduceLROnPlateau: expected options, got null"),
    ],
    [() => new LambdaLR(optimizer, 3 as never), new TypeError("LambdaLR: expected options, got 3")],
    [
      () => new MultiStepLR(optimizer, {} as never),
      new TypeError("MultiStepLR: expected milestones as a list of numbers, got undefined"),
    ],
    [
      () => new MultiStepLR(optimizer, { milestones: ["1"] as never }),
      new TypeError('MultiStepLR: expected milestones[0] as a number, got "1"'),
    ],
    [
      () => new OneCycleLR(optimizer, { maxLr: 1, epochs: 1.5, stepsPerEpoch: 2 }),
      new RangeError("OneCycleLR: epochs must be an integer ≥ 0, got 1.5"),
    ],
    [
      () => new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 2, finalDivFactor: Number.MIN_VALUE }),
      new RangeError("OneCycleLR: finalDivFactor must leave a finite rate, got 5e-324"),
    ],
    [
      () => new LambdaLR(optimizer, { lrLambda: () => "1" as never }),
      new TypeError('LambdaLR: expected lrLambda(0) as a number, got "1"'),
    ],
  ];
  for (const [make, error] of wrong) {
    expect(make).toThrow(error);
    expect([optimizer.lr, optimizer.initialLr, optimizer.options.momentum]).toEqual([0.5, null, 0]);
  }
});

test("schedulers: each field of a state is read once, and the list of it is copied", () => {
  const scheduler = new MultiStepLR(sgd(), { milestones: [1] });
  const milestones = [2, 3];
  let reads = 0;
  const state = Object.defineProperty({ ...scheduler.stateDict(), milestones }, "gamma", {
    enumerable: true,
    get: () => (reads++ === 0 ? 0.25 : "0.25"),
  });
  scheduler.loadStateDict(state);
  milestones[0] = 9;
  expect(scheduler.stateDict()).toMatchObject({ gamma: 0.25, milestones: [2, 3] });
  expect(reads).toBe(1);
});

test("schedulers: a state beyond the plan is refused before anything is written", () => {
  const optimizer = sgd();
  const cycle = new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 3 });
  const [before, options] = [cycle.stateDict(), structuredClone(optimizer.options)];
  for (const [change, message] of [
    [{ epoch: 4 }, "epoch must be at most 3, got 4"],
    [{ annealStrategy: "line" }, 'expected annealStrategy "cos" or "linear", got "line"'],
  ] as const) {
    expect(() => cycle.loadStateDict({ ...before, ...change })).toThrow(new RangeError(`loadStateDict: ${message}`));
    expect(cycle.stateDict()).toEqual(before);
    expect(optimizer.options).toEqual(options);
  }
});

test("schedulers: counters are not options", () => {
  const [restarts, plateau] = [
    { t0: 2, round: 5 },
    { patience: 1, best: 3 },
  ];
  expect(() => new CosineAnnealingWarmRestarts(sgd(), restarts)).toThrow(
    new TypeError("CosineAnnealingWarmRestarts: expected the options t0, tMult, etaMin, got round"),
  );
  expect(() => new ReduceLROnPlateau(sgd(), plateau)).toThrow(/^ReduceLROnPlateau: expected the options .+, got best$/);
});

test("LambdaLR: it wants a function, and finite numbers of it; the rate stays as it was", () => {
  const optimizer = sgd();
  expect(() => new LambdaLR(optimizer, {} as never)).toThrow(
    new TypeError("LambdaLR: expected lrLambda as a function, got undefined"),
  );
  const scheduler = new LambdaLR(optimizer, { lrLambda: (epoch) => (epoch < 1 ? 1 : NaN) });
  expect(() => scheduler.step()).toThrow(new RangeError("LambdaLR: lrLambda(1) must be finite, got NaN"));
  expect([optimizer.lr, scheduler.stateDict().epoch]).toEqual([0.5, 0]);
});

test("schedulers: fit steps them once an epoch, with what validate returns", async () => {
  const x = Float32Array.from({ length: 8 }, (_, i) => i / 8);
  const loader = new DataLoader(new TensorDataset(x, x), { batchSize: 4 });
  const run = async (make: Make, validate?: () => number) => {
    const model = new Linear(1, 1);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    const rates: number[] = [];
    await fit(model, loader, {
      epochs: 4,
      optimizer,
      loss: (output, y) => mseLoss(output.reshape([-1]), y as Tensor),
      scheduler: make(optimizer),
      ...(validate && { validate }),
      onEpoch: () => rates.push(optimizer.lr),
    });
    return rates;
  };
  expect(
    await run(
      (o) => new StepLR(o, { stepSize: 2, gamma: 0.5 }),
      () => 7,
    ),
  ).toEqual([1, 0.5, 0.5, 0.25]);
  expect(
    await run(
      (o) => new ReduceLROnPlateau(o, { factor: 0.5, patience: 1 }),
      () => 7,
    ),
  ).toEqual([1, 1, 0.5, 0.5]);
  await expect(run((o) => new ReduceLROnPlateau(o))).rejects.toThrow("in fit, what validate gives");
});

test("schedulers: a rate that a function makes negative is saved and loaded", () => {
  const make = () => {
    const optimizer = new SGD([parameter(tensor([1]))], { lr: 0.1 });
    return [optimizer, new LambdaLR(optimizer, { lrLambda: (epoch) => 1 - epoch })] as const;
  };
  const [optimizer, scheduler] = make();
  for (let i = 0; i < 2; i++) scheduler.step();
  const [other, schedule] = make();
  schedule.loadStateDict(scheduler.stateDict());
  other.loadStateDict(optimizer.stateDict());
  expect([other.lr, schedule.lr]).toEqual([-0.1, -0.1]);
});
