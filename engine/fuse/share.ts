/** How threads share sweeps of compiled steps, in a separate file: programs without the compiler start threads too. */
import type { Plan } from "./plan.ts";
import type { SweepCall } from "./sweeps.ts";

/** A run of a step, as threads see it. */
export interface SharedRun {
  readonly plan: Plan;
  /** Number of elements in a step, and in a row. */
  readonly size: number;
  readonly n: number;
  /** Address of the descriptor. */
  readonly at: number;
  /** Bytes that each thread has separately: of the descriptor, and of the arrays of pieces. */
  readonly ownBytes: readonly [descriptor: number, pieces: number];
  /** Copies the descriptor to an address, for another thread; arrays of pieces follow it. */
  copyTo(to: number): void;
  pieceOf(call: SweepCall, size?: number): number;
}

/**
 * Shares steps of a sweep: step t and the following ones in `direction`; `together` steps at a time process each piece.
 * If `columns` is not 0, steps are rows of matrices with that many columns. Returns whether the sweep was run.
 */
export type Shared = (
  run: SharedRun,
  call: SweepCall,
  t: number,
  steps: number,
  direction: number,
  together: number,
  columns: number,
) => boolean;

/** Called with each sweep before it runs; null with one thread. */
export let share: Shared | null = null;

export function shareSweeps(by: Shared | null): void {
  share = by;
}
