/** Three ways from a sound to spikes, as recordings with a row of channels as the sensor. */
import { Generator, noGrad, type Tensor } from "jarvis-snn";
import { gammatone, hairCells, levelCrossings, speech2Spikes } from "jarvis-snn/audio";
import type { EventRecording } from "jarvis-snn/events";
import { SAMPLE_RATE } from "./speech.ts";

/** Channels of each way; `levels` and `speech2spikes` have ON and OFF spikes in each. */
export const CHANNELS = 64;

/** Samples of a step of hair cells and level crossings, 1 ms. */
const STEP = SAMPLE_RATE / 1000;
/** Samples of a step of Speech2Spikes, 5 ms. */
const HOP = SAMPLE_RATE / 200;

/** Centres of the filters, in Hz. */
const BAND = { fMin: 100, fMax: 7000 };

/** Options of the filters and encoders; cached spikes are made again where one has changed. */
export const OPTIONS = {
  gammatone: { sampleRate: SAMPLE_RATE, channels: CHANNELS, ...BAND },
  hair: { sampleRate: SAMPLE_RATE, samplesPerStep: STEP },
  /** The distance between levels of a filter's output; a digit has a root mean square of 0.3. */
  levels: { threshold: 0.1, samplesPerStep: STEP },
  speech2spikes: { sampleRate: SAMPLE_RATE, hop: HOP, nMels: CHANNELS, ...BAND },
};

/** A way to spikes: spikes [T, P·C] of a sound [N], OFF channels behind ON channels where P is 2, and the microseconds of a step. */
interface Way {
  polarities: 1 | 2;
  stepUs: number;
  spikes: (sound: Tensor, seed: number) => Tensor;
}

const filtered = (sound: Tensor): Tensor => gammatone(sound, OPTIONS.gammatone);

export const WAYS = {
  hair: {
    polarities: 1,
    stepUs: 1000,
    spikes: (sound, seed) => hairCells(filtered(sound), { ...OPTIONS.hair, generator: new Generator(seed) }),
  },
  levels: {
    polarities: 2,
    stepUs: 1000,
    spikes: (sound) => levelCrossings(filtered(sound), OPTIONS.levels),
  },
  speech2spikes: {
    polarities: 2,
    stepUs: 5000,
    spikes: (sound) => speech2Spikes(sound, OPTIONS.speech2spikes),
  },
} as const satisfies Record<string, Way>;

export type WayName = keyof typeof WAYS;

/** The spikes of a sound [N] by a way; the seed is that of hair cells, which fire at random. */
export function hear(sound: Tensor, name: WayName, seed: number): EventRecording {
  const { polarities, stepUs, spikes } = WAYS[name] as Way;
  const bits = noGrad(() => spikes(sound, seed));
  const values = bits.toFloat32Array();
  bits.dispose();
  const width = polarities * CHANNELS;
  const places: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] === 1) places.push(i);
  const channels = places.map((i) => i % width);
  return {
    t: Float64Array.from(places, (i) => Math.floor(i / width) * stepUs),
    x: Uint16Array.from(channels, (c) => c % CHANNELS),
    y: new Uint16Array(places.length),
    p: Uint8Array.from(channels, (c) => (c < CHANNELS ? 1 : 0)),
    width: CHANNELS,
    height: 1,
  };
}
