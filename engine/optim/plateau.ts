/** A schedule that reads a metric: the rate falls where the metric makes no progress. */
import { BELOW_ONE, FINITE, NUMBER, wrongType } from "../arguments.ts";
import type { Optimizer } from "./optimizer.ts";
import { Scheduler } from "./scheduler.ts";

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

/** The best metric so far, epochs since then, and those that are left of the cooldown. */
interface Plateau extends Required<ReduceLROnPlateauOptions> {
  best: number;
  badEpochs: number;
  rest: number;
}

/**
 * Lowers the rate when the metric that `step` gets, in `fit` the result of `validate`, makes no progress: after more
 * than patience epochs without, lr ← max(lr·factor, minLr). A metric that is NaN is no progress.
 *
 *   progress: metric < best·(1 − threshold) ("rel"),  metric < best − threshold ("abs");  the other way for mode "max"
 *
 * @throws RangeError for an unknown mode, a factor outside [0, 1), or a number that is negative or not finite; TypeError for
 *   another option, or anything but an optimizer.
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
    // Worse than every metric and, other than Infinity, a number in JSON.
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
