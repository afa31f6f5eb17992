/** Base class of all layers and networks: parameters and buffers by path, states, modes, traits and `dispose`. */
import type { Range } from "../arguments.ts";
import { ensure, functionOf, numberOf, numbersOf, objectOf, typeOf, withDefaults, wrongType } from "../arguments.ts";
import { alive, Tensor } from "../core/tensor.ts";
import { formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../shape.ts";
import { modulesOf, treeOf } from "./tree.ts";

/** Typed arrays whose types files can store. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** An array of numbers of any type. */
export interface ArrayEntry {
  /** Sizes of the axes. */
  readonly shape: Shape;
  /** The values in row-major order. */
  readonly data: NumberArray;
}

/** An array of a state. */
export interface StateEntry extends ArrayEntry {
  /** The values in row-major order. */
  readonly data: Float32Array;
}

/** State of a module: arrays by name. */
export type StateDict = Record<string, StateEntry>;

/** Arrays by name, as input of `Module.loadStateDict` and `saveSafetensors`. */
export type NamedArrays = Record<string, Tensor | ArrayEntry>;

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Whether parameters missing in the state, and names unknown to the module, are errors; default true. */
  strict?: boolean;
}

/** Names that only the module or only the loaded values have, and names whose values {@link Module.loadStateDict} changed. */
export interface LoadReport {
  /** Parameters missing in the state, which keep their values; empty if strict. */
  missingKeys: string[];
  /** Buffers missing in the state, which keep their values. */
  missingBuffers: string[];
  /** Names of the state that the module lacks; empty if strict. */
  unexpectedKeys: string[];
  /** Parameters whose loaded values were changed: weights of connections that the layer does not have are 0. */
  adjustedKeys: string[];
}

/**
 * State of a module that is not a tensor, such as 8-bit integers. State dicts hold its values as float32. If a state
 * dict lacks it, its name is reported as a missing parameter.
 *
 * @internal
 */
export interface StoredArray extends Loading {
  readonly isStored: true;
  /**
   * Shapes that the array of this entry may have.
   *
   * @throws Error if the array was freed.
   */
  shapes(): readonly Shape[];
  read(): StateEntry;
  write(values: Float32Array): void;
  dispose(): void;
}

/** Limits of the values that a state may set. */
export interface Loading {
  /** Range of its values. */
  readonly range?: Range;
  /** Changes loaded values to allowed ones. Returns whether any value changed. */
  readonly adjust?: (values: Float32Array) => boolean;
}

/**
 * What other code may assume about a `forward` of this package.
 *
 * - `pure`: a call can be recorded once and replayed, and its output may be overwritten. In evaluation mode, `forward` runs the same ops for
 *   every x of a shape, on the parameters themselves, and neither the layer nor its backward pass reads the output again
 * - `product`: pure, and a single op, x times `weightOf(layer)`; for ∂L/∂weight a learning rule can use another tensor in the place of x
 * - `weighted`: reads the weight through `weightOf`, so masks and grids apply
 * - `stepwise`: in evaluation mode each step of a sequence is computed independently, as in pure layers
 * - `written`: none of these
 */
export type Trait = "pure" | "product" | "weighted" | "stepwise" | "written";

/** A trait, and the `forward` function that has it. */
export interface Traits {
  readonly kind: { readonly prototype: Module; traits?: Traits };
  readonly forward: Module["forward"];
  readonly trait: Trait;
}

/**
 * The trait of a class; its constructor passes it to Module's. It applies to the `forward` that the class has when its
 * file is loaded. A later replacement of `forward`, even on the prototype, has no trait: it may keep its argument and
 * result.
 */
export const traitsOf = /* @__NO_SIDE_EFFECTS__ */ (kind: Traits["kind"], trait: Trait): Traits => ({
  kind,
  forward: kind.prototype.forward,
  trait,
});

/** Trait of a module's `forward`; null if its class has none, or a subclass overrides `forward`. */
export function traitOf(module: Module): Trait | null {
  const { traits } = module.constructor as typeof Module;
  return traits !== undefined && traits.forward === module.forward ? traits.trait : null;
}

/**
 * A layer or a network. Its parameters are the fields made by `parameter()`, and the parameters of modules in its fields, in the order of
 * declaration. Names are paths, as in PyTorch: `fc1.weight`, `0.bias`. Elements of a list in a field are included. A subclass declares the fields and
 * computes the output in `forward`.
 *
 * @example
 * ```ts
 * import { LIF, Linear, Module, rand, type Tensor } from "jarvis-snn";
 *
 * class Net extends Module {
 *   readonly fc = new Linear(4, 3);
 *   readonly lif = new LIF({ beta: 0.9 });
 *
 *   forward(x: Tensor): Tensor {
 *     return this.lif.forward(this.fc.forward(x));
 *   }
 * }
 * const net = new Net();
 * console.log(net.namedParameters().map(([name]) => name)); // [ 'fc.weight', 'fc.bias' ]
 * console.log(net.forward(rand([10, 1, 4])).shape); // [ 10, 1, 3 ]
 * ```
 */
