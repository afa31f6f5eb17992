/** Terms as a graph: what a term depends on, equal terms made one, and terms with others in the place of some. */
import { ELEMENT, type Expression, term } from "./expression.ts";

let searches = 0;

/**
 * The terms that the roots depend on, arguments before their users; the search ends at the terms in `stops`. `stops` may
 * not search itself: terms remember the search that has found them, which is faster than a set.
 */
export function reachable(roots: Iterable<Expression>, stops?: (x: Expression) => boolean): Expression[] {
  const search = ++searches;
  const found: Expression[] = [];
  const visit = (x: Expression): void => {
    if (x.search === search) return;
    x.search = search;
    // By index: most steps are compiled once, and code that was never optimised makes two objects for each turn of an iterator.
    if (!stops?.(x)) for (let i = 0; i < x.args.length; i++) visit(x.args[i] as Expression);
    found.push(x);
  };
  for (const x of roots) visit(x);
  return found;
}

/** How many operations on elements it takes to compute x from what is given. */
export const workOf = (x: Expression, isGiven: (y: Expression) => boolean): number =>
  reachable([x], isGiven).filter((y) => y.level === ELEMENT && !isGiven(y)).length;

/** A function that finds for a term the one that stands for all equal to it; first `replace` may put another in its place. */
export function sharing(replace?: (x: Expression) => Expression | undefined): (x: Expression) => Expression {
  const table = new Map<string, Expression>();
  return rewriting(replace, (x) => {
    const { op, attr, level, args } = x;
    const key = `${op} ${Object.is(attr, -0) ? "-0" : attr} ${level} ${args[0]?.id} ${args[1]?.id} ${args[2]?.id}`;
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
      z = finish(replace(x) ?? onOthers(x, rewrite));
      known.set(x, z);
    }
    return z;
  };
  return rewrite;
}

/** The term on what its arguments become; itself, where they stay. */
function onOthers(x: Expression, rewrite: (y: Expression) => Expression): Expression {
  let others: Expression[] | null = null;
  for (let i = 0; i < x.args.length; i++) {
    const y = x.args[i] as Expression;
    const z = rewrite(y);
    if (z === y) continue;
    others ??= [...x.args];
    others[i] = z;
  }
  return others === null ? x : term(x.owner, x.op, others, x.attr);
}
