/** Terms as a graph: what a term depends on, equal terms made one, and terms with others in the place of some. */
import { ELEMENT, type Expression, term } from "./expression.ts";

let searches = 0;

/**
 * Visits the terms that x depends on, arguments before their users: `enter` tells whether to go on to the arguments, after which
 * `leave` is called. A loop instead of recursion, since a step may be deeper than the stack of an engine is.
 */
export function walk(root: Expression, enter: (x: Expression) => boolean, leave: (x: Expression) => void): void {
  if (!enter(root)) return;
  const path = [root];
  const visited = [0];
  for (let top = 0; top >= 0; ) {
    const x = path[top] as Expression;
    const next = x.args[visited[top] as number];
    (visited[top] as number)++;
    if (next === undefined) {
      leave(x);
      top--;
    } else if (enter(next)) {
      path[++top] = next;
      visited[top] = 0;
    }
  }
}

/**
 * The terms that the roots depend on, arguments before their users; the search ends at the terms in `stops`. `stops` may
 * not search itself: terms remember the search that has found them, which is faster than a set.
 */
export function reachable(roots: Iterable<Expression>, stops?: (x: Expression) => boolean): Expression[] {
  const search = ++searches;
  const found: Expression[] = [];
  const enter = (x: Expression): boolean => {
    if (x.search === search) return false;
    x.search = search;
    if (!stops?.(x)) return true;
    found.push(x);
    return false;
  };
  const leave = (x: Expression) => found.push(x);
  for (const x of roots) walk(x, enter, leave);
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
  const enter = (x: Expression): boolean => {
    if (known.has(x)) return false;
    const z = replace(x);
    if (z !== undefined) known.set(x, finish(z));
    return z === undefined;
  };
  const leave = (x: Expression) => known.set(x, finish(onOthers(x, known)));
  return (x) => {
    let z = known.get(x);
    if (z === undefined) {
      walk(x, enter, leave);
      z = known.get(x) as Expression;
    }
    return z;
  };
}

/** The term on the terms that are known to stand for its arguments; itself, where they stay. */
function onOthers(x: Expression, known: ReadonlyMap<Expression, Expression>): Expression {
  let others: Expression[] | null = null;
  for (let i = 0; i < x.args.length; i++) {
    const y = x.args[i] as Expression;
    const z = known.get(y) as Expression;
    if (z === y) continue;
    others ??= [...x.args];
    others[i] = z;
  }
  return others === null ? x : term(x.owner, x.op, others, x.attr);
}
