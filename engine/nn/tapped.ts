/** Observes a running model: watchers see each call of its modules, and may replace the result. */
import type { Tensor } from "../core/tensor.ts";
import { checkChangeable, type Module } from "./module.ts";

const METHODS = ["forward", "unroll", "step"] as const;

type Method = (typeof METHODS)[number];

/** A call of a module. */
interface Call {
  readonly method: Method;
  readonly x: unknown;
  /** State from which the call continues; undefined without one. */
  readonly state: unknown;
  /** Makes the call, or calls a different method with the same arguments. Returns the result. */
  run(method?: Method): unknown;
}

/** Observes calls of a module. Must make each call by `call.run()`, and return the result for the caller. */
export type Watcher = (call: Call) => unknown;

/**
 * Observes runs of spiking layers, even of layers that are not in fields of the model, and tensors that users' layers
 * show.
 */
export interface LayerTap {
  /**
   * Must call `run` once, with the current [T, B, …]; `run` returns outputs by name. `continues`: the run starts from a
   * given state, as each single time step does.
   */
  run<R extends object>(layer: Module, current: Tensor, continues: boolean, run: (current: Tensor) => R): R;
  /** Receives the tensors that a layer shows, by name. */
  see(layer: Module, seen: object): void;
}

/** Observers of a running model. */
export interface Tap {
  /** Returns the watcher of a module; null if the module is not observed. */
  readonly calls?: (module: Module, path: string) => Watcher | null;
  readonly layers?: LayerTap;
}

/** The tap on layers that is active; null for none. Layers check it in each run. */
export let layerTap: LayerTap | null = null;

/**
 * Runs fn while `tap` observes calls of forward, unroll and step of the model's modules. A watched module temporarily
 * gets own methods, which are removed afterwards, even after an error. Taps may be nested. Returns the result of fn.
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

/** Runs fn without a tap on layers. Returns the result of fn. */
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

/** Routes the calls of a module through its watcher. Returns functions that restore the methods. */
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
