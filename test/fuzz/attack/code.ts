/** A call as data: its arguments are code, so that it can be run, cut down and pasted. */

/** An expression, or a list or an object of such. */
export type Code = string | readonly Code[] | { readonly [name: string]: Code };

export function print(code: Code): string {
  if (typeof code === "string") return code;
  if (isList(code)) return `[${code.map(print).join(", ")}]`;
  const fields = Object.entries(code).map(
    ([name, value]) => `${/^\w+$/.test(name) ? name : `"${name}"`}: ${print(value)}`,
  );
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}

export const isList = (code: unknown): code is readonly Code[] => Array.isArray(code);

/** Another expression for the code at a path; the first step of the path is the number of the argument. */
export interface Edit {
  readonly path: readonly (string | number)[];
  readonly code: string;
  /** What the code is, where the call has to throw. */
  readonly refused?: string | undefined;
}

/** The code with the edit in its place, which may be a new name or index. */
export function edited(code: Code, path: readonly (string | number)[], by: string): Code {
  const [step, ...rest] = path;
  if (step === undefined) return by;
  if (isList(code)) {
    const items = [...code];
    items[step as number] = edited(items[step as number] ?? "undefined", rest, by);
    return items;
  }
  const fields = code as { readonly [name: string]: Code };
  return { ...fields, [step]: edited(fields[step] ?? "undefined", rest, by) };
}

/**
 * Where a call runs: outside of all tapes, there with a foreign property on every object, in a tape, in one that throws
 * after it, without records, or in the float64 run of `gradcheck`.
 */
export const SETTINGS = ["root", "polluted", "tape", "failing", "noGrad", "gradcheck"] as const;
export type Setting = (typeof SETTINGS)[number];

export interface Case {
  /** A name of the table of targets. */
  readonly target: string;
  /** Of a method or property, the first is the object. */
  readonly args: readonly Code[];
  readonly edits: readonly Edit[];
  readonly setting: Setting;
  /** Backward follows where the result requires a gradient. */
  readonly backward: boolean;
}

export const argsOf = ({ args, edits }: Case): string[] =>
  (edits.reduce<Code>((code, { path, code: by }) => edited(code, path, by), args) as readonly Code[]).map(print);

/** What must not be, the worst first. */
export const FAULTS = [
  "crash", // the process ends
  "hang", // the call does not
  "canary", // a tensor that has nothing to do with the call was written to
  "trap", // a kernel went astray, or found that it would
  "heap", // memory was given back that nobody had, or a tensor that is made later is wrong
  "scope", // a tape is still open
  "input", // an argument has other values
  "leak", // memory is left that nobody can free
  "foreign", // the address of a tensor of another copy was taken
  "freed", // a freed tensor was taken
  "reread", // a value was read again after its check
  "shape", // a result has a shape that can be written to, or that does not fit
  "raw", // an error of the engine, where a check would have said what is wrong
  "form", // an error that does not say where
  "accepted", // a value of another kind was taken
  "plausible", // a call that nothing was wrong with has failed
] as const;

export interface Finding {
  readonly kind: (typeof FAULTS)[number];
  readonly message: string;
}

/** The exit code of a process in which further calls would suffer from what the last one has done. */
export const DAMAGED = 3;