export abstract class Module {
  /**
   * Whether `forward` computes each step of a sequence [T, B, …] independently in evaluation mode. If so, the class
   * sets `stateless` to true, and a Stream can run it:
   *
   *     class Gate extends Module {
   *       static stateless = true; // with noImplicitOverride: static override readonly stateless = true
   *       forward(x) { return x.mul(0.5).relu(); }
   *     }
   *
   * The value applies to the `forward` method of this class; a subclass that overrides `forward` must set it again. Default: unknown.
   */
  static readonly stateless?: boolean;

  /**
   * Trait of this class's `forward`, for classes of the package.
   *
   * @internal
   */
  static traits?: Traits;

  /** Whether the module is in training mode, the default; layers such as Dropout depend on it. */
  training = true;

  /** Computes the output for x; each class documents its shapes and errors. */
  abstract forward(x: Tensor): Tensor;

  /**
   * Stores `traits` for the class; only classes of the package pass it.
   *
   * @internal
   */
  constructor(traits?: Traits) {
    if (traits !== undefined) traits.kind.traits = traits;
  }

  /**
   * Whether `forward` is pure (see {@link Trait}); false if another function replaced it.
   *
   * @internal
   */
  get isPure(): boolean {
    const trait = traitOf(this);
    return trait === "pure" || trait === "product";
  }

  /**
   * Limits of loaded values for t, a parameter or buffer of this module. Undefined if there are none, or t belongs to
   * another module.
   *
   * @internal
   */
  loadingOf?(t: Tensor): Loading | undefined;

  /**
   * Whether `forward` mixes time steps even in evaluation mode. Absent in layers that never do.
   *
   * @internal
   */
  mixesSteps?(): boolean;

  /**
   * `forward` that may overwrite x, which nothing else reads. Absent in layers that cannot use this.
   *
   * @internal
   */
  forwardOver?(x: Tensor): Tensor;

  /** Fields that may hold parameters and modules, with their names. */
  protected fields(): Iterable<[string, unknown]> {
    return Object.entries(this);
  }

  /**
   * Names and parameters. A shared parameter appears once, under its first name.
   *
   * @throws TypeError if a field holds a module or parameter of a different copy of the package, or from another
   *   thread: its memory is different. All methods that look for modules and parameters throw this.
   */
  namedParameters(): [string, Tensor][] {
    return this.namedState().filter(([, t]) => t.isParameter);
  }

  /**
   * Parameters and buffers, with their names.
   *
   * @internal
   */
  namedState(): [string, Tensor][] {
    return this.found().filter((each): each is [string, Tensor] => isState(each[1]));
  }

  /** Parameters, buffers, and arrays that are not tensors, with their names. */
  private arraysOfState(): [string, Tensor | StoredArray][] {
    return this.found().filter((each): each is [string, Tensor | StoredArray] => {
      return isState(each[1]) || "isStored" in each[1];
    });
  }

  /** All parameters, each once, in the order of {@link Module.namedParameters}. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /** Names and modules: this module, under the empty name, and all inner modules. A shared module appears once. */
  namedModules(): [string, Module][] {
    return [["", this], ...this.found().filter((each): each is [string, Module] => each[1] instanceof Module)];
  }

  /** Copies of all parameters, and of buffers such as running statistics, by name; later training does not change them. */
  stateDict(): StateDict {
    return Object.fromEntries(
      this.arraysOfState().map(([name, t]) =>
        t instanceof Tensor ? [name, { shape: [...t.sizes], data: t.toFloat32Array() }] : [name, t.read()],
      ),
    );
  }

