/**
 * A step with the derivatives of its outputs: what forward mode along time is made of.
 *
 * Reverse mode from each output alone gives a row of the Jacobian of a step. The rows become further outputs of the step, so that
 * values and derivatives are one compiled sweep with shared terms.
 */
import { gradientTerms } from "./derive.ts";
import { constant, type Expression, isZero, type Level, Term, type Value } from "./expression.ts";
import type { StepDefinition, Traced } from "./trace.ts";

/** The name of the output ∂output/∂x. */
export const derivativeOf = (output: string, x: string): string => `∂${output}/∂${x}`;

/**
 * The step that returns its states, these outputs, and ∂o/∂x for each of these outputs o and each of its inputs and states x: all
 * derivatives that may be other than 0, or those of them that `wanted` names. Detached values count as constants, and the derivative
 * of a spike is its surrogate's.
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
        // Outputs that are the same value have the same row.
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

/** The level of ∂output/∂x of a traced step: numbers, parameters or values that the derivative depends on; undefined where it is 0. */
export const levelOf = ({ outputs }: Traced, output: string, x: string): Level | undefined =>
  outputs.get(derivativeOf(output, x))?.level;
