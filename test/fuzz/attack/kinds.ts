/** Kinds of arguments: what is plausible, what is taken besides, and what else may be tried in its place. */
import type { Random } from "../random.ts";
import { type Code, print } from "./code.ts";
import {
  CALLBACKS,
  type Oddity,
  oddList,
  oddNumbers,
  oddObject,
  oddOption,
  oddTensor,
  wrongTensor,
} from "./oddities.ts";
import type { Group } from "./values.ts";

/** An argument with the kinds of all its parts. */
export interface Node {
  readonly kind: Kind;
  readonly code: string | readonly Node[] | { readonly [name: string]: Node };
}

export interface Kind {
  /** Something that fits. */
  draw(g: Random): Node["code"];
  /** Groups of values that need not be refused; undefined never needs to. */
  readonly takes: readonly Group[];
  /** Variants of what was drawn. */
  odd?(code: string, g: Random): Oddity;
  /** The options of an object. */
  readonly fields?: { readonly [name: string]: Kind };
  /** The numbers that may be tried, where others are fine but take their time, or cannot be noticed. */
  readonly numbers?: readonly string[];
  /** Not to be replaced. */
  readonly fixed?: boolean;
  /** Whether an option is always there in a call that shall succeed, or never. */
  readonly use?: "always" | "never";
}

/** Code that fits. */
export const oneOf = (codes: readonly string[], takes: readonly Group[] = [], more: Partial<Kind> = {}): Kind => ({
  ...more,
  draw: (g) => g.pick(codes),
  takes,
});

export const num = (...values: readonly number[]): Kind => oneOf(values.map(String), ["number"]);
/** A number of rounds. */
export const count = (...values: readonly number[]): Kind => ({
  ...num(...values),
  numbers: ["0", "-1", "1.5", "NaN", "-Infinity"],
});
export const choice = (...values: readonly string[]): Kind => oneOf(values.map((value) => JSON.stringify(value)));
export const fn = (...codes: readonly string[]): Kind =>
  oneOf(codes, ["function"], { odd: (_, g) => ({ code: g.pick(CALLBACKS) }) });

/** An argument that nothing is asked of. */
export const anything = oneOf(
  ["1", "null", "true"],
  ["boolean", "null", "number", "string", "symbol", "bigint", "function", "list", "typed", "object"],
);

export const bool: Kind = { ...anything, draw: (g) => g.pick(["true", "false"]) };

export const must = (kind: Kind): Kind => ({ ...kind, use: "always" });
export const spare = (kind: Kind): Kind => ({ ...kind, use: "never" });
export const orNull = (kind: Kind): Kind => ({
  ...kind,
  ...oddOf([kind]),
  draw: (g) => (g.chance(0.3) ? "null" : kind.draw(g)),
  takes: [...kind.takes, "null"],
});
/** Null need not be refused, and need not be taken. */
export const nullable = (kind: Kind): Kind => ({ ...kind, takes: [...kind.takes, "null"] });
export const either = (...kinds: readonly Kind[]): Kind => ({
  ...oddOf(kinds),
  draw: (g) => g.pick(kinds).draw(g),
  takes: kinds.flatMap(({ takes }) => takes),
});

/** Variants of what one of the kinds draws anew, as what was drawn may be of another one. */
function oddOf(kinds: readonly Kind[]): Partial<Kind> {
  const some = kinds.filter((kind) => kind.odd !== undefined);
  if (some.length === 0) return {};
  const odd = (_: string, g: Random): Oddity => {
    const kind = g.pick(some);
    return (kind.odd as NonNullable<Kind["odd"]>)(print(plain({ kind, code: kind.draw(g) })), g);
  };
  return { odd };
}

const size = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/** A tensor of this shape, however it was made. */
export const t = (...shape: readonly number[]): Kind => {
  const [first = 1, ...rest] = shape;
  const list = `[${shape.join(", ")}]`;
  const forms = [
    `rand(${list})`,
    `rand(${list})`,
    `rand(${list}, { requiresGrad: true })`,
    `rand(${list}, { requiresGrad: true })`,
    `rand(${list}, { requiresGrad: true }).mul(0.5)`,
    `parameter(rand(${list}))`,
    `graded(rand(${list}))`,
    `bernoulli(full(${list}, 0.5))`,
    `zeros(${list})`,
    shape.length === 0 ? "tensor(1)" : `rand([${[first + 1, ...rest].join(", ")}]).slice(0, 1)`,
    shape.length === 0 ? "tensor(1)" : `rand([${rest.join(", ")}]).expand(${list})`,
    `rand([${size(shape)}], { requiresGrad: true }).reshape(${list})`,
  ];
  return { draw: (g) => g.pick(forms), takes: [], odd: oddTensor };
};

