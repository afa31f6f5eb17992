/** What may be tried in the place of an argument that fits: variants of it. */
import type { Random } from "../random.ts";

/** Other code in the place of an argument, and what it is where the call has to throw. */
export interface Oddity {
  readonly code: string;
  readonly refused?: string;
}

export const FREED = "a freed tensor";
export const FOREIGN = "a tensor of another copy";

const SHAPES = ["[]", "[1]", "[3]", "[2, 3]", "[3, 2]", "[1, 1, 1, 1]", "[2, 1, 2, 1, 2, 1, 2]", "[1, 4099]"];
const FILLS = ["NaN", "Infinity", "-1", "-0", "3e38", "1e-45", "2 ** 31", "0.5"];

export function oddTensor(code: string, g: Random): Oddity {
  if (g.chance(0.6)) return wrongTensor(code, g);
  return g.pick<Oddity>([
    { code: `rand(${g.pick(SHAPES)}, { requiresGrad: true })` },
    { code: `full(${g.pick([...SHAPES, "[70_000]"])}, ${g.pick(FILLS)})` },
  ]);
}

/** One that is no larger. */
export function wrongTensor(code: string, g: Random): Oddity {
  return g.pick<Oddity>([
    { code: `(${code}).mul(${g.pick(FILLS)})` },
    { code: `reshaped(${code}, ${g.pick(["100_000", "0", "-1", "NaN", "1"])})` },
    { code: `Object.seal(${code})` },
    { code: `freed(${code})`, refused: FREED },
    { code: `ended(() => clone(${code}))`, refused: FREED },
    { code: `foreign(${code})`, refused: FOREIGN },
    { code: `cloned(zeros([2, 3]))`, refused: FOREIGN },
  ]);
}

export function oddList(code: string, g: Random): Oddity {
  const number = g.pick(["-1000", "2 ** 40", "NaN", "1", "1_004"]);
  return {
    code: g.pick([
      `changing(${code}, 0, ${number})`,
      `changing(${code}, ${g.int(0, 3)}, ${number})`,
      `Object.freeze(${code})`,
      `[...${code}, ${number}]`,
      `${code}.slice(1)`,
      `Array.from(${code}, () => ${number})`,
      `Array(${g.int(1, 3)}).concat(${code})`,
      `new Proxy(${code}, {})`,
      `shared(${code})`,
      `new Set(${code})`,
      "cyclic()",
      "deep(20_000)",
    ]),
  };
}

export function oddNumbers(code: string, g: Random): Oddity {
  const value = g.pick(['"1"', '"a"', "null", "1n", "Symbol()", "{}", "true"]);
  return { code: `Object.assign(${code}, { ${g.pick(["0", "1"])}: ${value} })`, refused: "a value that is no number" };
}

export function oddOption(code: string, name: string, g: Random): Oddity {
  const value = g.pick(["2 ** 40", "-1", "NaN", "null", '"a"', "ones([1], { requiresGrad: true })", "[1, 2, 3]"]);
  if (g.chance(0.5)) return { code: `changing(${code}, "${name}", ${value})` };
  return oddObject(code, g);
}

export function oddObject(code: string, g: Random): Oddity {
  return {
    code: g.pick([
      `Object.freeze(${code})`,
      `Object.create(${code})`,
      `Object.assign(Object.create(null), ${code})`,
      `Object.assign(${code}, { [Symbol()]: 1 })`,
      `Object.assign(throwing(), ${code})`,
      `new Proxy(${code}, {})`,
      `Object.defineProperty(${code}, "__proto__", { value: 1, enumerable: true })`,
      `{ ...${code}, get length() { return 1; } }`,
    ]),
  };
}

/** Functions that were not asked for. */
export const CALLBACKS = [
  "() => {}",
  "() => null",
  "(x) => x",
  "(...all) => all",
  "(x) => x.mul(2)",
  "(x) => freed(x)",
  "(x) => foreign(x)",
  "(x) => tape(() => x.mul(2))",
  "async (x) => x",
  "(x) => [x, [x]]",
  '() => { throw new Error("attack: a callback"); }',
  "(x) => x.sum().backward()",
];
