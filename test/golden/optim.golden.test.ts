/** Ten steps of every optimizer configuration with given gradients, learning rate schedules and clipping, against PyTorch. */
import {
  Adagrad,
  type AdagradOptions,
  Adam,
  type AdamOptions,
  AdamW,
  add,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  clipGradNorm,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  mul,
  OneCycleLR,
  type Optimizer,
  parameter,
  RMSprop,
  type RMSpropOptions,
  type Scheduler,
  SGD,
  type SGDOptions,
  StepLR,
  sum,
  type Tensor,
  tape,
  tensor,
} from "jarvis-snn";
import { expectClose, type Tolerance } from "../support/close.ts";
import { type GoldenTensor, type GoldenTensors, mapValues, toTensor } from "../support/golden.ts";
import { goldenSuite, type NamedEntry } from "../support/golden-suite.ts";

type Hyper = Readonly<Record<string, unknown>>;

interface Run {
  readonly name: string;
  readonly class: string;
  readonly hyper: Hyper;
  readonly params_after_each_step: readonly GoldenTensors[];
}

interface Schedule {
  /** The class and its arguments, as in "StepLR_3_0.5". */
  readonly name: string;
  readonly base_lr: number;
  /** Before the first step, then after each. */
  readonly lr_at_step: readonly number[];
}

/** The gradients after clipping lie beside, by the name of their parameter. */
interface Clip {
  readonly max_norm: number;
  readonly norm_type: number | string;
  readonly total_norm: number;
  readonly [parameter: string]: GoldenTensor | number | string;
}

interface Content {
  readonly params0: GoldenTensors;
  readonly grads: readonly GoldenTensors[];
  readonly entries: readonly Run[];
  readonly schedulers: readonly Schedule[];
  readonly clip_grad_norm: readonly Clip[];
}

/** PyTorch's names of the options. Those that are null choose an implementation and change no value. */
const NAMES: Readonly<Record<string, string | null>> = {
  lr: "lr",
  momentum: "momentum",
  dampening: "dampening",
  weight_decay: "weightDecay",
  nesterov: "nesterov",
  betas: "betas",
  eps: "eps",
  amsgrad: "amsgrad",
  alpha: "alpha",
  centered: "centered",
  lr_decay: "lrDecay",
  initial_accumulator_value: "initialAccumulatorValue",
  maximize: null, // turned into the sign of the gradient below
  foreach: null,
  fused: null,
  capturable: null,
  differentiable: null,
};

function optionsOf(hyper: Hyper): AdamOptions & SGDOptions & RMSpropOptions & AdagradOptions {
  const options: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(hyper)) {
    const name = NAMES[key];
    if (name === undefined) throw new Error(`optim: no option for ${key} = ${JSON.stringify(value)}`);
    if (name !== null) options[name] = value;
  }
  return options;
}

const OPTIMIZERS = { SGD, Adam, AdamW, RMSprop, Adagrad };

function optimizerOf(run: Run, params: Tensor[]): Optimizer {
  const Class = OPTIMIZERS[run.class as keyof typeof OPTIMIZERS];
  if (Class === undefined) throw new Error(`optim: no case for the class ${run.class}, and it is not left out`);
  return new Class(params, optionsOf(run.hyper)) as Optimizer;
}

/** A few roundings of a weight of size 1 in each of ten steps. */
const WEIGHTS: Tolerance = { absolute: 3e-6, relative: 2e-6 };
/** RMSprop's first steps divide by √(1 − α)·|g|; centered, √(v − ḡ²) loses digits to cancellation. */
const LONG_STEPS: Tolerance = { absolute: 1e-5, relative: 1e-5 };

/** Gives the parameters the gradients: that of Σ p·g is g. */
function backward(params: Record<string, Tensor>, gradients: GoldenTensors, sign = 1): void {
  tape(() => {
    const terms = Object.entries(params).map(([name, p]) => sum(mul(p, toTensor(gradients[name] as GoldenTensor))));
    mul(
      terms.reduce((a, b) => add(a, b)),
      sign,
    ).backward();
  });
}

function checkRun(run: Run, { params0, grads }: Content): void {
  const params = mapValues(params0, (t) => parameter(toTensor(t)));
  const optimizer = optimizerOf(run, Object.values(params));
  const tolerance = run.class === "RMSprop" ? LONG_STEPS : WEIGHTS;
  run.params_after_each_step.forEach((after, step) => {
    optimizer.zeroGrad();
    backward(params, grads[step] as GoldenTensors, run.hyper.maximize === true ? -1 : 1);
    optimizer.step();
    for (const [name, expected] of Object.entries(after)) {
      expectClose(`${run.name}, step ${step + 1}: ${name}`, params[name] as Tensor, expected, tolerance);
    }
  });
  optimizer.dispose();
  for (const p of Object.values(params)) p.dispose();
}

