/**
 * Checks of arguments from outside: each value is read once, copied and checked, and only the copy is used.
 *
 * A caller may pass values of wrong types, an object whose getters return different values, or an array over memory
 * that another thread writes. So no value is read again after its check.
 */
import { isPlain, show, typeOf, wrongType, wrongValue } from "./core/errors.ts";
import { nearest } from "./nearest.ts";

export { isPlain, show, typeOf, wrongType, wrongValue } from "./core/errors.ts";

/** Range of a number. `expected` completes "must be" in errors. */
export interface Range {
  readonly expected: string;
  fits(x: number): boolean;
}

/** Largest integer that kernels accept. */
export const MAX_INTEGER = 2 ** 31 - 1;

/** The largest float32. */
const MAX_FLOAT = 2 ** 128 - 2 ** 104;

export const NUMBER: Range = { expected: "a number", fits: (x) => !Number.isNaN(x) };
export const FINITE: Range = { expected: "finite", fits: Number.isFinite };
export const NOT_NEGATIVE: Range = { expected: "finite and ≥ 0", fits: (x) => x >= 0 && x < Infinity };
export const POSITIVE: Range = { expected: "finite and > 0", fits: (x) => x > 0 && x < Infinity };
export const UNIT: Range = { expected: "in [0, 1]", fits: (x) => x >= 0 && x <= 1 };
export const FLOAT: Range = { expected: "finite in float32", fits: (x) => Math.abs(x) <= MAX_FLOAT };
export const BELOW_ONE: Range = { expected: "in [0, 1)", fits: (x) => x >= 0 && x < 1 };
export const INTEGER: Range = { expected: "an integer", fits: (x) => isInteger(x) };
export const WHOLE: Range = { expected: "an integer ≥ 0", fits: (x) => isInteger(x) && x >= 0 };
export const COUNT: Range = { expected: "a positive integer", fits: (x) => isInteger(x) && x >= 1 };
export const SHARE: Range = { expected: "in (0, 1]", fits: (x) => x > 0 && x <= 1 };
/** Range of a memory bound; Infinity means none. */
export const BYTES: Range = { expected: "a number ≥ 1", fits: (x) => x >= 1 };

/** Integers from 1 to `most`. */
export const upTo = (most: number): Range => ({
  expected: `an integer in [1, ${most}]`,
  fits: (x) => COUNT.fits(x) && x <= most,
});

/** Whether kernels accept x as an integer. */
const isInteger = (x: number): boolean => Number.isInteger(x) && x <= MAX_INTEGER && x >= -MAX_INTEGER;

/** Shortens a text for an error message. */
export const shortened = (text: string, length = 80): string =>
  text.length <= length ? text : `${text.slice(0, length - 1)}…`;

/** Joins names for a message; "none" if there are none. */
export const listed = (names: readonly string[]): string => names.join(", ") || "none";

/** Throws a RangeError that shows `got`, unless `fine` is true. */
export function ensure(fine: boolean, where: string, expected: string, got: unknown): void {
  if (!fine) throw new RangeError(`${where}: ${expected}, got ${show(got)}`);
}

/**
 * Returns the value if it is a number in the range.
 *
 * @throws TypeError for anything but a number; RangeError for a number outside of the range.
 */
export function numberOf(where: string, name: string, value: unknown, range: Range): number {
  if (typeof value !== "number") throw wrongType(where, `${name} as a number`, value);
  if (range.fits(value)) return value;
  throw new RangeError(`${where}: ${name} must be ${range.expected}, got ${value}`);
}

/**
 * Returns the value if it is one of the choices.
 *
 * @throws RangeError for anything else.
 */
export function choiceOf<T extends string>(where: string, name: string, value: unknown, choices: readonly T[]): T {
  for (const choice of choices) if (choice === value) return choice;
  const last = choices.length - 1;
  const list = choices.map((choice, i) => `${i === 0 ? "" : i === last ? " or " : ", "}"${choice}"`).join("");
  throw wrongValue(where, `${name} ${list || "none"}`, show(value));
}

/**
 * Returns the value if it is a function.
 *
 * @throws TypeError for anything else.
 */
