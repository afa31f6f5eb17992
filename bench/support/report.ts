/** What a benchmark process tells scripts/bench.mjs: one line of JSON. */
import type { DensityCurve } from "./density.ts";

export const OURS = "jarvis-snn";

export interface Measured {
  /** In the unit of the row. */
  readonly value: number;
  /** Median milliseconds of those who took part. */
  readonly times?: Readonly<Record<string, number>>;
}

/** By the key of the row: what was measured, or why it could not be. */
export type Rows = Record<string, Measured | { readonly missing: string }>;

export interface Report {
  readonly rows: Rows;
  readonly curve?: DensityCurve;
}

export function report(rows: Rows, curve?: DensityCurve): void {
  const all: Report = curve === undefined ? { rows } : { rows, curve };
  process.stdout.write(`${JSON.stringify(all)}\n`);
}