/** The scheduler of a name such as "StepLR_3_0.5", "CosineAnnealingLR_10_min1e-4" or "LambdaLR_1/(1+e)". */
function schedulerOf(name: string, optimizer: Optimizer): Scheduler {
  const [kind = "", ...settings] = name.split("_");
  if (kind === "LambdaLR") {
    const formula = settings.join("_");
    return new LambdaLR(optimizer, { lrLambda: new Function("e", `return ${formula}`) as (e: number) => number });
  }
  const numbers = settings.map((setting) => Number(/[\d.].*$/.exec(setting)?.[0]));
  const [a = Number.NaN, b, c] = numbers;
  if (kind === "StepLR") return new StepLR(optimizer, { stepSize: a, ...(b !== undefined && { gamma: b }) });
  if (kind === "MultiStepLR") {
    return new MultiStepLR(optimizer, { milestones: numbers.slice(0, -1), gamma: numbers.at(-1) as number });
  }
  if (kind === "ExponentialLR") return new ExponentialLR(optimizer, { gamma: a });
  if (kind === "CosineAnnealingLR") return new CosineAnnealingLR(optimizer, { tMax: a, etaMin: b ?? 0 });
  if (kind === "CosineWarmRestarts" || kind === "CosineAnnealingWarmRestarts") {
    return new CosineAnnealingWarmRestarts(optimizer, { t0: a, tMult: b ?? 1, etaMin: c ?? 0 });
  }
  if (kind === "LinearLR") {
    return new LinearLR(optimizer, { startFactor: a, endFactor: b ?? 1, totalIters: c ?? 5 });
  }
  if (kind === "OneCycleLR") return new OneCycleLR(optimizer, { maxLr: a, totalSteps: b as number });
  throw new Error(`optim: no case for the scheduler ${name}`);
}

/** Half a unit of the ninth digit, with which the file gives the rates. */
const NINE_DIGITS: Tolerance = { absolute: 0, relative: 5e-9 };

function checkSchedule({ name, base_lr, lr_at_step }: Schedule): void {
  const p = parameter(tensor([1]));
  const optimizer = new SGD([p], { lr: base_lr });
  const scheduler = schedulerOf(name, optimizer);
  lr_at_step.forEach((expected, step) => {
    if (step > 0) scheduler.step();
    expectClose(`${name}, step ${step}`, optimizer.lr, expected, NINE_DIGITS);
    expectClose(`${name}, step ${step}: last`, scheduler.lr, optimizer.lr, NINE_DIGITS);
  });
  p.dispose();
}

function checkClip(clip: Clip, { params0, grads }: Content): void {
  const { max_norm, norm_type, total_norm, ...rest } = clip;
  const params = mapValues(params0, (t) => parameter(toTensor(t)));
  backward(params, grads[0] as GoldenTensors);
  const norm = clipGradNorm(Object.values(params), max_norm, { normType: Number(norm_type) });
  expectClose("norm", norm, total_norm, WEIGHTS);
  for (const [name, expected] of Object.entries(rest)) {
    expectClose(name, params[name]?.grad as Tensor, expected as GoldenTensor, WEIGHTS, "gradients");
  }
  for (const p of Object.values(params)) p.dispose();
}

interface Part extends NamedEntry {
  readonly kind: string;
  readonly check: (content: Content) => void;
}

const ABSENT = "not part of the package";

goldenSuite<Content, Part>({
  file: "torch/optim",
  entries: ({ entries, schedulers, clip_grad_norm }) => [
    ...entries.map((run) => ({
      name: run.name,
      kind: run.class,
      check: (content: Content) => checkRun(run, content),
    })),
    ...schedulers.map((schedule) => ({
      name: schedule.name,
      kind: "scheduler",
      check: () => checkSchedule(schedule),
    })),
    ...clip_grad_norm.map((clip) => ({
      name: `clip_grad_norm to ${clip.max_norm}, norm ${clip.norm_type}`,
      kind: "clip_grad_norm",
      check: (content: Content) => checkClip(clip, content),
    })),
  ],
  reads: ["params0", "grads", "entries", "schedulers", "clip_grad_norm"],
  leftOut: { Adamax: ABSENT, RAdam: ABSENT, NAdam: ABSENT },
  kind: ({ kind }) => kind,
  run: (part, content) => part.check(content),
});
