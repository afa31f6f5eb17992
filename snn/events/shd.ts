/** Spikes of spoken words as data sets: the first file loads the reader. */
import type { EventRecording } from "./recording.ts";

/** Spike trains with their labels. */
export interface SpikeRecordings {
  /** The number of recordings. */
  readonly length: number;
  /** The class of each recording. */
  readonly labels: Uint16Array;
  /** The names of classes, by label, where the file names classes. */
  readonly keys: readonly string[];
  /** The speaker of each recording, where the file names speakers. */
  readonly speakers: Uint16Array | null;
  /**
   * Reads a recording: `x` is the channel in [0, 700), `y` is 0 and `p` is 1.
   *
   * @throws RangeError for an index without recording, and for damage; Error after `close`.
   */
  get(index: number): EventRecording;
  /** Frees the memory of the file. */
  close(): void;
}

/**
 * Opens a file of the Spiking Heidelberg Digits (SHD) or Spiking Speech Commands (SSC): HDF5 with spikes/times in seconds, spikes/units and
 * labels. The file stays in memory as it is, and a recording is read when `get` asks for it. Needs the optional peer `h5wasm`.
 *
 * @example
 * const digits = await readSHD(await readFile("shd_train.h5"));
 * const { t, x } = digits.get(0);
 *
 * @param file The file, a Uint8Array or ArrayBuffer.
 * @throws RangeError for another file; Error where `h5wasm` is missing.
 * @see Cramer et al. (2020), The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks, IEEE TNNLS 33(7).
 */
export async function readSHD(file: Uint8Array | ArrayBuffer): Promise<SpikeRecordings> {
  return (await import("./spikes.ts")).openSpikes(file);
}