  /**
   * Overwrites parameters and buffers with the values of a state: arrays or tensors by name. Returns the names that
   * only the state or only the module has, and the names of parameters whose loaded values were changed.
   *
   * A buffer that the state lacks keeps its value: states of earlier versions and of other packages have fewer buffers.
   * With `strict: false` (default true), parameters may be missing too, and unknown names are ignored.
   *
   * @throws RangeError for shapes or numbers of values that do not fit this module, a fixed value that the layer rejects, such as β outside of
   *   [0, 1], and if strict for names that the module lacks; TypeError for anything but a state, for an unknown option, and if strict for a missing
   *   parameter. Errors are thrown before any write.
   */
  loadStateDict(state: NamedArrays, options: LoadOptions = LOAD_DEFAULTS): LoadReport {
    const { strict } = withDefaults(LOAD, LOAD_DEFAULTS, options);
    const given = objectOf(LOAD, "a state, arrays by name", state);
    const named = this.arraysOfState();
    const names = new Set(named.map(([name]) => name));
    const unexpectedKeys = Object.keys(given).filter((name) => !names.has(name));
    ensure(
      !strict || unexpectedKeys.length === 0,
      LOAD,
      "expected no more than the parameters of this module",
      unexpectedKeys,
    );
    const report: LoadReport = { missingKeys: [], missingBuffers: [], unexpectedKeys, adjustedKeys: [] };
    const modules = this.namedModules();
    const loadingOf = (t: Tensor) => modules.map(([, module]) => module.loadingOf?.(t)).find(Boolean);
    const copies = new Map<Tensor | StoredArray, Float32Array>();
    for (const [name, t] of named) {
      const entry = given[name];
      const isNeeded = !(t instanceof Tensor) || t.isParameter;
      if (entry !== undefined || (strict && isNeeded)) {
        const { range, adjust } = (t instanceof Tensor ? loadingOf(t) : t) ?? ANY;
        const values = valuesOf(name, entry, t, range);
        if (adjust?.(values)) report.adjustedKeys.push(name);
        copies.set(t, values);
      } else report[isNeeded ? "missingKeys" : "missingBuffers"].push(name);
    }
    for (const [t, values] of copies) {
      if (t instanceof Tensor) t.copyFrom(values);
      else t.write(values);
    }
    return report;
  }

  /** Sets the gradients of all parameters to null; their buffers are kept for the next gradients. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  /**
   * Sets this module and all inner modules to training mode, or with false to evaluation mode. Returns the module
   * itself.
   *
   * @throws TypeError unless the mode is a boolean, or if a frozen module would have to change its mode.
   */
  train(mode = true): this {
    if (typeof mode !== "boolean") throw wrongType("train", "mode as true or false", mode);
    const changing = this.namedModules().filter(([, module]) => module.training !== mode);
    for (const [name, module] of changing) checkChangeable("train", name || this.constructor.name, module);
    for (const [, module] of changing) module.training = mode;
    return this;
  }

  /** Sets this module and all inner modules to evaluation mode. Returns the module itself. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Runs fn with all modules in evaluation mode, then restores the mode of each. Returns the result of fn.
   *
   * @throws TypeError for anything but a function.
   */
  evaluating<R>(fn: () => R): R {
    functionOf("evaluating", "fn", fn);
    const modes = this.namedModules().map(([, module]) => [module, module.training] as const);
    this.eval();
    try {
      return fn();
    } finally {
      for (const [module, mode] of modes) if (module.training !== mode) module.training = mode;
    }
  }

  /**
   * Frees parameters, buffers and compiled steps of this module and all inner modules. A second call does nothing.
   * Tensors and modules that also belong to `others` are kept: pass the networks that still use layers or parameters of
   * this one. A later use of a freed tensor throws an Error. Optimizers and streams have their own memory and their own
   * `dispose`.
   *
   *     const before = memoryStats().live;
   *     const model = new Sequential(new Linear(784, 100), new LIF());
   *     model.dispose();
   *     memoryStats().live === before;
   *
   * @throws TypeError for others that are not modules; Error inside of `gradcheck`. Errors are thrown before anything is freed.
   */
  dispose(...others: Module[]): void {
    const kept = new Set<object>(others);
    for (const other of others) for (const [, value] of moduleOf("dispose", other).found()) kept.add(value);
    for (const [, t] of this.arraysOfState()) if (!kept.has(t)) t.dispose();
    for (const [, module] of this.namedModules()) if (!kept.has(module)) module.forgetSteps?.();
  }

  /**
   * Releases compiled steps. Absent in layers without such steps.
   *
   * @internal
   */
  forgetSteps?(): void;

  /**
   * The tree of modules: for each its name, class, features or shapes of its own parameters, and number of parameters.
   *
   *     Sequential(
   *       (0): Linear(8 → 16, 144 parameters)
   *       (1): LIF()
   *     )
   *     String(layer) prints a neuron's equations
   *
   * Neurons print their equations instead.
   */
  toString(): string {
    const parts = modulesOf(this);
    const isHinted = parts.some(({ module }) => module.printsEquations);
    return treeOf(parts) + (isHinted ? "\nString(layer) prints a neuron's equations" : "");
  }

