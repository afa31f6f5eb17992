/**
 * Sound to spikes: WAV files, resampling, mel and gammatone filters, and three encoders, for whole sounds and for a microphone.
 *
 * Sound is a tensor [N, …] of samples in [−1, 1], time first. Spikes are bits, [T, …, C].
 *
 * @module jarvis-snn/audio
 */
export { erb, erbFrequencies, type GammatoneOptions, gammatone } from "./gammatone.ts";
export { type HairCellsOptions, hairCells } from "./hair-cells.ts";
export { type LevelCrossingsOptions, levelCrossings } from "./levels.ts";
export { type MelFilterbankOptions, melFilterbank } from "./mel.ts";
export { type ResampleOptions, resample } from "./resample.ts";
export { type MelSpectrogramOptions, melSpectrogram } from "./spectrogram.ts";
export { type Speech2SpikesOptions, speech2Spikes } from "./speech.ts";
export { SpikeEncoder, type SpikeEncoderOptions } from "./spike-encoder.ts";
export type { ReadSound, ReadWavOptions, SampleFormat, Sound, WriteWavOptions } from "./wav.ts";
export { readWav, writeWav } from "./wav.ts";
