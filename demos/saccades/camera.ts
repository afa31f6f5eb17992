/** Digits that move before a simulated event camera; for N-MNIST, a real camera moved before digits on a screen. */
import { Generator, tensor } from "jarvis-snn";
import { type CameraOptions, type EventRecording, eventsFromFrames } from "jarvis-snn/events";

/** Pixels of a side of a digit, and of the sensor. */
const DIGIT = 28;
export const SIDE = 34;
/** Microseconds of a saccade, and of all three. */
const SACCADE = 100_000;
export const DURATION = 3 * SACCADE;

/**
 * Places of the digit before, between and behind the saccades, in pixels to the right of and below the middle of the sensor: the corners of
 * an isosceles triangle. The digit stays a pixel away from the edges, so that no part of it leaves the sensor.
 */
const CORNERS = [
  [-2, -2],
  [0, 2],
  [2, -2],
  [-2, -2],
] as const;

/** Frames of a saccade. The digit moves by the same distance, about a quarter of a pixel, from each frame to the next. */
const FRAMES = 16;

/** The sensor: thresholds of log intensity, their spread over the pixels, and the light of a black pixel. */
export const CAMERA = {
  onThreshold: 0.8,
  offThreshold: 0.8,
  mismatch: 0.05,
  refractoryPeriod: 1000,
  logOffset: 0.1,
} as const satisfies CameraOptions;

/** The seed of the mismatch. All recordings are from one sensor. */
export const SENSOR = 34;

/** A frame: its time in µs, and the top left corner of the digit on the sensor, in pixels. */
export interface Pose {
  readonly t: number;
  readonly x: number;
  readonly y: number;
}

/**
 * The poses of the digit. A saccade speeds up in the first half of its time T and slows down in the second half, with an acceleration of
 * constant size:
 *
 *   s(t) = 2·(t/T)² up to T/2, then 1 − 2·(1 − t/T)²      the part of the way, from 0 to 1
 *
 * Frames stand at equal distances, s = k/16, at the times t = T·√(s/2) and t = T·(1 − √((1 − s)/2)).
 */
export const POSES: readonly Pose[] = [0, 1, 2].flatMap((saccade) => {
  const [fromX, fromY] = CORNERS[saccade] as (typeof CORNERS)[number];
  const [toX, toY] = CORNERS[saccade + 1] as (typeof CORNERS)[number];
  const margin = (SIDE - DIGIT) / 2;
  // The first pose of a saccade is the last one of the saccade before it.
  const ks = Array.from({ length: FRAMES + 1 }, (_, k) => k).slice(saccade === 0 ? 0 : 1);
  return ks.map((k): Pose => {
    const s = k / FRAMES;
    const part = s < 0.5 ? Math.sqrt(s / 2) : 1 - Math.sqrt((1 - s) / 2);
    return {
      t: SACCADE * saccade + Math.floor(SACCADE * part),
      x: margin + fromX + (toX - fromX) * s,
      y: margin + fromY + (toY - fromY) * s,
    };
  });
});

/** The frames [F, 34, 34] of a digit, bytes of 28 × 28 pixels: intensities in [0, 1], between pixels by bilinear interpolation. */
export function framesOf(digit: Uint8Array): Float32Array {
  const frames = new Float32Array(POSES.length * SIDE * SIDE);
  for (const [f, pose] of POSES.entries()) {
    const left = Math.floor(pose.x);
    const top = Math.floor(pose.y);
    const right = pose.x - left;
    const bottom = pose.y - top;
    const corner = (f * SIDE + top) * SIDE + left;
    for (let i = 0; i < digit.length; i++) {
      const byte = digit[i] as number;
      if (byte === 0) continue;
      const value = byte / 255;
      const at = corner + Math.floor(i / DIGIT) * SIDE + (i % DIGIT);
      spread(frames, at, value * (1 - bottom), right);
      spread(frames, at + SIDE, value * bottom, right);
    }
  }
  return frames;
}

/** Adds a value to a pixel and to the pixel to the right of it, which gets the given part. */
function spread(frames: Float32Array, at: number, value: number, right: number): void {
  frames[at] = (frames[at] as number) + value * (1 - right);
  // A part of 0 is left out, since the pixel to the right of a row's last pixel is in the next row, or behind the frames.
  if (right > 0) frames[at + 1] = (frames[at + 1] as number) + value * right;
}

/** The recording of a digit that makes three saccades. Arithmetic is exact to the bit on every engine. */
export function record(digit: Uint8Array): EventRecording {
  const frames = tensor(framesOf(digit), { shape: [POSES.length, SIDE, SIDE] });
  try {
    const times = POSES.map(({ t }) => t);
    return eventsFromFrames(frames, times, { ...CAMERA, generator: new Generator(SENSOR) });
  } finally {
    frames.dispose();
  }
}
