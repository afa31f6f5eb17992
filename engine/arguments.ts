/**
 * Arguments from outside: each is read once, copied, checked, and only the copy is used.
 *
 * A caller may write JavaScript without types, pass an object whose getters answer differently at every read, or an array over
 * memory that another thread writes. So no check looks at a value that is read again after it.
 */

/** The numbers that an argument may be. `expected` says them in words, as they follow "must be". */
export interface Range {
  readonly expected: string;
  fits(x: number): boolean;
}

/** Integers that kernels count with. */
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

/** Integers from 1 to `most`. */
export const upTo = (most: number): Range => ({
  expected: `an integer in [1, ${most}]`,
  fits: (x) => COUNT.fits(x) && x <= most,
});

/** Whether x is an integer that kernels can count with. */
const isInteger = (x: number): boolean => Number.isInteger(x) && x <= MAX_INTEGER && x >= -MAX_INTEGER;

/** As `typeof`, with lists and null apart from objects. */
export const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : value === null ? "null" : typeof value;

const LONGEST = 40;

/** A value in a message: short, and without a call of its methods, which might throw. */
export function show(value: unknown): string {
  const type = typeOf(value);
  if (type === "string") return JSON.stringify((value as string).slice(0, LONGEST));
  if (type === "array") return showList(value as readonly unknown[]);
  if (type === "bigint") return `${value}n`;
  return type === "object" || type === "function" ? type : String(value);
}

function showList(list: readonly unknown[]): string {
  const few = Array.prototype.slice.call(list, 0, 8).map((item) => (typeOf(item) === "array" ? "array" : show(item)));
  return `[${few.join(", ")}${list.length > 8 ? ", …" : ""}]`;
}

/** Names in a message. */
export const listed = (names: readonly string[]): string => names.join(", ") || "none";

/** The error for a value of the wrong kind. */
export const wrongType = (where: string, expected: string, got: unknown, hint = ""): TypeError =>
  new TypeError(`${where}: expected ${expected}, got ${show(got)}${hint}`);

/**
 * The error for a value or a shape of the right kind, but out of the expected ones; `got` puts the given value into
 * words.
 */
export const wrongValue = (where: string, expected: string, got: string | number): RangeError =>
  new RangeError(`${where}: expected ${expected}, got ${got}`);

/** Throws a RangeError with the value unless it is fine. */
export function ensure(fine: boolean, where: string, expected: string, got: unknown): void {
  if (!fine) throw new RangeError(`${where}: ${expected}, got ${show(got)}`);
}

/**
 * The value, a number in the range.
 *
 * @throws TypeError for anything but a number; RangeError for a number outside of the range.
 */
export function numberOf(where: string, name: string, value: unknown, range: Range): number {
  if (typeof value !== "number") throw wrongType(where, `${name} as a number`, value);
  if (range.fits(value)) return value;
  throw new RangeError(`${where}: ${name} must be ${range.expected}, got ${value}`);
}

/**
 * The value, one of the choices.
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
 * The value, a function.
 *
 * @throws TypeError for anything else.
 */
export function functionOf<F>(where: string, name: string, value: F): F {
  if (typeof value !== "function") throw wrongType(where, `${name} as a function`, value);
  return value;
}

/**
 * The value, an object whose fields are read, each once.
 *
 * @throws TypeError for anything else, lists too.
 */
export function objectOf(where: string, expected: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeOf(value) !== "object") throw wrongType(where, expected, value);
  return value as Readonly<Record<string, unknown>>;
}

/** Whether the value is an object without a class, of any realm. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !Array.isArray(value));
}

/**
 * The value, something to iterate over that may hold objects.
 *
 * @throws TypeError for anything else, such as text and typed arrays.
 */
export function iterableOf<T>(where: string, expected: string, value: Iterable<T>): Iterable<T> {
  const fits = typeof value === "object" && !ArrayBuffer.isView(value);
  if (!fits || typeof value?.[Symbol.iterator] !== "function") throw wrongType(where, expected, value);
  return value;
}

/** A list of options or sizes is short; a longer one is a mistake, and copying it might take for ever. */
const LONGEST_LIST = 2 ** 16;

/**
 * A copy of a list of numbers in the range, with its length checked where one is given.
 *
 * @throws TypeError for anything but an array of numbers; RangeError for another length, or a number outside of the range.
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
 * The values of an array or array-like, as an array that no getter and no caller can change while it is read: typed arrays as
 * they are, anything else as a copy in float64. `expected` puts their kind into words.
 *
 * @throws TypeError for anything but numbers in a row.
 */
