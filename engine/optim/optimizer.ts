/**
 * Base class of optimizers: parameters, options, state arrays in memory, and `step`, in which a subclass updates one parameter.
 */
import {
  allOptions,
  ensure,
  FINITE,
  iterableOf,
  listOf,
  numberOf,
  numbersOf,
  objectOf,
  show,
  wrongType,
  wrongValue,
} from "../arguments.ts";
import { inReference, simd } from "../core/backend.ts";
import { holds } from "../core/gradient.ts";
import { root, scope } from "../core/scope.ts";
import { alive, type Tensor, touch } from "../core/tensor.ts";
import { Held } from "../outside/held.ts";
import { formatShape } from "../shape.ts";
import { copyOfFields, type Limits, limited, STEP_COUNT } from "./fields.ts";

/** State arrays of one parameter by name, such as the `momentum` of {@link SGD}. */
export type Slots = Record<string, Float32Array>;

/** State of an optimizer, from {@link Optimizer.stateDict}. */
export interface OptimizerState {
  /** Name of the optimizer's class. */
  readonly name: string;
  /** Hyper-parameters, including the learning rate. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Number of updates of each parameter. */
  readonly steps: readonly number[];
  /** State arrays of each parameter. */
  readonly slots: readonly Slots[];
}

/** State arrays of a parameter with momentum, for optimizers whose states may have or lack it. */
const MOMENTUM: Slots = { momentum: new Float32Array(0) };

/** Options of every optimizer. */
export interface OptimizerOptions {
  /** Learning rate, ≥ 0. */
  lr: number;
}

const LOAD = "loadStateDict";

/** Checks the parameters, which must be distinct. */
function parametersOf(where: string, params: Iterable<Tensor>): Tensor[] {
  const found = new Set<Tensor>();
  for (const p of iterableOf(where, "parameters, such as model.parameters()", params)) {
    alive(p, where);
    if (!p.isParameter) throw new TypeError(`${where}: expected tensors made by parameter()`);
    if (found.has(p)) throw wrongValue(where, "every parameter once", `one of shape ${formatShape(p.sizes)} again`);
    found.add(p);
  }
  if (found.size === 0) throw wrongValue(where, "parameters", "none");
  return [...found];
}

/**
 * Updates parameters from their gradients. Its state lives as long as the optimizer. If the optimizer was made in a
 * tape that throws, the state is freed.
 *
 * A subclass passes its name for errors (`where`) and the defaults of its options.
 *
 * @throws RangeError if there are no parameters, a parameter is given twice, or an option is negative or not finite;
 *   TypeError for an unknown option, a value of the wrong type, or anything but parameters.
 *
 * @example
 * ```ts
 * import { Adam, Linear, type Optimizer } from "jarvis-snn";
 *
 * const optimizer: Optimizer = new Adam(new Linear(2, 1).parameters(), { lr: 0.01 });
 * optimizer.lr = 0.5; // for the steps to come
 * const { name, options, steps } = optimizer.stateDict();
 * console.log(name, options.lr, steps); // Adam 0.5 [ 0, 0 ]
 * ```
 */
export abstract class Optimizer<Options extends OptimizerOptions = OptimizerOptions> {
  /** Parameters that are updated. */
  readonly params: readonly Tensor[];
  /** Hyper-parameters. They may be changed between steps, as schedulers do. */
  readonly options: Options;
  /** Rate that schedulers start from: the learning rate when the first scheduler was made. */
  initialLr: number | null = null;
  private readonly name: string;
  /** Options of the last step; options that changed since are checked again. */
  private checked: Options;
  /** Number of updates of each parameter. */
  protected readonly steps: number[];
  /** Addresses of each parameter's state arrays, always in linear memory, even inside `gradcheck`. */
  private readonly slots: Record<string, number>[];
  /** Indices of parameters whose state was created in the current step. */
  private readonly fresh = new Set<number>();
  private readonly held = new Held();

  constructor(where: string, params: Iterable<Tensor>, defaults: Options, options: Partial<Options>) {
    this.name = where;
    this.params = parametersOf(where, params);
    const limits = this.limits();
    const given = limited(where, allOptions(where, defaults, options), limits);
    this.check(where, given);
    this.options = given;
    this.checked = { ...given };
    this.steps = this.params.map(() => 0);
    this.slots = this.params.map(() => ({}));
    if (scope !== root) scope.persisted.push(this);
  }

  /**
   * Learning rate; schedulers change it between steps.
   *
   * @throws RangeError for a rate that is not finite, TypeError for anything but a number.
   */
  get lr(): number {
    return this.options.lr;
  }

  /** Sets the rate of the following steps. */
  set lr(value: number) {
    this.options.lr = numberOf("Optimizer", "lr", value, FINITE);
  }

  /**
   * Updates every parameter that has a gradient. Other parameters and their step counts do not change.
   *
   * @throws RangeError if memory does not suffice for the state, RangeError or TypeError if an option was changed to an invalid value, Error for a
   *   freed parameter and inside of `gradcheck`. Errors are thrown before any update.
   */
  step(): void {
    const { name } = this;
    if (inReference()) throw new Error(`${name}: expected step() outside of gradcheck`);
    this.checkChanges();
    const { momentum = 0 } = this.options as { momentum?: number };
    const names = this.slotNames(this.options, momentum === 0 ? {} : MOMENTUM);
    for (const p of this.params) if (holds(p)) alive(p, name);
    this.makeSlots((i) => (holds(this.params[i] as Tensor) ? names : []));
    for (let i = 0; i < this.params.length; i++) {
      const p = this.params[i] as Tensor;
      if (!holds(p)) continue;
      this.steps[i] = (this.steps[i] as number) + 1;
      this.update(p, i);
      touch(p);
    }
  }