  /**
   * Whether `String` prints equations instead of the tree.
   *
   * @internal
   */
  get printsEquations(): boolean {
    return this.toString !== Module.prototype.toString;
  }

  /**
   * `toString` for `console.log` of Node and Deno.
   *
   * @internal
   */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Every object in fields, in fields of inner modules and in lists, each once, with its name. */
  private found(): [string, object][] {
    const found: [string, object][] = [];
    const seen = new Set<unknown>([this]);
    const walk = (prefix: string, entries: Iterable<[string | number, unknown]>): void => {
      for (const [key, value] of entries) {
        if (typeof value !== "object" || value === null || seen.has(value)) continue;
        seen.add(value);
        const name = prefix + key;
        if (isForeign(value)) throw wrongType("Module", `${name} as ${OWN}`, value);
        found.push([name, value]);
        if (value instanceof Module) walk(`${name}.`, value.fields());
        else if (Array.isArray(value)) walk(`${name}.`, value.entries());
      }
    };
    walk("", this.fields());
    return found;
  }
}

/** Throws for a frozen module; errors call it `name`. */
export function checkChangeable(where: string, name: string, module: object): void {
  if (Object.isExtensible(module)) return;
  throw new TypeError(`${where}: expected no frozen module, got ${name}`);
}

const isState = (value: object): value is Tensor => value instanceof Tensor && (value.isParameter || value.isBuffer);

const LOAD = "loadStateDict";

const LOAD_DEFAULTS = { strict: true };

const ANY: Loading = {};

/** A copy of a state's values for t, after a check of shape and limits. */
function valuesOf(name: string, entry: unknown, t: Tensor | StoredArray, limits: Range | undefined): Float32Array {
  const where = `${LOAD}: ${name}`;
  const isTensor = t instanceof Tensor;
  if (isTensor) alive(t, where);
  const shapes = isTensor ? [t.sizes] : t.shapes();
  // Reads the data of a tensor without a call of `data`, which would return a view.
  const { shape, data } =
    entry instanceof Tensor
      ? { shape: entry.sizes, data: entry.toFloat32Array() }
      : (objectOf(where, "an array { shape, data }", entry) as unknown as ArrayEntry);
  const sizes = sizesOf(where, shape);
  const fits = shapes.some((shape) => sameShape(sizes, shape));
  ensure(fits, where, `expected shape ${shapes.map(formatShape).join(" or ")}`, sizes);
  const values = new Float32Array(numbersOf(where, "an array of numbers", data));
  const size = sizeOf(sizes);
  ensure(values.length === size, where, `expected ${size} values`, values.length);
  if (limits !== undefined) for (const value of values) numberOf(LOAD, name, value, limits);
  return values;
}

/** For each error: the module whose `forward` first threw it, and its message then. */
const sources = new WeakMap<Error, [module: Module, message: string]>();

/**
 * Puts path and class of a module in front of an error's message: those of the innermost module whose `forward` threw
 * it. Containers call this for errors of the modules that they run, with the module's path.
 */
export function locate(error: unknown, path: string, module: Module): unknown {
  if (!(error instanceof Error) || !Object.getOwnPropertyDescriptor(error, "message")?.writable) return error;
  // V8 copies the message into the stack when the stack is first read, and Node prints the stack.
  const { message, stack } = error;
  let [source, said] = sources.get(error) ?? [module, message];
  const within = module.namedModules().find(([, inner]) => inner === source)?.[0];
  // The same error object was thrown before, by an unrelated module.
  if (within === undefined) [source, said] = [module, message];
  sources.set(error, [source, said]);
  const full = [path, within].filter(Boolean).join(".");
  if (full) error.message = `at ${full} (${source.constructor.name}): ${said}`;
  error.stack = stack?.replace(message, () => error.message) as string;
  return error;
}

const OWN = "a module or a parameter of this copy of jarvis-snn";

/** Whether a value is a module or parameter of a different copy of the package, or a parameter posted by another thread. */
function isForeign(value: object): boolean {
  if (value instanceof Module || value instanceof Tensor) return false;
  return "namedState" in value || (value as { isParameter?: unknown }).isParameter === true;
}

/**
 * Returns the value if it is a module.
 *
 * @throws TypeError for anything else, such as a module of a different copy of the package.
 */
export function moduleOf(where: string, value: Module): Module {
  if (value instanceof Module && typeof value.forward === "function") return value;
  const isObject = typeOf(value) === "object";
  const { prototype, name } = Object(value) as { prototype?: unknown; name?: unknown };
  const hint = prototype instanceof Module ? `; write new ${name}(…)` : "";
  throw wrongType(where, isObject && isForeign(value) ? OWN : "a module with forward(x)", value, hint);
}
