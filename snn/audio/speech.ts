/** Encodes changes of a log mel spectrogram as spikes. */
import { numberOf, POSITIVE, withDefaults } from "../../engine/arguments.ts";
import { peek } from "../../engine/extend.ts";
import { noGrad, type Tensor, tensor } from "../../engine/index.ts";
import { type Frames, framesOf, type MelSpectrogramOptions, SPECTROGRAM, spectrogramOf } from "./spectrogram.ts";
import { SpikeSteps } from "./steps.ts";

/** Options of {@link speech2Spikes}. */
export interface Speech2SpikesOptions extends Omit<MelSpectrogramOptions, "log"> {
  /** θ, the change of the logarithm that causes a spike, finite and > 0; default 1. */
  threshold?: number;
  /** Whether cumulative sums of the spectrogram over time are additional channels, before the others; default false. */
  cumulativeSum?: boolean;
}

const { log: _, ...UNLOGGED } = SPECTROGRAM;

export const SPEECH = {
  ...UNLOGGED,
  nFft: 512,
  nMels: 20,
  fMin: 20,
  fMax: 4000 as number | undefined,
  hop: 80 as number | undefined,
  threshold: 1,
  cumulativeSum: false,
};
/**
 * Speech2Spikes: the level of each channel follows the logarithm of a mel spectrogram in steps of θ. A step up is an ON spike, a step down an OFF
 * spike.
 *
 *   m = ln max(melSpectrogram(x), floor)
 *   on[t] = [m[t] − ℓ[t−1] > θ]     off[t] = [m[t] − ℓ[t−1] < −θ]     ℓ[t] = ℓ[t−1] + θ·(on[t] − off[t]),  ℓ[−1] = m[0] to the nearest integer
 *   cumulativeSum: first the same for m = ln max(Σ_{s≤t} melSpectrogram(x)[s], floor)
 *
 * Shapes: x [N, …] → spikes [T, …, 2·F], the ON spikes of all F = nMels channels (2·nMels with `cumulativeSum`), then their OFF spikes; T is the
 * number of frames of {@link melSpectrogram}. The defaults are those of the paper's code: 20 mel filters from 20 to 4000 Hz over frames of 512
 * samples every 80 samples at 16 kHz. For silence the paper's code gives −∞, this function ln `floor`. There is no gradient.
 *
 * @throws RangeError or TypeError as {@link melSpectrogram}; RangeError unless the threshold is finite and > 0.
 * @see Stewart, Danielescu, Shea and Supic (2023), Speech2Spikes: Efficient Audio Encoding Pipeline for Real-time Neuromorphic Systems, NICE.
 *
 * @example
 * ```ts
 * import { arange, LIF, Linear, Sequential } from "jarvis-snn";
 * import { speech2Spikes } from "jarvis-snn/audio";
 *
 * const sound = arange(0, 16000).mul(0.3).sin().mul(0.1); // one second
 * const spikes = speech2Spikes(sound); // [T, 40]
 * const network = new Sequential(new Linear(40, 10), new LIF());
 * console.log(spikes.shape, network.forward(spikes.unsqueeze(1)).shape); // [ 201, 40 ] [ 201, 1, 10 ]
 * ```
 */
export function speech2Spikes(x: Tensor, options: Speech2SpikesOptions = SPEECH): Tensor {
  const given = withDefaults("speech2Spikes", SPEECH, options);
  const frames = speechFrames("speech2Spikes", given);
  return noGrad(() => {
    const mel = spectrogramOf("speech2Spikes", x, frames);
    const speech = new Speech(given, mel.size / (mel.sizes[0] as number));
    return speech.see(mel) as Tensor;
  });
}

/** Checks the options and returns the spectrogram's settings. */
export function speechFrames(where: string, given: typeof SPEECH): Frames {
  numberOf(where, "threshold", given.threshold, POSITIVE);
  return framesOf(where, { ...SPEECH, ...given, log: false });
}

/** Levels and sums of the channels of each row, for frames that arrive in blocks. */
export class Speech {
  private readonly threshold: number;
  private readonly floor: number;
  private readonly mels: number;
  private readonly steps: SpikeSteps;
  /** Sums of each row and mel filter with `cumulativeSum`; otherwise empty. */
  private readonly sums: Float64Array;
  private readonly levels: Float64Array;
  private isNew = true;

  /** `width`: number of values per frame, over all rows. */
  constructor({ threshold, floor, nMels, cumulativeSum }: typeof SPEECH, width: number) {
    this.threshold = threshold;
    this.floor = floor;
    this.mels = nMels;
    this.sums = new Float64Array(cumulativeSum ? width : 0);
    this.levels = new Float64Array(width + this.sums.length);
    this.steps = new SpikeSteps(2 * this.levels.length, 1);
  }

  /** Spikes of frames [T, …, nMels], T ≥ 1. */
  see(mel: Tensor): Tensor {
    const frames = mel.sizes[0] as number;
    const features = this.sums.length === 0 ? mel : this.withSums(mel);
    const values = peek(features.maximum(this.floor).log());
    const { levels, steps, threshold } = this;
    const channels = features.sizes[features.ndim - 1] as number;
    const width = levels.length;
    if (this.isNew) for (let c = 0; c < width; c++) levels[c] = nearest(values[c] as number);
    this.isNew = false;
    steps.begin(frames);
    for (let t = 0, at = 0; t < frames; t++) {
      for (let c = 0; c < width; c++, at++) {
        const change = (values[at] as number) - (levels[c] as number);
        const place = 2 * c - (c % channels);
        if (change > threshold) {
          levels[c] = (levels[c] as number) + threshold;
          steps.fire(place);
        } else if (change < -threshold) {
          levels[c] = (levels[c] as number) - threshold;
          steps.fire(place + channels);
        }
      }
      steps.next();
    }
    return steps.take("speech2Spikes", [...features.sizes.slice(1, -1), 2 * channels]) as Tensor;
  }

  /** [T, …, 2·nMels]: the sums up to each frame, then the frame. */
  private withSums(mel: Tensor): Tensor {
    const { sums, mels } = this;
    const values = peek(mel);
    const both = new Float32Array(2 * mel.size);
    for (let i = 0; i < mel.size; i++) {
      const c = i % sums.length;
      const value = values[i] as number;
      sums[c] = (sums[c] as number) + value;
      const place = 2 * i - (i % mels);
      both[place] = sums[c] as number;
      both[place + mels] = value;
    }
    return tensor(both, { shape: [...mel.sizes.slice(0, -1), 2 * mels] });
  }
}

/** x rounded half to even, as in PyTorch. */
const nearest = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
