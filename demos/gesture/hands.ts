/** Hands that circle and wave before a simulated camera. */
import { arange, Generator, noGrad, rand, type Tensor, tensor } from "jarvis-snn";
import { type EventRecording, eventsFromFrames } from "jarvis-snn/events";
import type { Labelled } from "../recordings.ts";

/** The gestures, in the order of their labels. */
export const GESTURES = [
  "circles clockwise",
  "circles counter-clockwise",
  "waves left",
  "waves right",
  "waves up",
  "waves down",
] as const;

/** Pixels of a side of the sensor. */
export const SIDE = 32;
/** Frames before the camera, and the time from one to the next. */
const FRAMES = 100;
const FRAME_US = 8000;
/** The length of a recording. */
export const DURATION_MS = (FRAMES * FRAME_US) / 1000;

const FINGERS = 5;
/** Thresholds and noise of the camera. */
const CAMERA = { onThreshold: 0.25, offThreshold: 0.25, mismatch: 0.03, shotNoiseRate: 1, leakRate: 0.1 };

/** Properties of a hand and its movement, drawn uniformly from these intervals. */
const DRAWN = {
  /** The middle of the movement, in pixels. */
  x: [12, 20],
  y: [12, 20],
  /** Half the width of the movement, in pixels, and the second half axis of circles as a part of the first. */
  reach: [5, 9],
  round: [0.75, 1],
  /** Turns of a circle, or waves, per second. */
  turns: [1.3, 2.3],
  waves: [1.8, 2.8],
  /** The phase at which a turn or a wave begins, as a part of a whole turn or wave. */
  phase: [0, 1],
  /** The part of a wave that is the stroke; the slow way back takes the rest. */
  stroke: [0.18, 0.28],
  /** The angle by which a wave is turned, in radians, and the distance of its middle from the line between its ends, in pixels. */
  tilt: [-0.3, 0.3],
  bow: [-2, 2],
  /** Half the width and the length of the palm, in pixels. */
  width: [2.2, 4],
  height: [2.2, 4],
  /** Fingers, rounded down; their length, half their width, the angle between two, and the angle of the hand. */
  fingers: [0, FINGERS + 1],
  length: [2, 5],
  thickness: [0.5, 0.9],
  spread: [0.3, 0.5],
  lean: [-0.5, 0.5],
  /** Intensities. The hand gets the brighter value where `contrast` is above 0, else the background gets it. */
  bright: [0.6, 0.95],
  dark: [0.15, 0.35],
  contrast: [-1, 1],
} as const satisfies Readonly<Record<string, readonly [number, number]>>;

/** Everything that recordings depend on besides their number, set and seed. */
export const SETTINGS = JSON.stringify({ frames: FRAMES, frameUs: FRAME_US, camera: CAMERA, drawn: DRAWN });

type Hand = Readonly<Record<keyof typeof DRAWN, number>>;

/** Sets of recordings; no hand is in two sets. */
const SETS = ["train", "validation", "test"] as const;
export type HandSet = (typeof SETS)[number];
/** Recordings of a set at most. */
export const MOST = 2 ** 20;

/**
 * Recording i of a set: a hand before the simulated camera, with gesture i mod 6. Its hand, movement and noise depend on i, the set and the seed
 * alone, and are the same on every engine.
 *
 * The movement alone tells the gesture: circles of both directions pass the same places, and a wave is a fast stroke and a slow way back
 * along the same line. A hand is brighter or darker than the background, so the edge in front may give ON or OFF events, and a single
 * slice of time does not tell forward from backward.
 *
 * @throws RangeError for an i that is of another set too.
 */
export function handAt(i: number, set: HandSet, seed: number): Labelled {
  if (i >= MOST) throw new RangeError(`handAt: expected a recording below ${MOST}, got ${i}`);
  const generator = new Generator((seed * SETS.length + SETS.indexOf(set)) * MOST + i);
  const label = i % GESTURES.length;
  return { events: recordingOf(label, generator), label };
}

const NAMES = Object.keys(DRAWN) as (keyof typeof DRAWN)[];

/** One hand and its movement, before one camera. */
function recordingOf(label: number, generator: Generator): EventRecording {
  return noGrad(() => {
    const uniform = rand([NAMES.length], { generator }).toFloat32Array();
    const between = ([low, high]: readonly [number, number], i: number) => low + (high - low) * (uniform[i] as number);
    const hand = Object.fromEntries(NAMES.map((name, i) => [name, between(DRAWN[name], i)])) as Hand;
    const texture = rand([SIDE * SIDE], { generator }).toFloat32Array();
    const [x, y] = label < 2 ? circle(hand, label) : wave(hand, label);
    const frames = framesOf(hand, x.toFloat32Array(), y.toFloat32Array(), texture);
    const times = Array.from({ length: FRAMES + 1 }, (_, f) => f * FRAME_US);
    return eventsFromFrames(tensor(frames, { shape: [FRAMES + 1, SIDE, SIDE] }), times, { ...CAMERA, generator });
  });
}

