/**
 * Learning rate schedules, with PyTorch's formulas and the order of their operations. `step` is called once an epoch, as
 * `fit` does, or once a batch. A rate that follows from the one before (all but LambdaLR, CosineAnnealingWarmRestarts and
 * OneCycleLR) is computed from the optimizer's present rate, so that several schedules can act on one optimizer.
 */

import { allOptions, FINITE, objectOf, typeOf, wrongType } from "../arguments.ts";
import { copyOfFields, type Limits, limited, STEPS } from "./fields.ts";
import { Optimizer } from "./optimizer.ts";

/** The options and counters of a schedule, as {@link Scheduler.stateDict} gives them. */
export type SchedulerState = Readonly<Record<string, unknown>>;

export interface Progress {
  /** Steps so far. */
  epoch: number;
  /** The rate that the schedule starts from, and the rate that it set last. */
  baseLr: number;
  lastLr: number;
}

const PROGRESS: Limits = { epoch: STEPS, baseLr: FINITE, lastLr: FINITE };

/**
 * Sets the learning rate of an optimizer step by step. In the equations of schedules, base is the rate that it had at first.
 */
export abstract class Scheduler<Options extends object = object> {
  /** The optimizer whose learning rate is set. */
  readonly optimizer: Optimizer;
  protected readonly state: Options & Progress;
  private readonly limits: Limits;

  /** `limits` hold for options and counters; a number without one must be finite and ≥ 0. */
  constructor(where: string, optimizer: Optimizer, defaults: object, options: object, limits: Limits = {}) {
    if (!(optimizer instanceof Optimizer)) throw wrongType(where, "an optimizer", optimizer);
    const { lr, initialLr } = optimizer;
    const progress: Progress = { epoch: 0, baseLr: initialLr ?? lr, lastLr: lr };
    this.optimizer = optimizer;
    this.limits = limits;
    const begun = this.begin(where, allOptions(where, defaults, options) as Options);
    this.state = this.valid(where, { ...begun, ...progress });
  }

  /** The options with the counters that a schedule has besides its epoch. */
  protected begin(_where: string, options: Options): Options {
    return options;
  }

  /** Throws unless the options and counters, each within its limit, go together. */
  protected check(_where: string, _state: Options): void {}

  private valid(where: string, fields: Options & Progress): Options & Progress {
    const state = limited(where, fields, { ...PROGRESS, ...this.limits });
    this.check(where, state);
    return state;
  }

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
    return copyOfFields(this.state);
  }

  /**
   * Continues from a state of this kind of schedule, and sets the optimizer's learning rate to the rate in the state.
   *
   * @throws RangeError unless the values of the state are in range; TypeError unless it has the same fields with values of the
   *   same types. Nothing is written then.
   */
  loadStateDict(state: SchedulerState): void {
    const where = "loadStateDict";
    objectOf(where, "a state", state);
    const types = Object.entries(this.state).map(([name, value]) => [name, typeOf(value)] as const);
    // A default of undefined fits every type, so that a field that is missing shows.
    const unknown = Object.fromEntries(types.map(([name]) => [name, undefined as unknown]));
    const given = allOptions(where, unknown, state);
    for (const [name, type] of types) {
      if (typeOf(given[name]) !== type) throw wrongType(where, `${name} of type ${type}`, given[name]);
    }
    Object.assign(this.state, this.valid(where, given as Options & Progress));
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

/** cos πt, exact at integers and within 2·10⁻¹⁶ elsewhere: the same bits everywhere, unlike Math.cos. */
export function cosPi(t: number): number {
  // cos is even with period 2 in t, and cos π(1 − r) = −cos πr leaves an angle of at most π/2.
  const turn = Math.abs(t % 2);
  const r = Math.min(turn, 2 - turn);
  const x = Math.PI * Math.min(r, 1 - r);
  let sum = 1;
  // The Taylor series from its small end: 1 − x²/(1·2)·(1 − x²/(3·4)·(1 − …)); x²⁴/24! is 10⁻¹⁹.
  for (let n = 22; n > 0; n -= 2) sum = 1 - (sum * x * x) / (n * (n - 1));
  return r > 0.5 ? -sum : sum;
}
