/** The rungs that run on one thread, by their names. */
import type { Make } from "./rung.ts";
import * as arrays from "./rungs/arrays.ts";
import * as bits from "./rungs/bits.ts";
import * as loops from "./rungs/loops.ts";
import * as memory from "./rungs/memory.ts";
import * as packaged from "./rungs/package.ts";
import * as scalars from "./rungs/scalars.ts";
import * as simd from "./rungs/simd.ts";
import type { RungName } from "./words.ts";

export interface Rung {
  readonly toy: Make;
  /** From SIMD on. */
  readonly tutorial5?: Make;
  /** Called before steps are taken, and after them. */
  readonly enter?: () => Promise<unknown>;
  readonly leave?: () => Promise<unknown>;
}

export const RUNGS: Readonly<Record<Exclude<RungName, "threads">, Rung>> = {
  scalars,
  arrays,
  loops,
  simd,
  bits,
  memory,
  package: packaged,
};