type Places = readonly [x: Tensor, y: Tensor];

/** Turns or waves up to each frame. */
const partsAt = (perSecond: number, phase: number): Tensor =>
  arange(0, FRAMES + 1)
    .mul((FRAME_US / 1e6) * perSecond)
    .add(phase);

/** Places [F] of a hand that circles. As y points down, growing angles are clockwise. */
function circle({ x, y, reach, round, turns, phase }: Hand, label: number): Places {
  const angle = partsAt(label === 0 ? turns : -turns, phase).mul(2 * Math.PI);
  return [
    angle.cos().mul(reach).add(x),
    angle
      .sin()
      .mul(reach * round)
      .add(y),
  ];
}

/** The directions of strokes, from label 2 on. */
const STROKES = [
  [-1, 0],
  [1, 0],
  [0, -1],
  [0, 1],
] as const;

/** Places [F] of a hand that waves: from one end to the other within the stroke, then back. */
function wave({ x, y, reach, waves, phase, stroke, tilt, bow }: Hand, label: number): Places {
  const part = partsAt(waves, phase);
  const within = part.sub(part.floor());
  const way = within.div(stroke).minimum(
    within
      .mul(-1)
      .add(1)
      .div(1 - stroke),
  );
  // From −1 to 1 and back, slow at both ends: 2·(3w² − 2w³) − 1.
  const along = way.square().mul(way.mul(-2).add(3)).mul(2).sub(1);
  const across = along.square().mul(-bow).add(bow);
  const [dx, dy] = STROKES[label - 2] as (typeof STROKES)[number];
  const cos = tensor(tilt).cos().item();
  const sin = tensor(tilt).sin().item();
  const [ux, uy] = [dx * cos - dy * sin, dx * sin + dy * cos];
  return [
    along
      .mul(reach * ux)
      .add(across.mul(-uy))
      .add(x),
    along
      .mul(reach * uy)
      .add(across.mul(ux))
      .add(y),
  ];
}

/** Intensities [F, H, W] of a hand at these places: a palm, an ellipse, and fingers, lines with round ends. */
function framesOf(hand: Hand, x: Float32Array, y: Float32Array, texture: Float32Array): Float32Array {
  const { width, height, length, thickness, contrast, bright, dark } = hand;
  const [ahead, behind] = contrast > 0 ? [bright, dark] : [dark, bright];
  const tips = tipsOf(hand);
  const radius = Math.ceil(Math.max(width, height + length) + 2);
  const frames = new Float32Array(x.length * SIDE * SIDE);
  for (let f = 0; f < x.length; f++) {
    const frame = frames.subarray(f * SIDE * SIDE, (f + 1) * SIDE * SIDE);
    // The background has a texture of ± 10 %.
    for (let i = 0; i < frame.length; i++) frame[i] = behind * (0.9 + 0.2 * (texture[i] as number));
    const [cx, cy] = [x[f] as number, y[f] as number];
    for (let row = Math.max(0, Math.floor(cy) - radius); row < Math.min(SIDE, cy + radius); row++) {
      for (let column = Math.max(0, Math.floor(cx) - radius); column < Math.min(SIDE, cx + radius); column++) {
        const [px, py] = [column - cx, row - cy];
        // The distance from the shape in pixels, negative inside, about 0 at the edge. Edges are a pixel wide.
        let outside = (Math.sqrt(square(px / width) + square(py / height)) - 1) * Math.min(width, height);
        let squared = Infinity;
        for (const [tx, ty] of tips) {
          const nearest = Math.min(1, Math.max(0, (px * tx + py * ty) / (tx * tx + ty * ty)));
          squared = Math.min(squared, square(px - nearest * tx) + square(py - nearest * ty));
        }
        outside = Math.min(outside, Math.sqrt(squared) - thickness);
        const cover = Math.min(1, Math.max(0, 0.5 - outside));
        const at = row * SIDE + column;
        frame[at] = (frame[at] as number) * (1 - cover) + ahead * cover;
      }
    }
  }
  return frames;
}

const square = (a: number): number => a * a;

/** The tips of the fingers, from the middle of the palm. */
function tipsOf({ fingers, spread, lean, height, length }: Hand): (readonly [number, number])[] {
  const count = Math.min(FINGERS, Math.floor(fingers));
  if (count === 0) return [];
  const angles = arange(0, count)
    .sub((count - 1) / 2)
    .mul(spread)
    .add(lean);
  const [sin, cos] = [angles.sin().toFloat32Array(), angles.cos().toFloat32Array()];
  const reach = height + length;
  return Array.from(sin, (s, i) => [reach * s, -reach * (cos[i] as number)] as const);
}
