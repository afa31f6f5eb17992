/**
 * Collects what the golden tests compare, for `npm run conformance`: where $CONFORMANCE names a file, each observation is appended to
 * it as a line of JSON. Elsewhere nothing is collected.
 */
import { appendFileSync } from "node:fs";

/** The kind of tensor that was compared; spikes must be equal, other kinds may be off. */
export type Kind = "spikes" | "states" | "outputs" | "gradients";

/** A line of the collection. `case` is an entry of `file`, which begins with the peer. */
export type Observation = { readonly file: string; readonly case: string } & (
  | {
      readonly kind: Kind;
      /** The largest difference, relative to the largest value of that tensor in the case; null where shapes differ. */
      readonly deviation: number | null;
    }
  | {
      /** The same, between two runs of this package whose inputs differ by one unit in the last place. */
      readonly sensitivity: number;
      readonly kind: Kind;
    }
  | { readonly leftOut: string }
  | { readonly peerBug: string }
);

type Case = Pick<Observation, "file" | "case">;

let now: Case | null = null;

/** Runs f; what is compared in it belongs to the entry. */
export function during<R>(file: string, entry: string, f: () => R): R {
  const before = now;
  now = { file, case: entry };
  try {
    return f();
  } finally {
    now = before;
  }
}

type Part<T> = T extends Case ? Omit<T, keyof Case> : never;

/** Notes something about the case that runs. */
export function observe(
  part: Part<Observation>,
  { file, case: entry }: Case | { file: ""; case: "" } = now ?? NONE,
): void {
  const path = process.env.CONFORMANCE;
  if (!path || file === "") return;
  appendFileSync(path, `${JSON.stringify({ file, case: entry, ...part })}\n`);
}

const NONE = { file: "", case: "" } as const;

/** The largest |got − wanted|, as a part of the largest |wanted|; the difference itself where all of these are 0. */
export function deviationOf(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let [off, size] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const [x, y] = [got[i] as number, wanted[i] as number];
    if (Object.is(x, y) || x === y) size = Number.isFinite(y) ? Math.max(size, Math.abs(y)) : size;
    else if (!Number.isFinite(x - y)) return Infinity;
    else [off, size] = [Math.max(off, Math.abs(x - y)), Math.max(size, Math.abs(y))];
  }
  return size === 0 ? off : off / size;
}
