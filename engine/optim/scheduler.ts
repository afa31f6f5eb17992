/**
 * Learning rate schedules, with PyTorch's formulas and the order of their operations. `step` is called once an epoch, as
 * `fit` does, or once a batch. A rate that follows from the one before (all but LambdaLR, CosineAnnealingWarmRestarts and
 * OneCycleLR) is computed from what the optimizer has, so that several schedules can act on one optimizer.
 */

import { ensure, typeOf } from "../arguments.ts";
import { copyOf, merged } from "../options.ts";
import { Optimizer } from "./optimizer.ts";

/** The options and counters of a schedule, as {@link Scheduler.stateDict} gives them. */
export type SchedulerState = Readonly<Record<string, unknown>>;

export interface Progress {
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

/** An integer ≥ 1. */
export const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1;