export function functionOf<F>(where: string, name: string, value: F): F {
  if (typeof value !== "function") throw wrongType(where, `${name} as a function`, value);
  return value;
}

/**
 * Returns the value if it is an object. The caller reads each field once.
 *
 * @throws TypeError for anything else, including lists.
 */
export function objectOf(where: string, expected: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeOf(value) !== "object") throw wrongType(where, expected, value);
  return value as Readonly<Record<string, unknown>>;
}

/**
 * Returns the value if it is iterable and may yield objects.
 *
 * @throws TypeError for anything else, such as text and typed arrays.
 */
export function iterableOf<T>(where: string, expected: string, value: Iterable<T>): Iterable<T> {
  const fits = typeof value === "object" && !ArrayBuffer.isView(value);
  if (!fits || typeof value?.[Symbol.iterator] !== "function") throw wrongType(where, expected, value);
  return value;
}

/** Longest list of options or sizes. A longer list is a mistake, and copying it might not end. */
const LONGEST_LIST = 2 ** 16;

/**
 * A copy of a list of numbers in the range; if `length` is given, the list must have it.
 *
 * @throws TypeError for anything but an array of numbers; RangeError for a wrong length, or a number outside of the range.
 */
export function listOf(where: string, name: string, list: unknown, range: Range, length?: number): number[] {
  if (!Array.isArray(list)) throw wrongType(where, `${name} as a list of numbers`, list);
  const n = list.length;
  ensure(n <= LONGEST_LIST && (length ?? n) === n, where, `${name} must have ${length ?? "fewer"} entries`, n);
  const copy: number[] = [];
  for (let i = 0; i < n; i++) {
    const value: unknown = list[i];
    const fits = typeof value === "number" && range.fits(value);
    copy.push(fits ? value : numberOf(where, `${name}[${i}]`, value, range));
  }
  return copy;
}

/**
 * Returns the values of an array or array-like so that neither getters nor callers can change them while they are read.
 * A typed array is returned itself; anything else is copied as float64. `expected` describes the type for errors.
 *
 * @throws TypeError for anything but an array of numbers.
 */
export function numbersOf(where: string, expected: string, values: unknown): ArrayLike<number> {
  // A detached array cannot be copied; it counts as empty.
  if (isTypedArray(values)) return values.length === 0 ? [] : values;
  if (typeof values !== "object" || values === null) throw wrongType(where, expected, values);
  const n: unknown = (values as ArrayLike<unknown>).length;
  if (typeof n !== "number" || !WHOLE.fits(n)) throw wrongType(where, expected, values);
  const at = (i: number): number => {
    const value = (values as ArrayLike<unknown>)[i];
    if (typeof value !== "number") throw new TypeError(`${where}: expected ${expected}, got ${show(value)} at ${i}`);
    return value;
  };
  // Reads the last value first, so that a list with holes fails before memory is allocated.
  const last = n > 0 ? at(n - 1) : 0;
  const copy = new Float64Array(n);
  for (let i = 0; i < n - 1; i++) copy[i] = at(i);
  copy[n - 1] = last;
  return copy;
}

/**
 * Whether values are a typed array of numbers, of any realm or memory. A typed array with its own `length` property counts as an array-like.
 */
const isTypedArray = (values: unknown): values is Float64Array =>
  ArrayBuffer.isView(values) &&
  !(values instanceof DataView) &&
  !Object.getOwnPropertyDescriptor(values, "length") &&
  !/Big/.test(tagOf(values));

const tagOf = (values: unknown): string => Object.prototype.toString.call(values);

/**
 * Bytes of a file, as a view.
 *
 * @throws TypeError for anything but a Uint8Array or an ArrayBuffer.
 */
