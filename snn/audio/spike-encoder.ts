/** Sound that comes in blocks, as spikes. */
import { numbersOf, show, withDefaults, wrongType, wrongValue } from "../../engine/arguments.ts";
import { noGrad, Tensor, tensor } from "../../engine/index.ts";
import { GAMMATONE, Gammatone, type GammatoneOptions } from "./gammatone.ts";
import { checkHair, HAIR, HairCells, type HairCellsOptions } from "./hair-cells.ts";
import { checkLevels, LEVELS, type LevelCrossingsOptions, Levels } from "./levels.ts";
import { checkLength, type Frames, spectra } from "./spectrogram.ts";
import { SPEECH, Speech, type Speech2SpikesOptions, speechFrames } from "./speech.ts";

/** Options of {@link SpikeEncoder}: one of the three ways to spikes, with its options. */
export interface SpikeEncoderOptions {
  /** Gammatone filters in front of level crossings or hair cells, which need them; default none. */
  filters?: GammatoneOptions;
  /** As {@link levelCrossings}. */
  levelCrossings?: LevelCrossingsOptions;
  /** As {@link hairCells}, of the same sample rate as the filters. */
  hairCells?: HairCellsOptions;
  /** As {@link speech2Spikes}. */
  speech2Spikes?: Speech2SpikesOptions;
}

const ENCODER = {
  filters: undefined,
  levelCrossings: undefined,
  hairCells: undefined,
  speech2Spikes: undefined,
} satisfies Record<keyof SpikeEncoderOptions, unknown>;

const NAME = "SpikeEncoder";

/** Samples that are filtered at a time. */
const BLOCK = 256;

/** A way to spikes with the state of one sound. */
interface Way {
  /** The spikes of the steps that these samples complete. */
  encode(samples: Float32Array): Tensor | null;
  /** The spikes of the steps that need no more samples, as there are none. */
  end(): Tensor | null;
}

/**
 * Spikes of sound that comes as it comes, as from a microphone: of blocks of samples of any length, those of the time steps that are
 * complete. Together they are, bit for bit, those of the whole sound at once.
 *
 *     const encoder = new SpikeEncoder({ speech2Spikes: { nMels: 32 } });
 *     const spikes = encoder.encode(block); // [T, 64], or null while no step is complete
 *
 *   levelCrossings: levelCrossings(x) → [T, 2], or behind filters levelCrossings(gammatone(x)) → [T, 2·C]
 *   hairCells:      hairCells(gammatone(x)) → [T, C]
 *   speech2Spikes:  speech2Spikes(x) → [T, 2·F]; with `center`, frame t is complete at sample t·hop + nFft/2
 *
 * The sound has one channel, [N]. Random numbers come from the generator of the options.
 */
export class SpikeEncoder {
  private readonly start: () => Way;
  private way: Way;

  /**
   * @throws RangeError unless there is exactly one way to spikes, for hair cells without filters or of another rate, for filters in front of
   *   spectra, or for an option out of range; TypeError for an option of another name or kind.
   */
  constructor(options: SpikeEncoderOptions) {
    const given = withDefaults<Readonly<Record<keyof SpikeEncoderOptions, unknown>>>(NAME, ENCODER, options);
    const ways = (["levelCrossings", "hairCells", "speech2Spikes"] as const).filter(
      (name) => given[name] !== undefined,
    );
    if (ways.length !== 1) throw wrongValue(NAME, "levelCrossings, hairCells or speech2Spikes", show(ways));
    const name = ways[0] as (typeof ways)[number];
    const filters =
      given.filters === undefined
        ? null
        : { ...GAMMATONE, ...withDefaults(`filters of ${NAME}`, GAMMATONE, given.filters) };
    this.start = (WAYS[name] as (typeof WAYS)[string])(`${name} of ${NAME}`, given[name], filters);
    this.way = this.start();
  }

  /**
   * The spikes [T, …] of the steps that are complete with these samples, null where none is.
   *
   * @param samples One after the other; rounded to float32.
   * @throws TypeError for anything but numbers in a row.
   */
  encode(samples: ArrayLike<number>): Tensor | null {
    if ((samples as unknown) instanceof Tensor) {
      throw wrongType(NAME, "an array of samples", samples, "; take the data of the tensor?");
    }
    const given = Float32Array.from(numbersOf(NAME, "an array of samples", samples));
    return given.length === 0 ? null : noGrad(() => this.way.encode(given));
  }

  /**
   * The end of the sound: the spikes of the steps at its end that lacked samples, as frames around the last samples do, null for none. Other
   * sound may begin after it.
   *
   * @throws RangeError where the whole sound was too short for its spectra.
   */
  end(): Tensor | null {
    const last = noGrad(() => this.way.end());
    this.reset();
    return last;
  }

  /** Forgets the sound so far: other sound may begin. Random numbers go on. */
  reset(): void {
    this.way = this.start();
  }
}

type Filters = typeof GAMMATONE | null;

