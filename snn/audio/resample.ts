/** Resampling: a windowed sinc as a strided convolution, for whole sounds and block by block. */
import { numberOf, SHARE, upTo, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { composed } from "../../engine/extend.ts";
import { conv1d, pad, type Tensor, tensor } from "../../engine/index.ts";
import { cosPi } from "../../engine/protocol.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { checkSequence } from "../layer/checks.ts";
import { signalRows } from "./signal.ts";
import { HopWindows, joinedSamples } from "./windows.ts";

/** Options of {@link resample}. */
export interface ResampleOptions {
  /** Sample rate of x, an integer in [1, 2²⁴]. */
  from: number;
  /** Sample rate of the result, an integer in [1, 2²⁴]. */
  to: number;
  /** w, the number of zero crossings of the filter on either side, a positive integer ≤ 1024; default 6. Larger values give a sharper cutoff. */
  lowpassWidth?: number;
  /** Cutoff frequency, as a share of half the smaller rate, in (0, 1]; default 0.99. */
  rolloff?: number;
}

const RESAMPLE: Required<ResampleOptions> = { from: Number.NaN, to: Number.NaN, lowpassWidth: 6, rolloff: 0.99 };

const WIDTH = upTo(1024);
/** Most weights of all filters; large rates without a common divisor would need more. */
const MOST = 2 ** 22;

/**
 * Resamples sound with a Hann-windowed sinc: the ideal low pass, truncated after w zero crossings. Differentiable.
 *
 *   z[m] = (b/from)·Σ_n x[n]·h(b·(m/to − n/from))     b = rolloff·min(from, to)
 *   h(t) = sin(πt)/(πt)·cos²(πt/2w) for |t| < w, else 0
 *
 * Shapes: x [N, …] → [⌈N·to/from⌉, …]; x is padded with zeros at both ends. The formula and its defaults are torchaudio's. With equal rates the
 * result is a copy of x.
 *
 * @throws RangeError unless x has a time axis, the rates are integers in [1, 2²⁴] whose filters have at most 2²² weights, lowpassWidth is an integer
 *   in [1, 1024] and rolloff lies in (0, 1]; TypeError for an unknown option or a value of the wrong type.
 * @see Smith (2002), Digital Audio Resampling Home Page, https://ccrma.stanford.edu/~jos/resample/.
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 * import { resample } from "jarvis-snn/audio";
 *
 * const sound = arange(0, 48000).mul((2 * Math.PI * 440) / 48000).sin(); // one second
 * console.log(resample(sound, { from: 48000, to: 16000 }).shape); // [ 16000 ]
 * ```
 */
export function resample(x: Tensor, options: ResampleOptions): Tensor {
  const filters = filtersOf("resample", options);
  checkSequence("resample", "sound", x);
  return filters === null ? x.clone() : composed(convolve, x, filters);
}

/** Filters [to, 1, from + 2·width], one for each position between samples; the rates are divided by their common divisor. */
export interface ResamplingFilters {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly values: Float32Array;
}

/** Filters for these options; null for equal rates. */
export function filtersOf(where: string, options: ResampleOptions): ResamplingFilters | null {
  const given = withDefaults(where, RESAMPLE, options) as Required<ResampleOptions>;
  const wanted = numberOf(where, "to", given.to, STEP_COUNTS);
  const old = numberOf(where, "from", given.from, STEP_COUNTS);
  const lowpassWidth = numberOf(where, "lowpassWidth", given.lowpassWidth, WIDTH);
  const rolloff = numberOf(where, "rolloff", given.rolloff, SHARE);
  if (old === wanted) return null;
  const divisor = gcd(old, wanted);
  const [from, to] = [old / divisor, wanted / divisor];
  const band = Math.min(from, to) * rolloff;
  const width = Math.ceil((lowpassWidth * from) / band);
  const taps = from + 2 * width;
  if (!(to * taps <= MOST)) {
    const hint = "; choose rates with a larger common divisor";
    throw wrongValue(where, "at most 2²² weights of the filters", `${to} · ${taps} for ${old} to ${wanted}${hint}`);
  }
  const values = new Float32Array(to * taps);
  for (let m = 0; m < to; m++) {
    for (let n = 0; n < taps; n++) {
      // Time in zero crossings, computed by one quotient, so that it is exactly 0 at the position of the sample.
      const t = (band * ((n - width) * to - m * from)) / (from * to);
      if (Math.abs(t) < lowpassWidth) values[m * taps + n] = (band / from) * windowed(t, lowpassWidth);
    }
  }
  return { from, to, width, values };
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function windowed(t: number, width: number): number {
  const window = cosPi(t / (2 * width));
  // sin πt = cos π(t − 1/2)
  return (t === 0 ? 1 : cosPi(t - 0.5) / (Math.PI * t)) * window * window;
}

function convolve(x: Tensor, filters: ResamplingFilters): Tensor {
  const { from, to, width } = filters;
  const [n, rows] = signalRows(x);
  // The padding gives as many windows as start within the sound.
  const padded = pad(x.reshape([n, rows]).transpose(0, 1), [width, width + from]);
  const kept = Math.ceil((n * to) / from);
  return weighed(padded, filters)
    .slice(0, 0, kept)
    .reshape([kept, ...x.sizes.slice(1)]);
}

/** The new samples [·, rows] of the complete windows in x [rows, N]. */
function weighed(x: Tensor, { from, to, width, values }: ResamplingFilters): Tensor {
  const maps = conv1d(x.unsqueeze(1), tensor(values, { shape: [to, 1, from + 2 * width] }), null, { stride: from });
  return maps.permute([2, 1, 0]).reshape([-1, x.sizes[0] as number]);
}

/** Resamples sound that arrives in blocks; the result has the same bits as from the whole sound. */
export class Resampler {
  private readonly filters: ResamplingFilters;
  private readonly windows: HopWindows;
  private heard = 0;
  private given = 0;

  constructor(filters: ResamplingFilters) {
    const { from, width } = filters;
    this.filters = filters;
    this.windows = new HopWindows(new Float32Array(width), from + 2 * width, from);
  }

  /** The new samples whose windows these samples complete. */
  next(samples: Float32Array): Float32Array {
    this.heard += samples.length;
    const part = this.windows.take(samples);
    if (part === null) return new Float32Array(0);
    const resampled = weighed(tensor(part, { shape: [1, part.length] }), this.filters).toFloat32Array();
    this.given += resampled.length;
    return resampled;
  }

  /** The new samples that these last samples complete, and the remaining ones; no samples may follow. */
  end(samples: Float32Array): Float32Array {
    const { from, to, width } = this.filters;
    const left = Math.ceil(((this.heard + samples.length) * to) / from) - this.given;
    return this.next(joinedSamples(samples, new Float32Array(width + from))).subarray(0, left);
  }
}
