/** The address of a typed neuron: its text, the current and the width of the surrogate, as the hash of a link. */

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
const MOST_CURRENT = 1e6;
const WIDTHS = [1e-3, 1e3] as const;

/** A current as an address can hold it: with four digits. */
export const rounded = (current: ArrayLike<number>): Float32Array =>
  Float32Array.from(current, (value) => Number(value.toPrecision(4)));

/**
 * The hash of a link to the page of equations, # included: `equation/${addressOf(text, current)}`. Currents are rounded to four digits.
 * Equal currents that follow each other are one term: 0*40_1.5*160 is 0 for 40 steps, then 1.5 for 160.
 */
export function addressOf(text: string, current: ArrayLike<number>, width = 1): string {
  const terms: string[] = [];
  for (let t = 0; t < current.length; ) {
    const value = Number((current[t] as number).toPrecision(4));
    const start = t;
    while (t < current.length && Number((current[t] as number).toPrecision(4)) === value) t++;
    terms.push(t - start === 1 ? String(value) : `${value}*${t - start}`);
  }
  return `#${new URLSearchParams({ text, current: terms.join("_"), width: String(width) })}`;
}

/** The setting of a hash; null for any other one. */
export function settingOf(hash: string): Setting | null {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const text = fields.get("text");
  const current = currentOf(fields.get("current") ?? "");
  const width = Number(fields.get("width") ?? 1);
  if (text === null || text.length > MOST_TEXT || current === null) return null;
  if (!(width >= WIDTHS[0] && width <= WIDTHS[1])) return null;
  return { text, current, width };
}

function currentOf(text: string): Float32Array | null {
  const values: number[] = [];
  for (const term of text.split("_")) {
    const [, value, times = "1"] = /^(-?\d+(?:\.\d+)?(?:e-?\d{1,2})?)(?:\*(\d{1,4}))?$/.exec(term) ?? [];
    const [number, count] = [Number(value), Number(times)];
    if (!(Math.abs(number) <= MOST_CURRENT) || values.length + count > STEPS[1]) return null;
    for (let i = 0; i < count; i++) values.push(number);
  }
  return values.length < STEPS[0] ? null : Float32Array.from(values);
}