export function bytesOf(where: string, bytes: unknown): Uint8Array {
  // Classes differ between realms; tags are the same.
  if (!/ (Uint8Array|ArrayBuffer)]/.test(tagOf(bytes))) {
    throw wrongType(where, "bytes as a Uint8Array or an ArrayBuffer", bytes);
  }
  const { byteLength, byteOffset = 0, buffer = bytes as ArrayBuffer } = bytes as Partial<Uint8Array<ArrayBuffer>>;
  // A detached buffer allows no view; it counts as empty.
  return byteLength === 0 ? new Uint8Array(0) : new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Throws if the bytes are a web page or similar text with tags, which servers send for wrong addresses.
 *
 * @throws RangeError that says so. The caller reports all other errors of the bytes.
 */
export function refusePage(where: string, expected: string, bytes: Uint8Array): void {
  const first = String.fromCharCode(...bytes.subarray(0, 100));
  // A UTF-8 byte order mark may come first.
  const [, tag] = /^(?:\xef\xbb\xbf)?\s*(<(?:!doctype|html|\?xml|!--)[ \w]{0,5})/i.exec(first) ?? [];
  if (tag === undefined) return;
  throw wrongValue(where, expected, `a page, whose bytes begin with “${tag}”; is the address right?`);
}

/**
 * A copy of indices, integers in [0, limit), in the type that kernels read. An index equal to `ignored` becomes −1.
 *
 * @throws TypeError for anything but an array of numbers; RangeError for any other number.
 */
export function integersOf(
  where: string,
  what: string,
  values: unknown,
  limit: number,
  ignored = Number.NaN,
): Int32Array {
  const given = numbersOf(where, `an array or a tensor of ${what}`, values);
  const copy = new Int32Array(given.length);
  for (let i = 0; i < copy.length; i++) {
    const value = given[i] as number;
    if (value === ignored) {
      copy[i] = -1;
      continue;
    }
    if (!(value >= 0 && value < limit && Number.isInteger(value))) {
      throw wrongValue(where, `${what} in [0, ${limit - 1}]`, `${value} at ${i}`);
    }
    copy[i] = value;
  }
  return copy;
}

/**
 * Given options over their defaults. Only names of defaults are allowed; each field is read once; undefined keeps the
 * default. An option must have the type of its default. If the default is null or undefined, the caller checks the
 * type. NaN stands for a number without a default. Functions whose options may be omitted have the defaults object
 * itself as default argument, which is returned unchecked.
 *
 * @throws TypeError for anything but an object, an unknown option or a value of the wrong type.
 */
export function withDefaults<Options extends object>(where: string, defaults: Options, options: unknown): Options {
  if (options === defaults) return defaults;
  if (!isPlain(options) && !isSettled(options, defaults)) throw wrongType(where, "options", options);
  const usual = defaults as Record<string, unknown>;
  // The defaults are the prototype of the result: a copy would take several times as long.
  const result: Record<string, unknown> = Object.create(usual);
  for (const name in options as object) {
    if (!isField(options as object, name)) continue;
    if (!isField(usual, name)) {
      const names = Object.keys(usual);
      const meant = nearest(name, names);
      throw new TypeError(
        meant === null
          ? `${where}: expected the options ${names.join(", ")}, got ${name}`
          : `${where}: expected a known option, got ${name}; did you mean ${meant}?`,
      );
    }
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined) continue;
    const type = typeOf(usual[name]);
    if (type !== "null" && type !== "undefined" && typeOf(value) !== type) {
      throw wrongType(where, `${name} of type ${type}`, value);
    }
    result[name] = value;
  }
  return result as Options;
}

/** `withDefaults` with all options as own properties, for callers that copy or list them. */
export const allOptions = <Options extends object>(where: string, defaults: Options, options: unknown): Options => ({
  ...defaults,
  ...withDefaults(where, defaults, options),
});

/** The fields of both objects. Bundlers remove an unused call that is marked pure, but keep an unused spread. */
export const joined = /* @__NO_SIDE_EFFECTS__ */ <A extends object, B extends object>(a: A, b: B): A & B => ({
  ...a,
  ...b,
});

/** Whether `withDefaults` returned these options. */
const isSettled = (options: unknown, defaults: object): boolean =>
  typeof options === "object" && options !== null && Object.getPrototypeOf(options) === defaults;

const isField = (fields: object, name: string): boolean => Object.prototype.propertyIsEnumerable.call(fields, name);
