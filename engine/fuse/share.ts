/** Sweeps of compiled steps that threads share. A file of its own: programs without the compiler start threads too. */
import type { Level } from "./layout.ts";

/** A call of a sweep: its function, and whether it writes streams of bits. */
export interface SharedCall {
  readonly run: unknown;
  readonly isSplit: boolean;
  readonly marks: boolean;
}

/** The part of a step's plan (plan.ts) by which its sweeps are cut. */
interface SharedPlan {
  readonly hasColumns: boolean;
  readonly places: { get(kind: "parameter" | "dParameter" | "output"): readonly number[] | undefined };
  readonly names: readonly string[];
  readonly next: readonly unknown[];
  readonly traced: {
    readonly derived: readonly { readonly level: Level }[];
    readonly definition: { readonly summed?: readonly string[] | undefined };
  };
}

/** A run of a step, as those who share its sweeps see it. */
export interface SharedRun {
  readonly plan: SharedPlan;
  /** Elements of a step, and of a row. */
  readonly size: number;
  readonly n: number;
  /** The address of the descriptor. */
  readonly at: number;
  /** Bytes of the descriptor, and of the arrays of pieces, of which each thread has its own. */
  readonly ownBytes: readonly [descriptor: number, pieces: number];
  /** A copy of the descriptor for another thread, at this address, with arrays of pieces behind it. */
  copyTo(to: number): void;
  pieceOf(call: SharedCall, size?: number): number;
}

/**
 * Steps of a sweep that other threads may share: step t and those after it in this direction, so many together over each piece. Where
 * `columns` is not 0 the steps are rows of matrices, of so many columns each. Returns whether the sweep has run.
 */
export type Shared = (
  run: SharedRun,
  call: SharedCall,
  t: number,
  steps: number,
  direction: number,
  together: number,
  columns: number,
) => boolean;

/** Gets sweeps first; null while there is one thread. */
export let share: Shared | null = null;

export function shareSweeps(by: Shared | null): void {
  share = by;
}
