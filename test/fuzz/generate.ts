/** Makes programs of ops that are picked by chance. */
import { noGrad } from "../../engine/index.ts";
import { SURROGATE_NAMES } from "./calls.ts";
import { Draw } from "./draw.ts";
import type { Program } from "./program.ts";
import { ROWS } from "./rows.ts";

/** Not for wild programs: what becomes of an infinite membrane is left open, and 0·∞ where a surrogate underflows. */
const TAME = ["LIF", "RecurrentLIF", "spike"];

const ALL = [...Object.keys(ROWS), "LIF", "LIF", "RecurrentLIF"];

/** What programs are drawn from. */
export interface Choice {
  /** The ops; by default all of them, neurons more often as they have more ways than others. */
  readonly ops?: readonly string[];
  /** The surrogates of neurons; by default all of them. */
  readonly surrogates?: readonly (typeof SURROGATE_NAMES)[number][];
}

/** The program of a seed, as far as it runs, and what an op has thrown. Every tenth is a wild one. */
export function generate(seed: number, choice: Choice = {}): { program: Program; error: unknown } {
  const { ops = ALL, surrogates = SURROGATE_NAMES } = choice;
  const wild = seed % 10 === 9;
  const names = ops.filter((op) => !wild || !TAME.includes(op));
  const draw = new Draw(seed, wild, { names, rows: ROWS, surrogates });
  let error: unknown = null;
  noGrad(() => {
    try {
      draw.program();
    } catch (thrown) {
      error = thrown;
    } finally {
      draw.free();
    }
  });
  return { program: { seed, items: draw.items }, error };
}
