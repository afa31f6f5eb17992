/** Lists of equal numbers are found equal in one loop: `toEqual` would ask for the keys of both, and call several functions an element. */
import { expect } from "vitest";

/** True for lists, of the same type, of the same numbers; of others `toEqual` finds out itself, and says where they differ. */
function sameNumbers(a: unknown, b: unknown): true | undefined {
  if (!isList(a) || !isList(b) || a.constructor !== b.constructor || a.length !== b.length) return undefined;
  for (let i = 0; i < a.length; i++) if (typeof a[i] !== "number" || !Object.is(a[i], b[i])) return undefined;
  return true;
}

const isList = (x: unknown): x is ArrayLike<unknown> =>
  Array.isArray(x) || (ArrayBuffer.isView(x) && !(x instanceof DataView));

/** Says that it is there: setup runs again for each file, and testers stay. */
const ADDED = Symbol.for("test/support/equality.ts");

if (!(ADDED in globalThis)) {
  Object.defineProperty(globalThis, ADDED, { value: true });
  expect.addEqualityTesters([sameNumbers]);
}
