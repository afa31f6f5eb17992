/** Spikes of spoken words as data sets: the first file loads the reader. */
import type { SpikeRecordings } from "./recording.ts";

/**
 * Opens a file of the Spiking Heidelberg Digits (SHD) or Spiking Speech Commands (SSC): HDF5 with spikes/times in seconds, spikes/units and
 * labels. The file stays in memory as it is, and a recording is read when `get` asks for it. Needs the optional peer `h5wasm`.
 *
 * @param file The file, a Uint8Array or ArrayBuffer.
 * @throws RangeError for another file; Error where `h5wasm` is missing.
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
export async function readSHD(file: Uint8Array | ArrayBuffer): Promise<SpikeRecordings> {
  return (await import("./spikes.ts")).openSpikes(file);
}
