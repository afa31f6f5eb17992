/**
 * Reverse mode: the terms of gradients, from those of values.
 *
 * The formulas, the order in which contributions are added and their roundings are those of the tape: what reached a value
 * first stands first in the sum, and terms are taken from the newest to the oldest, as backward.ts takes records. So the
 * gradient of a compiled step and that of the same step on tensors agree to the bit. (But for the sign of a zero: a tape adds
 * some first contributions to 0.)
 */
import { constant, ELEMENT, type Expression, isZero, languageOf, term } from "./expression.ts";
import { formulaOf } from "./formulas.ts";
import { reachable } from "./graph.ts";

/** A value and a gradient that reaches it from outside. */
export type Seed = readonly [value: Expression, gradient: Expression];

/**
 * The gradients of the terms that the seeds depend on, as far as parameters: what follows from these alone counts as one. The
 * contributions of the seeds come first, in their order.
 */
export function gradientTerms(seeds: readonly Seed[]): Map<Expression, Expression> {
  const gradients = new Map<Expression, Expression>();
  const add = (x: Expression, contribution: Expression): void => {
    const sum = gradients.get(x);
    if (sum === undefined) gradients.set(x, contribution);
    else if (!isZero(contribution)) gradients.set(x, sum.add(contribution) as Expression);
  };
  for (const [x, gradient] of seeds) add(x, gradient);
  const values = reachable(
    seeds.map(([x]) => x),
    (x) => x.op === "detach" || x.level < ELEMENT,
  );
  for (const z of values.sort((x, y) => y.id - x.id)) {
    const g = gradients.get(z);
    if (g === undefined || z.level < ELEMENT) continue;
    const formula = formulaOf(z);
    if (formula === null) passOn(z, g, add as (x: Expression, contribution: unknown) => void);
    else {
      // The kernel adds in float64 to what is there.
      const x = z.args[0] as Expression;
      const sum = gradients.get(x) ?? constant(z.owner, 0);
      gradients.set(x, term(z.owner, `${z.op}Grad`, [sum, g, x], z.attr));
    }
  }
  return gradients;
}

/** Adds what the gradient g of z contributes to those of its arguments. */
function passOn(z: Expression, g: Expression, add: (x: Expression, contribution: unknown) => void): void {
  const [x, y, w] = z.args as [Expression, Expression, Expression];
  const { where } = languageOf(z.owner);
  const one = constant(z.owner, 1);
  const unlessLost = (lost: unknown, tie: unknown) =>
    where(lost as Expression, 0, g).mul(where(tie as Expression, 0.5, 1));
  switch (z.op) {
    case "add":
      add(y, g);
      return add(x, g);
    case "sub":
      add(y, g.neg());
      return add(x, g);
    case "mul":
      add(x, g.mul(y));
      return add(y, g.mul(x));
    case "div":
      add(x, g.div(y));
      return add(y, g.mul(z).div(y).neg());
    case "neg":
      return add(x, g.neg());
    case "square":
      return add(x, g.mul(x.add(x)));
    case "sqrt":
      return add(x, g.div(z.add(z)));
    case "exp":
      return add(x, g.mul(z));
    case "log":
      return add(x, g.div(x));
    case "tanh":
      return add(x, g.mul(one.sub(z).mul(one.add(z))));
    case "sigmoid":
      return add(x, g.mul(z.mul(one.sub(z))));
    case "abs":
      return add(x, where(x.gt(0), g, 0).sub(where(x.lt(0), g, 0)));
    case "relu":
      return add(x, where(z.le(0), 0, g));
    case "clamp":
      return add(x, where(x.ge(y), where(x.le(w), g, 0), 0));
    case "maximum":
      add(x, unlessLost(x.lt(y), x.eq(y)));
      return add(y, unlessLost(y.lt(x), y.eq(x)));
    case "minimum":
      add(x, unlessLost(x.gt(y), x.eq(y)));
      return add(y, unlessLost(y.gt(x), y.eq(x)));
    case "floor":
    case "round":
    case "sign":
      // Not nothing: 0 times an infinite derivative is NaN.
      return add(x, constant(z.owner, 0));
    case "select":
      add(x, g.mul(y.sub(w)));
      add(y, where(x, g, 0));
      return add(w, where(x, 0, g));
    case "where":
      add(y, where(x, g, 0));
      return add(w, where(x, 0, g));
    case "spike":
      return add(x, g.mul(y));
  }
}
