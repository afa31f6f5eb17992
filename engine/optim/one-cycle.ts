/** The one-cycle schedule: warm-up and descent of the learning rate. */
import { COUNT, ensure, POSITIVE, UNIT, WHOLE } from "../arguments.ts";
import { limited } from "./fields.ts";
import type { Optimizer } from "./optimizer.ts";
import { cosPi, Scheduler, type SchedulerState, type ScheduleState } from "./scheduler.ts";

/** Options of {@link OneCycleLR}. */
export interface OneCycleLROptions {
  /** Peak rate, ≥ 0. */
  maxLr: number;
  /** Number of steps; default epochs · stepsPerEpoch. */
  totalSteps?: number;
  /** Number of epochs, an integer ≥ 1; give it with stepsPerEpoch in place of totalSteps. */
  epochs?: number;
  /** Number of batches in an epoch, an integer ≥ 1; give it with epochs in place of totalSteps. */
  stepsPerEpoch?: number;
  /** Share of the steps in which the rate rises, in [0, 1]; default 0.3. */
  pctStart?: number;
  /** Form of rise and fall: half a cosine or a straight line; default "cos". */
  annealStrategy?: "cos" | "linear";
  /** Whether the momentum (SGD, RMSprop) or β₁ (Adam) moves in the opposite direction; default true. */
  cycleMomentum?: boolean;
  /** Momentum at the peak of the rate, in [0, 1]; default 0.85. */
  baseMomentum?: number;
  /** Momentum at both ends, in [0, 1]; default 0.95. */
  maxMomentum?: number;
  /** The initial rate is maxLr/divFactor; > 0, default 25. */
  divFactor?: number;
  /** The last rate is the initial one divided by this; > 0, default 10⁴. */
  finalDivFactor?: number;
  /** Whether the rate first falls to the initial rate, as fast as it rose, and then to the last rate; default false. */
  threePhase?: boolean;
}

/** Give totalSteps, or epochs and stepsPerEpoch. */
const DEFAULTS: Required<OneCycleLROptions> = {
  maxLr: Number.NaN,
  totalSteps: 0,
  epochs: 0,
  stepsPerEpoch: 0,
  pctStart: 0.3,
  annealStrategy: "cos",
  cycleMomentum: true,
  baseMomentum: 0.85,
  maxMomentum: 0.95,
  divFactor: 25,
  finalDivFactor: 1e4,
  threePhase: false,
};

/**
 * One rise of the learning rate to maxLr and one long fall, for a given number of steps, usually one per batch. The rate is
 *
 *   first = maxLr/divFactor in step 0,  maxLr in step pctStart·totalSteps − 1,  first/finalDivFactor in step totalSteps − 1
 *
 * and half a cosine, or a straight line, between them: from a to b it is b + (a − b)·(1 + cos(π·part))/2.
 *
 * @throws RangeError for an option out of range, a missing number of steps, or an optimizer without a momentum to cycle; TypeError for an unknown
 *   option, or anything but an optimizer; Error after more steps than planned.
 * @see Smith and Topin (2018), Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates.
 *
 * @example
 * ```ts
 * import { Adam, Linear, OneCycleLR } from "jarvis-snn";
 *
 * const optimizer = new Adam(new Linear(2, 1).parameters());
 * const scheduler = new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 6 });
 * const rates = [1, 2, 3, 4, 5].map(() => {
 *   scheduler.step(); // after each batch
 *   return optimizer.lr.toFixed(2);
 * });
 * console.log(rates.join(" ")); // 0.99 0.81 0.46 0.13 0.00
 * ```
 */
export class OneCycleLR extends Scheduler<Cycle> {
  constructor(optimizer: Optimizer, options: OneCycleLROptions) {
    super("OneCycleLR", optimizer, DEFAULTS, options, {
      totalSteps: COUNT,
      pctStart: UNIT,
      annealStrategy: ["cos", "linear"],
      baseMomentum: UNIT,
      maxMomentum: UNIT,
      divFactor: POSITIVE,
      finalDivFactor: POSITIVE,
    });
    this.state.baseLr = this.state.maxLr / this.state.divFactor;
    this.set(this.rate(0));
  }

  protected override begin(where: string, options: Required<OneCycleLROptions>): Cycle {
    const { epochs, stepsPerEpoch, ...cycle } = options;
    limited(where, { epochs, stepsPerEpoch }, { epochs: WHOLE, stepsPerEpoch: WHOLE });
    return { ...cycle, totalSteps: cycle.totalSteps === 0 ? epochs * stepsPerEpoch : cycle.totalSteps };
  }

  protected override check(where: string, state: Cycle & ScheduleState): void {
    const { options } = this.optimizer;
    const fine = !state.cycleMomentum || "betas" in options || "momentum" in options;
    ensure(fine, where, "cycleMomentum must be false for an optimizer without momentum or betas", true);
    const last = state.baseLr / state.finalDivFactor;
    ensure(Number.isFinite(last), where, "finalDivFactor must leave a finite rate", state.finalDivFactor);
    ensure(state.epoch <= state.totalSteps, where, `epoch must be at most ${state.totalSteps}`, state.epoch);
  }

  override loadStateDict(state: SchedulerState): void {
    super.loadStateDict(state);
    this.set(this.rate(this.state.epoch)); // Also sets the momentum.
  }

  protected rate(step: number): number {
    const { totalSteps, pctStart, annealStrategy, baseMomentum, maxMomentum, baseLr } = this.state;
    if (step > totalSteps) throw new Error(`OneCycleLR: expected at most ${totalSteps} steps, got ${step}`);
    const top = pctStart * totalSteps - 1;
    // End of each phase, as a possibly fractional step, and rate and momentum there.
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
