/** Terms as a graph: what a term depends on, equal terms made one, and terms with others in the place of some. */
import { ELEMENT, type Expression, term } from "./expression.ts";

/** The terms that the roots depend on, arguments before what uses them; behind those that `stops` names nothing is looked for. */
export function reachable(roots: Iterable<Expression>, stops?: (x: Expression) => boolean): Set<Expression> {
  const found = new Set<Expression>();
  const visit = (x: Expression): void => {
    if (found.has(x)) return;
    if (!stops?.(x)) for (const y of x.args) visit(y);
    found.add(x);
  };
  for (const x of roots) visit(x);
  return found;
}

/** How many operations on elements it takes to compute x from what is given. */
export const workOf = (x: Expression, isGiven: (y: Expression) => boolean): number =>
  [...reachable([x], isGiven)].filter((y) => y.level === ELEMENT && !isGiven(y)).length;

/** A function that finds for a term the one that stands for all equal to it; first `replace` may put another in its place. */
export function sharing(replace?: (x: Expression) => Expression | undefined): (x: Expression) => Expression {
  const table = new Map<string, Expression>();
  return rewriting(replace, (x) => {
    const key = `${x.op} ${Object.is(x.attr, -0) ? "-0" : x.attr} ${x.level} ${x.args.map((y) => y.id)}`;
    const found = table.get(key);
    if (found === undefined) table.set(key, x);
    return found ?? x;
  });
}

/** A function that puts other terms in the place of those that `replace` knows, down to the leaves. */
export function rewriting(
  replace: (x: Expression) => Expression | undefined = () => undefined,
  finish: (x: Expression) => Expression = (x) => x,
): (x: Expression) => Expression {
  const known = new Map<Expression, Expression>();
  const rewrite = (x: Expression): Expression => {
    let z = known.get(x);
    if (z === undefined) {
      z = finish(replace(x) ?? onOthers(x, x.args.map(rewrite)));
      known.set(x, z);
    }
    return z;
  };
  return rewrite;
}

/** The term on other arguments; itself, where they are the same. */
function onOthers(x: Expression, args: readonly Expression[]): Expression {
  return args.every((y, i) => y === x.args[i]) ? x : term(x.owner, x.op, args, x.attr);
}
