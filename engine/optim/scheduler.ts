/**
 * Learning rate schedules, with PyTorch's formulas and order of operations. `step` is called once per epoch, as in
 * `fit`, or once per batch. Most schedules compute the new rate from the optimizer's current rate, so several of them
 * can act on one optimizer. LambdaLR, CosineAnnealingWarmRestarts and OneCycleLR compute it from the initial rate.
 */

import { allOptions, FINITE, objectOf, typeOf, wrongType } from "../arguments.ts";
import { copyOfFields, type Limits, limited, STEP_COUNT } from "./fields.ts";
import { Optimizer } from "./optimizer.ts";

/** Options and counters of a schedule, from {@link Scheduler.stateDict}. */
export type SchedulerState = Readonly<Record<string, unknown>>;

export interface ScheduleState {
  /** Number of steps so far. */
  epoch: number;
  /** Initial rate of the schedule, and the rate that it set last. */
  baseLr: number;
  lastLr: number;
}

const PROGRESS: Limits = { epoch: STEP_COUNT, baseLr: FINITE, lastLr: FINITE };

/**
 * Sets the learning rate of an optimizer step by step. In the equations of schedules, base is the initial rate.
 */
export abstract class Scheduler<Options extends object = object> {
  /** Optimizer whose learning rate is set. */
  readonly optimizer: Optimizer;
  protected readonly state: Options & ScheduleState;
  private readonly limits: Limits;

  /** `limits` are ranges of options and counters. Numbers without a range must be finite and ≥ 0. */
  constructor(where: string, optimizer: Optimizer, defaults: object, options: object, limits: Limits = {}) {
    if (!(optimizer instanceof Optimizer)) throw wrongType(where, "an optimizer", optimizer);
    const { lr, initialLr } = optimizer;
    const progress: ScheduleState = { epoch: 0, baseLr: initialLr ?? lr, lastLr: lr };
    this.optimizer = optimizer;
    this.limits = limits;
    const begun = this.begin(where, allOptions(where, defaults, options) as Options);
    this.state = this.valid(where, { ...begun, ...progress });
  }

  /** Adds the counters that a schedule has besides its epoch to the options. */
  protected begin(_where: string, options: Options): Options {
    return options;
  }

  /** Throws if options and counters are in range but not compatible with each other. */
  protected check(_where: string, _state: Options): void {}

  private valid(where: string, fields: Options & ScheduleState): Options & ScheduleState {
    const state = limited(where, fields, { ...PROGRESS, ...this.limits });
    this.check(where, state);
    return state;
  }

  /** Learning rate that this schedule set last. */
  get lr(): number {
    return this.state.lastLr;
  }

  /** A list with the learning rate `lr`, as in PyTorch. */
  getLastLr(): number[] {
    return [this.lr];
  }

  /**
   * Advances by one epoch, or by one batch if it is called for each batch. ReduceLROnPlateau requires the metric; other schedules ignore it.
   *
   * @throws TypeError for a missing metric; Error when OneCycleLR is stepped more often than planned; RangeError if the function of LambdaLR does not
   *   return a finite number. Errors are thrown before any change.
   */
  step(metric?: number): void {
    this.set(this.rate(this.state.epoch + 1, metric));
    this.state.epoch++;
  }

  /** Options and counters, without functions. */
  stateDict(): SchedulerState {
    return copyOfFields(this.state);
  }

  /**
   * Loads a state of this class of schedule, and sets the optimizer's learning rate to the rate in the state.
   *
   * @throws RangeError unless the values of the state are in range; TypeError unless it has the same fields with values of the same types. Errors are
   *   thrown before any write.
   */
  loadStateDict(state: SchedulerState): void {
    const where = "loadStateDict";
    objectOf(where, "a state", state);
    const types = Object.entries(this.state).map(([name, value]) => [name, typeOf(value)] as const);
    // Undefined as default accepts every type; a missing field is then detected.
    const unknown = Object.fromEntries(types.map(([name]) => [name, undefined as unknown]));
    const given = allOptions(where, unknown, state);
    for (const [name, type] of types) {
      if (typeOf(given[name]) !== type) throw wrongType(where, `${name} of type ${type}`, given[name]);
    }
    Object.assign(this.state, this.valid(where, given as Options & ScheduleState));
    this.set(this.lr);
  }

  /** The rate of an epoch; epochs are consecutive. If it throws, nothing has changed. */
  protected abstract rate(epoch: number, metric?: number): number;

  protected set(lr: number): void {
    this.optimizer.lr = lr;
    this.optimizer.initialLr = this.state.baseLr;
    this.state.lastLr = lr;
  }
}

/** cos πt, exact at integers and within 2·10⁻¹⁶ elsewhere; unlike Math.cos it has the same bits everywhere. */
export function cosPi(t: number): number {
  // cos is even with period 2 in t, and cos π(1 − r) = −cos πr reduces the angle to at most π/2.
  const turn = Math.abs(t % 2);
  const r = Math.min(turn, 2 - turn);
  const x = Math.PI * Math.min(r, 1 - r);
  let sum = 1;
  // The Taylor series, from its smallest term on: 1 − x²/(1·2)·(1 − x²/(3·4)·(1 − …)); x²⁴/24! is 10⁻¹⁹.
  for (let n = 22; n > 0; n -= 2) sum = 1 - (sum * x * x) / (n * (n - 1));
  return r > 0.5 ? -sum : sum;
}
