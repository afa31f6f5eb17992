/**
 * The configuration of a figure as a table of fields: their values, limits and how they are written into an address.
 * Values that are the default are left out of the address; what an address gets wrong becomes the nearest valid value.
 */

/** From min to max in steps. */
export interface NumberField {
  readonly kind: "number";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** One of a few numbers, in ascending order. */
export interface LevelField {
  readonly kind: "level";
  readonly default: number;
  readonly of: readonly number[];
}

/** One of a few words. */
export interface ChoiceField<C extends string = string> {
  readonly kind: "choice";
  readonly default: C;
  readonly of: readonly C[];
}

/** A few integers between min and max; at least `least` and at most `most` of them. */
interface ListField {
  readonly kind: "list";
  readonly default: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly least: number;
  readonly most: number;
}

/** Letters and digits; all of them have to match. */
export interface TextField {
  readonly kind: "text";
  readonly default: string;
  readonly pattern: RegExp;
}

export type Field = NumberField | LevelField | ChoiceField | ListField | TextField;
export type Fields = Record<string, Field>;

type ValueOf<F> =
  F extends ChoiceField<infer C> ? C : F extends ListField ? readonly number[] : F extends TextField ? string : number;
export type Values<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** A choice whose words are its type. */
export const choice = <const C extends string>(of: readonly C[], initial: NoInfer<C>): ChoiceField<C> => ({
  kind: "choice",
  default: initial,
  of,
});

export const number = (initial: number, min: number, max: number, step: number): NumberField => ({
  kind: "number",
  default: initial,
  min,
  max,
  step,
});

/** The number of a slider with these bounds. */
export const fieldOf = ({ min, max, step }: Omit<NumberField, "kind" | "default">, initial: number): NumberField =>
  number(initial, min, max, step);

export const level = (initial: number, of: readonly number[]): LevelField => ({ kind: "level", default: initial, of });

export function defaults<F extends Fields>(fields: F): Values<F> {
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.default])) as Values<F>;
}

/** `tau=30&reset=zero`: what differs from the defaults, in the order of the table. */
export function formatValues<F extends Fields>(fields: F, values: Values<F>): string {
  return Object.entries(fields)
    .map(([name, field]) => [name, formatValue(field, values[name]), formatValue(field, field.default)])
    .filter(([, text, initial]) => text !== initial)
    .map(([name, text]) => `${name}=${text}`)
    .join("&");
}

export function parseValues<F extends Fields>(fields: F, text: string): Values<F> {
  const given = new URLSearchParams(text);
  const entries = Object.entries(fields).map(([name, field]) => {
    const value = given.get(name);
    return [name, value === null ? field.default : parseValue(field, value)];
  });
  return Object.fromEntries(entries) as Values<F>;
}

/** The value of a field that lies nearest to a number. */
export function nearest(field: NumberField | LevelField, value: number): number {
  if (field.kind === "level") {
    return field.of.reduce((best, candidate) =>
      Math.abs(candidate - value) < Math.abs(best - value) ? candidate : best,
    );
  }
  const { min, max, step } = field;
  const steps = Math.round((Math.min(max, Math.max(min, value)) - min) / step);
  return Number((min + steps * step).toFixed(decimals(step)));
}

/** The value `by` steps away, within the limits. */
export function nudged(field: NumberField | LevelField, value: number, by: number): number {
  if (field.kind === "number") return nearest(field, value + by * field.step);
  const index = field.of.indexOf(nearest(field, value)) + by;
  return field.of[Math.min(field.of.length - 1, Math.max(0, index))] as number;
}

/** How far along its range a value is, from 0 to 1, and back. */
export function shareOf(field: NumberField | LevelField, value: number): number {
  if (field.kind === "number") return (value - field.min) / (field.max - field.min);
  return field.of.indexOf(nearest(field, value)) / (field.of.length - 1);
}

export function atShare(field: NumberField | LevelField, share: number): number {
  if (field.kind === "number") return nearest(field, field.min + share * (field.max - field.min));
  const index = Math.round(share * (field.of.length - 1));
  return field.of[Math.min(field.of.length - 1, Math.max(0, index))] as number;
}

/** Digits behind the point that a step needs. */
export function decimals(step: number): number {
  const [, fraction = ""] = String(step).split(".");
  return fraction.length;
}

function formatValue(field: Field, value: unknown): string {
  return field.kind === "list" ? (value as readonly number[]).join(",") : String(value);
}

function parseValue(field: Field, text: string): string | number | readonly number[] {
  if (field.kind === "choice") return field.of.includes(text) ? text : field.default;
  if (field.kind === "list") return parseList(field, text);
  if (field.kind === "text") return field.pattern.test(text) ? text : field.default;
  const value = Number(text);
  return text.trim() === "" || !Number.isFinite(value) ? field.default : nearest(field, value);
}

function parseList({ min, max, least, most, default: initial }: ListField, text: string): readonly number[] {
  const numbers = text === "" ? [] : text.split(",").map(Number);
  if (numbers.length < least || numbers.some((value) => !Number.isInteger(value))) return initial;
  return numbers.slice(0, most).map((value) => Math.min(max, Math.max(min, value)));
}
