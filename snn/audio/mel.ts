/** Mel filters: triangles over frequencies, which widen like the resolution of hearing. */
import { COUNT, choiceOf, NOT_NEGATIVE, numberOf, type Range, upTo, withDefaults } from "../../engine/arguments.ts";
import { type Tensor, tensor } from "../../engine/index.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { exactExp, ln } from "./exact.ts";
import { checkBand, frequencyOf } from "./signal.ts";

/** Options of {@link melFilterbank}. */
export interface MelFilterbankOptions {
  /** Sample rate, an integer in [1, 2²⁴]; default 16000. */
  sampleRate?: number;
  /** Samples per frame, an integer in [2, 4096]; default 400. */
  nFft?: number;
  /** M, the number of filters, an integer in [1, 4096]; default 128. */
  nMels?: number;
  /** Frequency at which the first triangle begins, in Hz, ≥ 0; default 0. */
  fMin?: number;
  /** Frequency at which the last triangle ends, in Hz, above fMin and at most half the rate, which is the default. */
  fMax?: number | undefined;
  /** "none" (default): triangles of height 1; "slaney": triangles of area 1 over Hz. */
  norm?: "none" | "slaney";
  /** Scale on which the triangles have equal widths; default "htk". */
  melScale?: "htk" | "slaney";
}

export const MEL = {
  sampleRate: 16000,
  nFft: 400,
  nMels: 128,
  fMin: 0,
  fMax: undefined as number | undefined,
  norm: "none" as "none" | "slaney",
  melScale: "htk" as "htk" | "slaney",
} satisfies Record<keyof MelFilterbankOptions, unknown>;

const FRAME: Range = { expected: "an integer in [2, 4096]", fits: (x) => COUNT.fits(x) && x >= 2 && x <= 4096 };
const FILTERS = upTo(4096);

/**
 * M triangles that overlap by half, evenly spaced in mel, over the frequencies fₖ = k·sampleRate/nFft of a spectrum.
 *
 *   w[i, k] = max(0, min((fₖ − cᵢ)/(cᵢ₊₁ − cᵢ), (cᵢ₊₂ − fₖ)/(cᵢ₊₂ − cᵢ₊₁)))     norm "slaney": times 2/(cᵢ₊₂ − cᵢ)
 *   c₀ … c_{M+1} evenly spaced in mel from fMin to fMax
 *   "htk"     mel = 2595·log₁₀(1 + f/700)
 *   "slaney"  mel = 3f/200 up to 1000 Hz, 15 + 27·ln(f/1000)/ln 6.4 above
 *
 * Shapes: → [nMels, ⌊nFft/2⌋ + 1]. For short frames, the lowest triangles may lie between two frequencies and be 0.
 *
 * @throws RangeError for an option out of range or an unknown choice; TypeError for an unknown option or a value of the wrong type.
 * @see Davis and Mermelstein (1980), Comparison of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken
 *   Sentences, IEEE Transactions on Acoustics, Speech, and Signal Processing 28(4); Slaney (1998), Auditory Toolbox 2.
 *
 * @example
 * ```ts
 * import { melFilterbank } from "jarvis-snn/audio";
 *
 * const filters = melFilterbank({ sampleRate: 16000, nFft: 512, nMels: 40 });
 * console.log(filters.shape); // [ 40, 257 ]
 * ```
 */
export function melFilterbank(options: MelFilterbankOptions = MEL): Tensor {
  const given = withDefaults("melFilterbank", MEL, options);
  checkMel("melFilterbank", given);
  return tensor(melFilters(given), { shape: [given.nMels, spectrumBins(given.nFft)] });
}

/** Number of frequencies in the spectrum of n real samples. */
export const spectrumBins = (n: number): number => Math.floor(n / 2) + 1;

export function checkMel(where: string, given: typeof MEL): void {
  const { sampleRate, nFft, nMels, fMin, fMax } = given;
  numberOf(where, "sampleRate", sampleRate, STEP_COUNTS);
  numberOf(where, "nFft", nFft, FRAME);
  numberOf(where, "nMels", nMels, FILTERS);
  numberOf(where, "fMin", fMin, NOT_NEGATIVE);
  checkBand(where, fMin, fMax === undefined ? sampleRate / 2 : frequencyOf(where, "fMax", fMax, sampleRate));
  choiceOf(where, "norm", given.norm, ["none", "slaney"]);
  choiceOf(where, "melScale", given.melScale, ["htk", "slaney"]);
}

/** The filters [nMels, nFft/2 + 1] for checked options. */
export function melFilters({ sampleRate, nFft, nMels, fMin, fMax, norm, melScale }: typeof MEL): Float32Array {
  const { toMel, toHz } = SCALES[melScale];
  const last = fMax ?? sampleRate / 2;
  const low = toMel(fMin);
  const step = (toMel(last) - low) / (nMels + 1);
  const between = Array.from({ length: nMels }, (_, i) => toHz(low + (i + 1) * step));
  const corners = [fMin, ...between, last];
  const bins = spectrumBins(nFft);
  const filters = new Float32Array(nMels * bins);
  for (let i = 0; i < nMels; i++) {
    const [left, middle, right] = corners.slice(i, i + 3) as [number, number, number];
    const height = norm === "slaney" ? 2 / (right - left) : 1;
    for (let k = 0; k < bins; k++) {
      const f = (k * sampleRate) / nFft;
      const part = Math.min((f - left) / (middle - left), (right - f) / (right - middle));
      if (part > 0) filters[i * bins + k] = height * part;
    }
  }
  return filters;
}

interface Scale {
  toMel(f: number): number;
  toHz(mel: number): number;
}

const LN10 = Math.LN10;
/** Mel per e-fold above 1000 Hz. */
const FOLD = 27 / ln(6.4);

const SCALES: Readonly<Record<"htk" | "slaney", Scale>> = {
  htk: {
    toMel: (f) => (2595 / LN10) * ln(1 + f / 700),
    toHz: (mel) => 700 * (exactExp((mel * LN10) / 2595) - 1),
  },
  slaney: {
    toMel: (f) => (f < 1000 ? (3 * f) / 200 : 15 + FOLD * ln(f / 1000)),
    toHz: (mel) => (mel < 15 ? (mel * 200) / 3 : 1000 * exactExp((mel - 15) / FOLD)),
  },
};
