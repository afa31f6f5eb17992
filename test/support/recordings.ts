/** Recordings for tests. */
import type { EventRecording } from "../../snn/events/recording.ts";

/** Events from rows [t, x, y, p]. */
export function recording(
  rows: readonly (readonly [t: number, x: number, y: number, p: number])[],
  [width, height]: readonly [number, number] = [8, 6],
): EventRecording {
  return {
    t: Float64Array.from(rows, ([t]) => t),
    x: Uint16Array.from(rows, ([, x]) => x),
    y: Uint16Array.from(rows, ([, , y]) => y),
    p: Uint8Array.from(rows, ([, , , p]) => p),
    width,
    height,
  };
}

/** A recording as rows again. */
export const rowsOf = ({ t, x, y, p }: EventRecording): number[][] =>
  Array.from(t, (time, i) => [time, x[i] as number, y[i] as number, p[i] as number]);

/** n events with times that grow by up to `gap` µs, the same ones for a seed. */
export function anyRecording(
  n: number,
  seed = 1,
  size: readonly [number, number] = [13, 10],
  gap = 500,
): EventRecording {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let t = 0;
  return recording(
    Array.from({ length: n }, () => {
      t += next(gap);
      return [t, next(size[0]), next(size[1]), next(2)] as const;
    }),
    size,
  );
}
