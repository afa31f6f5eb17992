/** Cuts a program down to what its finding needs. */
import { type Item, type Leaf, type Program, without } from "./program.ts";

/**
 * The smallest program that this finds for which `fails` still holds. `results` gives the tensors of a program as leaves:
 * a step can be replaced by what came out of it.
 */
export function minimise(
  { seed, items }: Program,
  fails: (program: Program) => boolean,
  results: (program: Program) => ReadonlyMap<number, Leaf>,
): Program {
  let rest = items;
  const attempt = (changed: readonly Item[]): void => {
    if (fails({ seed, items: changed })) rest = changed;
  };
  const replace = (item: Item, by: readonly Item[]): void =>
    attempt(rest.flatMap((other) => (other === item ? by : [other])));
  /** The last half of the items, then the first one, then quarters, and at last one by one: most of them go in few runs. */
  const drop = (): void => {
    for (let count = (rest.length + 1) >> 1; count > 0; count >>= 1) {
      for (let end = rest.length; end > 0; end -= count) {
        attempt(without(rest, rest.slice(Math.max(0, end - count), end)));
      }
    }
  };

  drop();
  const leaves = results({ seed, items: rest });
  for (const item of rest) {
    const values = item.ids.flatMap((id) => leaves.get(id) ?? []);
    if (item.kind === "step" && values.length === item.ids.length) replace(item, values);
  }
  drop();
  for (const item of rest) {
    if (item.kind !== "step") replace(item, [{ ...item, kind: "constant" }]);
    else if (item.within !== null || item.method) replace(item, [{ ...item, within: null, method: false }]);
  }
  return { seed, items: rest };
}
