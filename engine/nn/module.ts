/** The base of all layers and networks: parameters and buffers by their paths, states, modes, traits and `dispose`. */
import type { Range } from "../arguments.ts";
import { ensure, functionOf, numberOf, numbersOf, objectOf, typeOf, withDefaults, wrongType } from "../arguments.ts";
import { formatShape, type Shape, sameShape, sizeOf, sizesOf } from "../shape.ts";
import { alive, Tensor } from "../tensor.ts";
import { modulesOf, treeOf } from "./tree.ts";

/** A typed array of a kind that files hold. */
export type NumberArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array;

/** An array of numbers of any kind. */
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

/** Arrays by name: the state of a module. */
export type StateDict = Record<string, StateEntry>;

/** Arrays by name, as `Module.loadStateDict` and `saveSafetensors` take them. */
export type NamedArrays = Record<string, Tensor | ArrayEntry>;

/** Options of {@link Module.loadStateDict}. */
export interface LoadOptions {
  /** Whether parameters that the state lacks, and names that the module lacks, are errors; default true. */
  strict?: boolean;
}

/** The names that {@link Module.loadStateDict} has found on one side alone, or whose values it has changed. */
export interface LoadReport {
  /** Parameters that the state lacks: they keep their values. None where strict. */
  missingKeys: string[];
  /** Buffers that the state lacks: they keep their values. */
  missingBuffers: string[];
  /** Names of the state that the module lacks; none where strict. */
  unexpectedKeys: string[];
  /** Parameters that did not take the values of the state: weights of connections that the layer has not are 0. */
  adjustedKeys: string[];
}

/**
 * An array of the state of a module that is no tensor, such as integers of eight bits. States have its values as float32; a state without
 * it is as one without a parameter.
 *
 * @internal
 */
export interface StoredArray extends Loading {
  readonly isStored: true;
  /**
   * The shapes that it may have.
   *
   * @throws Error for an array that was freed.
   */
  shapes(): readonly Shape[];
  read(): StateEntry;
  write(values: Float32Array): void;
  dispose(): void;
}

/** The values that a parameter or a buffer may take from a state. */
export interface Loading {
  /** The numbers that it may hold. */
  readonly range?: Range;
  /** Changes loaded values into those that it may hold. Returns whether some have changed. */
  readonly adjust?: (values: Float32Array) => boolean;
}

/**
 * The property of a `forward` of the package.
 *
 * - `pure`: a call can be recorded once and replayed, and its output be overwritten. In evaluation mode `forward` runs the same ops for every x
 *   of a shape, on the parameters themselves, not on copies, and neither the layer nor its backward pass reads the output again
 * - `product`: pure, one op, a product of x with `weightOf` the layer; a learning rule can give this op another input for ∂L/∂weight
 * - `weighted`: the weight is read by `weightOf`, so that masks and grids count
 * - `stepwise`: in evaluation mode each step of a sequence is computed by itself, as in pure layers
 * - `written`: none of these
 */
export type Trait = "pure" | "product" | "weighted" | "stepwise" | "written";

/** The trait of the `forward` of a class, and the function that has it. */
export interface Traits {
  readonly kind: { readonly prototype: Module; traits?: Traits };
  readonly forward: Module["forward"];
  readonly trait: Trait;
}

/**
 * The trait of a class, whose constructor passes it to Module's. The trait names the `forward` that the class has when
 * its file is loaded: a function that replaces this later, on the prototype too, has no trait, and may keep its
 * argument and its result.
 */
export const traitsOf = (kind: Traits["kind"], trait: Trait): Traits => ({
  kind,
  forward: kind.prototype.forward,
  trait,
});

/** The trait of the `forward` of a module; null for a class without one, and for a subclass with a `forward` of its own. */
export function traitOf(module: Module): Trait | null {
  const { traits } = module.constructor as typeof Module;
  return traits !== undefined && traits.forward === module.forward ? traits.trait : null;
}

