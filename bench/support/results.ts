/** Stored results, bench/results/<family>.json: a row that was not measured keeps its old figure and the date of that. */
import { type Family, TARGETS, type Target } from "../targets.ts";
import type { DensityCurve } from "./density.ts";
import type { Grown } from "./growth.ts";
import type { Profile } from "./profile.ts";
import type { Measured, Report } from "./report.ts";

/** Where and when a figure was measured. */
export interface Origin {
  readonly machine: string;
  readonly node: string;
  readonly date: string;
}

export interface Results {
  readonly rows: Readonly<Record<string, Measured & Origin>>;
  readonly curve?: DensityCurve & Origin;
  readonly growth?: Grown;
  readonly profiles?: Readonly<Record<string, Profile & Origin>>;
}

export const families = Object.keys(TARGETS) as Family[];

export const targetsOf = (family: Family): Readonly<Record<string, Target>> => TARGETS[family];

/** Four digits are more than a repetition confirms. */
function rounded(report: Report): Report {
  const text = JSON.stringify(report, (_, value) => (typeof value === "number" ? Number(value.toPrecision(4)) : value));
  return JSON.parse(text) as Report;
}

/** The old results with those of a run in their place; rows that targets.ts does not know any more are dropped. */
export function merge(family: Family, old: Results, report: Report, origin: Origin): Results {
  const known = Object.keys(targetsOf(family));
  const unknown = Object.keys(report.rows).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new RangeError(`bench: expected rows ${known} of ${family}, got ${unknown}`);
  const { rows: found, curve: drawn, profiles: counted, growth: grown } = rounded(report);
  const rows: Record<string, Measured & Origin> = {};
  for (const key of known) {
    const measured = found[key];
    const before = old.rows[key];
    if (measured !== undefined && "value" in measured) rows[key] = { ...measured, ...origin };
    else if (before !== undefined) rows[key] = before;
  }
  const curve = drawn === undefined ? old.curve : { ...drawn, ...origin };
  const growth = grown === undefined ? old.growth : { axes: grown, ...origin };
  const entries = Object.entries(counted ?? {}).map(([name, profile]) => [name, { ...profile, ...origin }]);
  const profiles = counted === undefined ? old.profiles : Object.fromEntries(entries);
  return {
    rows,
    ...(curve === undefined ? {} : { curve }),
    ...(growth === undefined ? {} : { growth }),
    ...(profiles === undefined ? {} : { profiles }),
  };
}
