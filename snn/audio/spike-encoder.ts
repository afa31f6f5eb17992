/** Encodes sound that arrives in blocks as spikes: filters and encoders with the state between two blocks. */
import { numbersOf, show, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { noGrad, type Tensor, tensor } from "../../engine/index.ts";
import { GAMMATONE, Gammatone, type GammatoneOptions } from "./gammatone.ts";
import { checkHair, HAIR, HairCells, type HairCellsOptions } from "./hair-cells.ts";
import { checkLevels, LEVELS, type LevelCrossingsOptions, SignalLevels } from "./levels.ts";
import { filtersOf, type ResampleOptions, Resampler } from "./resample.ts";
import { checkFrameLength, type Frames, spectra } from "./spectrogram.ts";
import { SPEECH, Speech, type Speech2SpikesOptions, speechFrames } from "./speech.ts";
import type { SpikeSteps } from "./steps.ts";
import { HopWindows, joinedSamples } from "./windows.ts";

/** Options of {@link SpikeEncoder}: exactly one of the three encoders, with its options. */
export interface SpikeEncoderOptions {
  /** Options of {@link resample}, which is applied first, for a microphone with a different rate; default none. */
  resample?: ResampleOptions;
  /** Gammatone filters before level crossings, or before hair cells, which require them; default none. */
  filters?: GammatoneOptions;
  /** Options of {@link levelCrossings}. */
  levelCrossings?: LevelCrossingsOptions;
  /** Options of {@link hairCells}; the sample rate is that of the filters. */
  hairCells?: HairCellsOptions;
  /** Options of {@link speech2Spikes}. */
  speech2Spikes?: Speech2SpikesOptions;
}

const ENCODER = {
  resample: undefined,
  filters: undefined,
  levelCrossings: undefined,
  hairCells: undefined,
  speech2Spikes: undefined,
} satisfies Record<keyof SpikeEncoderOptions, unknown>;

const NAME = "SpikeEncoder";
const FILTERS = `filters of ${NAME}`;

/** Number of samples that are filtered at a time. */
const BLOCK = 256;

/** An encoder with its state. */
interface Way {
  /** Spikes of the steps that these samples complete; there may be no samples. */
  encode(samples: Float32Array): Tensor | null;
  /** Spikes of the remaining steps, including these last samples. */
  end(samples: Float32Array): Tensor | null;
}

/**
 * Encodes sound that arrives in blocks of any length, for example from a microphone. Each block returns the spikes of the time steps that it
 * completes. The steps of all blocks together are, bit for bit, the spikes of the whole sound.
 *
 *   levelCrossings: levelCrossings(x) → [T, 2], or after filters levelCrossings(gammatone(x)) → [T, 2·C]
 *   hairCells:      hairCells(gammatone(x)) → [T, C]
 *   speech2Spikes:  speech2Spikes(x) → [T, 2·F]; with `center`, frame t is complete at sample t·hop + nFft/2
 *   resample:       the same with resample(x) as x
 *
 * The sound has one channel, [N]. The generator of the options draws random numbers.
 *
 * @example
 * ```ts
 * import { SpikeEncoder } from "jarvis-snn/audio";
 *
 * const encoder = new SpikeEncoder({ levelCrossings: { threshold: 0.25, samplesPerStep: 4 } });
 * console.log(encoder.encode([0, 0.5])); // null
 * console.log(encoder.encode([0.5, 0, 0])?.toArray()); // [ [ 1, 1 ] ]
 * ```
 */
export class SpikeEncoder {
  private readonly start: () => Way;
  private way: Way;

  /**
   * @throws RangeError unless there is exactly one encoder, for hair cells without filters or with a different rate, for filters before spectra, for
   *   sound resampled to a different rate than the encoder's, or for an option out of range; TypeError for an unknown option or a value of the wrong
   *   type.
   */
  constructor(options: SpikeEncoderOptions) {
    const given = withDefaults<Readonly<Record<keyof SpikeEncoderOptions, unknown>>>(NAME, ENCODER, options);
    const names = Object.keys(WAYS) as (keyof SpikeEncoderOptions)[];
    const ways = names.filter((name) => given[name] !== undefined);
    if (ways.length !== 1) throw wrongValue(NAME, "levelCrossings, hairCells or speech2Spikes", show(ways));
    const name = ways[0] as (typeof names)[number];
    const filters = given.filters === undefined ? null : withDefaults(FILTERS, GAMMATONE, given.filters);
    const { rate, begin } = (WAYS[name] as (typeof WAYS)[string])(`${name} of ${NAME}`, given[name], filters);
    this.start = given.resample === undefined ? begin : resampled(given.resample as ResampleOptions, rate, begin);
    this.way = this.start();
  }

  /**
   * Returns the spikes [T, …] of the steps that these samples complete; null if no step is complete.
   *
   * @param samples Samples in the order of time; rounded to float32.
   * @throws TypeError for anything but an array of numbers.
   */
  encode(samples: ArrayLike<number>): Tensor | null {
    const given = Float32Array.from(numbersOf(NAME, "an array of samples", samples));
    return noGrad(() => this.way.encode(given));
  }

  /**
   * Ends the sound and returns the spikes of the steps that waited for more samples, such as frames around the last samples; null if there are none.
   * A new sound may begin afterwards.
   *
   * @throws RangeError if the whole sound was too short for a spectrum.
   */
  end(): Tensor | null {
    const last = noGrad(() => this.way.end(new Float32Array(0)));
    this.reset();
    return last;
  }

  /** Drops the state, so that a new sound may begin. The generator is not reset. */
  reset(): void {
    this.way = this.start();
  }
}

type Filters = typeof GAMMATONE | null;

/** An encoder with checked options: its sample rate (null for any), and a function that starts a sound. */
interface Prepared {
  readonly rate: number | null;
  readonly begin: () => Way;
}

const WAYS: Readonly<Record<string, (where: string, options: unknown, filters: Filters) => Prepared>> = {
  levelCrossings(where, options, filters) {
    const given = withDefaults(where, LEVELS, options);
    checkLevels(where, given);
    const begin = (): Way => {
      const bank = filters === null ? null : new Gammatone(FILTERS, filters, 1);
      const channels = bank?.channels ?? 1;
      const crossings = new SignalLevels(given, channels, channels);
      return behind(bank, crossings.steps, 2 * channels, (motions, n) => crossings.see(motions, n));
    };
    return { rate: filters?.sampleRate ?? null, begin };
  },
  hairCells(where, options, filters) {
    const given = withDefaults(where, HAIR, options);
    checkHair(where, given);
    const rate = given.sampleRate;
    if (filters === null) throw wrongValue(where, "filters", "none");
    if (filters.sampleRate !== rate) throw wrongValue(where, `the rate of the filters, ${filters.sampleRate}`, rate);
    const begin = (): Way => {
      const bank = new Gammatone(FILTERS, filters, 1);
      const cells = new HairCells(where, given, bank.channels);
      return behind(bank, cells.steps, bank.channels, (motions, n) => cells.hear(() => motions, n));
    };
    return { rate, begin };
  },
  speech2Spikes(where, options, filters) {
    const given = withDefaults(where, SPEECH, options);
    const frames = speechFrames(where, given);
    if (filters !== null) throw wrongValue(where, "no filters", "some");
    return { rate: given.sampleRate, begin: () => new SpeechOfBlocks(where, given, frames) };
  },
};

/** Starts a sound with a different sample rate. */
function resampled(options: ResampleOptions, rate: number | null, begin: () => Way): () => Way {
  const where = `resample of ${NAME}`;
  const filters = filtersOf(where, options);
  if (rate !== null && options.to !== rate) throw wrongValue(where, `${rate} Hz as to`, options.to);
  if (filters === null) return begin;
  return () => {
    const resampler = new Resampler(filters);
    const way = begin();
    return {
      encode: (samples) => way.encode(resampler.next(samples)),
      end: (samples) => way.end(resampler.end(samples)),
    };
  };
}

/** Passes the samples, or the output of filters, to `hear` block by block, and collects steps with C spikes each. */
function behind(
  bank: Gammatone | null,
  steps: SpikeSteps,
  C: number,
  hear: (motions: Float32Array, n: number) => void,
): Way {
  const motions = new Float32Array(bank === null ? 0 : BLOCK * bank.channels);
  const encode = (samples: Float32Array): Tensor | null => {
    steps.begin(samples.length);
    for (let at = 0; at < samples.length; at += BLOCK) {
      const part = samples.subarray(at, at + BLOCK);
      bank?.filter(motions, part, part.length);
      hear(bank === null ? part : motions, part.length);
    }
    return steps.take(NAME, [C]);
  };
  return { encode, end: encode };
}

/** Speech2Spikes in blocks. */
class SpeechOfBlocks implements Way {
  private readonly where: string;
  private readonly frames: Frames;
  private readonly speech: Speech;
  /** The sound with the padding before it. The last samples are kept, since the padding at the end may reflect them. */
  private readonly windows: HopWindows;
  private total = 0;
  /** Whether the padding at the beginning still waits for the samples that it reflects. */
  private isWaiting: boolean;

  constructor(where: string, given: typeof SPEECH, frames: Frames) {
    this.where = where;
    this.frames = frames;
    this.speech = new Speech(given, given.nMels);
    const { nFft, hop, center, reflects, half } = frames;
    this.isWaiting = center && reflects;
    this.windows = new HopWindows(new Float32Array(center && !reflects ? half : 0), nFft, hop, half + 1);
  }

  encode(samples: Float32Array): Tensor | null {
    const { windows } = this;
    this.total += samples.length;
    let more = samples;
    if (this.isWaiting) {
      const { half } = this.frames;
      more = joinedSamples(windows.sound, samples);
      windows.sound = this.total > half ? more.slice(1, half + 1).reverse() : more;
      if (this.total <= half) return null;
      this.isWaiting = false;
    }
    const part = windows.take(more);
    if (part === null) return null;
    const mel = spectra(tensor(part, { shape: [part.length, 1] }), this.frames);
    return this.speech.see(mel.reshape([-1, this.frames.nMels]));
  }

  end(samples: Float32Array): Tensor | null {
    const { center, reflects, half } = this.frames;
    const total = this.total + samples.length;
    if (total === 0) return null;
    checkFrameLength(this.where, total, this.frames);
    if (!center) return this.encode(samples);
    const whole = joinedSamples(this.windows.sound, samples);
    const last = whole.length - 1;
    return this.encode(
      joinedSamples(samples, reflects ? whole.slice(last - half, last).reverse() : new Float32Array(half)),
    );
  }
}
