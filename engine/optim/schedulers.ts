/**
 * Learning rate schedules, with PyTorch's formulas and the order of their operations. `step` is called once an epoch, as
 * `fit` does, or once a batch. A rate that follows from the one before (all but LambdaLR, CosineAnnealingWarmRestarts and
 * OneCycleLR) is computed from what the optimizer has, so that several schedules can act on one optimizer.
 */

import { checkOptions, copyOf, ensure, merged, typeOf } from "../options.ts";
import { Optimizer } from "./optimizer.ts";

/** The options and counters of a schedule, as {@link Scheduler.stateDict} gives them. */
export type SchedulerState = Readonly<Record<string, unknown>>;

interface Progress {
  /** Steps so far. */
  epoch: number;
  /** The rate that the schedule starts from, and the one that it set last. */
  baseLr: number;
  lastLr: number;
}

/**
 * Sets the learning rate of an optimizer step by step. In the equations of schedules, base is the rate that it had at first.
 */
export abstract class Scheduler<Options extends object = object> {
  /** The optimizer whose learning rate is set. */
  readonly optimizer: Optimizer;
  protected readonly state: Options & Progress;
  private readonly optionNames: readonly string[];

  /** The counters are no options, but part of the state. */
  constructor(where: string, optimizer: Optimizer, defaults: object, options: object, counters: object = {}) {
    if (!(optimizer instanceof Optimizer)) throw new TypeError(`${where}: expected an optimizer, got ${optimizer}`);
    const { lr, initialLr } = optimizer;
    const progress: Progress = { epoch: 0, baseLr: initialLr ?? lr, lastLr: lr };
    this.optimizer = optimizer;
    this.optionNames = Object.keys(defaults);
    this.state = { ...merged(where, defaults, options), ...counters, ...progress } as Options & Progress;
    this.check(where, this.state);
  }

  /** Throws unless the options and counters, of the right types, are in range. */
  protected check(_where: string, _state: Options): void {}

  /** The learning rate that this schedule set last. */
  get lr(): number {
    return this.state.lastLr;
  }

  /** As PyTorch's: a list with one learning rate, `lr`. */
  getLastLr(): number[] {
    return [this.lr];
  }

  /**
   * Goes on by one epoch, or by one batch if it is called for each. Only ReduceLROnPlateau takes the metric, and needs it.
   *
   * @throws TypeError if it is missing there; Error when OneCycleLR is stepped more often than planned; RangeError where the
   *   function of LambdaLR gives no finite number. Nothing changes then.
   */
  step(metric?: number): void {
    this.set(this.rate(this.state.epoch + 1, metric));
    this.state.epoch++;
  }

  /** The options and counters; a function is not part of it. */
  stateDict(): SchedulerState {
    return copyOf(this.state);
  }

  /**
   * Continues from a state of this kind of schedule, and sets the optimizer's learning rate to that of the state.
   *
   * @throws RangeError unless the state has the same fields with values of the same types, in range; nothing is written
   *   then.
   */
  loadStateDict(state: SchedulerState): void {
    const where = "loadStateDict";
    const own = this.stateDict();
    for (const name of Object.keys({ ...own, ...state })) {
      const type = typeOf(own[name]);
      const value = state?.[name];
      ensure(typeOf(value) === type && !Number.isNaN(value), where, `${name} must be of type ${type}`, value);
    }
    const { epoch, baseLr, lastLr } = state as Readonly<Progress>;
    ensure(epoch === 0 || isCount(epoch), where, "epoch must be an integer ≥ 0", epoch);
    ensure(Number.isFinite(baseLr), where, "baseLr must be finite", baseLr);
    ensure(Number.isFinite(lastLr), where, "lastLr must be finite", lastLr);
    merged(where, Object.fromEntries(this.optionNames.map((name) => [name, state[name]])), {});
    this.check(where, state as Options);
    Object.assign(this.state, copyOf(state));
    this.set(this.lr);
  }

  /** The rate of an epoch; they come one after the other. Throws before it changes anything. */
  protected abstract rate(epoch: number, metric?: number): number;

