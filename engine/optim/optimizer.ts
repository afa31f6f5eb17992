import { heap, k } from "../backend.ts";
import { Tensor, touch } from "../tensor.ts";

/** What an optimizer keeps for one parameter. */
export type Slots = Record<string, Float32Array>;

export interface OptimizerState {
  readonly steps: readonly number[];
  readonly slots: readonly Slots[];
}

/** Updates parameters from their gradients. Its state is persistent and lives as long as the optimizer. */
export abstract class Optimizer {
  readonly params: readonly Tensor[];
  /** Learning rate; schedulers change it between steps. */
  lr: number;
  /** Updates that each parameter has had. */
  protected readonly steps: number[];
  private readonly buffers: Record<string, number[]> = {};

  constructor(where: string, params: Iterable<Tensor>, lr: number) {
    this.params = [...params];
    if (this.params.length === 0) throw new RangeError(`${where}: expected parameters, got none`);
    for (const p of this.params) {
      if (!(p instanceof Tensor) || !p.isParameter)
        throw new TypeError(`${where}: expected tensors made by parameter()`);
    }
    this.lr = nonNegative(where, "lr", lr);
    this.steps = this.params.map(() => 0);
  }

  /** One update of every parameter that has a gradient. */
  step(): void {
    for (let i = 0; i < this.params.length; i++) {
      const p = this.params[i] as Tensor;
      if (p.gradPtr === 0) continue;
      this.steps[i] = (this.steps[i] as number) + 1;
      this.update(p, i);
      touch(p);
    }
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const p of this.params) p.zeroGrad();
  }

  /** Copies of the state, in the order of the parameters. */
  stateDict(): OptimizerState {
    const slots = this.params.map((p, i) => {
      const entries = Object.entries(this.buffers).filter(([, list]) => list[i] !== undefined);
      return Object.fromEntries(
        entries.map(([name, list]) => [name, heap.view(list[i] as number, p.size).slice() as Float32Array]),
      );
    });
    return { steps: [...this.steps], slots };
  }

  /**
   * Continues from a state of this kind of optimizer with the same options.
   *
   * @throws RangeError unless the state is of as many parameters of the same sizes; nothing is written then.
   */
  loadStateDict(state: OptimizerState): void {
    if (state.steps.length !== this.params.length || state.slots.length !== this.params.length) {
      throw new RangeError(
        `loadStateDict: expected the state of ${this.params.length} parameters, got ${state.steps.length}`,
      );
    }
    state.slots.forEach((slots, i) => this.checkSlots(slots, state.steps[i] as number, i));
    state.slots.forEach((slots, i) => {
      this.steps[i] = state.steps[i] as number;
      for (const list of Object.values(this.buffers)) {
        if (list[i] !== undefined) k.fill(list[i], (this.params[i] as Tensor).size, 0);
      }
      for (const [name, values] of Object.entries(slots)) {
        heap.view(this.buffer(name, i), values.length).set(values);
      }
    });
  }

  /** Throws unless the slots are those that parameter i has after so many steps. */
  private checkSlots(slots: Slots, steps: number, i: number): void {
    if (!(Number.isSafeInteger(steps) && steps >= 0)) {
      throw new RangeError(`loadStateDict: expected a count of steps for parameter ${i}, got ${steps}`);
    }
    const names = Object.keys(slots).sort();
    const expected = names.length === 0 && steps === 0 ? [] : [...this.slotNames()].sort();
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

  /** Frees the state. */
  dispose(): void {
    for (const list of Object.values(this.buffers)) {
      list.forEach((p, i) => heap.release(p, 4 * (this.params[i] as Tensor).size));
      list.length = 0;
    }
  }

  /** The state arrays of a parameter that has been updated. */
  protected abstract slotNames(): readonly string[];

  protected abstract update(p: Tensor, index: number): void;

  /** Address of a state array of parameter i, zeros at first. */
  protected buffer(name: string, i: number): number {
    let list = this.buffers[name];
    if (list === undefined) this.buffers[name] = list = [];
    let p = list[i];
    if (p === undefined) {
      const { size } = this.params[i] as Tensor;
      p = heap.allocate(4 * size);
      k.fill(p, size, 0);
      list[i] = p;
    }
    return p;
  }
}

/** Throws unless value is a finite number ≥ 0. */
export function nonNegative(where: string, name: string, value: number): number {
  if (!(value >= 0 && value < Infinity)) throw new RangeError(`${where}: ${name} must be finite and ≥ 0, got ${value}`);
  return value;
}

/** Throws unless value lies in [0, 1). */
export function fraction(where: string, name: string, value: number): number {
  if (!(value >= 0 && value < 1)) throw new RangeError(`${where}: ${name} must lie in [0, 1), got ${value}`);
  return value;
}
