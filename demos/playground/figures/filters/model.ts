/** A picture under a window of 3 × 3 weights, and a neuron for each place of the window. */
import { constantEncode, LIF, noGrad, tensor } from "jarvis-snn";
import { examples, type Image, imageField, parseImage, SIDE } from "../../model/image.ts";
import { choice, number, type Values } from "../../state/fields.ts";

/** Side of the window, and of the map of its places. */
export const WINDOW = 3;
export const PLACES = SIDE - WINDOW + 1;
export const STEPS = 30;

/** Weights of the windows, row by row. */
export const FILTERS = {
  left: [-1, 0, 1, -1, 0, 1, -1, 0, 1],
  top: [-1, -1, -1, 0, 0, 0, 1, 1, 1],
  diagonal: [-1, -1, 2, -1, 2, -1, 2, -1, -1],
  spot: [-1, -1, -1, -1, 8, -1, -1, -1, -1],
  blur: [1, 1, 1, 1, 1, 1, 1, 1, 1],
} as const satisfies Record<string, readonly number[]>;

export type Filter = keyof typeof FILTERS;

const places = (initial: number) => number(initial, 0, PLACES - 1, 1);

export const filterFields = {
  filter: choice(Object.keys(FILTERS) as Filter[], "left"),
  row: places(5),
  column: places(1),
  image: imageField(examples.ring),
} as const;

export type FilterConfig = Values<typeof filterFields>;

/** Current for a sum of 1. With it strong edges fire in every other step, faint ones rarely. */
const GAIN = 0.3;
const BETA = 0.8;

export interface Filtered {
  readonly image: Image;
  /** Sums of the nine products, [PLACES · PLACES]. */
  readonly sums: Float32Array;
  /** [STEPS, PLACES · PLACES] */
  readonly spikes: Float32Array;
  /** Spikes up to and including each step, as a share of the steps so far. */
  readonly rates: Float32Array;
  /** The membrane of the neuron at the window before its reset, [STEPS]. */
  readonly membrane: Float32Array;
}

export function filtered({ filter, row, column, image: text }: FilterConfig): Filtered {
  const image = parseImage(text);
  const sums = sumsUnder(FILTERS[filter], image);
  const [spikes, membranes] = noGrad(() => {
    const current = tensor(sums, { shape: [1, PLACES * PLACES] }).mul(GAIN);
    const { spikes, membrane } = new LIF({ beta: BETA }).unroll(constantEncode(current, { timesteps: STEPS }));
    return [spikes.toFloat32Array(), membrane.toFloat32Array()];
  });
  const count = PLACES * PLACES;
  const rates = new Float32Array(spikes.length);
  const totals = new Int32Array(count);
  for (const [at, spike] of spikes.entries()) {
    const [t, i] = [Math.floor(at / count), at % count];
    totals[i] = (totals[i] as number) + spike;
    rates[at] = (totals[i] as number) / (t + 1);
  }
  const at = row * PLACES + column;
  const membrane = Float32Array.from({ length: STEPS }, (_, t) => membranes[t * count + at] as number);
  return { image, sums, spikes, rates, membrane };
}

/** The sums of `conv2d`, in a loop: all figures share one file of the package, and no other figure needs a convolution. */
function sumsUnder(weights: readonly number[], image: Image): Float32Array {
  return Float32Array.from({ length: PLACES * PLACES }, (_, place) => {
    const first = Math.floor(place / PLACES) * SIDE + (place % PLACES);
    return weights.reduce(
      (sum, weight, i) => sum + weight * (image[first + Math.floor(i / WINDOW) * SIDE + (i % WINDOW)] as number),
      0,
    );
  });
}

/** Rates of all places after step t. */
export const ratesAt = ({ rates }: Filtered, t: number): Float32Array =>
  rates.subarray(t * PLACES * PLACES, (t + 1) * PLACES * PLACES);

/** Spikes of the neuron at the window. */
export function spikesAt({ spikes }: Filtered, { row, column }: FilterConfig): number[] {
  const at = row * PLACES + column;
  return Array.from({ length: STEPS }, (_, t) => t).filter((t) => spikes[t * PLACES * PLACES + at] === 1);
}
