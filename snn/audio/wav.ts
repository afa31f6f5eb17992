/**
 * WAV files.
 *
 *   "RIFF" | bytes that follow (4) | "WAVE" | chunks: name (4) | bytes (4) | content | a 0 if the bytes are odd
 *   "fmt " codec (2) | channels (2) | samples a second (4) | bytes a second (4) | bytes a frame (2) | bits (2) | an extension
 *   "data" frames: the sample of each channel
 *
 * Files of 4 GiB and more begin with "RF64" or "BW64". Their two 32-bit sizes are 2³² − 1, and an additional chunk has the 64-bit sizes:
 *
 *   "ds64" bytes that follow (8) | bytes of the data (8) | frames (8) | sizes of other chunks
 *
 * Numbers are little-endian. A frame is a sample of every channel.
 *
 * @see ITU-R BS.2088, Long-form file format for the international exchange of audio programme materials with metadata.
 */
import {
  bytesOf,
  COUNT,
  choiceOf,
  numberOf,
  numbersOf,
  objectOf,
  refusePage,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";

/** Sound: the same number of samples in each channel, in [−1, 1] at full scale. */
export interface Sound {
  /** Samples per second. */
  readonly sampleRate: number;
  /** The samples of each channel. */
  readonly channels: readonly Float32Array[];
}

/** Sound that was read from a file. */
export interface ReadSound extends Sound {
  /** Number of frames that the file declares but does not fully contain: damage, which only `recover` allows, or the last frame of a stream. */
  readonly dropped: number;
}

/** Options of {@link readWav}. */
export interface ReadWavOptions {
  /** Whether to read the frames of a file that ends too early and count the missing ones instead of throwing; default false. */
  recover?: boolean;
}

/** Sample formats of {@link writeWav}: integers of 8 to 32 bits, or floats. */
export type SampleFormat = "uint8" | "int16" | "int24" | "int32" | "float32" | "float64";

/** Options of {@link writeWav}. */
export interface WriteWavOptions {
  /** How samples are stored; default "int16". */
  format?: SampleFormat;
}

const READ: Required<ReadWavOptions> = { recover: false };
const WRITE: Required<WriteWavOptions> = { format: "int16" };

const PCM = 1;
const FLOAT = 3;

/** A sample format: bytes per sample, and how its number (for PCM an integer) is read and written. */
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
/** The identifier of every numbered codec ends with these bytes, after the number. */
const SUBFORMAT = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
/** Largest 32-bit size, which means an unknown size or a 64-bit one. */
const MOST = 0xffffffff;
/**
 * Data sizes that programs write while the length of the sound is unknown: sox and eSpeak, arecord, FFmpeg, and the largest 64-bit one. Sox
 * rounds down to whole frames.
 */
const OPEN = [0x7ffff000, 2 ** 31, MOST, 2 ** 64];

/** Chunks that may follow the data of a sound without samples. */
const NAMES = ["LIST", "fact", "cue ", "bext", "id3 ", "JUNK"];

/** Common codecs that are not supported; others are named by number. */
const CODECS: Readonly<Record<number, string>> = { 6: "A-law", 7: "µ-law", 85: "MP3" };

/**
 * Reads a WAV file: PCM of 8, 16, 24 or 32 bits, float32 or float64, plain or as WAVE_FORMAT_EXTENSIBLE. Integers of b bits become value / 2ᵇ⁻¹, in
 * [−1, 1); integers of 8 bits have their zero at 128. Other chunks are skipped. The data extend to the end of the file if their size is that of a
 * stream: 0x7FFFF000 (sox, eSpeak), 0x80000000 (arecord), 0xFFFFFFFF (FFmpeg), or 0 without a chunk after it (an unfinished recording). An incomplete
 * frame at the end is then left out. RF64 and BW64 have 64-bit sizes.
 *
 * @param bytes The whole file.
 * @throws RangeError with the byte offset for bytes that are not a WAV file or a damaged or truncated one, and with the name of a codec that is not
 *   supported; TypeError if `bytes` is neither a Uint8Array nor an ArrayBuffer. With `recover`, the complete frames of a truncated file are returned.
 * @see IBM and Microsoft (1991), Multimedia Programming Interface and Data Specifications 1.0.
 *
 * @example
 * ```ts
 * import { readWav, writeWav } from "jarvis-snn/audio";
 *
 * const file = writeWav({ sampleRate: 8000, channels: [Float32Array.of(0, 0.5, -0.5)] });
 * const { sampleRate, channels } = readWav(file);
 * console.log(sampleRate, channels[0]); // 8000 Float32Array(3) [ 0, 0.5, -0.5 ]
 * ```
 */
export function readWav(bytes: Uint8Array | ArrayBuffer, options: ReadWavOptions = READ): ReadSound {
  const { recover } = withDefaults("readWav", READ, options);
  const given = bytesOf("readWav", bytes);
  const view = new DataView(given.buffer, given.byteOffset, given.length);
  const [{ channels, sampleRate, storage, frame }, data] = chunksOf(view, recover);
  const full = fullOf(storage);
  const frames = Math.floor(data.bytes / frame);
  if (!data.isOpen && !recover && frames * frame !== data.bytes) {
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
  return { sampleRate, channels: sound, dropped: Math.ceil(data.size / frame) - frames };
}

const wrong = (expected: string, at: number, got: string): RangeError =>
  wrongValue("readWav", `${expected} at byte ${at}`, got);

interface Data {
  readonly start: number;
  /** Bytes present in the file. */
  readonly bytes: number;
  /** Bytes that the file declares. */
  readonly size: number;
  /** Whether the data extend to the end of the file. */
  readonly isOpen: boolean;
}

/** Finds the format and the data, in any order of chunks. */
function chunksOf(view: DataView, recover: boolean): [Format, Data] {
  const length = view.byteLength;
  const [kind, type] = [nameAt(view, 0), nameAt(view, 8)];
  const isWide = kind === "RF64" || kind === "BW64";
  if (!isWide && kind !== "RIFF") {
    refusePage("readWav", "a WAV file", new Uint8Array(view.buffer, view.byteOffset, length));
    throw wrong(show("RIFF"), 0, show(kind));
  }
  if (type !== "WAVE") throw wrong(show("WAVE"), 8, show(type));
  const word = (at: number): number => view.getUint32(at, true);
  const long = (at: number): number => word(at) + 2 ** 32 * word(at + 4);
  // Declared end of the file; 0 if unknown.
  let end = word(4) === MOST ? 0 : 8 + word(4);
  let wide = MOST;
  let format: Format | undefined;
  let data: Data | undefined;
  // Bytes after the declared end are ignored, unless the format or the data are still missing: then the end was declared before recording.
  for (let at = 12; at < length && (at < end || !format || !data); ) {
    if (length - at < 8) {
      if (recover) break;
      throw wrong("a chunk", at, `the end after ${length - at} bytes`);
    }
    const name = nameAt(view, at);
    const start = at + 8;
    const rest = length - start;
    const isData = name === "data";
    const declared = word(at + 4);
    const size = isData && declared === MOST ? wide : declared;
    const isOpen =
      isData &&
      (size === 0
        ? end < start || (end === start && !NAMES.includes(nameAt(view, start)))
        : OPEN.some((open) => size === open || size === open - (open % (format?.frame ?? 1))));
    if (size > rest && !isOpen && !recover) {
      throw wrong(`a chunk ${show(name)} of ${size} bytes`, start, `the end after ${rest}`);
    }
    const bytes = isOpen ? rest : Math.min(size, rest);
    if ((isData && data) || (name === "fmt " && format)) throw wrong(`one chunk ${show(name)}`, at, "another one");
    if (isData) data = { start, bytes, size: isOpen ? rest : size, isOpen };
    else if (name === "fmt ") format = formatAt(view, start, bytes);
    else if (name === "ds64" && isWide && bytes >= 16) {
      end = 8 + long(start);
      wide = long(start + 8);
    }
    at = start + bytes + (bytes & 1);
  }
  if (!format || !data) throw wrong(`a chunk ${show(format ? "data" : "fmt ")}`, length, "the end");
  if (end > length && !data.isOpen && !recover) throw wrong(`${end - 8} bytes`, 8, `the end after ${length - 8}`);
  return [format, data];
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
  /** Bytes per frame. */
  readonly frame: number;
}

function formatAt(view: DataView, start: number, bytes: number): Format {
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
  return { channels, sampleRate, storage, frame };
}

/**
 * The codec. An extended format has it after the usual fields: bytes of extension (2) | valid bits (2) | speakers (4) | identifier (16)
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
 * Writes a WAV file. Integers are round(value·2ᵇ⁻¹), halves up, clamped to b bits; NaN becomes 0. Floats are stored unchanged.
 *
 * @throws RangeError unless there is a channel, all channels have the same length, the rate is a positive integer and the file is smaller than 4 GiB;
 *   TypeError unless the channels are arrays of numbers, or for an unknown option or a value of the wrong type.
 *
 * @example
 * ```ts
 * import { writeWav } from "jarvis-snn/audio";
 *
 * const left = Float32Array.of(0, 0.5, -0.5);
 * const right = Float32Array.of(0, 0.25, -0.25);
 * console.log(writeWav({ sampleRate: 44100, channels: [left, right] }, { format: "int24" }).length); // 62
 * ```
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
  if (36 + padded >= MOST || frame >= 2 ** 16) {
    throw wrongValue("writeWav", "a file below 4 GiB, in frames below 64 KiB", `${frames} frames of ${frame} bytes`);
  }
  const file = new Uint8Array(44 + padded);
  const view = new DataView(file.buffer);
  // Two 16-bit numbers are one word, the first in the lower half.
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

/** The stored number of a sample. */
function storedAs(storage: Storage, value: number): number {
  if (storage.codec === FLOAT) return value;
  const full = fullOf(storage);
  return Math.max(-full, Math.min(full - 1, Math.round((Number.isNaN(value) ? 0 : value) * full)));
}