  protected set(lr: number): void {
    this.optimizer.lr = lr;
    this.optimizer.initialLr = this.state.baseLr;
    this.state.lastLr = lr;
  }
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;

/** Options of {@link StepLR}. */
export interface StepLROptions {
  /** Epochs from one decay to the next, an integer ≥ 1. */
  stepSize: number;
  /** Factor of the rate; default 0.1. */
  gamma?: number;
}

/**
 * Multiplies the rate by gamma every stepSize epochs:  lr = base·gamma^⌊epoch / stepSize⌋.
 *
 * @throws RangeError unless stepSize is an integer ≥ 1 and gamma finite and ≥ 0; TypeError for another
 *   option, or anything but an optimizer.
 */
export class StepLR extends Scheduler<Required<StepLROptions>> {
  constructor(optimizer: Optimizer, options: StepLROptions) {
    super("StepLR", optimizer, { stepSize: 0, gamma: 0.1 }, options);
    this.set(optimizer.lr);
  }

  protected override check(where: string, { stepSize }: Required<StepLROptions>): void {
    ensure(isCount(stepSize), where, "stepSize must be an integer ≥ 1", stepSize);
  }

  protected rate(epoch: number): number {
    return epoch % this.state.stepSize === 0 ? this.optimizer.lr * this.state.gamma : this.optimizer.lr;
  }
}

/** Options of {@link MultiStepLR}. */
export interface MultiStepLROptions {
  /** Epochs at which the rate decays, integers ≥ 0. */
  milestones: readonly number[];
  /** Factor of the rate; default 0.1. */
  gamma?: number;
}

/**
 * Multiplies the rate by gamma at each of the milestones, twice at one that is listed twice:
 * lr = base·gammaⁿ after n milestones.
 *
 * @throws RangeError unless the milestones are integers ≥ 0 and gamma is finite and ≥ 0; TypeError for another
 *   option, or anything but an optimizer.
 */
export class MultiStepLR extends Scheduler<Required<MultiStepLROptions>> {
  constructor(optimizer: Optimizer, options: MultiStepLROptions) {
    super("MultiStepLR", optimizer, { milestones: [], gamma: 0.1 }, options);
    this.set(this.rate(0));
  }

  protected override check(where: string, { milestones }: Required<MultiStepLROptions>): void {
    for (const epoch of milestones) {
      ensure(epoch === 0 || isCount(epoch), where, "milestones must be integers ≥ 0", epoch);
    }
  }

  protected rate(epoch: number): number {
    let factor = 1;
    for (const milestone of this.state.milestones) if (milestone === epoch) factor *= this.state.gamma;
    return this.optimizer.lr * factor;
  }
}

/** Options of {@link ExponentialLR}. */
export interface ExponentialLROptions {
  /** Factor of the rate, ≥ 0. */
  gamma: number;
}

/**
 * Multiplies the rate by gamma every epoch:  lr = base·gamma^epoch.
 *
 * @throws RangeError unless gamma is finite and ≥ 0; TypeError for another
 *   option, or anything but an optimizer.
 */
export class ExponentialLR extends Scheduler<ExponentialLROptions> {
  constructor(optimizer: Optimizer, options: ExponentialLROptions) {
    super("ExponentialLR", optimizer, { gamma: Number.NaN }, options);
    this.set(optimizer.lr);
  }

  protected rate(): number {
    return this.optimizer.lr * this.state.gamma;
  }
}

/** Options of {@link LinearLR}. */
export interface LinearLROptions {
  /** In (0, 1], default 1/3. */
  startFactor?: number;
  /** In [0, 1], default 1. */
  endFactor?: number;
  /** Epochs from the one factor to the other, an integer ≥ 1; default 5. */
  totalIters?: number;
}

/**
 * Multiplies the rate by a factor that goes linearly from startFactor, at once, to endFactor, after totalIters epochs:
 *
 *   lr = base·(startFactor + (endFactor − startFactor)·min(epoch, totalIters) / totalIters)
 *
 * @throws RangeError for a factor out of its range, or unless totalIters is an integer ≥ 1; TypeError for another
 *   option, or anything but an optimizer.
 */
export class LinearLR extends Scheduler<Required<LinearLROptions>> {
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    super("LinearLR", optimizer, { startFactor: 1 / 3, endFactor: 1, totalIters: 5 }, options);
    this.set(optimizer.lr * this.state.startFactor);
  }

