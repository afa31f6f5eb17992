/** A picture as spikes by five codes, and what a reader of each code recovers of it as time passes. */
import {
  burstEncode,
  deltaEncode,
  Generator,
  noGrad,
  phaseEncode,
  poissonEncode,
  type Tensor,
  tensor,
  ttfsEncode,
} from "jarvis-snn";
import { choice, number, type Values } from "../state/fields.ts";
import { examples, type Image, imageField, moved, PIXELS, parseImage } from "./image.ts";

export const codingFields = {
  timesteps: number(40, 4, 120, 1),
  rate: number(0.6, 0.05, 1, 0.05),
  seed: number(0, 0, 9999, 1),
  threshold: number(0.25, 0.05, 1, 0.05),
  order: choice(["strength", "place"], "strength"),
  image: imageField(examples.ball),
} as const;

export type CodingConfig = Values<typeof codingFields>;

export const CODES = ["rate", "latency", "phase", "burst", "delta"] as const;
export type CodeName = (typeof CODES)[number];

export interface Code {
  /** [T, PIXELS]; spikes of −1 exist in the delta code. */
  readonly spikes: Float32Array;
  /** Spikes up to and including each step. */
  readonly counts: Int32Array;
  /** The picture as the reader knows it after each step, [T, PIXELS]. */
  readonly recovered: Float32Array;
  /** Root mean square of recovered minus shown picture, after each step. */
  readonly error: Float32Array;
}

export interface Coding {
  readonly image: Image;
  readonly codes: Readonly<Record<CodeName, Code>>;
}

/** Binary digits of the phase code. */
const PHASES = 8;
/** The longest burst, and the interval of its spikes for the strongest and for the faintest pixels. */
const BURST = { maxSpikes: 8, minInterval: 1, maxInterval: 4 } as const;

/** What a reader knows of a pixel after step t; `before`: what it knew one step earlier, 0 at the first. */
type Read = (before: number, spike: number, t: number) => number;

export function encodeImage({ timesteps, rate, seed, threshold, image: text }: CodingConfig): Coding {
  const image = parseImage(text);
  const still = (): Image => image;
  const shaking = (t: number): Image => moved(image, ...shakeAt(t, timesteps));
  const code = (encode: () => Tensor, read: Read, shown: (t: number) => Image = still): Code =>
    decoded(
      noGrad(() => encode().toFloat32Array()),
      timesteps,
      read,
      shown,
    );
  const film = new Float32Array(timesteps * PIXELS);
  for (let t = 0; t < timesteps; t++) film.set(shaking(t), t * PIXELS);
  const x = (): Tensor => tensor(image);
  const generator = new Generator(seed);
  return {
    image,
    codes: {
      rate: code(
        () => poissonEncode(x(), { timesteps, dt: rate, generator }),
        (before, spike, t) => (before * t + spike / rate) / (t + 1),
      ),
      // A pixel that has not fired yet counts as blank.
      latency: code(
        () => ttfsEncode(x(), { timesteps }),
        (before, spike, t) => (spike === 1 ? 1 - t / (timesteps - 1) : before),
      ),
      // Each period repeats the digits of the first one.
      phase: code(
        () => phaseEncode(x(), { timesteps, phases: PHASES }),
        (before, spike, t) => (t < PHASES ? before + spike * 2 ** -(t + 1) : before),
      ),
      // N spikes stand for values above (N − 1)/8 up to N/8.
      burst: code(
        () => burstEncode(x(), { timesteps, ...BURST }),
        (before, spike) => before + (spike * (before === 0 ? 0.5 : 1)) / BURST.maxSpikes,
      ),
      delta: code(
        () => deltaEncode(tensor(film, { shape: [timesteps, PIXELS] }), { threshold, offSpike: true }),
        (before, spike) => before + spike * threshold,
        shaking,
      ),
    },
  };
}

/** The path of the picture before the delta code, to which a still picture is silent: a square of one pixel, in five equal times. */
const SHAKE = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
  [0, 0],
] as const;
const shakeAt = (t: number, timesteps: number): readonly [number, number] =>
  SHAKE[Math.floor((t * SHAKE.length) / timesteps)] as readonly [number, number];

function decoded(spikes: Float32Array, timesteps: number, read: Read, shown: (t: number) => Image): Code {
  const recovered = new Float32Array(spikes.length);
  const error = new Float32Array(timesteps);
  const counts = new Int32Array(timesteps);
  const known = new Float64Array(PIXELS);
  let count = 0;
  for (let t = 0; t < timesteps; t++) {
    const image = shown(t);
    let squares = 0;
    for (let i = 0; i < PIXELS; i++) {
      const at = t * PIXELS + i;
      const spike = spikes[at] as number;
      known[i] = read(known[i] as number, spike, t);
      recovered[at] = Math.min(1, Math.max(0, known[i] as number));
      count += Math.abs(spike);
      squares += ((recovered[at] as number) - (image[i] as number)) ** 2;
    }
    error[t] = Math.sqrt(squares / PIXELS);
    counts[t] = count;
  }
  return { spikes, counts, recovered, error };
}

/** The picture that the reader of a code knows after step t. */
export const recoveredAt = ({ recovered }: Code, t: number): Image => recovered.subarray(t * PIXELS, (t + 1) * PIXELS);

/** The pixels in the order in which rasters show them. */
export function orderOf(image: Image, order: CodingConfig["order"]): number[] {
  const places = Array.from({ length: PIXELS }, (_, i) => i);
  if (order === "place") return places;
  return places.sort((a, b) => (image[b] as number) - (image[a] as number) || a - b);
}

/** The columns of [T, PIXELS] in another order. */
export function reordered(spikes: Float32Array, order: readonly number[]): Float32Array {
  return Float32Array.from({ length: spikes.length }, (_, at) => {
    const t = Math.floor(at / PIXELS);
    return spikes[t * PIXELS + (order[at % PIXELS] as number)] as number;
  });
}
