/** The race of the rungs: how many steps each has taken in the time that it had. */
import { LADDER, type RungName } from "../../../ladder/words.ts";

/** The rungs that a page can run: threads need a page that is isolated from others. */
export const RACING: readonly Exclude<RungName, "threads">[] = LADDER.flatMap(({ name }) =>
  name === "threads" ? [] : [name],
);

export interface Lane {
  /** Steps that a rung has taken: a part of one where it trains a part of the batch. */
  readonly steps: number;
  /** Milliseconds that it had for them. */
  readonly ms: number;
}

/** A picture of the race. */
export interface Race {
  readonly lanes: readonly Lane[];
  /** Steps after which the rungs from SIMD on have had equal losses, to the bit, in all steps before; and the last of these losses. */
  readonly equal: { readonly steps: number; readonly loss: number } | null;
}

export const emptyRace = (): Race => ({ lanes: RACING.map(() => ({ steps: 0, ms: 0 })), equal: null });

/** The race of a second each, from the milliseconds of a step. */
export const raceOf = (times: readonly number[]): Race => ({
  lanes: times.map((ms) => ({ steps: 1000 / ms, ms: 1000 })),
  equal: null,
});

/** The lane whose turn comes: the one that has had the least time. */
export const nextLane = ({ lanes }: Race): number =>
  lanes.reduce((least, { ms }, i) => (ms < (lanes[least] as Lane).ms ? i : least), 0);

/** Milliseconds of a step; null before a rung has taken one. */
export const stepMs = ({ steps, ms }: Lane): number | null => (steps === 0 ? null : ms / steps);

/** How many times more steps than scalars each rung has taken in the same time; null before both have taken one. */
export function timesFaster(lane: Lane, first: Lane): number | null {
  const [own, slowest] = [stepMs(lane), stepMs(first)];
  return own === null || slowest === null ? null : slowest / own;
}

/** A sentence about the losses. */
export function sentenceOf({ equal }: Race): string {
  if (equal === null) return "";
  const { steps, loss } = equal;
  const count = steps === 1 ? "their first step" : `each of their first ${steps} steps`;
  return `Rungs 4 to 7 have equal losses in ${count}, to the bit: now ${loss.toFixed(6)}.`;
}
