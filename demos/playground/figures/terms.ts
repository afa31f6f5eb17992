/** A current in an address: equal values that follow each other are one term, so 0*40_1.5*160 is 0 for 40 steps, then 1.5 for 160. */

/** Values of larger size are not read: a link may come from anyone. */
const MOST = 1e6;

/** A current as an address can hold it: with four digits. */
export const rounded = (current: ArrayLike<number>): Float32Array =>
  Float32Array.from(current, (value) => Number(value.toPrecision(4)));

export function termsOf(current: ArrayLike<number>): string {
  const terms: string[] = [];
  for (let t = 0; t < current.length; ) {
    const value = Number((current[t] as number).toPrecision(4));
    const start = t;
    while (t < current.length && Number((current[t] as number).toPrecision(4)) === value) t++;
    terms.push(t - start === 1 ? String(value) : `${value}*${t - start}`);
  }
  return terms.join("_");
}

/** The current of terms; null for another text, and for fewer or more steps. */
export function currentOf(text: string, least: number, most: number): Float32Array | null {
  const values: number[] = [];
  for (const term of text.split("_")) {
    const [, value, times = "1"] = /^(-?\d+(?:\.\d+)?(?:e-?\d{1,2})?)(?:\*(\d{1,4}))?$/.exec(term) ?? [];
    const [number, count] = [Number(value), Number(times)];
    if (!(Math.abs(number) <= MOST) || values.length + count > most) return null;
    for (let i = 0; i < count; i++) values.push(number);
  }
  return values.length < least ? null : Float32Array.from(values);
}
