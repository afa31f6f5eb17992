/** Spoken digits as spikes: digits of the synthesiser, made once and kept in files, or the Spiking Heidelberg Digits. */
import { readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { rand } from "jarvis-snn";
import { type EventRecording, readSHD } from "jarvis-snn/events";
import { cachedRecordings, Recordings } from "../recordings.ts";
import { bar } from "../report.ts";
import { DIGITS, SAMPLE_RATE, SPEECH, Speaker, synthesiserVersion } from "./speech.ts";
import { CHANNELS, hear, OPTIONS, WAYS, type WayName } from "./spikes.ts";
import { ACCENTS, TEST_VOICES, TRAINING_VOICES, VALIDATION_VOICES } from "./voices.ts";

/** Recordings with a row of channels as the sensor, and the voice of each. */
export interface SpokenSet {
  recordings: Recordings;
  /** Empty where a file names no speakers. */
  voices: readonly string[];
}

/** A training set and a test set. No voice of the synthesiser is in both; the test of SHD has a few words of training speakers too. */
export interface SpokenSets {
  train: SpokenSet;
  test: SpokenSet;
  classes: number;
  polarities: 1 | 2;
  /** Milliseconds of a recording that the network gets. */
  durationMs: number;
}

export interface SynthesisedOptions {
  way: WayName;
  /** How often a voice says each digit. */
  takes: number;
  /** Voices of each set at most. */
  voices?: number;
  /** Whether the voices for the choice of settings are the test set, and not in the training set. */
  isHeld?: boolean;
  /** The folder of the files. */
  folder: string;
}

/** Everything that spikes depend on besides way, voice and place in the file. */
const settings = () =>
  JSON.stringify({
    synthesiser: synthesiserVersion(),
    digits: DIGITS,
    accents: ACCENTS,
    speech: SPEECH,
    rate: SAMPLE_RATE,
    options: OPTIONS,
  });

/** Milliseconds of a synthesised digit that count; 30 digits of 6080 are longer, and lose their last spikes. */
const DURATION_MS = 800;

/** Digits of the synthesiser. */
export async function synthesised(options: SynthesisedOptions): Promise<SpokenSets> {
  const { voices = Infinity, isHeld = false, way } = options;
  const train = isHeld ? TRAINING_VOICES : [...TRAINING_VOICES, ...VALIDATION_VOICES];
  const test = isHeld ? VALIDATION_VOICES : TEST_VOICES;
  return {
    train: await saidBy(spread(train, voices), options),
    test: await saidBy(spread(test, voices), options),
    classes: DIGITS.length,
    polarities: WAYS[way].polarities,
    durationMs: DURATION_MS,
  };
}

/** At most n voices, evenly spread over the list. */
function spread(voices: readonly string[], n: number): string[] {
  const count = Math.min(n, voices.length);
  return Array.from({ length: count }, (_, i) => voices[Math.floor((i * voices.length) / count)] as string);
}

async function saidBy(voices: readonly string[], options: SynthesisedOptions): Promise<SpokenSet> {
  const recordings = new Recordings(CHANNELS, 1);
  const count = options.takes * DIGITS.length;
  for (const voice of voices) recordings.append(await digitsOf(voice, count, options));
  return { recordings, voices: voices.flatMap((voice) => Array<string>(count).fill(voice)) };
}

/** The digits of a voice. One file has all of them, since the synthesiser gives the same sound only where it says all digits in order. */
function digitsOf(voice: string, count: number, { way, folder }: SynthesisedOptions): Promise<Recordings> {
  const seed = seedOf(voice);
  let speaker: Speaker | null = null;
  return cachedRecordings({
    ...{ folder, name: `spoken-${way}-${voice.replaceAll(" ", "_")}`, settings: settings() },
    ...{ width: CHANNELS, height: 1, count, perFile: count },
    async make(i) {
      speaker ??= await Speaker.of(voice, seed);
      const { sound, label } = speaker.next();
      const events = hear(sound, way, seed + i);
      sound.dispose();
      return { events, label };
    },
  });
}

/** The seed of a voice, from its name alone, so that the voice sounds the same in every set. */
const seedOf = (voice: string): number =>
  Array.from(voice, (c) => c.charCodeAt(0)).reduce((seed, c) => (31 * seed + c) % 2 ** 31, 7);

/**
 * Moves events along the row of W channels: the shifts d₀ and d₁ of the two ends are drawn from −shift·W … shift·W, and channels between
 * the ends move by values between. Voices differ by the length of the vocal tract, which moves the formants in the same way. An event that
 * leaves the row is lost.
 *
 *   x′ = round(x + d₀ + (d₁ − d₀)·x/W)
 */
export function moved(events: EventRecording, shift: number): EventRecording {
  const { t, x, y, p, width } = events;
  const [low, high] = rand([2]).toArray() as [number, number];
  const [d0, d1] = [(2 * low - 1) * shift * width, (2 * high - 1) * shift * width];
  const kept = { t: t.slice(), x: x.slice(), y: y.slice(), p: p.slice() };
  let n = 0;
  for (const [i, c] of x.entries()) {
    const place = Math.round(c + d0 + ((d1 - d0) * c) / width);
    if (place < 0 || place >= width) continue;
    kept.t[n] = t[i] as number;
    kept.x[n] = place;
    kept.y[n] = y[i] as number;
    kept.p[n++] = p[i] as number;
  }
  const part = {
    t: kept.t.subarray(0, n),
    x: kept.x.subarray(0, n),
    y: kept.y.subarray(0, n),
    p: kept.p.subarray(0, n),
  };
  return { ...events, ...part };
}

/** Milliseconds of a recording of SHD that the network gets; the longest recordings take 1400. */
const HEIDELBERG_MS = 1000;

/**
 * The Spiking Heidelberg Digits of shd_train.h5 and shd_test.h5 in one folder; the path names the folder or either file. With `isHeld` a
 * quarter of the speakers of shd_train.h5 is the test set, and the others are the training set.
 *
 * @throws Error where a file is missing; RangeError with the path for another file or a damaged one, and for a label that is no class of the training
 *   set; RangeError where a part of the speakers is to be held out and there are fewer than two.
 */
export async function heidelberg(path: string, isHeld = false): Promise<SpokenSets> {
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path);
  const { classes, ...train } = await read(join(folder, "shd_train.h5"));
  const { train: heard, test } = isHeld
    ? divided(train)
    : { train, test: await read(join(folder, "shd_test.h5"), classes) };
  return { train: heard, test, classes, polarities: 1, durationMs: HEIDELBERG_MS };
}

