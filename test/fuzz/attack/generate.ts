/** The call of a number: a target, arguments that fit, and up to three of them, or of their parts, replaced. */
import { Random } from "../random.ts";
import { type Case, type Edit, print, SETTINGS, type Setting } from "./code.ts";
import { type Kind, type Node, plain } from "./kinds.ts";
import { isMember, TARGETS, type Target } from "./targets.ts";
import { type Group, VALUES } from "./values.ts";

type Path = readonly (string | number)[];

/** Part of an argument, with what could be there. */
interface Place {
  readonly path: Path;
  readonly kind: Kind;
  /** Undefined for an option that is not given. */
  readonly node: Node | undefined;
}

export interface Choice {
  readonly only?: readonly string[] | undefined;
  /** Nothing is replaced, and the targets come in their order. */
  readonly isPlain?: boolean | undefined;
}

const ALL = [...TARGETS.keys()];

export function generate(seed: number, { only = ALL, isPlain = false }: Choice = {}): Case {
  const g = new Random(seed);
  const name = isPlain ? (only[seed % only.length] as string) : g.pick(only);
  const target = TARGETS.get(name) as Target;
  const nodes = target.kinds.map((kind) => ({ kind, code: kind.draw(g) }));
  const edits: Edit[] = [];
  for (let i = isPlain ? 0 : g.pick([0, 1, 1, 1, 1, 2, 2, 3]); i > 0; i--) {
    const places = nodes
      .flatMap((node, n) => placesIn(node, [n]))
      .filter(({ path }) => edits.every((e) => apart(e.path, path)));
    if (places.length > 0) edits.push(edit(g.pick(places), isMember(target), g));
  }
  const setting = g.pick(SETTINGS_OF[name] ?? OFTEN);
  const isSlow = setting === "gradcheck" && edits.some(({ code }) => LARGE.test(code));
  return { target: name, args: nodes.map(plain), edits, setting: isSlow ? "tape" : setting, backward: g.chance(0.5) };
}

const OFTEN: readonly Setting[] = [...SETTINGS, "root", "root", "root", "tape", "tape", "tape", "failing"];

/** Work that goes on after the tape, and work that outside of it has nothing to do. */
const SETTINGS_OF: { readonly [target: string]: readonly Setting[] } = {
  fit: ["root"],
  readNIR: ["root"],
  writeNIR: ["root"],
  "Tensor#backward": ["tape", "failing"],
};

/** Numbers of values for which the float64 kernels would take long. */
const LARGE = /\*\*|\d{5}|\d_\d|e\d\d|Infinity/;

const NAMES: { readonly [Name in Group]?: string } = { null: "null", typed: "a typed array", object: "an object" };

const apart = (a: Path, b: Path): boolean => a.some((step, i) => i < b.length && b[i] !== step);

function placesIn(node: Node, path: Path): Place[] {
  const { kind, code } = node;
  if (kind.fixed) return [];
  const here: Place = { path, kind, node };
  if (typeof code === "string") return [here];
  const absent = Object.entries(kind.fields ?? {}).filter(([name]) => !(name in code));
  const given = Object.entries(code) as [string, Node][];
  return [
    here,
    ...given.flatMap(([name, inner]) => placesIn(inner, [...path, Array.isArray(code) ? Number(name) : name])),
    ...absent.map(([name, inner]) => ({ path: [...path, name], kind: inner, node: undefined })),
  ];
}

function edit({ path, kind, node }: Place, hasObject: boolean, g: Random): Edit {
  const code = print(plain(node ?? { kind, code: kind.draw(g) }));
  const isObject = hasObject && path.length === 1 && path[0] === 0;
  if (kind.odd !== undefined && (isObject || g.chance(0.5))) return { path, ...kind.odd(code, g) };
  if (isObject || (node === undefined && g.chance(0.3))) return { path, code };
  const isNumber = kind.takes.includes("number");
  // What a function does is its own affair.
  const groups = (Object.keys(VALUES) as Group[]).filter((name) => name !== "function" || !kind.takes.includes(name));
  const group = isNumber && g.chance(0.6) ? "number" : g.pick(groups);
  const values = group === "number" ? (kind.numbers ?? VALUES.number) : VALUES[group];
  const refused = group === "undefined" || kind.takes.includes(group) ? undefined : `${NAMES[group] ?? `a ${group}`}`;
  return { path, code: values.length === 0 ? code : g.pick(values), refused };
}