export function numbersOf(where: string, expected: string, values: unknown): ArrayLike<number> {
  // An array whose buffer was detached cannot be copied; it counts as empty.
  if (isTypedArray(values)) return values.length === 0 ? [] : values;
  if (typeof values !== "object" || values === null) throw wrongType(where, expected, values);
  const n: unknown = (values as ArrayLike<unknown>).length;
  if (typeof n !== "number" || !WHOLE.fits(n)) throw wrongType(where, expected, values);
  const at = (i: number): number => {
    const value = (values as ArrayLike<unknown>)[i];
    if (typeof value !== "number") throw new TypeError(`${where}: expected ${expected}, got ${show(value)} at ${i}`);
    return value;
  };
  // A list with holes fails here, before memory for all of it is taken.
  const last = n > 0 ? at(n - 1) : 0;
  const copy = new Float64Array(n);
  for (let i = 0; i < n - 1; i++) copy[i] = at(i);
  copy[n - 1] = last;
  return copy;
}

/** Typed arrays of numbers, those over memory of other realms and workers too; one with a `length` of its own is an array-like. */
const isTypedArray = (values: unknown): values is Float64Array =>
  ArrayBuffer.isView(values) &&
  !(values instanceof DataView) &&
  !Object.getOwnPropertyDescriptor(values, "length") &&
  !/Big/.test(tagOf(values));

const tagOf = (values: unknown): string => Object.prototype.toString.call(values);

/**
 * The bytes of a file, as a view.
 *
 * @throws TypeError for anything but a Uint8Array or an ArrayBuffer.
 */
export function bytesOf(where: string, bytes: unknown): Uint8Array {
  // Objects of other realms are instances of other classes, with the same tags.
  if (!/ (Uint8Array|ArrayBuffer)]/.test(tagOf(bytes))) {
    throw wrongType(where, "bytes as a Uint8Array or an ArrayBuffer", bytes);
  }
  const { byteLength, byteOffset = 0, buffer = bytes as ArrayBuffer } = bytes as Partial<Uint8Array<ArrayBuffer>>;
  // No view of a buffer that was detached can be made; it counts as empty.
  return byteLength === 0 ? new Uint8Array(0) : new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * A copy of indices, integers in [0, limit), in the form that kernels read; −1 for those that are `ignored`.
 *
 * @throws TypeError for anything but numbers in a row; RangeError for another number.
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
 * The options over the defaults, which have all of their names: every field is read once, an option that is undefined keeps its
 * default. An option has the type of its default, unless this is null, undefined or NaN: null and undefined leave the
 * check to the caller, NaN stands for a number that has no default. A function whose options may be left out has the
 * defaults themselves as the default of this argument, which costs nothing here.
 *
 * @throws TypeError for anything but an object, an option of another name or of another type.
 */
export function withDefaults<Options extends object>(where: string, defaults: Options, options: unknown): Options {
  if (options === defaults) return defaults;
  if (!isPlain(options) && !isSettled(options, defaults)) throw wrongType(where, "options", options);
  const usual = defaults as Record<string, unknown>;
  // The defaults are the prototype of the given options: a copy of them would take several times as long.
  const result: Record<string, unknown> = Object.create(usual);
  for (const name in options as object) {
    if (!isField(options as object, name)) continue;
    if (!isField(usual, name)) {
      throw new TypeError(`${where}: expected the options ${Object.keys(usual).join(", ")}, got ${name}`);
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

/** The same with all options in an object of their own, for callers that copy or list them. */
export const allOptions = <Options extends object>(where: string, defaults: Options, options: unknown): Options => ({
  ...defaults,
  ...withDefaults(where, defaults, options),
});

/** The fields of both objects. Bundlers leave out a call that is marked pure and whose result has no reader; they keep a spread. */
export const joined = <A extends object, B extends object>(a: A, b: B): A & B => ({ ...a, ...b });

/** Whether the options have been through `withDefaults` already. */
const isSettled = (options: unknown, defaults: object): boolean =>
  typeof options === "object" && options !== null && Object.getPrototypeOf(options) === defaults;

const isField = (fields: object, name: string): boolean => Object.prototype.propertyIsEnumerable.call(fields, name);
