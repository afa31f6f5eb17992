/** Spectrograms: frames of sound times the matrix of the Fourier transform. */
import { choiceOf, numberOf, POSITIVE, upTo, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { composed } from "../../engine/extend.ts";
import { conv1d, indexSelect, linear, pad, type Tensor, tensor } from "../../engine/index.ts";
import { cosPi } from "../../engine/protocol.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { checkSequence } from "../layer/checks.ts";
import { checkMel, MEL, type MelFilterbankOptions, melFilters, spectrumBins } from "./mel.ts";
import { signalRows } from "./signal.ts";

/** Options of {@link melSpectrogram}. */
export interface MelSpectrogramOptions extends MelFilterbankOptions {
  /** Samples covered by the window, in the middle of a frame: an integer in [1, nFft]; default nFft. */
  winLength?: number | undefined;
  /** Samples between frames, a positive integer; default half the window, rounded down, at least 1. */
  hop?: number | undefined;
  /** 2 (default) for powers, or 1 for magnitudes. */
  power?: 1 | 2;
  /** Whether sample t·hop is the middle of frame t, with `padding` at both ends of the sound, or its first sample; default true. */
  center?: boolean;
  /** "reflect" (default) mirrors the sound at both ends; "zeros" pads with silence. */
  padding?: "reflect" | "zeros";
  /** Whether the result is the natural logarithm of max(z, `floor`); default false. */
  log?: boolean;
  /** Lower bound of values before the logarithm, finite and > 0; default 1e-6. */
  floor?: number;
}

export const SPECTROGRAM = {
  ...MEL,
  winLength: undefined as number | undefined,
  hop: undefined as number | undefined,
  power: 2 as 1 | 2,
  center: true,
  padding: "reflect" as "reflect" | "zeros",
  log: false,
  floor: 1e-6,
} satisfies Record<keyof MelSpectrogramOptions, unknown>;

/**
 * The mel spectrogram: the power spectrum of frames of sound through mel filters. Differentiable.
 *
 *   X[t, k] = Σ_n w[n]·x[t·hop + n]·e^{−2πikn/nFft},  n = 0 … nFft − 1
 *   z[t, i] = Σ_k melFilterbank[i, k]·|X[t, k]|^power     log: ln max(z, floor)
 *   w[n] = ½ − ½·cos(2πn/winLength), the periodic Hann window, in the middle of the frame
 *
 * Shapes: x [N, …] → [T, …, nMels] with T = 1 + ⌊N/hop⌋ frames, without `center` 1 + ⌊(N − nFft)/hop⌋. Options and defaults are torchaudio's. The
 * bits of a frame depend only on its own samples.
 *
 * @throws RangeError for an option out of range, or for sound that is too short: at most nFft/2 samples with reflection, or less than a frame;
 *   TypeError for an unknown option or a value of the wrong type.
 * @see Davis and Mermelstein (1980), Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken
 *   Sentences, IEEE Transactions on Acoustics, Speech, and Signal Processing 28(4).
 *
 * @example
 * ```ts
 * import { arange } from "jarvis-snn";
 * import { melSpectrogram } from "jarvis-snn/audio";
 *
 * const tone = arange(0, 8000).mul((2 * Math.PI * 1000) / 16000).sin();
 * const z = melSpectrogram(tone, { sampleRate: 16000, nFft: 512, hop: 160, nMels: 8, log: true });
 * console.log(z.shape, "loudest:", z.select(0, 20).argmax().item()); // [ 51, 8 ] loudest: 2
 * ```
 */
export function melSpectrogram(x: Tensor, options: MelSpectrogramOptions = SPECTROGRAM): Tensor {
  return spectrogramOf(
    "melSpectrogram",
    x,
    framesOf("melSpectrogram", withDefaults("melSpectrogram", SPECTROGRAM, options)),
  );
}

/** The spectrogram of x, with the name of the public function for errors. */
export function spectrogramOf(where: string, x: Tensor, frames: Frames): Tensor {
  checkSequence(where, "sound", x);
  checkFrameLength(where, x.sizes[0] as number, frames);
  return composed(transform, x, frames);
}

/** A spectrogram: its checked options and its matrices. */
export interface Frames {
  readonly nFft: number;
  readonly hop: number;
  readonly half: number;
  readonly power: 1 | 2;
  readonly center: boolean;
  readonly reflects: boolean;
  /** Lower bound of values before the logarithm; null without one. */
  readonly floor: number | null;
  readonly nMels: number;
  /** Windowed cosines and sines [2·bins, nFft]. */
  readonly waves: Float32Array;
  /** Mel filters [nMels, bins]. */
  readonly filters: Float32Array;
}

/** Checks options together. */
export function framesOf(where: string, given: typeof SPECTROGRAM): Frames {
  checkMel(where, given);
  const { nFft, nMels, power, center, padding, log } = given;
  const window = numberOf(where, "winLength", given.winLength === undefined ? nFft : given.winLength, upTo(nFft));
  const hop = numberOf(
    where,
    "hop",
    given.hop === undefined ? Math.max(1, Math.floor(window / 2)) : given.hop,
    STEP_COUNTS,
  );
  if (power !== 1 && power !== 2) throw wrongValue(where, "power 1 or 2", `${power}`);
  choiceOf(where, "padding", padding, ["reflect", "zeros"]);
  const floor = numberOf(where, "floor", given.floor, POSITIVE);
  return {
    nFft,
    hop,
    half: Math.floor(nFft / 2),
    power,
    center,
    reflects: padding === "reflect",
    floor: log ? floor : null,
    nMels,
    waves: wavesOf(nFft, window),
    filters: melFilters(given),
  };
}

/** w[n]·cos 2πkn/N for all k, then w[n]·sin 2πkn/N. */
function wavesOf(n: number, length: number): Float32Array {
  const window = new Float64Array(n);
  const first = Math.floor((n - length) / 2);
  for (let i = 0; i < length; i++) window[first + i] = 0.5 - 0.5 * cosPi((2 * i) / length);
  const cosine = Float64Array.from({ length: n }, (_, i) => cosPi((2 * i) / n));
  // sin πt = cos π(t − 1/2)
  const sine = Float64Array.from({ length: n }, (_, i) => cosPi((2 * i) / n - 0.5));
  const bins = spectrumBins(n);
  const waves = new Float32Array(2 * bins * n);
  for (let k = 0; k < bins; k++) {
    for (let i = 0; i < n; i++) {
      // The angle modulo a turn, which is exact: k·i is an integer below 2⁵³.
      const at = (k * i) % n;
      waves[k * n + i] = (window[i] as number) * (cosine[at] as number);
      waves[(bins + k) * n + i] = (window[i] as number) * (sine[at] as number);
    }
  }
  return waves;
}

/** Throws unless n samples suffice for a frame and for a reflection. */
export function checkFrameLength(where: string, n: number, { nFft, half, center, reflects }: Frames): void {
  const least = !center ? nFft : reflects ? half + 1 : 1 + (nFft % 2);
  if (n >= least) return;
  throw wrongValue(where, `${least} samples or more`, `${n}${center && reflects ? '; take padding "zeros"?' : ""}`);
}

function transform(x: Tensor, frames: Frames): Tensor {
  const [n, rows] = signalRows(x);
  const flat = x.reshape([n, rows]);
  const whole = frames.center ? around(flat, frames) : flat;
  return spectra(whole, frames).reshape([-1, ...x.sizes.slice(1), frames.nMels]);
}

/** x [N, rows], padded by half a frame at both ends. */
function around(x: Tensor, { half, reflects }: Frames): Tensor {
  if (!reflects) return pad(x, [0, 0, half, half]);
  const n = x.sizes[0] as number;
  const indices = Int32Array.from({ length: n + 2 * half }, (_, i) => {
    const at = Math.abs(i - half);
    return at < n ? at : 2 * (n - 1) - at;
  });
  return indexSelect(x, 0, indices);
}

/** Spectra [T, rows, nMels] of the complete frames in x [N, rows]. */
export function spectra(x: Tensor, { nFft, hop, power, floor, nMels, waves, filters }: Frames): Tensor {
  const bins = spectrumBins(nFft);
  const matrix = tensor(waves, { shape: [2 * bins, 1, nFft] });
  const maps = conv1d(x.transpose(0, 1).unsqueeze(1), matrix, null, { stride: hop });
  const squares = maps.slice(1, 0, bins).square().add(maps.slice(1, bins).square());
  const bands = (power === 2 ? squares : squares.sqrt()).permute([2, 0, 1]);
  const mel = linear(bands, tensor(filters, { shape: [nMels, bins] }));
  return floor === null ? mel : mel.maximum(floor).log();
}
