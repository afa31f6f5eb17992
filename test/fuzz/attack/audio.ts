/** Arguments for sound. */
import type * as audio from "../../../snn/audio/index.ts";
import { bool, choice, either, must, num, numbers, oneOf, options, record, spare, t } from "./kinds.ts";
import { generator } from "./objects.ts";
import type { Rows } from "./typed.ts";

const rate = num(10000, 16000);
const filters = { sampleRate: rate, channels: num(1, 3), fMin: num(50, 200), fMax: num(1000, 4000) };
const mel = {
  sampleRate: rate,
  nFft: must(num(8, 9)),
  nMels: must(num(2, 3)),
  fMin: num(0, 100),
  fMax: num(2000, 4000),
  norm: choice("none", "slaney"),
  melScale: choice("htk", "slaney"),
};
const frames = {
  ...mel,
  winLength: num(4, 8),
  hop: num(2, 5),
  power: num(1, 2),
  center: bool,
  padding: choice("reflect", "zeros"),
  floor: num(1e-6, 0.1),
};
const levels = { threshold: num(0.1, 0.5), start: num(0, 0.2), samplesPerStep: num(1, 3) };
const hair = {
  sampleRate: rate,
  gain: num(1, 1000),
  fibers: num(1, 40),
  weight: num(0, 13000),
  tauMembraneMs: num(0.1, 1),
  tauSynapseMs: num(0.1, 1),
  refractoryMs: num(0, 1),
  samplesPerStep: num(1, 3),
  generator,
};
const speech = { ...frames, threshold: num(0.5, 1), cumulativeSum: bool };

const sound = either(t(20), t(20, 2));
const motion = either(t(20), t(20, 3));

const wav = oneOf(["wavFile.slice()", "wavFile.slice().buffer"], [], {
  odd: (_, g) => ({
    code: g.pick([
      `flipped(wavFile.slice(), ${g.int(0, 79)}, ${1 << g.int(0, 7)})`,
      `wavFile.subarray(0, ${g.int(0, 79)})`,
      "new Float32Array(20)",
      "new DataView(wavFile.buffer)",
      "(() => { const bytes = wavFile.slice(); structuredClone(bytes.buffer, { transfer: [bytes.buffer] }); return bytes; })()",
    ]),
  }),
});

export const AUDIO: Rows<typeof audio> = {
  readWav: [wav, { recover: bool }],
  writeWav: [
    record({
      sampleRate: num(8000, 44100),
      channels: oneOf(["[new Float32Array(3)]", "[[0, 1], new Float64Array(2)]"]),
    }),
    { format: choice("uint8", "int16", "int24", "int32", "float32", "float64") },
  ],
  resample: [sound, { from: must(num(2, 3)), to: must(num(3, 4)), lowpassWidth: num(1, 6), rolloff: num(0.5, 1) }],
  erb: [num(0, 1000)],
  erbFrequencies: [filters],
  gammatone: [sound, filters],
  melFilterbank: [mel],
  melSpectrogram: [sound, { ...frames, log: bool }],
  levelCrossings: [motion, levels],
  hairCells: [motion, hair],
  speech2Spikes: [sound, speech],
};

/** Encoders with one way to spikes or another. */
const way = either(
  record({ levelCrossings: options(levels) }),
  record({ speech2Spikes: options(speech) }),
  record({
    filters: options({ ...filters, sampleRate: spare(rate) }),
    hairCells: options({ ...hair, sampleRate: spare(rate) }),
  }),
);

export const ENCODER = { new: [way], call: { encode: [numbers(7)], end: [], reset: [] } } as const;
