import { formatShape, type Shape, sameShape } from "../shape.ts";
import { Tensor } from "../tensor.ts";

/** One array of a state. */
export interface StateEntry {
  /** Sizes of the axes. */
  readonly shape: Shape;
  /** The values in row-major order. */
  readonly data: Float32Array;
}

/** Arrays by name: the state of a module. */
export type StateDict = Record<string, StateEntry>;

/**
 * A layer or a network. Its parameters are the fields that `parameter()` made, and those of the modules in its fields, in
 * the order of their declaration; names are the paths to them, as in PyTorch: `fc1.weight`, `0.bias`. A field that is a list
 * counts with its elements. A subclass declares them and says in `forward` what it makes of its input.
 */
export abstract class Module {
  /** True while training, the default; layers such as Dropout behave differently then. */
  training = true;

  /** The output for x; each class tells its shapes and errors. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Whether `forward` runs the same ops for every x of a shape, in evaluation mode, on the parameters themselves, not on copies,
   * and nobody else reads what the last one makes: not the layer, not backward. Layers of the engine say so where no subclass has
   * changed `forward`.
   *
   * @internal
   */
  get isPure(): boolean {
    return false;
  }

  /**
   * `forward` of an x that nobody else can read, and that may be written over; where that is of no use, it is missing.
   *
   * @internal
   */
  forwardOver?(x: Tensor): Tensor;

  /** The fields that can hold parameters and modules, with their names. */
  protected fields(): Iterable<[string, unknown]> {
    return Object.entries(this);
  }

  /** Pairs of the name and the parameter. One that is shared appears once, under its first name. */
  namedParameters(): [string, Tensor][] {
    return this.namedState().filter(([, t]) => t.isParameter);
  }

  /**
   * Parameters and buffers.
   *
   * @internal
   */
  namedState(): [string, Tensor][] {
    const found: [string, Tensor][] = [];
    this.visit((name, value) => {
      if (value instanceof Tensor && (value.isParameter || value.isBuffer)) found.push([name, value]);
    });
    return found;
  }

  /** All parameters, each once, in the order of {@link Module.namedParameters}. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /** Pairs of the name and the module: this one, under the empty name, and all within. A shared one appears once. */
  namedModules(): [string, Module][] {
    const found: [string, Module][] = [["", this]];
    this.visit((name, value) => {
      if (value instanceof Module) found.push([name, value]);
    });
    return found;
  }

  /** Copies of all parameters, and of buffers such as running statistics, by name; later training does not change them. */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.namedState().map(([name, t]) => [name, { shape: [...t.shape], data: t.toFloat32Array() }]),
    );
  }

  /**
   * Overwrites the parameters and buffers with the values of a state; tensors by name will do too.
   *
   * @throws RangeError unless the names, shapes and numbers of values are those of this module; nothing is written then.
   */
  loadStateDict(state: StateDict): void {
    const named = this.namedState();
    const names = new Set(named.map(([name]) => name));
    const unknown = Object.keys(state).filter((name) => !names.has(name));
    if (unknown.length > 0) throw new RangeError(`loadStateDict: no such parameter: ${unknown.join(", ")}`);
    for (const [name, t] of named) {
      const entry = state[name];
      if (entry === undefined) throw new RangeError(`loadStateDict: expected the parameter ${name}, got none`);
      const same = sameShape(entry.shape, t.shape);
      if (!same || entry.data.length !== t.size) {
        const got = same ? `${entry.data.length} values` : formatShape(entry.shape);
        throw new RangeError(`loadStateDict: expected ${name} of shape ${formatShape(t.shape)}, got ${got}`);
      }
    }
    for (const [name, t] of named) t.copyFrom((state[name] as StateDict[string]).data);
  }

  /**
   * Puts this module and all within into training mode, the default, or with false into evaluation mode. Returns the module
   * itself.
   */
  train(mode = true): this {
    for (const [, module] of this.namedModules()) module.training = mode;
    return this;
  }

  /** Puts this module and all within into evaluation mode. Returns the module itself. */
  eval(): this {
    return this.train(false);
  }

  /** Runs fn with all modules in evaluation mode, then gives each the mode that it had. Returns what fn returns. */
  evaluating<R>(fn: () => R): R {
    const modes = this.namedModules().map(([, module]) => [module, module.training] as const);
    this.eval();
    try {
      return fn();
    } finally {
      for (const [module, mode] of modes) module.training = mode;
    }
  }

  /** Calls back for every object in the fields, once each, and walks into modules and lists. */
  private visit(callback: (name: string, value: object) => void): void {
    const seen = new Set<unknown>([this]);
    const walk = (prefix: string, entries: Iterable<[string | number, unknown]>): void => {
      for (const [key, value] of entries) {
        if (typeof value !== "object" || value === null || seen.has(value)) continue;
        seen.add(value);
        const name = prefix + key;
        callback(name, value);
        if (value instanceof Module) walk(`${name}.`, value.fields());
        else if (Array.isArray(value)) walk(`${name}.`, value.entries());
      }
    };
    walk("", this.fields());
  }
}

/**
 * The `forward` that a class was written with. A class asks when its file is loaded, so that `isPure` is false where somebody
 * puts another function in its place later, on the prototype too: that one may keep what it gets and returns.
 */
export function forwardOf(written: { readonly prototype: Module }): Module["forward"] {
  return written.prototype.forward;
}
