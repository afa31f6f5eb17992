/** The history of a training of nano and the package side by side, as the figure draws it. */
import type { Both } from "../../../nano/side-by-side.ts";

/** A message of the worker: the losses of the steps since the last message, and the totals of all steps. */
export interface Told {
  readonly losses: readonly Both[];
  /** Milliseconds of all steps. */
  readonly ms: Both;
  readonly equal: number;
  readonly of: number;
}

export interface Sides extends Omit<Told, "losses"> {
  readonly steps: number;
  readonly last: Both | null;
  /** Mean losses of so many steps each. */
  readonly every: number;
  readonly curve: readonly Both[];
  /** Losses of the steps that make no whole point yet. */
  readonly rest: readonly Both[];
}

/** A curve has fewer points: twice the steps make one where it would have more. */
const MOST_POINTS = 256;

export const noSteps = (): Sides => ({
  ...{ steps: 0, last: null, every: 1, curve: [], rest: [] },
  ...{ ms: { nano: 0, package: 0 }, equal: 0, of: 0 },
});

/** The sides after further steps. */
export function withTold(sides: Sides, { losses, ms, equal, of }: Told): Sides {
  let { every } = sides;
  let curve = [...sides.curve];
  let rest: Both[] = [...sides.rest];
  for (const loss of losses) {
    rest.push(loss);
    if (rest.length < every) continue;
    curve.push(meanOf(rest));
    rest = [];
    if (curve.length < MOST_POINTS) continue;
    curve = Array.from({ length: curve.length / 2 }, (_, i) => meanOf(curve.slice(2 * i, 2 * i + 2)));
    every *= 2;
  }
  const steps = sides.steps + losses.length;
  return { steps, last: losses.at(-1) ?? sides.last, every, curve, rest, ms, equal, of };
}

const meanOf = (all: readonly Both[]): Both => ({
  nano: all.reduce((sum, { nano }) => sum + nano, 0) / all.length,
  package: all.reduce((sum, each) => sum + each.package, 0) / all.length,
});

const spaced = (n: number): string => n.toLocaleString("en").replaceAll(",", "\u202f");

/** A sentence about the weights. */
export function sentenceOf({ steps, equal, of }: Sides): string {
  if (steps === 0) return "";
  const count = steps === 1 ? "one step" : `${spaced(steps)} steps`;
  return `After ${count} on the same batches ${spaced(equal)} of ${spaced(of)} weights are equal, to the bit.`;
}
