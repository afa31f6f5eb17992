/** A step with another value in the place of one of its own. */
import type { Expression, Value } from "./expression.ts";
import { rewriting } from "./graph.ts";

/**
 * The outputs of a traced step with z = make(x) in the place of x: all that the step has made of x is made of z, which
 * itself may be made of x.
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
