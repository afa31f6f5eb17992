import { ensure } from "../arguments.ts";
import { heap, k } from "../backend.ts";
import { copyOf, merged } from "../options.ts";
import { Tensor, touch } from "../tensor.ts";

/** What an optimizer keeps for one parameter: arrays by name, such as the `momentum` of {@link SGD}. */
export type Slots = Record<string, Float32Array>;

/** The state of an optimizer, as {@link Optimizer.stateDict} gives it. */
export interface OptimizerState {
  /** The kind of optimizer. */
  readonly name: string;
  /** The hyper-parameters, the learning rate among them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Updates that each parameter has had. */
  readonly steps: readonly number[];
  /** Further arrays of each parameter. */
  readonly slots: readonly Slots[];
}

/** The slots of a parameter that has a momentum, where that is left open. */
const MOMENTUM: Slots = { momentum: new Float32Array(0) };

/** What the options of every optimizer have. */
export interface OptimizerOptions {
  /** Learning rate, ≥ 0. */
  lr: number;
}

/**
 * Updates parameters from their gradients. Its state is persistent and lives as long as the optimizer.
 *
 * A subclass gives its name for errors (`where`) and the defaults of its options.
 *
 * @throws RangeError for no parameters or the same one twice, or a negative or non-finite option; TypeError for another
 *   option, one of another type, or anything but parameters.
 */
export abstract class Optimizer<Options extends OptimizerOptions = OptimizerOptions> {
  /** The parameters that are updated. */
  readonly params: readonly Tensor[];
  /** The hyper-parameters. They may be changed between steps, as schedulers do. */
  readonly options: Options;
  /** The learning rate that schedulers start from: that of the time when the first one was made. */
  initialLr: number | null = null;
  private readonly name: string;
  /** Updates that each parameter has had. */
  protected readonly steps: number[];
  /** Addresses of the state arrays of each parameter. */
  private readonly slots: Record<string, number>[];
  /** Those that were made for the current step. */
  private readonly fresh = new Set<number>();

  constructor(where: string, params: Iterable<Tensor>, defaults: Options, options: Partial<Options>) {
    if (typeof params?.[Symbol.iterator] !== "function") {
      throw new TypeError(`${where}: expected parameters, such as model.parameters(), got ${typeof params}`);
    }
    this.name = where;
    this.params = [...params];
    if (this.params.length === 0) throw new RangeError(`${where}: expected parameters, got none`);
    for (const p of this.params) {
      if (!(p instanceof Tensor) || !p.isParameter)
        throw new TypeError(`${where}: expected tensors made by parameter()`);
    }
    if (new Set(this.params).size !== this.params.length) {
      throw new RangeError(`${where}: expected every parameter once, got one of ${this.params.length} again`);
    }
    this.options = this.checked(where, merged(where, defaults, options));
    this.steps = this.params.map(() => 0);
    this.slots = this.params.map(() => ({}));
  }

  /**
   * Learning rate; schedulers change it between steps.
   *
   * @throws RangeError where it is set to what is not finite.
   */
  get lr(): number {
    return this.options.lr;
  }

  /** Sets it for the steps to come. */
  set lr(value: number) {
    ensure(Number.isFinite(value), "Optimizer", "lr must be finite", value);
    this.options.lr = value;
  }

  /**
   * One update of every parameter that has a gradient; the others, and their counts of steps, stay as they are.
   *
   * @throws RangeError where the memory does not suffice for the state; nothing is updated then.
   */
  step(): void {
    const { momentum = 0 } = this.options as { momentum?: number };
    const names = this.slotNames(this.options, momentum === 0 ? {} : MOMENTUM);
    this.makeSlots((i) => ((this.params[i] as Tensor).gradPtr === 0 ? [] : names));
    for (let i = 0; i < this.params.length; i++) {
      const p = this.params[i] as Tensor;
      if (p.gradPtr === 0) continue;
      this.steps[i] = (this.steps[i] as number) + 1;
      this.update(p, i);
      touch(p);
    }
  }

  /** Sets the gradients of all parameters to null; their buffers are kept for the next ones. */
  zeroGrad(): void {
    for (const p of this.params) p.zeroGrad();
  }

  /** Copies of the options and of the state, the latter in the order of the parameters. */
  stateDict(): OptimizerState {
    const slots = this.params.map(({ size }, i) => {
      const arrays = Object.entries(this.slots[i] as Record<string, number>);
      return Object.fromEntries(arrays.map(([name, p]) => [name, heap.view(p, size).slice() as Float32Array]));
    });
    return { name: this.name, options: copyOf(this.options), steps: [...this.steps], slots };
  }

