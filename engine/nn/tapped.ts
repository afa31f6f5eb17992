/** A look into a running model: each call of its modules is seen, and another result may take the place of the one that it had. */
import { checkChangeable, type Module } from "./module.ts";

const METHODS = ["forward", "unroll", "step"] as const;

export type Method = (typeof METHODS)[number];

/** A call of a module. */
export interface Call {
  readonly method: Method;
  readonly x: unknown;
  /** The state that the call goes on from; undefined without one. */
  readonly state: unknown;
  /** Makes the call, or one of another method with the same arguments. Returns the result. */
  run(method?: Method): unknown;
}

/** Sees the calls of a module: makes each by `call.run()`, and returns the result that the caller gets. */
export type Watcher = (call: Call) => unknown;

/** The watcher of a module of a model, null for a module that nobody looks at. */
export type Tap = (module: Module, path: string) => Watcher | null;

/**
 * Runs fn while the watchers of `tap` see the calls of forward, unroll and step of modules within the model: a module with a watcher has
 * methods of its own for that time, and gets those that it had before back, after an error too. Taps may stand in each other, and modules
 * without a watcher run as always. Returns what fn returns.
 *
 * @throws TypeError for a frozen module with a watcher.
 */
export function tapped<R>(model: Module, tap: Tap, fn: () => R): R {
  const undo: (() => void)[] = [];
  try {
    for (const [path, module] of model.namedModules()) {
      const watch = tap(module, path);
      if (watch !== null) undo.push(...watched(module, watch));
    }
    return fn();
  } finally {
    for (const restore of undo.reverse()) restore();
  }
}

type Methods = Partial<Record<Method, (...args: readonly unknown[]) => unknown>>;

/** Lets the calls of a module go through its watcher. The results put the methods back. */
function watched(module: Module, watch: Watcher): (() => void)[] {
  const { forward, unroll, step } = module as Module & Methods;
  const before: Methods = { forward, unroll, step } as Methods;
  const present = METHODS.filter((method) => typeof before[method] === "function");
  return present.map((method) => {
    checkChangeable(method, module.constructor.name, module);
    const own = Object.getOwnPropertyDescriptor(module, method);
    const value = (...args: readonly unknown[]): unknown =>
      watch({ method, x: args[0], state: args[1], run: (other = method) => before[other]?.apply(module, args as []) });
    Object.defineProperty(module, method, { value, writable: true, enumerable: true, configurable: true });
    return () => {
      if (own === undefined) Reflect.deleteProperty(module, method);
      else Object.defineProperty(module, method, own);
    };
  });
}
