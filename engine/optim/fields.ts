/** The fields of optimizers and schedules, options and counters: numbers, lists of numbers, strings and booleans. */
import { choiceOf, listOf, NOT_NEGATIVE, numberOf, type Range } from "../arguments.ts";

/** The range of a number; with a length, which may be any, of the numbers of a list; or the strings that a field may be. */
type Limit = Range | (Range & { readonly length: number | undefined }) | readonly string[];

/** By the names of fields; a number that has none must be finite and ≥ 0. */
export type Limits = Readonly<Record<string, Limit>>;

/** Steps and epochs that are counted, not by kernels. */
export const STEPS: Range = { expected: "a count of steps", fits: (x) => Number.isSafeInteger(x) && x >= 0 };

/**
 * A copy of fields whose types are known, and of their lists, which are frozen.
 *
 * @throws RangeError for one beyond its limit; TypeError for a list of anything but numbers.
 */
export function limited<Fields extends object>(where: string, fields: Fields, limits: Limits): Fields {
  const check = (name: string, value: unknown): unknown => {
    const limit: Limit = limits[name] ?? NOT_NEGATIVE;
    if (typeof value === "boolean" && limit === NOT_NEGATIVE) return value;
    if (!("fits" in limit)) return choiceOf(where, name, value, limit);
    if (!("length" in limit)) return numberOf(where, name, value, limit);
    return Object.freeze(listOf(where, name, value, limit, limit.length));
  };
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, check(name, value)])) as Fields;
}

/** A copy of the fields, and of the lists in them. */
export const copyOfFields = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, v]) => [name, Array.isArray(v) ? [...v] : v]));