  /**
   * Continues from a state of this kind of optimizer, with the options of that state: bit for bit what the saved one does.
   *
   * @throws RangeError or TypeError unless the state is of as many parameters of the same sizes and its options are valid;
   *   nothing is written then.
   */
  loadStateDict(state: OptimizerState): void {
    const where = "loadStateDict";
    ensure(state.name === this.name, where, `expected the state of ${this.name}`, state.name);
    const { lr } = state.options as { lr: number };
    ensure(Number.isFinite(lr), where, "lr must be finite", lr);
    // A schedule may have set one that is negative, which no optimizer starts with.
    const options = { ...this.checked(where, merged(where, this.options, { ...state.options, lr: 0 })), lr };
    const n = this.params.length;
    if (state.steps.length !== n || state.slots.length !== n) {
      throw new RangeError(`loadStateDict: expected the state of ${n} parameters, got ${state.steps.length}`);
    }
    state.slots.forEach((slots, i) => this.checkSlots(options, slots, state.steps[i] as number, i));
    this.makeSlots((i) => Object.keys(state.slots[i] as Slots));
    Object.assign(this.options, options);
    state.slots.forEach((slots, i) => {
      this.steps[i] = state.steps[i] as number;
      this.freeSlots(i, (name) => !(name in slots));
      for (const [name, values] of Object.entries(slots)) heap.view(this.slot(name, i), values.length).set(values);
    });
  }

  /** Throws unless the slots are those that parameter i has after so many steps. */
  private checkSlots(options: Options, slots: Slots, steps: number, i: number): void {
    if (!(Number.isSafeInteger(steps) && steps >= 0)) {
      throw new RangeError(`loadStateDict: expected a count of steps for parameter ${i}, got ${steps}`);
    }
    const names = Object.keys(slots).sort();
    const expected = names.length === 0 && steps === 0 ? [] : [...this.slotNames(options, slots)].sort();
    if (names.join() !== expected.join()) {
      const list = (of: string[]) => `[${of.join(", ")}]`;
      throw new RangeError(`loadStateDict: expected ${list(expected)} for parameter ${i}, got ${list(names)}`);
    }
    const { size } = this.params[i] as Tensor;
    for (const [name, { length }] of Object.entries(slots)) {
      if (length === size) continue;
      throw new RangeError(`loadStateDict: expected ${size} values in ${name} of parameter ${i}, got ${length}`);
    }
  }

  /** Frees the state: a later step starts as the first one does. */
  dispose(): void {
    this.steps.fill(0);
    this.slots.forEach((_, i) => this.freeSlots(i, () => true));
  }

  private freeSlots(i: number, isFreed: (name: string, p: number) => boolean): void {
    const kept: Record<string, number> = {};
    for (const [name, p] of Object.entries(this.slots[i] as Record<string, number>)) {
      if (isFreed(name, p)) heap.release(p, 4 * (this.params[i] as Tensor).size);
      else kept[name] = p;
    }
    this.slots[i] = kept;
  }

  /** Makes the state arrays that parameters lack, all of them or none. */
  private makeSlots(namesOf: (i: number) => readonly string[]): void {
    const { fresh } = this;
    fresh.clear();
    try {
      this.slots.forEach((slots, i) => {
        const { size } = this.params[i] as Tensor;
        for (const name of namesOf(i)) {
          if (name in slots) continue;
          const p = heap.allocate(4 * size);
          k.fill(p, size, this.initial());
          fresh.add(p);
          slots[name] = p;
        }
      });
    } catch (error) {
      this.slots.forEach((_, i) => this.freeSlots(i, (_name, p) => fresh.has(p)));
      throw error;
    }
  }

  /** What a state array is filled with at first. */
  protected initial(): number {
    return 0;
  }

  /** Throws unless the options, of the right types, finite and ≥ 0, go together. */
  protected checked(_where: string, options: Options): Options {
    return options;
  }

  /** The state arrays that a parameter that has been updated has; the given ones tell where both is possible. */
  protected abstract slotNames(options: Options, given: Slots): readonly string[];

  protected abstract update(p: Tensor, index: number): void;

  /** Address of a state array of parameter i. */
  protected slot(name: string, i: number): number {
    return (this.slots[i] as Record<string, number>)[name] as number;
  }

  /** Whether the state array at p was made for the current step. */
  protected isFresh(p: number): boolean {
    return this.fresh.has(p);
  }
}
