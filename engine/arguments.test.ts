import { describe, expect, test } from "vitest";
import {
  allOptions,
  COUNT,
  choiceOf,
  FINITE,
  functionOf,
  integersOf,
  listOf,
  MAX_INTEGER,
  numberOf,
  numbersOf,
  show,
  UNIT,
  withDefaults,
} from "./arguments.ts";

const throwing = new Proxy(
  {},
  {
    get() {
      throw new Error("read");
    },
  },
);

describe("arguments: show", () => {
  test.each([
    [1, "1"],
    [-0, "0"],
    [10n, "10n"],
    [Symbol("s"), "Symbol(s)"],
    ["a", '"a"'],
    ["x".repeat(1000), `"${"x".repeat(40)}"`],
    [null, "null"],
    [undefined, "undefined"],
    [{}, "object"],
    [() => 1, "function"],
    [[1, "b", [2]], '[1, "b", array]'],
    [Array.from({ length: 100 }, (_, i) => i), "[0, 1, 2, 3, 4, 5, 6, 7, …]"],
  ])("names %o in a few characters", (value, shown) => expect(show(value)).toBe(shown));

  test("calls nothing of an object", () => expect(show(throwing)).toBe("object"));

  test("ends for an array that holds itself", () => {
    const list: unknown[] = [];
    list[0] = list;
    expect(show(list)).toBe("[array]");
  });
});

describe("arguments: numbers, choices, functions", () => {
  test("a number in the range is given back, others name value and range", () => {
    expect(numberOf("f", "p", 0.5, UNIT)).toBe(0.5);
    expect(() => numberOf("f", "p", 2, UNIT)).toThrow(new RangeError("f: p must be in [0, 1], got 2"));
    expect(() => numberOf("f", "p", Number.NaN, UNIT)).toThrow(RangeError);
    for (const value of ["0.5", 1n, null, undefined, {}, [0.5], Symbol("p"), throwing]) {
      expect(() => numberOf("f", "p", value, UNIT)).toThrow(TypeError);
    }
  });

  test("counts end where those of kernels do", () => {
    expect(numberOf("f", "n", MAX_INTEGER, COUNT)).toBe(MAX_INTEGER);
    expect(() => numberOf("f", "n", MAX_INTEGER + 1, COUNT)).toThrow(RangeError);
  });

  test("a choice outside of the list is a RangeError that has all of them", () => {
    expect(choiceOf("f", "mode", "b", ["a", "b", "c"])).toBe("b");
    expect(() => choiceOf("f", "mode", "d", ["a", "b", "c"])).toThrow(
      new RangeError('f: expected mode "a", "b" or "c", got "d"'),
    );
  });

  test("what is no function is a TypeError", () => {
    expect(() => functionOf("f", "fn", 3)).toThrow(new TypeError("f: expected fn as a function, got 3"));
  });
});

