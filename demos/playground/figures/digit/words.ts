/** Words under the picture of a wave. */
import { TIMESTEPS, type Wave } from "./net.ts";
import { END } from "./wave.ts";
import { BYTES } from "./weights.ts";

/** The step that is the last one to have begun. */
export const stepAt = (time: number): number => Math.min(TIMESTEPS - 1, Math.floor(time));

/** The cost of a wave until a time. */
export function costOf(wave: Wave | null, time: number): string[] {
  const spikes = time < 0 ? 0 : (wave?.counts[stepAt(time)] ?? 0);
  return [
    `${spikes} ${spikes === 1 ? "spike" : "spikes"}`,
    time < 0 || time >= END ? `${TIMESTEPS} steps` : `step ${stepAt(time) + 1} of ${TIMESTEPS}`,
    `${Math.round(BYTES / 1000)} kB of weights`,
  ];
}

/** The answer of a wave that is over. */
export function answerOf({ digits, decided }: Wave): string {
  const [first, second] = digits;
  if (first === undefined) return "No digit I know.";
  if (second !== undefined) return `Perhaps ${first}, perhaps ${second}.`;
  return `Read as ${first}: decided in step ${decided + 1} of ${TIMESTEPS}.`;
}
