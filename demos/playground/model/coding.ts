/** A picture as spikes by rate and by latency, and what both recover of it as time goes on. */
import { Generator, noGrad, poissonEncode, tensor, ttfsEncode } from "jarvis-snn";
import { choice, number, type Values } from "../state/fields.ts";
import { examples, imageField, PIXELS, parseImage } from "./image.ts";

export const codingFields = {
  timesteps: number(40, 4, 120, 1),
  rate: number(0.6, 0.05, 1, 0.05),
  seed: number(0, 0, 9999, 1),
  order: choice(["strength", "place"], "strength"),
  image: imageField(examples.ball),
} as const;

export type CodingConfig = Values<typeof codingFields>;

export interface Code {
  /** [T, PIXELS] */
  readonly spikes: Float32Array;
  readonly count: number;
  /** Root mean square of what is missing, if one stops to listen after each step. */
  readonly error: Float32Array;
  /** The picture as it is known after a step. */
  recovered(t: number): Float32Array;
}

export interface Coding {
  readonly image: Float32Array;
  readonly byRate: Code;
  readonly byLatency: Code;
}

export function encodeImage({ timesteps, rate, seed, image: text }: CodingConfig): Coding {
  const image = parseImage(text);
  const [poisson, first] = noGrad(() => {
    const x = tensor(image);
    const drawn = poissonEncode(x, { timesteps, dt: rate, generator: new Generator(seed) }).toFloat32Array();
    return [drawn, ttfsEncode(x, { timesteps }).toFloat32Array()];
  });
  return {
    image,
    byRate: code(image, poisson, timesteps, (spikes, t, i) => Math.min(1, spikes.total(t, i) / (rate * (t + 1)))),
    // A pixel that has not fired yet counts as blank.
    byLatency: code(image, first, timesteps, (spikes, t, i) => {
      const at = spikes.firstAt(i);
      return at < 0 || at > t ? 0 : 1 - at / Math.max(1, timesteps - 1);
    }),
  };
}

/** Spikes [T, PIXELS] with what readers of a code ask of them. */
class SpikeTrains {
  private readonly totals: Float32Array;
  private readonly firsts: Int32Array;

  constructor(spikes: Float32Array, timesteps: number) {
    this.totals = spikes.slice();
    this.firsts = new Int32Array(PIXELS).fill(-1);
    for (let t = 0; t < timesteps; t++) {
      for (let i = 0; i < PIXELS; i++) {
        const at = t * PIXELS + i;
        if (spikes[at] === 1 && this.firsts[i] === -1) this.firsts[i] = t;
        if (t > 0) this.totals[at] = (this.totals[at] as number) + (this.totals[at - PIXELS] as number);
      }
    }
  }

  /** Spikes of pixel i up to step t. */
  total(t: number, i: number): number {
    return this.totals[t * PIXELS + i] as number;
  }

  /** The step of its first spike, −1 if there is none. */
  firstAt(i: number): number {
    return this.firsts[i] as number;
  }
}

function code(
  image: Float32Array,
  spikes: Float32Array,
  timesteps: number,
  read: (spikes: SpikeTrains, t: number, i: number) => number,
): Code {
  const trains = new SpikeTrains(spikes, timesteps);
  const recovered = (t: number): Float32Array => Float32Array.from({ length: PIXELS }, (_, i) => read(trains, t, i));
  const error = Float32Array.from({ length: timesteps }, (_, t) => {
    const squares = recovered(t).reduce((sum, value, i) => sum + (value - (image[i] as number)) ** 2, 0);
    return Math.sqrt(squares / PIXELS);
  });
  return { spikes, count: spikes.reduce((sum, spike) => sum + spike, 0), error, recovered };
}

/** The pixels in the order in which rasters show them. */
export function orderOf(image: Float32Array, order: CodingConfig["order"]): number[] {
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
