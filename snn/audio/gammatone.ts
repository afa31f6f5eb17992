/**
 * Gammatone filters model the motion of places of the cochlea: a recurrence over samples, computed block by block.
 */
import { NOT_NEGATIVE, numberOf, upTo, withDefaults } from "../../engine/arguments.ts";
import { peek } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { cosPi } from "../../engine/protocol.ts";
import { checkShape } from "../../engine/shape.ts";
import { emptyOf } from "../../engine/unchecked.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { checkSequence } from "../layer/checks.ts";
import { exactExp, ln } from "./exact.ts";
import { checkBand, frequencyOf, signalRows } from "./signal.ts";

/** Options of {@link gammatone}. */
export interface GammatoneOptions {
  /** Samples a second, an integer in [1, 2²⁴]; default 16000. */
  sampleRate?: number;
  /** C, the number of filters, an integer in [1, 2¹⁶]; default 64. */
  channels?: number;
  /** Centre of the first filter, in Hz, > 0; default 50. */
  fMin?: number;
  /** Centre of the last filter, in Hz, above fMin and at most half the rate; default 0.45 of the rate, at most 8000. */
  fMax?: number | undefined;
}

export const GAMMATONE = {
  sampleRate: 16000,
  channels: 64,
  fMin: 50,
  fMax: undefined as number | undefined,
} satisfies Record<keyof GammatoneOptions, unknown>;

const CHANNELS = upTo(2 ** 16);

/**
 * Equivalent rectangular bandwidth, in Hz, of the auditory filter at a frequency in Hz; 132.6 at 1000.
 *
 *   ERB(f) = 24.7·(4.37·f/1000 + 1)
 *
 * @throws RangeError unless the frequency is finite and ≥ 0; TypeError for anything but a number.
 * @see Glasberg and Moore (1990), Derivation of auditory filter shapes from notched-noise data, Hearing Research 47.
 *
 * @example
 * ```ts
 * import { erb } from "jarvis-snn/audio";
 *
 * console.log(erb(1000).toFixed(1), "Hz"); // 132.6 Hz
 * ```
 */
export function erb(frequency: number): number {
  return bandwidth(numberOf("erb", "frequency", frequency, NOT_NEGATIVE));
}

const bandwidth = (f: number): number => 24.7 * ((4.37 * f) / 1000 + 1);

/**
 * Centres of the filters, in Hz, evenly spaced from fMin to fMax on the ERB scale, E = 21.4·log₁₀(4.37·f/1000 + 1). A single filter has its centre at
 * fMin.
 *
 * Shapes: → an array of `channels` numbers.
 *
 * @throws RangeError for an option out of range; TypeError for an unknown option or a value of the wrong type.
 * @see Glasberg and Moore (1990), Derivation of auditory filter shapes from notched-noise data, Hearing Research 47.
 *
 * @example
 * ```ts
 * import { erbFrequencies } from "jarvis-snn/audio";
 *
 * console.log(erbFrequencies({ channels: 4, fMin: 100, fMax: 6000 }).map(Math.round));
 * // Float64Array(4) [ 100, 648, 2108, 6000 ]
 * ```
 */
export function erbFrequencies(options: GammatoneOptions = GAMMATONE): Float64Array {
  const given = withDefaults("erbFrequencies", GAMMATONE, options);
  return centres("erbFrequencies", given);
}

function centres(where: string, { sampleRate, channels, fMin, fMax }: typeof GAMMATONE): Float64Array {
  numberOf(where, "sampleRate", sampleRate, STEP_COUNTS);
  numberOf(where, "channels", channels, CHANNELS);
  frequencyOf(where, "fMin", fMin, sampleRate);
  const last = fMax === undefined ? Math.min(8000, 0.45 * sampleRate) : frequencyOf(where, "fMax", fMax, sampleRate);
  checkBand(where, fMin, last);
  const low = ln(0.00437 * fMin + 1);
  const step = channels === 1 ? 0 : (ln(0.00437 * last + 1) - low) / (channels - 1);
  return Float64Array.from({ length: channels }, (_, c) => (exactExp(low + c * step) - 1) / 0.00437);
}

