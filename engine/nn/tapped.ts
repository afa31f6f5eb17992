/** A look into a running model: watchers see each call of its modules, and may replace its result. */
import type { Tensor } from "../tensor.ts";
import { checkChangeable, type Module } from "./module.ts";

const METHODS = ["forward", "unroll", "step"] as const;

type Method = (typeof METHODS)[number];

/** A call of a module. */
interface Call {
  readonly method: Method;
  readonly x: unknown;
  /** The state that the call goes on from; undefined without one. */
  readonly state: unknown;
  /** Makes the call, or one of another method with the same arguments. Returns the result. */
  run(method?: Method): unknown;
}

/** Sees the calls of a module: makes each by `call.run()`, and returns the result that the caller gets. */
export type Watcher = (call: Call) => unknown;

/** Sees the runs of layers of neurons, in fields of the model or not, and the tensors that layers written by hand show. */
export interface LayerTap {
  /**
   * Runs a layer by `run`, once, over a current [T, B, …]; `run` gives the outputs by name. `continues`: the run goes on from a
   * state that the caller has, as each time step does.
   */
  run<R extends object>(layer: Module, current: Tensor, continues: boolean, run: (current: Tensor) => R): R;
  /** Takes the tensors that a layer shows, by name. */
  see(layer: Module, seen: object): void;
}

/** A look into a model that runs. */
export interface Tap {
  /** The watcher of a module of the model, null for a module that nobody looks at. */
  readonly calls?: (module: Module, path: string) => Watcher | null;
  readonly layers?: LayerTap;
}

/** The tap of all layers that run now, which each compares with null. */
export let layerTap: LayerTap | null = null;

/**
 * Runs fn while `tap` sees the calls of forward, unroll and step of modules within the model: a module with a watcher has methods of its own
 * for that time, and gets those that it had before back, after an error too. Taps may stand in each other, and modules without a
 * watcher run as always. Returns the result of fn.
 *
 * @throws TypeError for a frozen module with a watcher.
 */
export function tapped<R>(model: Module, { calls, layers }: Tap, fn: () => R): R {
  const undo: (() => void)[] = [];
  try {
    for (const [path, module] of calls === undefined ? [] : model.namedModules()) {
      const watch = calls?.(module, path) ?? null;
      if (watch !== null) undo.push(...watched(module, watch));
    }
    return layers === undefined ? fn() : under(layers, fn);
  } finally {
    for (const restore of undo.reverse()) restore();
  }
}

/** Runs fn, in which no tap sees layers. Returns the result of fn. */
export const untapped = <R>(fn: () => R): R => under(null, fn);

function under<R>(next: LayerTap | null, fn: () => R): R {
  const before = layerTap;
  layerTap = next;
  try {
    return fn();
  } finally {
    layerTap = before;
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
