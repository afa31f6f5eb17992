/** A pattern as the equations that one can type, and the address that opens them. */
import { addressOf } from "../equation/address.ts";
import { written } from "../equation/language.ts";
import type { Pattern, Response } from "./model.ts";

/** The most steps of an address; a longer window has longer steps there. */
const STEPS = 2000;
/** A current rises there in steps, so many from its rest to its height, for a short address. */
const LEVELS = 100;
/** The width of the surrogate in mV. */
const WIDTH = 20;

/** The hash of a link to the equations of a pattern, under the current that it has. */
export function hashOf(pattern: Pattern, { current }: Response, textOf: TextOf): string {
  const steps = Math.min(STEPS, current.length);
  const { rest, span, numbers } = pattern;
  const held = Float32Array.from({ length: steps }, (_, t) => {
    const value = current[Math.floor((t * current.length) / steps)] as number;
    return rest + (Math.round(((value - rest) / span) * LEVELS) / LEVELS) * span;
  });
  const dt = ((numbers.dt as number) * current.length) / steps;
  return addressOf(textOf({ ...pattern, numbers: { ...numbers, dt } }), held, WIDTH);
}

/** The equations of a pattern as a text. */
type TextOf = (pattern: Pattern) => string;

/** ` + 65`, ` − 65`, or nothing for 0. */
const added = (value: number): string => (value === 0 ? "" : ` ${value < 0 ? "−" : "+"} ${written(Math.abs(value))}`);

const textWith = (numbers: Readonly<Record<string, number | undefined>>, equations: readonly string[]): string =>
  [...Object.entries(numbers).map(([name, value]) => `${name} = ${written(value as number)}`), ...equations].join("\n");

/** Izhikevich's equations with the numbers of one of his patterns. */
export function izhikevichText({ numbers, start }: Pattern): string {
  const { a, b, c, d, dt, linear, bias, recoveryRest, recoveryLeak } = numbers as Readonly<Record<string, number>>;
  const above = recoveryRest === 0 ? "u" : `(u${added(-(recoveryRest as number))})`;
  return textWith({ a, b, c, d, dt }, [
    `u = v + dt·(0.04v² + ${written(linear as number)}v${added(bias as number)} − w + I)`,
    "s = [u ≥ 30]",
    "v′ = c if s else u",
    `w′ = w + dt·a·${recoveryLeak === 0 ? `b·${above}` : `(b·${above} − w)`} + d·s`,
    `v[0] = ${written(start[0])}`,
    `w[0] = ${written(start[1])}`,
  ]);
}

/** The equations of AdEx with the numbers of one of its patterns. */
export function adExText({ numbers, start }: Pattern): string {
  const { C, gL, EL, VT, deltaT, a, tauW, b, resetValue, dt } = numbers as Readonly<Record<string, number>>;
  return textWith({ C, g: gL, E: EL, T: VT, Δ: deltaT, a, τ: tauW, b, r: resetValue, dt }, [
    "e = g·Δ·exp(min((v − T)/Δ, 20))",
    "u = v + dt/C·(g·(E − v) + e − w + I)",
    "s = [u ≥ 0]",
    "v′ = r if s else u",
    "w′ = w + dt/τ·(a·(v − E) − w) + b·s",
    `v[0] = ${written(start[0])}`,
  ]);
}
