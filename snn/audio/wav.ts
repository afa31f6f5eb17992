/**
 * WAV files.
 *
 *   "RIFF" | bytes that follow (4) | "WAVE" | chunks: name (4) | bytes (4) | content | a 0 where the bytes are odd
 *   "fmt " codec (2) | channels (2) | samples a second (4) | bytes a second (4) | bytes a frame (2) | bits (2) | an extension
 *   "data" frames: the sample of each channel
 *
 * Numbers are little-endian. A frame is a sample of every channel.
 */
import {
  bytesOf,
  COUNT,
  choiceOf,
  numberOf,
  numbersOf,
  objectOf,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";

/** Sound: as many samples in each channel, in [−1, 1] at full scale. */
export interface Sound {
  /** Samples a second. */
  readonly sampleRate: number;
  /** The samples of each channel. */
  readonly channels: readonly Float32Array[];
}

/** How {@link writeWav} stores samples: integers of 8 to 32 bits, or floats. */
export type SampleFormat = "uint8" | "int16" | "int24" | "int32" | "float32" | "float64";

/** Options of {@link writeWav}. */
export interface WriteWavOptions {
  /** How samples are stored; default "int16". */
  format?: SampleFormat;
}

const WRITE: Required<WriteWavOptions> = { format: "int16" };

const PCM = 1;
const FLOAT = 3;

/** A way to store samples: how many bytes each has, and how its number, of PCM an integer, is read and written. */
interface Storage {
  readonly bytes: number;
  readonly codec: number;
  read(view: DataView, at: number): number;
  write(view: DataView, at: number, value: number): void;
}

const FORMATS: Readonly<Record<SampleFormat, Storage>> = {
  uint8: {
    bytes: 1,
    codec: PCM,
    read: (view, at) => view.getUint8(at) - 128,
    write: (view, at, value) => view.setUint8(at, value + 128),
  },
  int16: {
    bytes: 2,
    codec: PCM,
    read: (view, at) => view.getInt16(at, true),
    write: (view, at, value) => view.setInt16(at, value, true),
  },
  int24: {
    bytes: 3,
    codec: PCM,
    read: (view, at) => view.getUint8(at) + 256 * view.getInt16(at + 1, true),
    write(view, at, value) {
      view.setUint8(at, value);
      view.setInt16(at + 1, value >> 8, true);
    },
  },
  int32: {
    bytes: 4,
    codec: PCM,
    read: (view, at) => view.getInt32(at, true),
    write: (view, at, value) => view.setInt32(at, value, true),
  },
  float32: {
    bytes: 4,
    codec: FLOAT,
    read: (view, at) => view.getFloat32(at, true),
    write: (view, at, value) => view.setFloat32(at, value, true),
  },
  float64: {
    bytes: 8,
    codec: FLOAT,
    read: (view, at) => view.getFloat64(at, true),
    write: (view, at, value) => view.setFloat64(at, value, true),
  },
};

/** The integer at full scale; 1 for floats. */
const fullOf = ({ bytes, codec }: Storage): number => (codec === PCM ? 2 ** (8 * bytes - 1) : 1);

const EXTENSIBLE = 0xfffe;
/** The end of the identifiers of all codecs that have a number, behind that number. */
const SUBFORMAT = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/** The size that a program writes while the length of the sound is not known. */
const OPEN = 0xffffffff;

/** The usual codecs that are not read; others are named by their number. */
const CODECS: Readonly<Record<number, string>> = { 6: "A-law", 7: "µ-law", 85: "MP3" };

/**
 * The sound of a WAV file: PCM of 8, 16, 24 or 32 bits, or float32 or float64, plain or as WAVE_FORMAT_EXTENSIBLE. Integers of b bits
 * become value / 2ᵇ⁻¹, in [−1, 1); integers of 8 bits have their zero at 128. Chunks of other names are skipped. A size of 0xFFFFFFFF, as
 * programs write that stream, lasts to the end of the file; a frame that is not whole there is left out.
 *
 * @param bytes The whole file.
 * @throws RangeError with the offset of the byte for bytes that are no WAV file, or a damaged or truncated file, and with the name of a
 *   codec that is not read; TypeError if `bytes` is neither a Uint8Array nor an ArrayBuffer.
 * @see IBM and Microsoft (1991), Multimedia Programming Interface and Data Specifications 1.0.
 */
export function readWav(bytes: Uint8Array | ArrayBuffer): Sound {
  const given = bytesOf("readWav", bytes);
  const view = new DataView(given.buffer, given.byteOffset, given.length);
  const [format, data] = chunksOf(view);
  const { channels, sampleRate, storage } = formatAt(view, format);
  const full = fullOf(storage);
  const frame = channels * storage.bytes;
  const frames = Math.floor(data.bytes / frame);
  if (!data.isOpen && frames * frame !== data.bytes) {
    throw wrong(`data in frames of ${frame} bytes`, data.start, `${data.bytes} bytes`);
  }
  const sound: Float32Array[] = [];
  for (let c = 0; c < channels; c++) {
    const samples = new Float32Array(frames);
    for (let i = 0, at = data.start + c * storage.bytes; i < frames; i++, at += frame) {
      samples[i] = storage.read(view, at) / full;
    }
    sound.push(samples);
  }
  return { sampleRate, channels: sound };
}

const wrong = (expected: string, at: number, got: string): RangeError =>
  wrongValue("readWav", `${expected} at byte ${at}`, got);

interface Chunk {
  readonly start: number;
  readonly bytes: number;
  /** Whether the data last to the end of the file. */
  readonly isOpen: boolean;
}

/** The chunks that are read, in the order in which they are given. */
const READ: readonly string[] = ["fmt ", "data"];

/** The chunks of the format and of the data, wherever they stand. */
function chunksOf(view: DataView): [format: Chunk, data: Chunk] {
  const length = view.byteLength;
  ["RIFF", "WAVE"].forEach((name, i) => {
    const found = nameAt(view, 8 * i);
    if (found !== name) throw wrong(show(name), 8 * i, show(found));
  });
  const follows = view.getUint32(4, true);
  const isStream = follows === OPEN;
  const end = isStream ? length : 8 + follows;
  if (end > length) throw wrong(`${follows} bytes`, 8, `the end after ${length - 8}`);
  const found: { [name: string]: Chunk } = {};
  for (let at = 12; at < end; ) {
    if (end - at < 8) {
      if (isStream && found.data !== undefined) break;
      throw wrong("a chunk", at, `the end after ${end - at} bytes`);
    }
    const name = nameAt(view, at);
    const start = at + 8;
    const size = view.getUint32(at + 4, true);
    const isOpen = size === OPEN && name === "data";
    const bytes = isOpen ? end - start : size;
    if (bytes > end - start)
      throw wrong(`a chunk ${show(name)} of ${size} bytes`, start, `the end after ${end - start}`);
    if (READ.includes(name)) {
      if (found[name] !== undefined) throw wrong(`one chunk ${show(name)}`, at, "another one");
      found[name] = { start, bytes, isOpen };
    }
    at = start + bytes + (bytes & 1);
  }
  return READ.map((name) => {
    const chunk = found[name];
    if (chunk === undefined) throw wrong(`a chunk ${show(name)}`, end, "the end");
    return chunk;
  }) as [Chunk, Chunk];
}

/** Four letters, fewer at the end of the file. */
function nameAt(view: DataView, at: number): string {
  let name = "";
  for (let i = at; i < Math.min(at + 4, view.byteLength); i++) name += String.fromCharCode(view.getUint8(i));
  return name;
}

interface Format {
  readonly channels: number;
  readonly sampleRate: number;
  readonly storage: Storage;
}

function formatAt(view: DataView, { start, bytes }: Chunk): Format {
  if (bytes < 16) throw wrong("a format of 16 bytes or more", start, `${bytes}`);
  const channels = view.getUint16(start + 2, true);
  const sampleRate = view.getUint32(start + 4, true);
  const frame = view.getUint16(start + 12, true);
  const bits = view.getUint16(start + 14, true);
  const codec = codecAt(view, start, bytes, bits);
  if (codec !== PCM && codec !== FLOAT) {
    throw wrong("PCM or floats", start, `${CODECS[codec] ?? "an unknown codec"}, format 0x${codec.toString(16)}`);
  }
  const storage = Object.values(FORMATS).find((each) => each.codec === codec && 8 * each.bytes === bits);
  if (storage === undefined) {
    throw wrong(
      "PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64",
      start + 14,
      `${bits} bits of ${codec === PCM ? "PCM" : "floats"}`,
    );
  }
  if (channels === 0) throw wrong("channels", start + 2, "0");
  if (sampleRate === 0) throw wrong("samples a second", start + 4, "0");
  const size = (channels * bits) / 8;
  if (frame !== size) throw wrong(`frames of ${size} bytes`, start + 12, `${frame}`);
  return { channels, sampleRate, storage };
}

/**
 * The codec. An extended format has it behind the usual fields: bytes of extension (2) | valid bits (2) | speakers (4) | identifier (16)
 */
function codecAt(view: DataView, start: number, bytes: number, bits: number): number {
  const codec = view.getUint16(start, true);
  if (codec !== EXTENSIBLE) return codec;
  if (bytes < 40) throw wrong("a format of 40 bytes or more", start, `${bytes}`);
  const valid = view.getUint16(start + 18, true);
  if (valid > bits) throw wrong(`at most ${bits} valid bits`, start + 18, `${valid}`);
  if (SUBFORMAT.some((byte, i) => view.getUint8(start + 26 + i) !== byte)) {
    throw wrong("PCM or floats", start + 24, "an unknown codec");
  }
  return view.getUint16(start + 24, true);
}

/**
 * A WAV file with this sound. Integers are round(value·2ᵇ⁻¹), clamped to their b bits, half steps to the larger one; NaN becomes 0. Floats
 * are stored as they are.
 *
 * @throws RangeError unless the channels, of which there is one or more, are of one length, the rate is a positive integer and the file is
 *   smaller than 4 GiB; TypeError unless the channels are arrays of numbers, or for an option of another name or kind.
 */
export function writeWav(sound: Sound, options: WriteWavOptions = WRITE): Uint8Array {
  const { format } = withDefaults("writeWav", WRITE, options);
  const storage = FORMATS[choiceOf("writeWav", "format", format, Object.keys(FORMATS) as SampleFormat[])];
  const { bytes, codec } = storage;
  const given = objectOf("writeWav", "a sound { sampleRate, channels }", sound);
  const sampleRate = numberOf("writeWav", "sampleRate", given.sampleRate, COUNT);
  const channels = channelsOf(given.channels);
  const frames = (channels[0] as Float32Array).length;
  const frame = bytes * channels.length;
  const size = frames * frame;
  const padded = size + (size & 1);
  if (36 + padded >= OPEN || frame >= 2 ** 16) {
    throw wrongValue("writeWav", "a file below 4 GiB, in frames below 64 KiB", `${frames} frames of ${frame} bytes`);
  }
  const file = new Uint8Array(44 + padded);
  const view = new DataView(file.buffer);
  // Two numbers of 16 bits are a word, the first one in its lower half.
  const [format16, frame16] = [codec | (channels.length << 16), frame | ((8 * bytes) << 16)];
  const fields = ["fmt ", 16, format16, sampleRate, sampleRate * frame, frame16];
  for (const [i, word] of ["RIFF", 36 + padded, "WAVE", ...fields, "data", size].entries()) {
    if (typeof word === "number") view.setUint32(4 * i, word, true);
    else for (let k = 0; k < 4; k++) file[4 * i + k] = word.charCodeAt(k);
  }
  channels.forEach((samples, c) => {
    for (let i = 0, at = 44 + c * bytes; i < frames; i++, at += frame) {
      storage.write(view, at, storedAs(storage, samples[i] as number));
    }
  });
  return file;
}

function channelsOf(channels: unknown): Float32Array[] {
  if (!Array.isArray(channels)) throw wrongType("writeWav", "channels as a list of arrays", channels);
  if (channels.length === 0 || channels.length > 2 ** 12) {
    throw wrongValue("writeWav", "1 to 4096 channels", channels.length);
  }
  const copies = Array.from(channels, (samples) =>
    Float32Array.from(numbersOf("writeWav", "channels of numbers", samples)),
  );
  const lengths = copies.map(({ length }) => length);
  if (lengths.some((n) => n !== lengths[0])) throw wrongValue("writeWav", "channels of one length", show(lengths));
  return copies;
}

/** The number that stands for a sample. */
function storedAs(storage: Storage, value: number): number {
  if (storage.codec === FLOAT) return value;
  const full = fullOf(storage);
  return Math.max(-full, Math.min(full - 1, Math.round((Number.isNaN(value) ? 0 : value) * full)));
}
