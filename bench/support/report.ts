/** What a benchmark process tells scripts/bench.mjs: one line of JSON. */
import type { DensityCurve } from "./density.ts";
import type { Growth } from "./growth.ts";
import type { Profile } from "./profile.ts";

export const OURS = "jarvis-snn";

export interface Measured {
  /** In the unit of the row. */
  readonly value: number;
  /** How many threads both sides had, if more than one. */
  readonly threads?: number;
  /** Median milliseconds of those who took part. */
  readonly times?: Readonly<Record<string, number>>;
}

/** By the key of the row: what was measured, or why it could not be. */
export type Rows = Record<string, Measured | { readonly missing: string }>;

export interface Report {
  readonly rows: Rows;
  readonly curve?: DensityCurve;
  /** By what grows. */
  readonly growth?: Readonly<Record<string, Growth>>;
  /** By workload. */
  readonly profiles?: Readonly<Record<string, Profile>>;
}

export function report(rows: Rows, curve?: DensityCurve): void {
  send(curve === undefined ? { rows } : { rows, curve });
}

export function send(report: Report): void {
  process.stdout.write(`${JSON.stringify(report)}\n`);
}