/**
 * A layer or a network. Its parameters are the fields that `parameter()` made, and the parameters of the modules in its
 * fields, in the order of their declaration; names are the paths to them, as in PyTorch: `fc1.weight`, `0.bias`. A
 * field that is a list counts with its elements. A subclass declares them and computes the output in `forward`.
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
   * Whether `forward` computes each step of a sequence [T, B, …] by itself in evaluation mode. A class whose `forward` computes
   * each step by itself sets `stateless` to true, and a Stream runs the class:
   *
   *     class Gate extends Module {
   *       static stateless = true; // with noImplicitOverride: static override readonly stateless = true
   *       forward(x) { return x.mul(0.5).relu(); }
   *     }
   *
   * The value counts for the `forward` of this class, a method: a subclass with another `forward` sets it again. Default: not
   * known.
   */
  static readonly stateless?: boolean;

  /**
   * The trait of the `forward` of a class of the package.
   *
   * @internal
   */
  static traits?: Traits;

  /** True while training, the default; layers such as Dropout behave differently then. */
  training = true;

  /** The output for x; each class tells its shapes and errors. */
  abstract forward(x: Tensor): Tensor;

  /**
   * `traits` of a class of the package, which are kept for the class.
   *
   * @internal
   */
  constructor(traits?: Traits) {
    if (traits !== undefined) traits.kind.traits = traits;
  }

  /**
   * Whether `forward` can be recorded once and replayed, and its output be overwritten; false where another function has taken its place.
   *
   * @internal
   */
  get isPure(): boolean {
    const trait = traitOf(this);
    return trait === "pure" || trait === "product";
  }

  /**
   * The values that t, a parameter or buffer of the module, may take from a state; undefined for all, and for tensors of other modules.
   *
   * @internal
   */
  loadingOf?(t: Tensor): Loading | undefined;

  /**
   * Whether `forward` mixes the steps of a sequence, in evaluation mode too. Layers that never do have no such method.
   *
   * @internal
   */
  mixesSteps?(): boolean;

  /**
   * `forward` that may write over x, since no other reader of x is left. Layers that cannot make use of that have none.
   *
   * @internal
   */
  forwardOver?(x: Tensor): Tensor;

  /** The fields that can hold parameters and modules, with their names. */
  protected fields(): Iterable<[string, unknown]> {
    return Object.entries(this);
  }

  /**
   * Pairs of the name and the parameter. A shared parameter appears once, under its first name.
   *
   * @throws TypeError for a module or a parameter of another copy of the package, or posted by another thread, in a field:
   *   its memory is another one. So do all methods that look for modules and parameters.
   */
  namedParameters(): [string, Tensor][] {
    return this.namedState().filter(([, t]) => t.isParameter);
  }

  /**
   * Parameters and buffers.
   *
   * @internal
   */
  namedState(): [string, Tensor][] {
    return this.found().filter((each): each is [string, Tensor] => isState(each[1]));
  }

  /** The same, with arrays that are no tensors. */
  private arraysOfState(): [string, Tensor | StoredArray][] {
    return this.found().filter((each): each is [string, Tensor | StoredArray] => {
      return isState(each[1]) || "isStored" in each[1];
    });
  }

  /** All parameters, each once, in the order of {@link Module.namedParameters}. */
  parameters(): Tensor[] {
    return this.namedParameters().map(([, t]) => t);
  }

  /** Pairs of the name and the module: this module, under the empty name, and all within. A shared module appears once. */
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
   * Overwrites the parameters and buffers with the values of a state, arrays or tensors by name. Returns the names that
   * the state or the module alone has, and names of parameters that cannot have the values of the state.
   *
   * A buffer that the state lacks keeps its value: states of earlier versions, and of other packages, have fewer buffers. With
   * `strict: false`, default true, parameters may be missing too, and names of the state that the module lacks are left out.
   *
   * @throws RangeError for shapes or numbers of values that do not fit this module, a fixed value that the layer
   *   refuses, such as β outside of [0, 1], and where strict for names that the module lacks; TypeError for anything
   *   but a state, for an unknown option, and where strict for a missing parameter. Nothing is written then.
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

  /** Sets the gradients of all parameters to null; their buffers are kept for the next ones. */
  zeroGrad(): void {
    for (const p of this.parameters()) p.zeroGrad();
  }

  /**
   * Puts this module and all within into training mode, the default, or with false into evaluation mode. Returns the module
   * itself.
   *
   * @throws TypeError unless the mode is true or false, and for a frozen module in another mode.
   */
  train(mode = true): this {
    if (typeof mode !== "boolean") throw wrongType("train", "mode as true or false", mode);
    const changing = this.namedModules().filter(([, module]) => module.training !== mode);
    for (const [name, module] of changing) checkChangeable("train", name || this.constructor.name, module);
    for (const [, module] of changing) module.training = mode;
    return this;
  }

  /** Puts this module and all within into evaluation mode. Returns the module itself. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Runs fn with all modules in evaluation mode, then gives each the mode that it had. Returns the result of fn.
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
   * Frees the parameters and buffers of this module and of all modules within, and lets go of the steps that were compiled for them; again, it
   * does nothing. Tensors and modules in the fields of `others` stay as they are: name the networks that go on with layers or
   * parameters of this one. A later use of a freed tensor is an Error. Optimizers and streams have memory, and a
   * `dispose`, of their own.
   *
   *     const before = memoryStats().live;
   *     const model = new Sequential(new Linear(784, 100), new LIF());
   *     model.dispose();
   *     memoryStats().live === before;
   *
   * @throws TypeError for others that are no modules; Error inside of `gradcheck`. Nothing is freed then.
   */
  dispose(...others: Module[]): void {
    const kept = new Set<object>(others);
    for (const other of others) for (const [, value] of moduleOf("dispose", other).found()) kept.add(value);
    for (const [, t] of this.arraysOfState()) if (!kept.has(t)) t.dispose();
    for (const [, module] of this.namedModules()) if (!kept.has(module)) module.forgetSteps?.();
  }

  /**
   * Lets go of compiled steps. Layers without such steps have no such method.
   *
   * @internal
   */
  forgetSteps?(): void;

  /**
   * The tree of the modules: the name and the class of each, its features or the shapes of its own parameters, and how many these are.
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
   * Whether `String` gives equations instead of the tree.
   *
   * @internal
   */
  get printsEquations(): boolean {
    return this.toString !== Module.prototype.toString;
  }

  /**
   * The same for `console.log` of Node and Deno.
   *
   * @internal
   */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Every object in the fields, once each, and in fields of modules and in lists within, with its name. */
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

