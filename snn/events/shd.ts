/** Data sets of spoken words as spikes. The reader is loaded when the first file is opened. */
import type { SpikeRecordings } from "./recording.ts";
import type { ReadSHDOptions } from "./spikes.ts";

/**
 * Opens a file of the Spiking Heidelberg Digits (SHD) or Spiking Speech Commands (SSC): HDF5 with spikes/times in seconds, spikes/units and labels.
 * The file remains in memory, and `get` reads one recording at a time. Requires the optional peer dependency `h5wasm`.
 *
 * @param file The file, a Uint8Array or ArrayBuffer.
 * @throws RangeError for a different or damaged file, and for one that needs more than `maxBytes`; Error if `h5wasm` is missing.
 * @see Cramer et al. (2020), The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural Networks, IEEE TNNLS 33(7).
 *
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { readSHD } from "jarvis-snn/events";
 *
 * const digits = await readSHD(await readFile("shd_train.h5"));
 * const { t, x } = digits.get(0); // µs, and the channel of each spike
 * console.log(digits.keys[digits.labels[0] ?? 0], t.length === x.length); // zwei true
 * ```
 */
export async function readSHD(
  file: Uint8Array | ArrayBuffer,
  options: Readonly<ReadSHDOptions> = {},
): Promise<SpikeRecordings> {
  return (await import("./spikes.ts")).openSpikes(file, options);
}