/** A tensor that stays as small as it is. */
export const small = (...shape: readonly number[]): Kind => ({ ...t(...shape), odd: wrongTensor });

/** A tensor that may be freed. */
export const anyTensor: Kind = { ...t(2, 3), odd: (code) => ({ code: `freed(${code})` }) };

export const operand = (...shape: readonly number[]): Kind => either(t(...shape), t(...shape), num(0.5));

/** A list, with the kinds of its entries. */
export const listOf = (...entries: readonly Kind[]): Kind => ({
  draw: (g) => entries.map((kind) => ({ kind, code: kind.draw(g) })),
  takes: ["list"],
  odd: oddList,
});

/** A list of numbers, short in any case. */
export const list = (...entries: readonly number[]): Kind => ({
  ...listOf(...entries.map((n) => num(n))),
  odd: (code, g) =>
    g.chance(0.1) ? { code: "new Array(2 ** 32 - 1)", refused: "a list without an end" } : oddList(code, g),
});

/** Whole numbers below a limit, in an array of any type or a tensor. */
export const indices = (limit: number, ...shape: readonly number[]): Kind => {
  const values = (g: Random): string =>
    `[${Array.from({ length: size(shape) }, () => g.int(0, limit - 1)).join(", ")}]`;
  const forms = [
    (text: string) => text,
    (text: string) => `Int32Array.from(${text})`,
    (text: string) => `shared(${text})`,
    (text: string) => `tensor(${text}, { shape: [${shape.join(", ")}] })`,
    (text: string) => `Float32Array.from(${text})`,
  ];
  const draw = (g: Random): string =>
    (shape.length === 1 ? g.pick(forms) : (forms[3] as (text: string) => string))(values(g));
  const odd = (_: string, g: Random): Oddity => {
    const code = values(g);
    return g.pick([
      () => oddTensor(`tensor(${code})`, g),
      () => oddList(code, g),
      () => oddNumbers(code, g),
      () => ({ code: `changing({ length: ${size(shape)}, ...${code} }, 0, -1000)` }),
    ])();
  };
  return { draw, takes: ["list", "typed", "object", "string"], odd };
};

/** Numbers in a row, in an array or a typed one. */
export const numbers = (count: number): Kind => ({
  draw: (g) => {
    const values = `[${Array.from({ length: count }, () => g.number(-1, 1)).join(", ")}]`;
    return g.pick([values, `Float32Array.from(${values})`, `Float64Array.from(${values})`]);
  },
  takes: ["list", "typed", "object"],
  odd: (code, g) => (g.chance(0.5) ? oddList(`Array.from(${code})`, g) : oddNumbers(`Array.from(${code})`, g)),
});

/** An object with these fields, all of them, and perhaps others. */
export const record = (fields: { readonly [name: string]: Kind }): Kind => ({
  draw: (g) => {
    const given = Object.entries(fields).filter(([, { use }]) => use !== "never");
    return Object.fromEntries(given.map(([name, kind]) => [name, { kind, code: kind.draw(g) }]));
  },
  fields,
  takes: ["object", "typed"],
  odd: oddObject,
});

/** Options by their names. */
export const options = (fields: { readonly [name: string]: Kind }): Kind => ({
  draw: (g) => {
    const given = Object.entries(fields).filter(
      ([, { use }]) => use === "always" || (use !== "never" && g.chance(0.4)),
    );
    return Object.fromEntries(given.map(([name, kind]) => [name, { kind, code: kind.draw(g) }]));
  },
  takes: ["object", "typed"],
  fields,
  odd: (code, g) => {
    if (g.chance(0.2)) return { code: `{ ...${code}, unknown: 1 }`, refused: "an unknown option" };
    const names = Object.keys(fields);
    return names.length === 0 ? oddObject(code, g) : oddOption(code, g.pick(names), g);
  },
});

/** What a table of arguments holds: a kind, or options by their names. */
export type Spec = Kind | { readonly [name: string]: Spec };

export function kindOf(spec: Spec): Kind {
  if (typeof spec.draw === "function") return spec as Kind;
  return options(Object.fromEntries(Object.entries(spec).map(([name, inner]) => [name, kindOf(inner as Spec)])));
}

/** The code of an argument without its kinds. */
export function plain({ code }: Node): Code {
  if (typeof code === "string") return code;
  if (Array.isArray(code)) return (code as readonly Node[]).map(plain);
  return Object.fromEntries(Object.entries(code).map(([name, node]) => [name, plain(node as Node)]));
}