/** The recordings of a file; by default its classes are those that it names, or its labels up to the largest. */
async function read(path: string, known?: number): Promise<SpokenSet & { classes: number }> {
  const bytes = bytesOf(path);
  try {
    const data = await readSHD(bytes);
    try {
      const classes = known ?? (data.keys.length || 1 + data.labels.reduce((most, label) => Math.max(most, label), 0));
      const recordings = new Recordings(data.get(0).width, 1);
      const draws = bar(basename(path), data.length);
      for (const [i, label] of data.labels.entries()) {
        if (label >= classes)
          throw new RangeError(`expected labels in [0, ${classes}), got ${label} of recording ${i}`);
        recordings.add({ events: data.get(i), label }, 0);
        draws(i + 1);
      }
      return { recordings, voices: Array.from(data.speakers ?? [], String), classes };
    } finally {
      data.close();
    }
  } catch (cause) {
    throw new RangeError(`${path}: ${(cause as Error).message}`, { cause });
  }
}

function bytesOf(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Error(`--data: expected shd_train.h5 and shd_test.h5 in one folder, got no file ${path}`, { cause });
  }
}

/** The recordings of every fourth speaker, in the order of their numbers, and those of the other speakers. */
function divided({ recordings, voices }: SpokenSet): { train: SpokenSet; test: SpokenSet } {
  const speakers = Array.from(new Set(voices)).sort((a, b) => Number(a) - Number(b));
  if (speakers.length < 2) {
    throw new RangeError(`--data: expected two speakers or more to hold one out, got ${speakers.length}`);
  }
  const held = new Set(speakers.filter((_, i) => i % 4 === 1));
  const part = (isTest: boolean): SpokenSet => {
    const kept = new Recordings(recordings.width, 1);
    const chosen = voices.flatMap((voice, i) => (held.has(voice) === isTest ? [i] : []));
    for (const i of chosen) kept.add({ events: recordings.get(i), label: recordings.labels[i] as number }, 0);
    return { recordings: kept, voices: chosen.map((i) => voices[i] as string) };
  };
  return { train: part(false), test: part(true) };
}