/** Of each way, what checks its options and gives a function that begins with a sound. */
const WAYS: Readonly<Record<string, (where: string, options: unknown, filters: Filters) => () => Way>> = {
  levelCrossings(where, options, filters) {
    const given = { ...LEVELS, ...withDefaults(where, LEVELS, options) };
    checkLevels(where, given);
    if (filters !== null) new Gammatone(`filters of ${NAME}`, filters, 1);
    return () => levelsOf(given, filters);
  },
  hairCells(where, options, filters) {
    const given = { ...HAIR, ...withDefaults(where, HAIR, options) };
    checkHair(where, given);
    if (filters === null) throw wrongValue(where, "filters", "none");
    if (filters.sampleRate !== given.sampleRate) {
      throw wrongValue(where, `the sample rate of the filters, ${filters.sampleRate}`, given.sampleRate);
    }
    new HairCells(where, given, new Gammatone(`filters of ${NAME}`, filters, 1).channels);
    return () => hairOf(where, given, filters);
  },
  speech2Spikes(where, options, filters) {
    const given = { ...SPEECH, ...withDefaults(where, SPEECH, options) };
    const frames = speechFrames(where, given);
    if (filters !== null) throw wrongValue(where, "no filters", "some");
    return () => new SpeechOfBlocks(where, given, frames);
  },
};

function levelsOf(given: Required<LevelCrossingsOptions>, filters: Filters): Way {
  const bank = filters === null ? null : new Gammatone(NAME, filters, 1);
  const channels = bank?.channels ?? 1;
  const crossings = new Levels(given, channels, channels);
  return {
    encode(samples) {
      crossings.steps.begin(samples.length);
      filtered(bank, samples, (motions, n) => crossings.see(motions, n));
      return crossings.steps.take(NAME, [2 * channels]);
    },
    end: () => null,
  };
}

function hairOf(where: string, given: typeof HAIR, filters: typeof GAMMATONE): Way {
  const bank = new Gammatone(NAME, filters, 1);
  const cells = new HairCells(where, given, bank.channels);
  return {
    encode(samples) {
      cells.steps.begin(samples.length);
      filtered(bank, samples, (motions, n) => cells.hear(() => motions, n));
      return cells.steps.take(NAME, [bank.channels]);
    },
    end: () => null,
  };
}

/** Calls fn with what the filters give of the samples, block by block. */
function filtered(bank: Gammatone | null, samples: Float32Array, fn: (motions: Float32Array, n: number) => void): void {
  if (bank === null) return fn(samples, samples.length);
  const motions = new Float32Array(BLOCK * bank.channels);
  for (let at = 0; at < samples.length; at += BLOCK) {
    const part = samples.subarray(at, at + BLOCK);
    bank.filter(motions, part, part.length);
    fn(motions, part.length);
  }
}

/** Speech2Spikes of blocks: the sound from the next frame on waits until the frame is whole. */
class SpeechOfBlocks implements Way {
  private readonly where: string;
  private readonly frames: Frames;
  private readonly speech: Speech;
  /** The end of the sound, with what is before its beginning: from the next frame on or earlier, and long enough to be reflected. */
  private sound: Float32Array;
  /** Where in it the next frame begins. */
  private next = 0;
  private total = 0;
  /** The beginning waits for the samples that it reflects. */
  private isWaiting: boolean;

  constructor(where: string, given: typeof SPEECH, frames: Frames) {
    this.where = where;
    this.frames = frames;
    this.speech = new Speech(given, given.nMels);
    const { center, reflects, half } = frames;
    this.isWaiting = center && reflects;
    this.sound = new Float32Array(center && !reflects ? half : 0);
  }

  encode(samples: Float32Array): Tensor | null {
    this.total += samples.length;
    this.sound = joined(this.sound, samples);
    if (this.isWaiting) {
      const { half } = this.frames;
      if (this.total <= half) return null;
      this.sound = joined(this.sound.slice(1, half + 1).reverse(), this.sound);
      this.isWaiting = false;
    }
    return this.whole();
  }

  end(): Tensor | null {
    const { center, reflects, half } = this.frames;
    if (this.total === 0) return null;
    checkLength(this.where, this.total, this.frames);
    if (!center) return null;
    const last = this.sound.length - 1;
    this.sound = joined(this.sound, reflects ? this.sound.slice(last - half, last).reverse() : new Float32Array(half));
    return this.whole();
  }

  /** The spikes of the frames that are whole. */
  private whole(): Tensor | null {
    const { nFft, hop, half } = this.frames;
    const { sound, next } = this;
    const count = Math.floor((sound.length - next - nFft) / hop) + 1;
    if (count <= 0) return null;
    const part = sound.slice(next, next + (count - 1) * hop + nFft);
    const mel = spectra(tensor(part, { shape: [part.length, 1] }), this.frames);
    const spikes = this.speech.see(mel.reshape([count, -1]));
    const passed = next + count * hop;
    const drop = Math.max(0, Math.min(passed, sound.length - half - 1));
    this.sound = sound.slice(drop);
    this.next = passed - drop;
    return spikes;
  }
}

function joined(a: Float32Array, b: Float32Array): Float32Array {
  const both = new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
