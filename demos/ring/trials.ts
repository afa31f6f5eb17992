/** The trials of the demo, and their figures. */
import { Bump, CUE_MS, SILENCE_MS } from "./bump.ts";
import { type Path, TIMES_MS, type Trial, turnOf, WINDOW_MS } from "./network.ts";

/** Directions between the cues of two trials do not divide the distance of two neurons, so trials begin anywhere between them. */
const OFFSET = 7;

/** Trials without an input behind the cue, one for each direction. */
export const keeping = (count: number): Trial[] =>
  Array.from({ length: count }, (_, i) => ({ start: OFFSET + (360 * i) / count }));

/** Trials with an input for each of the velocities v, the given number of trials for each. */
export const turning = (velocities: readonly number[], count: number): Trial[] =>
  velocities.flatMap((velocity) => keeping(count).map((trial) => ({ ...trial, velocity })));

/** Trials whose second cue is so many degrees from the first one. */
export const cued = (shifts: readonly number[]): Trial[] =>
  shifts.map((shift, i) => ({ start: OFFSET + 80 * i, target: OFFSET + 80 * i + shift }));

/** The first window that does not begin before this time. */
const windowAt = (ms: number): number => Math.ceil(ms / WINDOW_MS);

/** Figures of a bump that was left to itself. */
export interface Kept {
  /** Turn in degrees from the first window behind the cue to the window that begins `ms` later. */
  readonly drift: number;
  /** The farthest direction of a window within this time from the first one, in degrees. */
  readonly excursion: number;
  /** The direction of the first window behind the cue, from that of the cue on, in degrees. */
  readonly miss: number;
  /** The smallest length of the population vector within this time. */
  readonly length: number;
}

/** The drift of a bump within this time behind the cue. */
export function keptOf({ angles, lengths }: Path, { start }: Trial, ms: number): Kept {
  const [first, last] = [windowAt(TIMES_MS.cue), windowAt(TIMES_MS.cue + ms)];
  const from = angles[first] as number;
  const turns = angles.slice(first, last + 1).map((angle) => angle - from);
  return {
    drift: turns.at(-1) as number,
    excursion: Math.max(...turns.map(Math.abs)),
    miss: turnOf(from - start),
    length: Math.min(...lengths.slice(first, last + 1)),
  };
}

/** Time from the start of an input to the first window of the speed, in which the synapses settle. */
const SETTLING_MS = 400;

/** The speed of a bump under an input, in degrees per second: the slope of the line of least squares through its directions. */
export function speedOf({ angles }: Path): number {
  const y = angles.slice(windowAt(TIMES_MS.input + SETTLING_MS));
  const middle = (y.length - 1) / 2;
  const sum = (term: (value: number, i: number) => number) => y.reduce((total, value, i) => total + term(value, i), 0);
  const slope = sum((value, i) => (i - middle) * value) / sum((_, i) => (i - middle) ** 2);
  return (1000 / WINDOW_MS) * slope;
}

/** The speed of each v over v, by least squares through the origin, and the part R² of the variance that this line explains. */
export function lineOf(velocities: readonly number[], speeds: readonly number[]): { slope: number; r2: number } {
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  const slope = dot(velocities, speeds) / dot(velocities, velocities);
  const residuals = speeds.map((speed, i) => speed - slope * (velocities[i] as number));
  const mean = meanOf(speeds);
  const deviations = speeds.map((speed) => speed - mean);
  return { slope, r2: 1 - dot(residuals, residuals) / dot(deviations, deviations) };
}

/** The turn in degrees from the second cue to the direction of the last window. */
export const missOf = ({ angles }: Path, { target = 0 }: Trial): number => turnOf((angles.at(-1) as number) - target);

/** What may happen to a bump for 50 ms: silence empties its synapses, inhibition keeps its neurons from firing. */
export const DISTURBANCES = ["silence", "inhibition"] as const;

/** The drive that inhibition takes away, in thresholds: the last spike comes within 3 ms. */
const INHIBITION = 60;
/** Milliseconds from the cue to the disturbance, and from the end of the disturbance to the reading. */
const [BEFORE_MS, BEHIND_MS] = [500, 500];

/** Turns in degrees from the cue to the direction 500 ms after a disturbance, of so many bumps with noise of their own. */
export function disturbed(
  by: (typeof DISTURBANCES)[number],
  { size, count, seed, noise }: { size: number; count: number; seed: number; noise: number },
): number[] {
  return keeping(count).map(({ start }, i) => {
    const bump = new Bump(size, seed * count + i, noise);
    const free = { cue: null, velocity: 0 };
    bump.advance(CUE_MS, { ...free, cue: start });
    bump.advance(BEFORE_MS, free);
    if (by === "silence") bump.silence();
    bump.advance(SILENCE_MS, by === "silence" ? free : { ...free, inhibition: INHIBITION });
    bump.advance(BEHIND_MS, free);
    return turnOf((bump.direction ?? start + 180) - start);
  });
}

export const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
