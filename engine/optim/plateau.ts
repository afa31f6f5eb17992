/** A schedule that reads a metric: the rate is reduced when the metric stops improving. */
import { BELOW_ONE, FINITE, NUMBER, wrongType } from "../arguments.ts";
import type { Optimizer } from "./optimizer.ts";
import { Scheduler } from "./scheduler.ts";

/** Options of {@link ReduceLROnPlateau}. */
export interface ReduceLROnPlateauOptions {
  /** Whether the metric should decrease (default) or increase. */
  mode?: "min" | "max";
  /** Factor of the rate, in [0, 1); default 0.1. */
  factor?: number;
  /** Number of epochs without improvement before a reduction; default 10. */
  patience?: number;
  /** Least improvement that counts, see `thresholdMode`; default 1e-4. */
  threshold?: number;
  /** Whether the threshold is relative to the best metric ("rel", default) or an absolute difference ("abs"). */
  thresholdMode?: "rel" | "abs";
  /** Number of epochs after a reduction that are not counted for `patience`; default 0. */
  cooldown?: number;
  /** Smallest rate; default 0. */
  minLr?: number;
  /** Smallest reduction of the rate that is applied; default 1e-8. */
  eps?: number;
}

const DEFAULTS: Required<ReduceLROnPlateauOptions> = {
  mode: "min",
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: "rel",
  cooldown: 0,
  minLr: 0,
  eps: 1e-8,
};

/** Best metric so far, number of epochs since then, and remaining epochs of the cooldown. */
interface Plateau extends Required<ReduceLROnPlateauOptions> {
  best: number;
  badEpochs: number;
  rest: number;
}

/**
 * Reduces the rate when the metric of `step`, in `fit` the result of `validate`, stops improving: after more than `patience` epochs without
 * improvement, lr ← max(lr·factor, minLr). NaN is never an improvement.
 *
 *   improvement: metric < best·(1 − threshold) ("rel"),  metric < best − threshold ("abs");  reversed for mode "max"
 *
 * @throws RangeError for an unknown mode, a factor outside [0, 1), or a number that is negative or not finite; TypeError for an unknown option, or
 *   anything but an optimizer.
 *
 * @example
 * ```ts
 * import { Linear, ReduceLROnPlateau, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new ReduceLROnPlateau(optimizer, { factor: 0.5, patience: 1 });
 * for (const loss of [0.9, 0.8, 0.8, 0.8]) scheduler.step(loss); // two epochs without progress
 * console.log(optimizer.lr); // 0.5
 * ```
 */
export class ReduceLROnPlateau extends Scheduler<Plateau> {
  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    super("ReduceLROnPlateau", optimizer, DEFAULTS, options, {
      mode: ["min", "max"],
      thresholdMode: ["rel", "abs"],
      factor: BELOW_ONE,
      best: NUMBER,
      rest: FINITE,
    });
    this.set(optimizer.lr);
  }

  protected override begin(_where: string, options: Plateau): Plateau {
    // A start value worse than every metric. Unlike Infinity, JSON can store it.
    const best = options.mode === "max" ? -Number.MAX_VALUE : Number.MAX_VALUE;
    return { ...options, best, badEpochs: 0, rest: 0 };
  }

  protected rate(_epoch: number, metric?: number): number {
    if (typeof metric !== "number") {
      throw wrongType("ReduceLROnPlateau", "a number as metric (in fit, what validate gives)", metric);
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