/**
 * Gammatone filters of 4th order: each centre f₀ has a chain of four complex one-pole filters, and the output is the real part of the last one. The
 * gain at the centre of a filter is 1. There is no gradient.
 *
 *   y₀ = 2·(1 − λ)⁴·x     yⱼ[n] = λ·e^{iβ}·yⱼ[n−1] + yⱼ₋₁[n], j = 1 … 4     z[n] = Re y₄[n]
 *   λ = exp(−2πb/sampleRate),  β = 2πf₀/sampleRate,  b = ERB(f₀)·36·2⁶/(720π) = 1.019·ERB(f₀)
 *
 * Shapes: x [N, …] → [N, …, C], with the centres of {@link erbFrequencies}. Filters run in float64. After a NaN or an infinity, the output of a
 * filter is never finite again.
 *
 * @throws RangeError unless x has a time axis, or for an option out of range; TypeError for an unknown option or a value of the wrong type.
 * @see Hohmann (2002), Frequency analysis and synthesis using a Gammatone filterbank, Acta Acustica united with Acustica 88(3); Patterson
 *   et al. (1987), An efficient auditory filterbank based on the gammatone function, APU report 2341.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 * import { gammatone } from "jarvis-snn/audio";
 *
 * const tone = arange(0, 8000).mul((2 * Math.PI * 1000) / 16000).sin(); // 1 kHz for half a second
 * const motion = gammatone(tone, { channels: 8, fMin: 250, fMax: 4000 });
 * console.log(motion.shape, "loudest:", motion.square().sum({ axis: 0 }).argmax().item()); // [ 8000, 8 ] loudest: 3
 * ```
 */
export function gammatone(x: Tensor, options: GammatoneOptions = GAMMATONE): Tensor {
  const given = withDefaults("gammatone", GAMMATONE, options);
  checkSequence("gammatone", "sound", x);
  const [n, rows] = signalRows(x);
  const filters = new Gammatone("gammatone", given, rows);
  const z = emptyOf(checkShape("gammatone", [...x.sizes, filters.channels]));
  // Materialising x may grow the memory, which detaches earlier views.
  const sound = peek(x);
  filters.filter(peek(z), sound, n);
  return z;
}

/** Filters with their state, for sound that arrives in blocks. */
export class Gammatone {
  readonly channels: number;
  /** For each filter: real and imaginary part of the pole, and the input gain. */
  private readonly filters: Float64Array;
  /** Real and imaginary parts of y₁ … y₄ for each row and filter. */
  private readonly state: Float64Array;
  private readonly rows: number;

  /** Filters at rest for sound with this number of rows. */
  constructor(where: string, given: typeof GAMMATONE, rows: number) {
    const at = centres(where, given);
    this.channels = at.length;
    this.rows = rows;
    this.state = new Float64Array(8 * rows * at.length);
    this.filters = new Float64Array(3 * at.length);
    at.forEach((f, c) => {
      const decay = exactExp((-2 * Math.PI * WIDTH * bandwidth(f)) / given.sampleRate);
      const turn = (2 * f) / given.sampleRate;
      const open = (1 - decay) * (1 - decay);
      // sin πt = cos π(t − 1/2)
      this.filters.set([decay * cosPi(turn), decay * cosPi(turn - 0.5), 2 * open * open], 3 * c);
    });
  }

  /** Filters n samples, x [n, rows], into z [n, rows, channels]. */
  filter(z: Float32Array, x: ArrayLike<number>, n: number): void {
    const { channels, rows, filters, state } = this;
    const step = rows * channels;
    for (let row = 0; row < rows; row++) {
      for (let c = 0; c < channels; c++) {
        const re = filters[3 * c] as number;
        const im = filters[3 * c + 1] as number;
        const factor = filters[3 * c + 2] as number;
        const at = 8 * (row * channels + c);
        let [a, ai, b, bi, d, di, e, ei] = state.subarray(at, at + 8) as unknown as Eight;
        for (let i = 0, from = row, to = row * channels + c; i < n; i++, from += rows, to += step) {
          let real = re * a - im * ai + factor * (x[from] as number);
          ai = re * ai + im * a;
          a = real;
          real = re * b - im * bi + a;
          bi = re * bi + im * b + ai;
          b = real;
          real = re * d - im * di + b;
          di = re * di + im * d + bi;
          d = real;
          real = re * e - im * ei + d;
          ei = re * ei + im * e + di;
          e = real;
          z[to] = e;
        }
        state.set([a, ai, b, bi, d, di, e, ei], at);
      }
    }
  }
}

type Eight = [number, number, number, number, number, number, number, number];

/** b/ERB: a gammatone filter of 4th order with this b has the required equivalent rectangular bandwidth. */
const WIDTH = (36 * 64) / (720 * Math.PI);