  protected override check(where: string, state: Required<LinearLROptions>): void {
    const { startFactor, endFactor, totalIters } = state;
    ensure(startFactor > 0 && startFactor <= 1, where, "startFactor must lie in (0, 1]", startFactor);
    ensure(endFactor >= 0 && endFactor <= 1, where, "endFactor must lie in [0, 1]", endFactor);
    ensure(isCount(totalIters), where, "totalIters must be an integer ≥ 1", totalIters);
  }

  protected rate(epoch: number): number {
    const { startFactor, endFactor, totalIters } = this.state;
    const { lr } = this.optimizer;
    const way = endFactor - startFactor;
    return epoch > totalIters ? lr : lr * (1 + way / (totalIters * startFactor + (epoch - 1) * way));
  }
}

/** Options of {@link LambdaLR}. */
export interface LambdaLROptions {
  /** Factor of the starting rate in an epoch; finite. */
  lrLambda: (epoch: number) => number;
}

/**
 * lr = base·lrLambda(epoch)  for the epochs 0, 1, … The function is not part of the state.
 *
 * @throws TypeError unless lrLambda is a function, or for anything but an optimizer; RangeError where it gives no finite
 *   number.
 */
export class LambdaLR extends Scheduler {
  private readonly lrLambda: (epoch: number) => number;

  constructor(optimizer: Optimizer, options: LambdaLROptions) {
    super("LambdaLR", optimizer, {}, {});
    checkOptions("LambdaLR", options, "lrLambda");
    const { lrLambda } = options;
    if (typeof lrLambda !== "function") throw new TypeError(`LambdaLR: expected a function, got ${typeof lrLambda}`);
    this.lrLambda = lrLambda;
    this.set(this.rate(0));
  }

  protected rate(epoch: number): number {
    const factor = this.lrLambda(epoch);
    ensure(Number.isFinite(factor), "LambdaLR", "lrLambda must give finite numbers", `${factor} for epoch ${epoch}`);
    return this.state.baseLr * factor;
  }
}

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Epochs from the starting rate to etaMin, an integer ≥ 1. */
  tMax: number;
  /** The smallest rate; default 0. */
  etaMin?: number;
}

/**
 * Half a cosine from the starting rate to etaMin in tMax epochs, and back in as many:
 *
 *   lr = etaMin + (base − etaMin)·(1 + cos(π·epoch/tMax))/2
 *
 * computed from the rate before, as PyTorch does.
 *
 * @throws RangeError unless tMax is an integer ≥ 1 and etaMin finite and ≥ 0; TypeError for another
 *   option, or anything but an optimizer.
 * @see Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR.
 */
export class CosineAnnealingLR extends Scheduler<Required<CosineAnnealingLROptions>> {
  constructor(optimizer: Optimizer, options: CosineAnnealingLROptions) {
    super("CosineAnnealingLR", optimizer, { tMax: 0, etaMin: 0 }, options);
    this.set(optimizer.lr);
  }

  protected override check(where: string, { tMax }: Required<CosineAnnealingLROptions>): void {
    ensure(isCount(tMax), where, "tMax must be an integer ≥ 1", tMax);
  }

