/** Cosine schedules of the learning rate, with or without warm restarts. */
import { COUNT, ensure } from "../arguments.ts";
import type { Optimizer } from "./optimizer.ts";
import { cosPi, Scheduler } from "./scheduler.ts";

/** Options of {@link CosineAnnealingLR}. */
export interface CosineAnnealingLROptions {
  /** Number of epochs from the initial rate to etaMin, an integer ≥ 1. */
  tMax: number;
  /** Smallest rate; default 0. */
  etaMin?: number;
}

/**
 * Half a cosine from the initial rate to etaMin in tMax epochs, and back in another tMax epochs:
 *
 *   lr = etaMin + (base − etaMin)·(1 + cos(π·epoch/tMax))/2
 *
 * The rate is computed from the previous one, as in PyTorch.
 *
 * @throws RangeError unless tMax is an integer ≥ 1 and etaMin finite and ≥ 0; TypeError for an unknown option, or anything but an optimizer.
 * @see Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR.
 *
 * @example
 * ```ts
 * import { CosineAnnealingLR, Linear, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new CosineAnnealingLR(optimizer, { tMax: 4 });
 * const rates = [1, 2, 3, 4].map(() => {
 *   scheduler.step(); // after each epoch
 *   return optimizer.lr.toFixed(2);
 * });
 * console.log(rates.join(" ")); // 0.85 0.50 0.15 0.00
 * ```
 */
export class CosineAnnealingLR extends Scheduler<Required<CosineAnnealingLROptions>> {
  constructor(optimizer: Optimizer, options: CosineAnnealingLROptions) {
    super("CosineAnnealingLR", optimizer, { tMax: Number.NaN, etaMin: 0 }, options, { tMax: COUNT });
    this.set(optimizer.lr);
  }

  protected rate(epoch: number): number {
    const { baseLr, tMax, etaMin } = this.state;
    const { lr } = this.optimizer;
    // In the epoch after the minimum, the ratio below would be 0/0.
    if ((epoch - 1 - tMax) % (2 * tMax) === 0) return lr + ((baseLr - etaMin) * (1 - cosPi(1 / tMax))) / 2;
    return ((1 + cosPi(epoch / tMax)) / (1 + cosPi((epoch - 1) / tMax))) * (lr - etaMin) + etaMin;
  }
}

/** Options of {@link CosineAnnealingWarmRestarts}. */
export interface CosineAnnealingWarmRestartsOptions {
  /** Number of epochs before the first restart, an integer ≥ 1. */
  t0: number;
  /** Ratio of the length of each round to the length of the previous one, an integer ≥ 1; default 1. */
  tMult?: number;
  /** Smallest rate; default 0. */
  etaMin?: number;
}

/** Length of a round, and the number of its epochs that have passed. */
interface Rounds extends Required<CosineAnnealingWarmRestartsOptions> {
  round: number;
  passed: number;
}

/**
 * The cosine of {@link CosineAnnealingLR} with restarts: at the end of each round, the rate jumps back to the initial
 * one. The first round has t0 epochs; each later round is tMult times as long as the one before.
 *
 *   lr = etaMin + (base − etaMin)·(1 + cos(π·passed/length))/2     passed: epochs of this round, length: of the whole round
 *
 * @throws RangeError unless t0 and tMult are integers ≥ 1 and etaMin is finite and ≥ 0; TypeError for an unknown option, or anything but an
 *   optimizer.
 * @see Loshchilov and Hutter (2017), SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR.
 *
 * @example
 * ```ts
 * import { CosineAnnealingWarmRestarts, Linear, SGD } from "jarvis-snn";
 *
 * const optimizer = new SGD(new Linear(2, 1).parameters(), { lr: 1 });
 * const scheduler = new CosineAnnealingWarmRestarts(optimizer, { t0: 2, tMult: 2 }); // rounds of 2, 4, … epochs
 * const rates = [1, 2, 3, 4, 5, 6].map(() => {
 *   scheduler.step(); // after each epoch
 *   return optimizer.lr.toFixed(2);
 * });
 * console.log(rates.join(" ")); // 0.50 1.00 0.85 0.50 0.15 1.00
 * ```
 */
export class CosineAnnealingWarmRestarts extends Scheduler<Rounds> {
  constructor(optimizer: Optimizer, options: CosineAnnealingWarmRestartsOptions) {
    super("CosineAnnealingWarmRestarts", optimizer, { t0: Number.NaN, tMult: 1, etaMin: 0 }, options, {
      t0: COUNT,
      tMult: COUNT,
    });
    this.set(this.cosine());
  }

  protected override begin(_where: string, options: Rounds): Rounds {
    return { ...options, round: options.t0, passed: 0 };
  }

  protected override check(where: string, { round, passed }: Rounds): void {
    ensure(passed < round, where, `passed must be in [0, ${round})`, passed);
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
