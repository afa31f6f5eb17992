/**
 * Evaluates terms from the values of their leaves. Also a cache of results, and the polynomial of 2ˣ. Compiled steps
 * and the step on tensors both use this file; pages without the compiler load it too.
 */
import type { Expression } from "./terms.ts";

/** Functions by term name, for terms that are not a method of their first argument. */
export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

/** Makes a function that computes terms. Values of leaves are given by name. */
export function evaluation(
  leaves: Readonly<Record<string, unknown>>,
  functions: Functions,
): (x: Expression) => unknown {
  const known = new Map<Expression, unknown>();
  const resultOf = (x: Expression): unknown =>
    once(known, x, () => (x.op.isGiven ? leaves[x.attr] : evaluated(x, resultOf, functions)));
  return resultOf;
}

function evaluated(
  { op, args, attr }: Expression,
  resultOf: (x: Expression) => unknown,
  functions: Functions,
): unknown {
  // Numbers are passed as numbers, except a first operand, whose method is called.
  const values = args.map((y, i) => (i > 0 && y.op.name === "constant" ? y.attr : resultOf(y)));
  if (op.takesAttr) values.push(attr);
  const given = functions[op.name];
  if (given !== undefined) return given(...(values as never[]));
  const [first, ...others] = values;
  return Reflect.get(first as object, op.name).apply(first, others);
}

/**
 * Largest number of cached plans or compiled modules, since address space for modules is limited; more than a program
 * uses.
 */
const MOST = 256;

/** The result of `make` for the key; made once. */
export function once<Key, X>(known: Map<Key, X>, key: Key, make: () => X): X {
  let x = known.get(key);
  if (x === undefined) {
    x = make();
    known.set(key, x);
  }
  return x;
}

/** `once` in a bounded cache, which drops the oldest results. */
export const remembered = <X>(known: Map<string, X>, key: string, make: () => X): X =>
  once(known, key, () => {
    const x = make();
    for (const oldest of known.keys()) {
      if (known.size < MOST) break;
      known.delete(oldest);
    }
    return x;
  });

/** Minimax fit of 2ᶠ for |f| ≤ ½, the constant first. */
export const POWER_TERMS = [0.9999993, 0.6931218, 0.24024744, 0.05591786, 0.009570102] as const;
export const POWER_LOWEST = -64;
