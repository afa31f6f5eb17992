/** Sound at another rate. */
import { COUNT, numberOf, POSITIVE, type Range, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { composed } from "../../engine/composed.ts";
import { conv1d, pad, type Tensor, tensor } from "../../engine/index.ts";
import { cosPi } from "../../engine/optim/scheduler.ts";
import { TIMESTEPS } from "../coding/spikes.ts";
import { checkSound, rowsOf } from "./signal.ts";

/** Options of {@link resample}. */
export interface ResampleOptions {
  /** Samples a second of x, an integer in [1, 2²⁴]. */
  from: number;
  /** Samples a second of the result, an integer in [1, 2²⁴]. */
  to: number;
  /** w, the zero crossings of the filter on either side, a positive integer ≤ 1024; default 6. A larger one cuts off more sharply. */
  lowpassWidth?: number;
  /** Where the filter cuts off, as a part of half the smaller rate, in (0, 1]; default 0.99. */
  rolloff?: number;
}

const RESAMPLE: Required<ResampleOptions> = { from: Number.NaN, to: Number.NaN, lowpassWidth: 6, rolloff: 0.99 };

const WIDTH: Range = { expected: "an integer in [1, 1024]", fits: (x) => COUNT.fits(x) && x <= 1024 };
const PART: Range = { expected: "in (0, 1]", fits: (x) => POSITIVE.fits(x) && x <= 1 };
/** Weights of the filters together; rates without a common divisor would need more. */
const MOST = 2 ** 22;

/**
 * Sound at another rate, by a sinc below a Hann window: the ideal low pass, cut off after w zero crossings. Differentiable.
 *
 *   z[m] = (b/from)·Σ_n x[n]·h(b·(m/to − n/from))     b = rolloff·min(from, to)
 *   h(t) = sin(πt)/(πt)·cos²(πt/2w) for |t| < w, else 0
 *
 * Shapes: x [N, …] → [⌈N·to/from⌉, …]; before and behind x are zeros. The formula is torchaudio's, with its defaults. Equal rates give x
 * itself, in a tensor of its own.
 *
 * @throws RangeError unless x has a time axis, the rates are integers in [1, 2²⁴] whose filters have at most 2²² weights, as rates without a
 *   common divisor may not, lowpassWidth is an integer in [1, 1024] and rolloff lies in (0, 1]; TypeError for an option of another name or kind.
 * @see Smith (2002), Digital Audio Resampling Home Page, https://ccrma.stanford.edu/~jos/resample/.
 */
export function resample(x: Tensor, options: ResampleOptions): Tensor {
  const given = withDefaults("resample", RESAMPLE, options);
  numberOf("resample", "from", given.from, TIMESTEPS);
  numberOf("resample", "to", given.to, TIMESTEPS);
  numberOf("resample", "lowpassWidth", given.lowpassWidth, WIDTH);
  numberOf("resample", "rolloff", given.rolloff, PART);
  checkSound("resample", x);
  if (given.from === given.to) return x.clone();
  const filters = filtersOf(given);
  return composed(convolve, x, filters);
}

/** The filters [to, 1, from + 2·width], one for each place between samples, with rates without a common divisor. */
interface Filters {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  readonly values: Float32Array;
}

function filtersOf({ from: given, to: wanted, lowpassWidth, rolloff }: Required<ResampleOptions>): Filters {
  const divisor = gcd(given, wanted);
  const [from, to] = [given / divisor, wanted / divisor];
  const band = Math.min(from, to) * rolloff;
  const width = Math.ceil((lowpassWidth * from) / band);
  const taps = from + 2 * width;
  if (!(to * taps <= MOST)) {
    const hint = "; choose rates with a larger common divisor";
    throw wrongValue(
      "resample",
      "at most 2²² weights of the filters",
      `${to} · ${taps} for ${given} to ${wanted}${hint}`,
    );
  }
  const values = new Float32Array(to * taps);
  for (let m = 0; m < to; m++) {
    for (let n = 0; n < taps; n++) {
      // Time in zero crossings, from one quotient: 0 where the sample lies at the place.
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

function convolve(x: Tensor, { from, to, width, values }: Filters): Tensor {
  const [n, rows] = rowsOf(x);
  const taps = from + 2 * width;
  // As many windows as start within the sound.
  const padded = pad(x.reshape([n, rows]).transpose(0, 1), [width, width + from]);
  const maps = conv1d(padded.unsqueeze(1), tensor(values, { shape: [to, 1, taps] }), null, { stride: from });
  const whole = maps.permute([2, 1, 0]).reshape([-1, rows]);
  const kept = Math.ceil((n * to) / from);
  return whole.slice(0, 0, kept).reshape([kept, ...x.sizes.slice(1)]);
}
