/** The address of a typed neuron: its text, the current and the width of the surrogate, as the hash of a link. */

import { currentOf, termsOf } from "../terms.ts";

/** The settings of a reader: text, current and width of the surrogate. */
export interface Setting {
  readonly text: string;
  /** The current of each step. */
  readonly current: Float32Array;
  /** The width of the surrogate, a triangle. */
  readonly width: number;
}

/** Limits of a link: it may come from anyone. */
const MOST_TEXT = 4000;
const STEPS = [10, 2000] as const;
const WIDTHS = [1e-3, 1e3] as const;

/** The hash of a link to the page of equations, # included: `equation/${addressOf(text, current)}`. Currents are rounded to four digits. */
export function addressOf(text: string, current: ArrayLike<number>, width = 1): string {
  return `#${new URLSearchParams({ text, current: termsOf(current), width: String(width) })}`;
}

/** The setting of a hash; null for any other one. */
export function settingOf(hash: string): Setting | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const text = fields.get("text");
  const current = currentOf(fields.get("current") ?? "", ...STEPS);
  const width = Number(fields.get("width") ?? 1);
  if (text === null || text.length > MOST_TEXT || current === null) return null;
  if (!(width >= WIDTHS[0] && width <= WIDTHS[1])) return null;
  return { text, current, width };
}