  protected rate(epoch: number): number {
    const { baseLr, tMax, etaMin } = this.state;
    const { lr } = this.optimizer;
    // One after the minimum: the ratio below would be 0/0.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0) return lr + ((baseLr - etaMin) * (1 - cosPi(1 / tMax))) / 2;
    return ((1 + cosPi(epoch / tMax)) / (1 + cosPi((epoch - 1) / tMax))) * (lr - etaMin) + etaMin;
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Epochs before the first restart, an integer ≥ 1. */
  t0: number;
  /** How many times as long each round is as the one before, an integer ≥ 1; default 1. */
  tMult?: number;
  /** The smallest rate; default 0. */
  etaMin?: number;
}

/** The length of a round, and the epochs of it that have passed. */
interface Rounds extends Required<CosineAnnealingWarmRestartsOptions> {
  round: number;
  passed: number;
}

/**
 * The cosine of {@link CosineAnnealingLR} that jumps back to the starting rate instead of returning: after t0 epochs, then
 * after tMult times as many as before.
 *
 *   lr = etaMin + (base − etaMin)·(1 + cos(π·passed/length))/2     passed: epochs of this round, length: of the whole round
 *
 * @throws RangeError unless t0 and tMult are integers ≥ 1 and etaMin is finite and ≥ 0; TypeError for another
 *   option, or anything but an optimizer.
 * @see Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR.
 */
export class CosineAnnealingWarmRestarts extends Scheduler<Rounds> {
  constructor(optimizer: Optimizer, options: CosineAnnealingWarmRestartsOptions) {
    const counters = { round: options.t0, passed: 0 };
    super("CosineAnnealingWarmRestarts", optimizer, { t0: 0, tMult: 1, etaMin: 0 }, options, counters);
    this.set(this.cosine());
  }

  protected override check(where: string, { t0, tMult, round, passed }: Rounds): void {
    ensure(isCount(t0), where, "t0 must be an integer ≥ 1", t0);
    ensure(isCount(tMult), where, "tMult must be an integer ≥ 1", tMult);
    ensure(passed >= 0 && passed < round, where, `passed must lie in [0, ${round})`, passed);
  }

  protected rate(): number {
    const { state } = this;
    state.passed++;
    if (state.passed === state.round) {
      state.passed = 0;
      state.round *= state.tMult;
    }
    return this.cosine();
  }

  private cosine(): number {
    const { baseLr, etaMin, passed, round } = this.state;
    return etaMin + ((baseLr - etaMin) * (1 + cosPi(passed / round))) / 2;
  }
}

/** Options of {@link OneCycleLR}. */
export interface OneCycleLROptions {
  /** The rate at the top, ≥ 0. */
  maxLr: number;
  /** Calls of `step`; by default epochs · stepsPerEpoch. */
  totalSteps?: number;
  /** Epochs of the training, an integer ≥ 1, in the place of totalSteps. */
  epochs?: number;
  /** Batches in an epoch, an integer ≥ 1, in the place of totalSteps. */
  stepsPerEpoch?: number;
  /** The share of the steps in which the rate rises, in [0, 1]; default 0.3. */
  pctStart?: number;
  /** The form of rise and fall: half a cosine or a straight line; default "cos". */
  annealStrategy?: "cos" | "linear";
  /** Moves the momentum (SGD, RMSprop) or β₁ (Adam) the other way; default true. */
  cycleMomentum?: boolean;
  /** The momentum at the top of the rate, in [0, 1]; default 0.85. */
  baseMomentum?: number;
  /** The momentum at its ends, in [0, 1]; default 0.95. */
  maxMomentum?: number;
  /** The rate starts from maxLr/divFactor; > 0, default 25. */
  divFactor?: number;
  /** It ends with the first rate divided by this; > 0, default 10⁴. */
  finalDivFactor?: number;
  /** Falls to the first rate as fast as it rose, then on to the last one; default false. */
  threePhase?: boolean;
}

/**
 * One rise of the learning rate to maxLr and one long fall, for a given number of steps, usually one a batch. The rate is
 *
 *   first = maxLr/divFactor in step 0,  maxLr in step pctStart·totalSteps − 1,  first/finalDivFactor in step totalSteps − 1
 *
 * and half a cosine, or a straight line, between them: from a to b it is b + (a − b)·(1 + cos(π·part))/2.
 *
 * @throws RangeError for an option out of its range, no number of steps, or an optimizer that has no momentum to cycle;
 *   TypeError for another option, or anything but an optimizer; Error when it is stepped more often than planned.
 * @see Smith and Topin (2018), Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.
 */
export class OneCycleLR extends Scheduler<Cycle> {
  constructor(optimizer: Optimizer, { epochs = 0, stepsPerEpoch = 0, ...options }: OneCycleLROptions) {
    const defaults = {
      maxLr: Number.NaN,
      totalSteps: epochs * stepsPerEpoch,
      pctStart: 0.3,
      annealStrategy: "cos",
      cycleMomentum: true,
      baseMomentum: 0.85,
      maxMomentum: 0.95,
      divFactor: 25,
      finalDivFactor: 1e4,
      threePhase: false,
    };
    super("OneCycleLR", optimizer, defaults, options);
    this.state.baseLr = this.state.maxLr / this.state.divFactor;
    this.set(this.rate(0));
  }

