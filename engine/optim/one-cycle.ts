/** One cycle of the rate: a schedule of `Scheduler` with warm-up and descent. */
import { COUNT, ensure, POSITIVE, UNIT, WHOLE } from "../arguments.ts";
import { limited } from "./fields.ts";
import type { Optimizer } from "./optimizer.ts";
import { cosPi, type Progress, Scheduler, type SchedulerState } from "./scheduler.ts";

/** Options of {@link OneCycleLR}. */
export interface OneCycleLROptions {
  /** The rate at the top, ≥ 0. */
  maxLr: number;
  /** Calls of `step`; by default epochs · stepsPerEpoch. */
  totalSteps?: number;
  /** Epochs of the training, an integer ≥ 1; with stepsPerEpoch instead of totalSteps. */
  epochs?: number;
  /** Batches in an epoch, an integer ≥ 1; with epochs instead of totalSteps. */
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
  /** The last rate is the first one divided by this; > 0, default 10⁴. */
  finalDivFactor?: number;
  /** Falls to the first rate as fast as it rose, then on to the last one; default false. */
  threePhase?: boolean;
}

/** Of the steps, either form may be left out. */
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
 * One rise of the learning rate to maxLr and one long fall, for a given number of steps, usually one a batch. The rate is
 *
 *   first = maxLr/divFactor in step 0,  maxLr in step pctStart·totalSteps − 1,  first/finalDivFactor in step totalSteps − 1
 *
 * and half a cosine, or a straight line, between them: from a to b it is b + (a − b)·(1 + cos(π·part))/2.
 *
 * @throws RangeError for an option out of its range, no number of steps, or an optimizer that has no momentum to cycle;
 *   TypeError for another option, or anything but an optimizer; Error when it is stepped more often than planned.
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

  protected override check(where: string, state: Cycle & Progress): void {
    const { options } = this.optimizer;
    const fine = !state.cycleMomentum || "betas" in options || "momentum" in options;
    ensure(fine, where, "cycleMomentum must be false for an optimizer without momentum or betas", true);
    const last = state.baseLr / state.finalDivFactor;
    ensure(Number.isFinite(last), where, "finalDivFactor must leave a finite rate", state.finalDivFactor);
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
