/** Schedules whose rate changes by one rule from epoch to epoch. */
import { COUNT, FINITE, functionOf, numberOf, SHARE, UNIT, WHOLE, withDefaults } from "../arguments.ts";
import type { Optimizer } from "./optimizer.ts";
import { Scheduler } from "./scheduler.ts";

/** Options of {@link StepLR}. */
export interface StepLROptions {
  /** Number of epochs between decays, an integer ≥ 1. */
  stepSize: number;
  /** Factor of the rate; default 0.1. */
  gamma?: number;
}

/**
 * Multiplies the rate by gamma every stepSize epochs:  lr = base·gamma^⌊epoch / stepSize⌋.
 *
 * @throws RangeError unless stepSize is an integer ≥ 1 and gamma finite and ≥ 0; TypeError for an unknown option, or anything but an optimizer.
 *
 * @example
 * ```ts
 * import { Linear, SGD, StepLR } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   scheduler.step(); // after each epoch, as `fit` does
 *   return optimizer.lr;
 * });
 * console.log(rates); // [ 1, 0.5, 0.5, 0.25 ]
 * ```
 */
export class StepLR extends Scheduler<Required<StepLROptions>> {
  constructor(optimizer: Optimizer, options: StepLROptions) {
    super("StepLR", optimizer, { stepSize: Number.NaN, gamma: 0.1 }, options, { stepSize: COUNT });
    this.set(optimizer.lr);
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
 * Multiplies the rate by gamma at each milestone; a milestone may be listed several times: lr = base·gammaⁿ after n
 * milestones.
 *
 * @throws RangeError unless the milestones are integers ≥ 0 and gamma is finite and ≥ 0; TypeError for an unknown option, or anything but an
 *   optimizer.
 *
 * @example
 * ```ts
 * import { Linear, MultiStepLR, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new MultiStepLR(optimizer, { milestones: [1, 3], gamma: 0.5 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   scheduler.step(); // after each epoch
 *   return optimizer.lr;
 * });
 * console.log(rates); // [ 0.5, 0.5, 0.25, 0.25 ]
 * ```
 */
export class MultiStepLR extends Scheduler<Required<MultiStepLROptions>> {
  constructor(optimizer: Optimizer, options: MultiStepLROptions) {
    super("MultiStepLR", optimizer, { milestones: undefined, gamma: 0.1 }, options, {
      milestones: { ...WHOLE, length: undefined },
    });
    this.set(this.rate(0));
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
 * @throws RangeError unless gamma is finite and ≥ 0; TypeError for an unknown option, or anything but an optimizer.
 *
 * @example
 * ```ts
 * import { ExponentialLR, Linear, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new ExponentialLR(optimizer, { gamma: 0.5 });
 * scheduler.step(); // after each epoch
 * scheduler.step();
 * console.log(optimizer.lr); // 0.25
 * ```
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
  /** Initial factor, in (0, 1], default 1/3. */
  startFactor?: number;
  /** Final factor, in [0, 1], default 1. */
  endFactor?: number;
  /** Number of epochs from the initial to the final factor, an integer ≥ 1; default 5. */
  totalIters?: number;
}

/**
 * Multiplies the rate by a factor that changes linearly from startFactor in epoch 0 to endFactor after totalIters epochs:
 *
 *   lr = base·(startFactor + (endFactor − startFactor)·min(epoch, totalIters) / totalIters)
 *
 * @throws RangeError for a factor out of range, or unless totalIters is an integer ≥ 1; TypeError for an unknown option, or anything but an
 *   optimizer.
 *
 * @example
 * ```ts
 * import { Linear, LinearLR, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new LinearLR(optimizer, { startFactor: 0.25, totalIters: 3 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   const { lr } = optimizer;
 *   scheduler.step(); // after each epoch
 *   return lr;
 * });
 * console.log(rates); // [ 0.25, 0.5, 0.75, 1 ]
 * ```
 */
export class LinearLR extends Scheduler<Required<LinearLROptions>> {
  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    super("LinearLR", optimizer, { startFactor: 1 / 3, endFactor: 1, totalIters: 5 }, options, {
      startFactor: SHARE,
      endFactor: UNIT,
      totalIters: COUNT,
    });
    this.set(optimizer.lr * this.state.startFactor);
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
  /** Factor of the initial rate in an epoch; finite. */
  lrLambda: (epoch: number) => number;
}

/**
 * lr = base·lrLambda(epoch)  for the epochs 0, 1, … The function is not part of the state.
 *
 * @throws TypeError unless lrLambda is a function, or for anything but an optimizer; RangeError if it returns a number that is not finite.
 *
 * @example
 * ```ts
 * import { LambdaLR, Linear, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new LambdaLR(optimizer, { lrLambda: (epoch) => 1 / (1 + epoch) });
 * scheduler.step(); // after epoch 0
 * console.log(optimizer.lr); // 0.5
 * ```
 */
export class LambdaLR extends Scheduler {
  private readonly lrLambda: (epoch: number) => number;

  constructor(optimizer: Optimizer, options: LambdaLROptions) {
    super("LambdaLR", optimizer, {}, {});
    const { lrLambda } = withDefaults<{ lrLambda: unknown }>("LambdaLR", { lrLambda: undefined }, options);
    this.lrLambda = functionOf("LambdaLR", "lrLambda", lrLambda as LambdaLROptions["lrLambda"]);
    this.set(this.rate(0));
  }

  protected rate(epoch: number): number {
    return this.state.baseLr * numberOf("LambdaLR", `lrLambda(${epoch})`, this.lrLambda(epoch), FINITE);
  }
}