  protected override check(where: string, state: Cycle & Progress): void {
    ensure(isCount(state.totalSteps), where, "totalSteps must be an integer ≥ 1", state.totalSteps);
    for (const name of ["pctStart", "baseMomentum", "maxMomentum"] as const) {
      ensure(state[name] >= 0 && state[name] <= 1, where, `${name} must lie in [0, 1]`, state[name]);
    }
    for (const name of ["divFactor", "finalDivFactor"] as const) {
      ensure(state[name] > 0, where, `${name} must be positive`, state[name]);
    }
    const known = state.annealStrategy === "cos" || state.annealStrategy === "linear";
    ensure(known, where, 'annealStrategy must be "cos" or "linear"', state.annealStrategy);
    const { options } = this.optimizer;
    const fine = !state.cycleMomentum || "betas" in options || "momentum" in options;
    ensure(fine, where, "cycleMomentum must be false for an optimizer without momentum or betas", true);
    ensure(state.epoch <= state.totalSteps, where, `epoch must be at most ${state.totalSteps}`, state.epoch);
  }

  override loadStateDict(state: SchedulerState): void {
    super.loadStateDict(state);
    this.set(this.rate(this.state.epoch)); // and the momentum
  }

  protected rate(step: number): number {
    const { totalSteps, pctStart, annealStrategy, baseMomentum, maxMomentum, baseLr } = this.state;
    if (step > totalSteps) throw new Error(`OneCycleLR: expected at most ${totalSteps} steps, got ${step}`);
    const top = pctStart * totalSteps - 1;
    // The step, perhaps between two, at which each phase ends, and where rate and momentum are then.
    const ends: Point[] = [
      [0, baseLr, maxMomentum],
      [top, this.state.maxLr, baseMomentum],
      [totalSteps - 1, baseLr / this.state.finalDivFactor, maxMomentum],
    ];
    if (this.state.threePhase) ends.splice(2, 0, [2 * top, baseLr, maxMomentum]);
    let i = 1;
    while (i < ends.length - 1 && step > (ends[i] as Point)[0]) i++;
    const [start, lr, momentum] = ends[i - 1] as Point;
    const [end, nextLr, nextMomentum] = ends[i] as Point;
    const part = end === start ? 1 : (step - start) / (end - start);
    const between = (a: number, b: number): number =>
      annealStrategy === "linear" ? (b - a) * part + a : b + ((a - b) / 2) * (cosPi(part) + 1);
    if (this.state.cycleMomentum) {
      const options = this.optimizer.options as { betas?: readonly number[]; momentum?: number };
      const value = between(momentum, nextMomentum);
      if (options.betas === undefined) options.momentum = value;
      else options.betas = [value, options.betas[1] as number];
    }
    return between(lr, nextLr);
  }
}

type Cycle = Required<Omit<OneCycleLROptions, "epochs" | "stepsPerEpoch">>;

type Point = readonly [step: number, lr: number, momentum: number];

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall (default) or rise. */
  mode?: "min" | "max";
  /** Factor of the rate, in [0, 1); default 0.1. */
  factor?: number;
  /** Epochs without progress that are borne; default 10. */
  patience?: number;
  /** Progress that counts; default 1e-4. */
  threshold?: number;
  /** Whether the threshold is a share of the best metric ("rel", the default) or a difference to it ("abs"). */
  thresholdMode?: "rel" | "abs";
  /** Epochs after a reduction in which none is counted; default 0. */
  cooldown?: number;
  /** The rate does not fall below; default 0. */
  minLr?: number;
  /** A smaller reduction is left out; default 1e-8. */
  eps?: number;
}

