import { ensure, show, typeOf, wrongType } from "./arguments.ts";

/** Options: plain fields. Those of optimizers and schedulers are part of their state. */

/**
 * Throws a TypeError for a plain value or a list in the place of options, and for an option whose name is not one of those in
 * `known`, which spaces separate: either would silently keep the defaults.
 */
export function checkOptions(where: string, options: object, known: string): void {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw wrongType(where, "options", options);
  }
  for (const name of Object.keys(options)) {
    if (` ${known} `.includes(` ${name} `)) continue;
    throw new TypeError(`${where}: expected the options ${known.replaceAll(" ", ", ")}, got ${name}`);
  }
}

/**
 * The options over the defaults, which has all of them. Those that are undefined keep the default.
 *
 * @throws TypeError for an unknown option or one of another type; RangeError for a number that is negative or not finite.
 */
export function merged<Options extends object>(where: string, defaults: Options, options: object): Options {
  checkOptions(where, options, Object.keys(defaults).join(" "));
  const result: Record<string, unknown> = copyOf(defaults);
  for (const [name, value] of Object.entries(copyOf(options))) {
    if (value === undefined) continue;
    const type = typeOf(result[name]);
    if (typeOf(value) !== type) throw new TypeError(`${where}: ${name} must be of type ${type}, got ${show(value)}`);
    result[name] = value;
  }
  for (const [name, value] of Object.entries(result)) {
    if (typeof value === "number") {
      ensure(value >= 0 && value < Infinity, where, `${name} must be finite and ≥ 0`, value);
    }
  }
  return result as Options;
}

/** A copy of the fields, and of the lists in them. */
export function copyOf(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, v]) => [name, Array.isArray(v) ? [...v] : v]));
}
