/**
 * The evaluation of terms from the values of their leaves, a cache of results, and the polynomial of 2ˣ. Compiled steps and the step on
 * tensors share this file, and a page without the compiler loads it too.
 */
import type { Expression } from "./terms.ts";

/** Functions by the names of terms, for those that are no method of the first argument. */
export type Functions = Readonly<Record<string, (...values: never[]) => unknown>>;

/** A function that computes terms from the values of leaves by their names. */
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
  // A number as a further operand stays one.
  const values = args.map((y, i) => (i > 0 && y.op.name === "constant" ? y.attr : resultOf(y)));
  if (op.takesAttr) values.push(attr);
  const given = functions[op.name];
  if (given !== undefined) return given(...(values as never[]));
  const [first, ...others] = values;
  return Reflect.get(first as object, op.name).apply(first, others);
}

/** The most results of a cache of plans or compiled modules: more than a program uses; the platform has little address space for modules. */
const MOST = 256;

/** The result of `make` for the key, made once. */
export function once<Key, X>(known: Map<Key, X>, key: Key, make: () => X): X {
  let x = known.get(key);
  if (x === undefined) {
    x = make();
    known.set(key, x);
  }
  return x;
}

/** The same in a cache: the oldest results leave a full one. */
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