/** The best metric so far, epochs since then, and those that are left of the cooldown. */
interface Plateau extends Required<ReduceLROnPlateauOptions> {
  best: number;
  badEpochs: number;
  rest: number;
}

/**
 * Lowers the rate when the metric that `step` gets, what `validate` returns in `fit`, makes no progress: after more than
 * patience epochs without, lr ← max(lr·factor, minLr). A metric that is NaN is no progress.
 *
 *   progress: metric < best·(1 − threshold) ("rel"),  metric < best − threshold ("abs");  the other way for mode "max"
 *
 * @throws RangeError for an unknown mode, a factor outside [0, 1), or a number that is negative or not finite; TypeError for
 *   another option, or anything but an optimizer.
 */
export class ReduceLROnPlateau extends Scheduler<Plateau> {
  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    const defaults = {
      mode: "min",
      factor: 0.1,
      patience: 10,
      threshold: 1e-4,
      thresholdMode: "rel",
      cooldown: 0,
      minLr: 0,
      eps: 1e-8,
    };
    // Worse than every metric and, other than Infinity, a number in JSON.
    const best = options.mode === "max" ? -Number.MAX_VALUE : Number.MAX_VALUE;
    super("ReduceLROnPlateau", optimizer, defaults, options, { best, badEpochs: 0, rest: 0 });
    this.set(optimizer.lr);
  }

  protected override check(where: string, { mode, factor, thresholdMode }: Plateau): void {
    ensure(mode === "min" || mode === "max", where, 'mode must be "min" or "max"', mode);
    ensure(factor >= 0 && factor < 1, where, "factor must lie in [0, 1)", factor);
    const known = thresholdMode === "rel" || thresholdMode === "abs";
    ensure(known, where, 'thresholdMode must be "rel" or "abs"', thresholdMode);
  }

  protected rate(_epoch: number, metric?: number): number {
    if (typeof metric !== "number") {
      throw new TypeError(`ReduceLROnPlateau: expected a number as metric, got ${metric}; does fit have validate?`);
    }
    const { state } = this;
    const { lr } = this.optimizer;
    state.badEpochs++;
    if (this.isBetter(metric)) {
      state.best = metric;
      state.badEpochs = 0;
    }
    if (state.rest > 0) {
      state.rest--;
      state.badEpochs = 0;
    }
    if (state.badEpochs <= state.patience) return lr;
    state.rest = state.cooldown;
    state.badEpochs = 0;
    const reduced = Math.max(lr * state.factor, state.minLr);
    return lr - reduced > state.eps ? reduced : lr;
  }

  private isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode, best } = this.state;
    const sign = mode === "min" ? -1 : 1;
    const limit = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return sign * metric > sign * limit;
  }
}

/** cos πt, exact at integers and within 2·10⁻¹⁶ elsewhere: the same bits everywhere, unlike Math.cos. */
function cosPi(t: number): number {
  // cos is even with period 2 in t, and cos π(1 − r) = −cos πr leaves an angle of at most π/2.
  const turn = Math.abs(t % 2);
  const r = Math.min(turn, 2 - turn);
  const x = Math.PI * Math.min(r, 1 - r);
  let sum = 1;
  // The Taylor series from its small end: 1 − x²/(1·2)·(1 − x²/(3·4)·(1 − …)); x²⁴/24! is 10⁻¹⁹.
  for (let n = 22; n > 0; n -= 2) sum = 1 - (sum * x * x) / (n * (n - 1));
  return r > 0.5 ? -sum : sum;
}
