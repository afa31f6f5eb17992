/** Spoken digits of eSpeak NG, a synthesiser that runs in WebAssembly. */
import { createRequire } from "node:module";
import type { Synthesiser } from "@echogarden/espeak-ng-emscripten";
import { Generator, noGrad, rand, type Tensor, tensor } from "jarvis-snn";
import { resample } from "jarvis-snn/audio";
import { ACCENTS } from "./voices.ts";

export const DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] as const;

/** Samples a second of the digits. */
export const SAMPLE_RATE = 16000;

/** The folder of voices among the synthesiser's files. */
export const VARIANTS = "/usr/share/espeak-ng-data/voices/!v";

/** Speed and pitch of the speech, and the level and the kept part of the sound. */
export const SPEECH = {
  /** Words a minute, from … to. */
  rate: [110, 210],
  /** The pitch and how far it moves, of eSpeak NG's 0 … 99. */
  pitch: [20, 80],
  range: [20, 80],
  /** Root mean square of a digit, as in the recordings of the Spiking Heidelberg Digits. */
  level: 0.3,
  /** A part of the greatest sample; quieter samples before and behind a digit are cut off. */
  silence: 0.02,
} as const;

/**
 * A voice that says the digits "zero" to "nine" again and again, each in an accent, at a rate and with a pitch that a seed draws.
 *
 * The sound of a word depends on the words that the synthesiser has said before. Each voice therefore has a synthesiser of its own and says
 * its digits in order, so that the same voice and seed give the same samples.
 */
export class Speaker {
  private readonly voice: string;
  private readonly generator: Generator;
  private readonly synthesiser: Synthesiser;
  private digit = 0;

  private constructor(voice: string, seed: number, synthesiser: Synthesiser) {
    this.voice = voice;
    this.generator = new Generator(seed);
    this.synthesiser = synthesiser;
  }

  /** @throws Error where the package of the synthesiser is missing, RangeError for an unknown voice. */
  static async of(voice: string, seed: number): Promise<Speaker> {
    const { default: load } = await import("@echogarden/espeak-ng-emscripten").catch(missing);
    const { eSpeakNGWorker, FS } = await load();
    // For an unknown voice, the synthesiser would use the voice of the accent without an error.
    if (!FS.analyzePath(`${VARIANTS}/${voice}`).exists) {
      throw new RangeError(`spoken: expected a variant of eSpeak NG, got ${voice}`);
    }
    return new Speaker(
      voice,
      seed,
      atFixedTime(() => new eSpeakNGWorker()),
    );
  }

  /** The next digit, [N] samples at 16 kHz. */
  next(): { sound: Tensor; label: number } {
    const { voice, generator, synthesiser } = this;
    const [where, rate, pitch, range] = noGrad(() => rand([4], { generator }).toArray()) as [
      number,
      number,
      number,
      number,
    ];
    const accent = ACCENTS[Math.floor(where * ACCENTS.length)] as string;
    if (synthesiser.set_voice(`${accent}+${voice}`) !== 0) {
      throw new RangeError(`spoken: expected an accent of eSpeak NG, got ${accent}`);
    }
    synthesiser.set_rate(Math.round(between(SPEECH.rate, rate)));
    synthesiser.set_pitch(Math.round(between(SPEECH.pitch, pitch)));
    synthesiser.set_range(Math.round(between(SPEECH.range, range)));
    const label = this.digit++ % DIGITS.length;
    const parts: Int16Array[] = [];
    synthesiser.synthesize(DIGITS[label] as string, (samples) => void (samples && parts.push(samples)));
    const samples = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
      samples.set(part, at);
      at += part.length;
    }
    const from = synthesiser.get_samplerate();
    return { sound: noGrad(() => resample(tensor(levelled(samples)), { from, to: SAMPLE_RATE })), label };
  }
}

function missing(cause: unknown): never {
  throw new Error("spoken: expected the synthesiser; npm install @echogarden/espeak-ng-emscripten brings it", {
    cause,
  });
}

/**
 * The version of the synthesiser's package; others may say the digits in another way.
 *
 * @throws Error where the package is missing.
 */
export function synthesiserVersion(): string {
  try {
    return createRequire(import.meta.url)("@echogarden/espeak-ng-emscripten/package.json").version;
  } catch (cause) {
    return missing(cause);
  }
}

/** Runs a function while the clock stands still: the synthesiser takes the seed of its random numbers from the time at its start. */
function atFixedTime<T>(run: () => T): T {
  const { now } = Date;
  Date.now = () => 0;
  try {
    return run();
  } finally {
    Date.now = now;
  }
}

const between = ([low, high]: readonly [number, number], u: number): number => low + u * (high - low);

/** The samples without the silence around them, at a root mean square of 0.3. */
function levelled(samples: Float32Array): Float32Array {
  const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const isLoud = (x: number) => Math.abs(x) > SPEECH.silence * loudest;
  const from = samples.findIndex(isLoud);
  const to = samples.findLastIndex(isLoud) + 1;
  const heard = samples.subarray(from, to);
  const power = heard.reduce((sum, x) => sum + x * x, 0) / heard.length;
  return heard.map((x) => (x * SPEECH.level) / Math.sqrt(power));
}
