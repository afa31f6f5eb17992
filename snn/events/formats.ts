/** Detects the format of a file from its first bytes. */
import { refusePage, show, wrongValue } from "../../engine/arguments.ts";
import { asciiText, fieldOf, HDF5_NAME, headerOf, NMNIST_SIDE, OVERFLOW_ROW } from "./decoder.ts";

/** A readable format. */
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

/** AEDAT formats by the first digit of their version. */
const AEDAT: Readonly<Record<string, EventFormat>> = { 2: "aedat2", 3: "aedat3.1", 4: "aedat4" };

/**
 * The named format, or the one detected from the first bytes of a file.
 *
 * @throws RangeError for an unknown format if none is named, and for a web page.
 */
export function checkedFormat(where: string, format: EventFormat | null, bytes: Uint8Array): EventFormat {
  const found = eventFormatAt(where, bytes);
  if (found === null) refusePage(where, "a recording", bytes);
  const chosen = format ?? found;
  if (chosen !== null) return chosen;
  throw wrongValue(where, "the beginning of a recording of a format that is known", show(asciiText(bytes, 0, 16)));
}

/** The format; null if the first bytes match none. */
function eventFormatAt(where: string, bytes: Uint8Array): EventFormat | null {
  if (asciiText(bytes, 0, 4) === "PK\x03\x04") return "npz";
  if (asciiText(bytes, 1, 8) === HDF5_NAME) return "hdf5";
  const version = /^#!AER-DAT(\d\.\d)/.exec(asciiText(bytes, 0, 16))?.[1];
  if (version !== undefined) return AEDAT[version[0] as string] ?? null;
  const header = headerOf(where, bytes, "% ", /^% end/);
  if (header.end === 0) return looksLikeNMNIST(bytes);
  const name = fieldOf(header, /^% format EVT(\d+)/) ?? fieldOf(header, /^% evt (\d\.?\d?)/)?.replace(".", "");
  if (name === undefined) return "dat";
  return name.startsWith("3") ? "evt3" : name === "21" ? "evt2.1" : name.startsWith("2") ? "evt2" : null;
}

/** Number of events that suffice to recognise files of N-MNIST, which have no signature. */
const ENOUGH = 256;

/**
 * Detects N-MNIST or N-Caltech101: nearly all times follow each other within a second, and rows lie on the camera. More than half of
 * N-MNIST's events lie on its 34 × 34 pixels, which would be the top left corner of a larger image.
 */
function looksLikeNMNIST(bytes: Uint8Array): "nmnist" | "ncaltech101" | null {
  const n = Math.min(ENOUGH, Math.floor(bytes.length / 5));
  let orderly = 0;
  let inside = 0;
  let before = 0;
  for (let i = 0; i < 5 * n; i += 5) {
    const row = bytes[i + 1] as number;
    // After an overflow the low bits of the time may start again.
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
