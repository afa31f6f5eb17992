/**
 * Repetitions of a regular expression that do not end at a character that they exclude. Where one repetition can hand characters over to what
 * follows it, a text that fails at its end is tried at each of these places.
 */

/** A part of an expression: a set of characters, parts in a row, one of several parts, or a part again and again. */
type Part =
  | { readonly kind: "set"; readonly set: ReadonlySet<string> }
  | { readonly kind: "row"; readonly parts: readonly Part[] }
  | { readonly kind: "choice"; readonly parts: readonly Part[] }
  | {
      readonly kind: "repeat";
      readonly part: Part;
      readonly min: number;
      readonly max: number;
      readonly source: string;
    };

/** Characters that stand for all: two alphabets, and the signs of the equations. */
const SAMPLE = [...Array.from({ length: 0x400 }, (_, code) => String.fromCharCode(code)), ..."∂∇√≥≤−’′…“”中"];

/** The repetitions without a bound, as they are written, whose characters may follow them too. */
export function openRepetitions({ source, flags }: RegExp): string[] {
  const found: string[] = [];
  search(parsed(source, flags.replace(/[gy]/g, "")), new Set(), found);
  return found;
}

/** Whether the part may match nothing. */
function isNullable(part: Part): boolean {
  if (part.kind === "set") return false;
  if (part.kind === "repeat") return part.min === 0 || isNullable(part.part);
  return part.kind === "row" ? part.parts.every(isNullable) : part.parts.some(isNullable);
}

/** The characters with which a text may begin that the part takes, followed by one of `after`. */
function firstOf(part: Part, after: ReadonlySet<string>): ReadonlySet<string> {
  if (part.kind === "set") return part.set;
  if (part.kind === "row") return part.parts.reduceRight((next, each) => firstOf(each, next), after);
  const parts = part.kind === "repeat" ? [part.part] : part.parts;
  const all = new Set(parts.flatMap((each) => [...firstOf(each, after)]));
  if (isNullable(part)) for (const c of after) all.add(c);
  return all;
}

function search(part: Part, after: ReadonlySet<string>, found: string[]): void {
  if (part.kind === "choice") for (const each of part.parts) search(each, after, found);
  if (part.kind === "row") {
    part.parts.reduceRight((next, each) => {
      search(each, next, found);
      return firstOf(each, next);
    }, after);
  }
  if (part.kind !== "repeat") return;
  const again = firstOf(part.part, new Set());
  if (part.max === Infinity && [...again].some((c) => after.has(c))) found.push(part.source);
  search(part.part, part.max > 1 ? new Set([...again, ...after]) : after, found);
}

const QUANTIFIER = /([*+?]|\{(\d+)(,(\d*))?\})\??/y;
const ESCAPE = /\\(?:[pP]\{[^}]*\}|x[\da-f]{2}|u[\da-f]{4}|[\s\S])/iy;
const CLASS = /\[(?:[^\]\\]|\\[\s\S])*\]/y;

function parsed(source: string, flags: string): Part {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(source);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  const setOf = (text: string): Part => {
    const one = new RegExp(`^(?:${text})$`, flags);
    return { kind: "set", set: new Set(SAMPLE.filter((c) => one.test(c))) };
  };
  const nothing: Part = { kind: "row", parts: [] };

  function choice(): Part {
    const parts = [row()];
    for (; source[at] === "|"; parts.push(row())) at++;
    return parts.length === 1 ? (parts[0] as Part) : { kind: "choice", parts };
  }

  function row(): Part {
    const parts: Part[] = [];
    while (at < source.length && source[at] !== "|" && source[at] !== ")") {
      const from = at;
      const part = atom();
      const quantifier = take(QUANTIFIER);
      if (quantifier === null) parts.push(part);
      else {
        const [, sign, least, comma, most] = quantifier;
        const min = sign === "+" ? 1 : Number(least ?? 0);
        const max = sign === "?" ? 1 : least === undefined || most === "" ? Infinity : Number(comma ? most : least);
        parts.push({ kind: "repeat", part, min, max, source: source.slice(from, at) });
      }
    }
    return { kind: "row", parts };
  }

  function atom(): Part {
    if (source[at] === "^" || source[at] === "$") {
      at++;
      return nothing;
    }
    if (source[at] === "(") {
      at += source.startsWith("(?:", at) ? 3 : 1;
      if (source[at] === "?")
        throw new RangeError(`repetitions: expected groups alone, got (${source.slice(at, at + 3)}`);
      const part = choice();
      at++;
      return part;
    }
    const text = take(CLASS) ?? take(ESCAPE);
    return setOf(text === null ? (source[at++] as string) : text[0]);
  }

  return choice();
}
