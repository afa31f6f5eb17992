/** How threads share sweeps of compiled steps, in a separate file: programs without the compiler start threads too. */
import type { Level } from "./layout.ts";

/** A call of a sweep: its function, and whether it writes streams of bits. */
export interface SharedCall {
  readonly run: unknown;
  readonly isSplit: boolean;
  readonly marks: boolean;
}

/** What determines how a step's sweeps are cut (see plan.ts). */
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

/** A run of a step, as threads see it. */
export interface SharedRun {
  readonly plan: SharedPlan;
  /** Number of elements in a step, and in a row. */
  readonly size: number;
  readonly n: number;
  /** Address of the descriptor. */
  readonly at: number;
  /** Bytes that each thread has separately: of the descriptor, and of the arrays of pieces. */
  readonly ownBytes: readonly [descriptor: number, pieces: number];
  /** Copies the descriptor to an address, for another thread; arrays of pieces follow it. */
  copyTo(to: number): void;
  pieceOf(call: SharedCall, size?: number): number;
}

/**
 * Shares steps of a sweep: step t and the following ones in `direction`; `together` steps at a time process each piece.
 * If `columns` is not 0, steps are rows of matrices with that many columns. Returns whether the sweep was run.
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

/** Called with each sweep before it runs; null with one thread. */
export let share: Shared | null = null;

export function shareSweeps(by: Shared | null): void {
  share = by;
}