describe("arguments: lists and arrays", () => {
  test("lists are copied", () => {
    const list = [1, 2];
    const copy = listOf("f", "axes", list, FINITE);
    list[0] = 9;
    expect(copy).toEqual([1, 2]);
  });

  test("a list of another length, of no numbers, or without an end is an error", () => {
    expect(() => listOf("f", "betas", [1], UNIT, 2)).toThrow(new RangeError("f: betas must have 2 entries, got 1"));
    expect(() => listOf("f", "betas", ["1"], UNIT)).toThrow(TypeError);
    expect(() => listOf("f", "betas", "12", UNIT)).toThrow(TypeError);
    expect(() => listOf("f", "betas", new Array(2 ** 32 - 1), UNIT)).toThrow(RangeError);
  });

  test("a typed array that was detached has no values", () => {
    const values = new Float32Array(2);
    structuredClone(values, { transfer: [values.buffer] });
    expect(new Float32Array(numbersOf("f", "numbers", values))).toEqual(new Float32Array(0));
  });

  test("every value of an array is read once after its check", () => {
    let reads = 0;
    const values = { length: 3, 0: 0, 2: 1 };
    Object.defineProperty(values, 1, { get: () => (reads++ === 0 ? 1 : 1000), enumerable: true });
    const indices = integersOf("f", "indices", values, 2);
    expect([...indices]).toEqual([0, 1, 1]);
    expect(reads).toBe(1);
  });

  test("indices that are too large, negative or no integers name value and place", () => {
    for (const bad of [2, -1, 0.5, Number.NaN, 2 ** 32]) {
      expect(() => integersOf("f", "indices", [0, bad], 2)).toThrow(
        new RangeError(`f: expected indices in [0, 1], got ${bad} at 1`),
      );
    }
  });

  test("indices that are ignored are −1, whatever they are", () => {
    expect([...integersOf("f", "indices", [1, -100, 0], 2, -100)]).toEqual([1, -1, 0]);
    expect([...integersOf("f", "indices", [1, 2 ** 32], 2, 2 ** 32)]).toEqual([1, -1]);
    expect(() => integersOf("f", "indices", [1, Number.NaN], 2)).toThrow(RangeError);
  });

  test("what is no row of numbers is a TypeError, also with holes, text or integers of another kind", () => {
    const wrong = [null, undefined, 3, "12", {}, ["1"], [1n], new BigInt64Array(2), new DataView(new ArrayBuffer(8))];
    for (const values of [...wrong, new Array(2 ** 29), { length: -1 }, { length: 2 ** 40 }, { length: "1", 0: 1 }]) {
      expect(() => numbersOf("f", "values", values)).toThrow(TypeError);
    }
  });
});

describe("arguments: options", () => {
  const DEFAULTS = { p: 0.5, mode: "a", keep: false, steps: Number.NaN, generator: null as object | null };

  test("options that are left out or undefined have their defaults", () => {
    expect(allOptions("f", DEFAULTS, { p: 1, mode: undefined })).toEqual({ ...DEFAULTS, p: 1 });
  });

  test("defaults in the place of options are taken as they are", () => {
    expect(withDefaults("f", DEFAULTS, DEFAULTS)).toBe(DEFAULTS);
  });

  test("an option that is null has no default", () => {
    expect(() => withDefaults("f", DEFAULTS, { p: null })).toThrow(
      new TypeError("f: expected p of type number, got null"),
    );
  });

  test("each is read once", () => {
    let reads = 0;
    const options = {
      get p() {
        return ++reads;
      },
    };
    expect(withDefaults("f", DEFAULTS, options).p).toBe(1);
    expect(reads).toBe(1);
  });

  test("another name, another type, and what holds no options are TypeErrors", () => {
    expect(() => withDefaults("f", DEFAULTS, { q: 1 })).toThrow(
      new TypeError("f: expected the options p, mode, keep, steps, generator, got q"),
    );
    expect(() => withDefaults("f", DEFAULTS, { setps: 1 })).toThrow(
      new TypeError("f: expected a known option, got setps; did you mean steps?"),
    );
    expect(() => withDefaults("f", DEFAULTS, { toString: 1 })).toThrow(TypeError);
    expect(() => withDefaults("f", DEFAULTS, { p: "1" })).toThrow(
      new TypeError('f: expected p of type number, got "1"'),
    );
    const classes = [new Map([["p", 1]]), new Date(), Object.create({ p: 1 })];
    for (const options of [0.5, "p", null, [1], new Float32Array(0), () => 1, ...classes]) {
      expect(() => withDefaults("f", DEFAULTS, options)).toThrow(TypeError);
    }
  });

  test("names that others have given to all objects count for nothing", () => {
    const prototype = Object.prototype as { foo?: number };
    prototype.foo = 1;
    try {
      expect(allOptions("f", DEFAULTS, {})).toEqual(DEFAULTS);
    } finally {
      delete prototype.foo;
    }
  });
});
