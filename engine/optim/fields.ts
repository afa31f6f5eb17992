/** Fields of optimizers and schedules (options and counters): numbers, lists of numbers, strings and booleans. */
import { choiceOf, listOf, NOT_NEGATIVE, numberOf, type Range } from "../arguments.ts";

/** Range of a number; range of the numbers in a list, with its length (undefined: any); or the allowed strings. */
type Limit = Range | (Range & { readonly length: number | undefined }) | readonly string[];

/** Limits by field name. Numbers without a limit must be finite and ≥ 0. */
export type Limits = Readonly<Record<string, Limit>>;

/** Range of counts of steps and epochs. Kernels do not read them, so they may exceed 32 bits. */
export const STEP_COUNT: Range = { expected: "a count of steps", fits: (x) => Number.isSafeInteger(x) && x >= 0 };

/**
 * A checked copy of fields whose types are known, with frozen copies of their lists.
 *
 * @throws RangeError for a field outside of its limit; TypeError for a list of anything but numbers.
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

/** A copy of the fields, and of their lists. */
export const copyOfFields = (fields: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([name, v]) => [name, Array.isArray(v) ? [...v] : v]));
