/** A program as data: leaves, and ops on what came before. It can be run on either side, cut down and printed. */
import { Tensor } from "../../engine/index.ts";
import { CALLS } from "./calls.ts";

/** A value of the program, by number. */
export class Ref {
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** What an op is called with. Numbers are float32 numbers: both sides then see the same. */
export type Arg =
  | Ref
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly Arg[]
  | { readonly [name: string]: Arg };

export interface Leaf {
  readonly kind: "constant" | "leaf" | "parameter";
  readonly ids: readonly [number];
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface Step {
  readonly kind: "step";
  readonly ids: readonly number[];
  readonly op: string;
  readonly args: readonly Arg[];
  /** Called as a method of the first argument. */
  readonly method: boolean;
  /** Runs in a scope of its own, which gives its results away without a gradient. */
  readonly within: "noGrad" | "tape" | null;
}

export type Item = Leaf | Step;

export interface Program {
  readonly seed: number;
  readonly items: readonly Item[];
}

/** The numbers of the values that an argument names. */
export function idsIn(arg: Arg): number[] {
  if (arg instanceof Ref) return [arg.id];
  return typeof arg === "object" && arg !== null ? Object.values(arg).flatMap(idsIn) : [];
}

export const inputsOf = (item: Item): number[] => (item.kind === "step" ? idsIn(item.args) : []);

/** The argument with tensors in the places of their numbers. */
export function resolve(arg: Arg, tensors: ReadonlyMap<number, Tensor>): unknown {
  if (arg instanceof Ref) return tensors.get(arg.id) as Tensor;
  if (Array.isArray(arg)) return arg.map((a) => resolve(a, tensors));
  if (typeof arg !== "object" || arg === null) return arg;
  return Object.fromEntries(Object.entries(arg).map(([name, a]) => [name, resolve(a, tensors)]));
}

/** Runs the op of a step; all tensors that it gives, in order. */
export function call({ op, method }: Step, args: readonly unknown[]): Tensor[] {
  const [first, ...rest] = args;
  if (!method) return tensorsIn((CALLS[op] as (...args: readonly unknown[]) => unknown)(...args));
  const fn = Reflect.get(first as Tensor, op) as (...args: readonly unknown[]) => unknown;
  return tensorsIn(fn.apply(first, rest));
}

function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return typeof result === "object" && result !== null ? Object.values(result).flatMap(tensorsIn) : [];
}

/** The items without some and without what depends on these. */
export function without(items: readonly Item[], removed: readonly Item[]): Item[] {
  const gone = new Set(removed.flatMap(({ ids }) => ids));
  return items.filter((item) => {
    if (removed.includes(item)) return false;
    const depends = inputsOf(item).some((id) => gone.has(id));
    if (depends) for (const id of item.ids) gone.add(id);
    return !depends;
  });
}

export const print = ({ items }: Program): string => items.map(printItem).join("\n");

const SHOWN = 16;

function printItem(item: Item): string {
  if (item.kind === "step") {
    const args = item.args.map(printArg);
    const text = item.method ? `${args[0]}.${item.op}(${args.slice(1).join(", ")})` : `${item.op}(${args.join(", ")})`;
    return `  ${item.ids.map((id) => `v${id}`).join(", ")} = ${item.within === null ? text : `${item.within}(() => ${text})`}`;
  }
  const shown = Array.from(item.values.subarray(0, SHOWN), String).join(", ");
  const more = item.values.length > SHOWN ? ", …" : "";
  return `  v${item.ids[0]} = ${item.kind} [${item.shape.join(", ")}]: ${shown}${more}`;
}

function printArg(arg: Arg): string {
  if (arg instanceof Ref) return `v${arg.id}`;
  if (Array.isArray(arg)) return `[${arg.map(printArg).join(", ")}]`;
  if (typeof arg !== "object" || arg === null) return typeof arg === "string" ? JSON.stringify(arg) : String(arg);
  return `{ ${Object.entries(arg)
    .map(([name, a]) => `${name}: ${printArg(a)}`)
    .join(", ")} }`;
}