  /** If an option has changed since the last step, checks and stores the options. */
  private checkChanges(): void {
    const { options, checked } = this;
    for (const name in checked) {
      if (options[name] !== checked[name]) return this.setOptions(this.validOptions(this.name, options));
    }
  }

  /**
   * Checks the options of a running optimizer. A schedule may have set a learning rate that the constructor would refuse.
   */
  private validOptions(where: string, options: unknown): Options {
    const valid = limited(where, allOptions(where, this.checked, options), { ...this.limits(), lr: FINITE });
    this.check(where, valid);
    return valid;
  }

  private setOptions(options: Options): void {
    Object.assign(this.options, options);
    this.checked = options;
  }

  /** Sets the gradients of all parameters to null; their buffers are kept for the next gradients. */
  zeroGrad(): void {
    for (const p of this.params) p.zeroGrad();
  }

  /** Copies of the options and of the state, in the order of the parameters. */
  stateDict(): OptimizerState {
    const slots = this.params.map(({ size }, i) => {
      const arrays = Object.entries(this.slots[i] as Record<string, number>);
      return Object.fromEntries(arrays.map(([name, p]) => [name, simd.heap.view(p, size).slice() as Float32Array]));
    });
    return { name: this.name, options: copyOfFields(this.options), steps: [...this.steps], slots };
  }

  /**
   * Loads the state of an optimizer of this class, with its options, and continues bit for bit like the saved one.
   *
   * @throws RangeError or TypeError unless the state has the same number of parameters with the same sizes and its options are valid; thrown before
   *   any write.
   */
  loadStateDict(state: OptimizerState): void {
    const given = objectOf(LOAD, "the state of an optimizer", state);
    const { name, slots } = given;
    ensure(name === this.name, LOAD, `expected the state of ${this.name}`, name);
    const options = this.validOptions(LOAD, given.options);
    const n = this.params.length;
    const steps = listOf(LOAD, "steps", given.steps, STEP_COUNT, n);
    if (!Array.isArray(slots)) throw wrongType(LOAD, "slots as a list", slots);
    ensure(slots.length === n, LOAD, `slots must have ${n} entries`, slots.length);
    const copies = steps.map((count, i) => this.slotsOf(options, slots[i], count, i));
    this.makeSlots((i) => Object.keys(copies[i] as Slots));
    this.setOptions(options);
    copies.forEach((arrays, i) => {
      this.steps[i] = steps[i] as number;
      this.freeSlots(i, (slot) => !(slot in arrays));
      for (const [slot, values] of Object.entries(arrays))
        simd.heap.view(this.slot(slot, i), values.length).set(values);
    });
  }

  /** Copies of the arrays of parameter i after `steps` updates. Throws for arrays of wrong names or sizes. */
  private slotsOf(options: Options, arrays: unknown, steps: number, i: number): Slots {
    const given = objectOf(LOAD, `slots[${i}] as arrays by name`, arrays);
    const names = Object.keys(given).sort();
    const expected = names.length === 0 && steps === 0 ? [] : [...this.slotNames(options, given as Slots)].sort();
    ensure(names.join() === expected.join(), LOAD, `expected ${show(expected)} for parameter ${i}`, names);
    const { size } = this.params[i] as Tensor;
    const copies: Slots = {};
    for (const name of names) {
      const values = new Float32Array(numbersOf(LOAD, `${name} as an array of numbers`, given[name]));
      ensure(values.length === size, LOAD, `expected ${size} values in ${name} of parameter ${i}`, values.length);
      copies[name] = values;
    }
    return copies;
  }

  /** Frees the state; the next step starts like the first. */
  dispose(): void {
    this.steps.fill(0);
    this.slots.forEach((_, i) => this.freeSlots(i, () => true));
  }

  private freeSlots(i: number, isFreed: (name: string, p: number) => boolean): void {
    const kept: Record<string, number> = {};
    for (const [name, p] of Object.entries(this.slots[i] as Record<string, number>)) {
      if (isFreed(name, p)) {
        simd.heap.release(p, 4 * (this.params[i] as Tensor).size);
        this.held.remove(p);
      } else kept[name] = p;
    }
    this.slots[i] = kept;
  }

  /** Makes the missing state arrays of parameters: all, or after an error none. */
  private makeSlots(namesOf: (i: number) => readonly string[]): void {
    const { fresh } = this;
    fresh.clear();
    try {
      this.slots.forEach((slots, i) => {
        const { size } = this.params[i] as Tensor;
        for (const name of namesOf(i)) {
          if (name in slots) continue;
          const p = simd.heap.allocate(4 * size);
          this.held.add(p, 4 * size);
          simd.kernels.fill(p, size, this.initial());
          fresh.add(p);
          slots[name] = p;
        }
      });
    } catch (error) {
      this.slots.forEach((_, i) => this.freeSlots(i, (_name, p) => fresh.has(p)));
      throw error;
    }
  }

  /** Initial value of all elements of a state array. */
  protected initial(): number {
    return 0;
  }

  /** Ranges of options. Numbers without a range must be finite and ≥ 0. */
  protected limits(): Limits {
    return {};
  }

  /** Throws if options are in range but not compatible with each other. */
  protected check(_where: string, _options: Options): void {}

  /** Names of the state arrays of an updated parameter. If several sets of names are valid, `given` decides. */
  protected abstract slotNames(options: Options, given: Slots): readonly string[];

  protected abstract update(p: Tensor, index: number): void;

  /** Address of a state array of parameter i. */
  protected slot(name: string, i: number): number {
    return (this.slots[i] as Record<string, number>)[name] as number;
  }

  /** Whether the state array at p was created in the current step. */
  protected isFresh(p: number): boolean {
    return this.fresh.has(p);
  }
}
