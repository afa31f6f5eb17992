/** Errors name the place, the expected value and the given value. */

/** `typeof` that distinguishes lists and null from objects. */
export const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : value === null ? "null" : typeof value;

/** Whether the value is a plain object, of any realm. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (Object.getPrototypeOf(prototype) === null && !Array.isArray(value));
}

/** Longest text or list in a message. */
const LONGEST = 40;
const LONGEST_LIST_TEXT = 100;

/** A short form of a value for a message, without calls of its methods, which might throw. */
export function show(value: unknown): string {
  const type = typeOf(value);
  if (type === "string") return JSON.stringify((value as string).slice(0, LONGEST));
  if (type === "array") return showList(value as readonly unknown[]);
  if (type === "bigint") return `${value}n`;
  return type === "object" || type === "function" ? type : String(value);
}

function showList(list: readonly unknown[]): string {
  const shown: string[] = [];
  let left = LONGEST_LIST_TEXT;
  for (const item of Array.prototype.slice.call(list, 0, 8)) {
    const text = typeOf(item) === "array" ? "array" : show(item);
    left -= text.length;
    if (left < 0 && shown.length > 0) break;
    shown.push(text);
  }
  return `[${shown.join(", ")}${list.length > shown.length ? ", …" : ""}]`;
}

/** Error for a value of the wrong type. */
export const wrongType = (where: string, expected: string, got: unknown, hint = ""): TypeError =>
  new TypeError(`${where}: expected ${expected}, got ${show(got)}${hint}`);

/** Error for a value or a shape of the right type that is out of range; `got` describes the given value. */
export const wrongValue = (where: string, expected: string, got: string | number): RangeError =>
  new RangeError(`${where}: expected ${expected}, got ${got}`);