/** Throws for a module that is frozen, called `name` in the error. */
export function checkChangeable(where: string, name: string, module: object): void {
  if (Object.isExtensible(module)) return;
  throw new TypeError(`${where}: expected no frozen module, got ${name}`);
}

const isState = (value: object): value is Tensor => value instanceof Tensor && (value.isParameter || value.isBuffer);

const LOAD = "loadStateDict";

const LOAD_DEFAULTS = { strict: true };

const ANY: Loading = {};

/** A copy of the values that a state has for t, after a check of their shape. */
function valuesOf(name: string, entry: unknown, t: Tensor | StoredArray, limits: Range | undefined): Float32Array {
  const where = `${LOAD}: ${name}`;
  const isTensor = t instanceof Tensor;
  if (isTensor) alive(t, where);
  const shapes = isTensor ? [t.sizes] : t.shapes();
  // The data of a tensor are read without giving out a view.
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

/** The modules whose `forward` threw an error first, with its message at that time. */
const sources = new WeakMap<Error, [module: Module, message: string]>();

/**
 * The error, which the `forward` of a module at this path of a container has thrown; its message begins with the path and the class of
 * the innermost module that threw it. A container calls this where it has caught an error of a module that it runs.
 */
export function locate(error: unknown, path: string, module: Module): unknown {
  if (!(error instanceof Error) || !Object.getOwnPropertyDescriptor(error, "message")?.writable) return error;
  // V8 puts the message into the stack, at the latest when it is first read, and Node prints the stack.
  const { message, stack } = error;
  let [source, said] = sources.get(error) ?? [module, message];
  const within = module.namedModules().find(([, inner]) => inner === source)?.[0];
  // The error was thrown before, by a module elsewhere.
  if (within === undefined) [source, said] = [module, message];
  sources.set(error, [source, said]);
  const full = [path, within].filter(Boolean).join(".");
  if (full) error.message = `at ${full} (${source.constructor.name}): ${said}`;
  error.stack = stack?.replace(message, () => error.message) as string;
  return error;
}

const OWN = "a module or a parameter of this copy of jarvis-snn";

/** Whether it is a module or a parameter of another copy of the package, or a parameter that another thread has posted. */
function isForeign(value: object): boolean {
  if (value instanceof Module || value instanceof Tensor) return false;
  return "namedState" in value || (value as { isParameter?: unknown }).isParameter === true;
}

/**
 * The value, a module.
 *
 * @throws TypeError for anything else, such as a module of another copy of the package.
 */
export function moduleOf(where: string, value: Module): Module {
  if (value instanceof Module && typeof value.forward === "function") return value;
  const isObject = typeOf(value) === "object";
  const { prototype, name } = Object(value) as { prototype?: unknown; name?: unknown };
  const hint = prototype instanceof Module ? `; write new ${name}(…)` : "";
  throw wrongType(where, isObject && isForeign(value) ? OWN : "a module with forward(x)", value, hint);
}
