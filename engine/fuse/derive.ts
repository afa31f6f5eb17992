/**
 * Reverse mode: the terms of gradients, from the terms of values.
 *
 * Formulas, order of sums and roundings are those of the tape. Terms are visited from newest to oldest, as backward.ts
 * visits records; the first contribution to a value is the first operand of its sum. So a compiled step and the same
 * step on tensors have the same bits. One difference: within a step a gradient may be −0 where the tape, which adds
 * some first contributions to 0, has +0. Everything is linear in gradients, so this changes only signs of zeros;
 * gradients of leaves are never −0.
 */

import { ELEMENT, type Level } from "./layout.ts";
import { OPS } from "./operations.ts";
import type { Arguments, Expression, Value } from "./terms.ts";
import { constant, isZero, reachable, rewriting, Term, term } from "./terms.ts";
import type { StepDefinition, Traced } from "./trace.ts";

/** A value, and its gradient from outside. */
export type Seed = readonly [value: Expression, gradient: Expression];

/**
 * Gradients of all terms that the seeds depend on. The search ends at terms with `isEnd`, by default terms of only
 * parameters. Contributions of the seeds come first, in their order.
 */
export function gradientTerms(
  seeds: readonly Seed[],
  isEnd = (x: Expression): boolean => x.level < ELEMENT,
): Map<Expression, Expression> {
  const gradients = new Map<Expression, Expression>();
  const add = (x: Expression, contribution: Expression): void => {
    const sum = gradients.get(x);
    if (sum === undefined) gradients.set(x, contribution);
    else if (!isZero(contribution)) gradients.set(x, sum.add(contribution) as Expression);
  };
  for (const [x, gradient] of seeds) add(x, gradient);
  const values = reachable(
    seeds.map(([x]) => x),
    (x) => x.op === OPS.detach || isEnd(x),
  );
  for (const z of values.sort((x, y) => y.id - x.id)) {
    const g = gradients.get(z);
    if (g === undefined || isEnd(z)) continue;
    const { name, formula, gradient } = z.op;
    const number = (c: number) => constant(z.owner, c);
    if (formula === undefined) {
      const pairs = (gradient?.(g, z.args as unknown as Arguments, z, number) ?? []) as Expression[];
      for (let i = 0; i < pairs.length; i += 2) add(pairs[i] as Expression, pairs[i + 1] as Expression);
      continue;
    }
    // The kernel adds to the existing sum in float64.
    const x = z.args[0] as Expression;
    const sum = gradients.get(x) ?? constant(z.owner, 0);
    gradients.set(x, term(z.owner, { name: `${name}Grad`, of: z.op, isGradient: true }, [sum, g, x], z.attr));
  }
  return gradients;
}

/** Name of the output ∂output/∂x. */
export const derivativeOf = (output: string, x: string): string => `∂${output}/∂${x}`;

/**
 * A step that also returns ∂o/∂x, for these outputs o and every input and state x: all derivatives that may differ from
 * 0, or only those in `wanted`. Detached values count as constants; a spike's derivative is its surrogate.
 */
export function withDerivatives(
  definition: StepDefinition,
  outputs: readonly string[],
  wanted?: readonly string[],
): StepDefinition {
  const { inputs, states } = definition;
  return {
    ...definition,
    partial: true,
    step(argument) {
      const returned = definition.step(argument);
      const kept = Object.entries(returned).filter(([name]) => states.includes(name) || outputs.includes(name));
      const all: Record<string, Value | number> = Object.fromEntries(kept);
      const rows = new Map<Term, ReadonlyMap<Expression, Expression>>();
      for (const output of outputs) {
        const value = returned[output];
        if (!(value instanceof Term)) continue;
        // Equal outputs share a row of derivatives.
        const row = rows.get(value) ?? rowOf(value as Expression);
        rows.set(value, row);
        for (const x of [...inputs, ...states]) {
          const name = derivativeOf(output, x);
          if (wanted?.includes(name) === false) continue;
          const derivative = row.get((argument as unknown as Record<string, Expression>)[x] as Expression);
          if (derivative !== undefined && !isZero(derivative)) all[name] = derivative;
        }
      }
      return all;
    },
  };
}

const rowOf = (value: Expression): ReadonlyMap<Expression, Expression> =>
  gradientTerms([[value, constant(value.owner, 1)]]);

/** Level of ∂output/∂x of a traced step: numbers, parameters or values that the derivative depends on; undefined if it is 0. */
export const levelOf = ({ outputs }: Traced, output: string, x: string): Level | undefined =>
  outputs.get(derivativeOf(output, x))?.level;

/**
 * Returns the outputs of a traced step with every use of x replaced by z = make(x). `make` may use x.
 */
export function replaced(
  returned: Readonly<Record<string, Value | number>>,
  x: Value,
  make: (x: Value) => Value,
): Record<string, Value | number> {
  const lists = [(x as Expression).owner.comparisons, (x as Expression).owner.decided];
  const before = lists.map((list) => list.splice(0));
  const z = make(x) as Expression;
  const rewrite = rewriting((y) => (y === x ? z : undefined));
  for (const [i, list] of lists.entries()) list.push(...(before[i] as Expression[]).map(rewrite));
  const all = Object.entries(returned).map(([name, y]) => [name, typeof y === "number" ? y : rewrite(y as Expression)]);
  return Object.fromEntries(all);
}
