/** The format of a file, by its first bytes. */
import { asciiText, HDF5_NAME, headerOf } from "./decoder.ts";

/** A format that can be read. */
export type EventFormat =
  | "aedat2"
  | "aedat3.1"
  | "aedat4"
  | "evt2"
  | "evt2.1"
  | "evt3"
  | "dat"
  | "nmnist"
  | "ncaltech101"
  | "npz"
  | "hdf5";

/** Pixels of a side of N-MNIST. */
export const NMNIST_SIDE = 34;
/** A row in records of N-MNIST and N-Caltech101 that stands for an overflow of the time. */
export const OVERFLOW_ROW = 240;

/** Formats by the first digit of their version. */
const AEDAT: Readonly<Record<string, EventFormat>> = { 2: "aedat2", 3: "aedat3.1", 4: "aedat4" };

/** The format, or null where the first bytes fit no format. */
export function eventFormatAt(bytes: Uint8Array): EventFormat | null {
  if (asciiText(bytes, 0, 4) === "PK\x03\x04") return "npz";
  if (asciiText(bytes, 1, 8) === HDF5_NAME) return "hdf5";
  const version = /^#!AER-DAT(\d\.\d)/.exec(asciiText(bytes, 0, 16))?.[1];
  if (version !== undefined) return AEDAT[version[0] as string] ?? null;
  const { text } = headerOf(bytes, "% ", /^% end/);
  if (text === "") return looksLikeNMNIST(bytes);
  const name = /^% format EVT(\d+)/m.exec(text)?.[1] ?? /^% evt (\d\.?\d?)/m.exec(text)?.[1]?.replace(".", "");
  if (name === undefined) return "dat";
  return name.startsWith("3") ? "evt3" : name === "21" ? "evt2.1" : name.startsWith("2") ? "evt2" : null;
}

/** The number of events that is enough to recognise files of N-MNIST, which have no mark of their own. */
const ENOUGH = 256;

/**
 * Which of N-MNIST and N-Caltech101 the bytes look like, if any: nearly all times follow each other within a second,
 * and rows lie on the camera. More than half of N-MNIST's events lie on its 34 × 34 pixels, the top left corner of a
 * larger image.
 */
function looksLikeNMNIST(bytes: Uint8Array): "nmnist" | "ncaltech101" | null {
  const n = Math.min(ENOUGH, Math.floor(bytes.length / 5));
  let orderly = 0;
  let inside = 0;
  let before = 0;
  for (let i = 0; i < 5 * n; i += 5) {
    const row = bytes[i + 1] as number;
    // The low bits of the time may start again behind an overflow.
    const time =
      row === OVERFLOW_ROW
        ? 0
        : (((bytes[i + 2] as number) & 0x7f) << 16) | ((bytes[i + 3] as number) << 8) | (bytes[i + 4] as number);
    if (row === OVERFLOW_ROW || (time >= before && time - before < 1e6 && row < OVERFLOW_ROW)) orderly++;
    if ((bytes[i] as number) < NMNIST_SIDE && row < NMNIST_SIDE) inside++;
    before = time;
  }
  if (n === 0 || orderly < 0.8 * n) return null;
  return inside > n / 2 ? "nmnist" : "ncaltech101";
}
