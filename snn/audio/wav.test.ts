/** WAV files: every sample format, every order of chunks, and damaged files. */
import { expect, test } from "vitest";
import { numbers } from "../../test/support/sides.ts";
import { readWav, type SampleFormat, type Sound, writeWav } from "./index.ts";

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
const u16 = (n: number): number[] => [n & 255, n >>> 8];
const u32 = (n: number): number[] => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24];

const chunk = (name: string, content: readonly number[], size = content.length): number[] => [
  ...ascii(name),
  ...u32(size),
  ...content,
  ...(content.length % 2 === 0 ? [] : [0]),
];

const riff = (chunks: readonly number[], size = chunks.length + 4): Uint8Array =>
  Uint8Array.from([...ascii("RIFF"), ...u32(size), ...ascii("WAVE"), ...chunks]);

interface Format {
  codec?: number;
  channels?: number;
  rate?: number;
  bits?: number;
  frame?: number;
}

const format = ({ codec = 1, channels = 1, rate = 8000, bits = 16, frame = (channels * bits) / 8 }: Format = {}) => [
  ...u16(codec),
  ...u16(channels),
  ...u32(rate),
  ...u32(rate * frame),
  ...u16(frame),
  ...u16(bits),
];

const IDENTIFIER = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];
const extensible = (given: Format, codec: number, valid = given.bits ?? 16): number[] => [
  ...format({ ...given, codec: 0xfffe }),
  ...u16(22),
  ...u16(valid),
  ...u32(0),
  ...u16(codec),
  ...IDENTIFIER,
];

const bytesOf = (values: Float32Array | Float64Array | Int16Array): number[] => [...new Uint8Array(values.buffer)];
const first = (sound: Sound): number[] => Array.from(sound.channels[0] as Float32Array);

test("wav: samples of each kind are read at full scale", () => {
  const read = (bits: number, content: number[], codec = 1) =>
    first(readWav(riff([...chunk("fmt ", format({ bits, codec })), ...chunk("data", content)])));
  expect(read(8, [0, 64, 128, 255])).toEqual([-1, -0.5, 0, 127 / 128]);
  expect(read(16, bytesOf(Int16Array.of(-32768, -1, 0, 16384, 32767)))).toEqual([
    -1,
    -1 / 32768,
    0,
    0.5,
    32767 / 32768,
  ]);
  expect(read(24, [0, 0, 0x80, 1, 0, 0, 0xff, 0xff, 0xff, 0, 0, 0x40])).toEqual([-1, 2 ** -23, -(2 ** -23), 0.5]);
  expect(read(32, [0, 0, 0, 0x80, 0, 0, 0, 0x40, 0, 1, 0, 0])).toEqual([-1, 0.5, 2 ** -23]);
  expect(read(32, bytesOf(Float32Array.of(-1.5, 0.1)), 3)).toEqual([-1.5, Math.fround(0.1)]);
  expect(read(64, bytesOf(Float64Array.of(-1.5, 0.1)), 3)).toEqual([-1.5, Math.fround(0.1)]);
});

test("wav: a file that was written is read again, channel by channel", () => {
  const channels = [1, 2, 3].map((seed) => Float32Array.from(numbers(5, seed, -1, 1)));
  const steps: Record<SampleFormat, number> = {
    uint8: 2 ** -7,
    int16: 2 ** -15,
    int24: 2 ** -23,
    int32: 2 ** -24,
    float32: 0,
    float64: 0,
  };
  for (const [kind, step] of Object.entries(steps) as [SampleFormat, number][]) {
    const sound = readWav(writeWav({ sampleRate: 44100, channels }, { format: kind }));
    expect([sound.sampleRate, sound.channels.length]).toEqual([44100, 3]);
    sound.channels.forEach((samples, c) => {
      expect(samples.length).toBe(5);
      samples.forEach((value, i) => {
        expect(Math.abs(value - ((channels[c] as Float32Array)[i] as number)), kind).toBeLessThanOrEqual(step);
      });
    });
  }
});

test("wav: integers are rounded and clamped, NaN is silence, and an empty sound is a file", () => {
  const values = Float32Array.of(-2, 2, Number.NaN, Infinity, 1.5 / 32768, 0.4 / 32768);
  const sound = readWav(writeWav({ sampleRate: 1, channels: [values] }));
  expect(first(sound).map((x) => x * 32768)).toEqual([-32768, 32767, 0, 32767, 2, 0]);
  expect(first(readWav(writeWav({ sampleRate: 9, channels: [new Float32Array()] }, { format: "uint8" })))).toEqual([]);
  expect(writeWav({ sampleRate: 9, channels: [new Float32Array(3)] }, { format: "uint8" }).length).toBe(48);
});

test("wav: chunks come in any order, of odd length too, and others are skipped", () => {
  const data = chunk("data", bytesOf(Int16Array.of(1, -2)));
  const list = chunk("LIST", ascii("INFOx"));
  for (const chunks of [
    [...chunk("fmt ", format()), ...data],
    [...data, ...chunk("fmt ", format())],
    [...list, ...chunk("fmt ", format()), ...chunk("fact", u32(2)), ...list, ...data, ...list],
    [...chunk("fmt ", [...format(), 0, 0]), ...data],
  ]) {
    expect(first(readWav(riff(chunks))).map((x) => x * 32768)).toEqual([1, -2]);
  }
  const odd = chunk("data", [128, 0, 255]);
  const bytes = riff([...odd, ...chunk("fmt ", format({ bits: 8 }))]);
  expect(first(readWav(bytes))).toEqual([0, -1, 127 / 128]);
  // A view into a larger buffer, and a buffer.
  const larger = Uint8Array.from([1, 2, 3, ...bytes, 4]);
  expect(first(readWav(larger.subarray(3, -1)))).toEqual([0, -1, 127 / 128]);
  expect(first(readWav(bytes.buffer as ArrayBuffer))).toEqual([0, -1, 127 / 128]);
  // Bytes after the declared sizes are not part of the file.
  expect(first(readWav(Uint8Array.from([...bytes, 9, 9, 9])))).toEqual([0, -1, 127 / 128]);
});

const integers = (sound: Sound): number[][] =>
  sound.channels.map((samples) => Array.from(samples, (x) => Math.round(x * 32768)));

test("wav: sizes of a stream last to the end, without a part of a frame", () => {
  const open = 0xffffffff;
  const content = bytesOf(Int16Array.of(1, 2, 3, 4, 5));
  const chunks = [...chunk("fmt ", format({ channels: 2 })), ...ascii("data"), ...u32(open), ...content];
  for (const size of [open, chunks.length + 4]) {
    const sound = readWav(riff(chunks, size));
    expect(integers(sound)).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(sound.dropped).toBe(1);
  }
});

test.each([
  ["sox and eSpeak", 0x7ffff024, 0x7ffff000, 1],
  ["sox, in whole frames of 6 bytes", 0x7ffff020, 0x7fffeffc, 3],
  ["sox, in whole frames of 10 bytes", 0x7ffff022, 0x7fffeffe, 5],
  ["arecord", 0x80000024, 0x80000000, 2],
  ["FFmpeg", 0xffffffff, 0xffffffff, 1],
  ["a recording that was not ended, of sizes 0", 0, 0, 2],
  ["… with the size of its format", 36, 0, 1],
  ["… with the size of the letters WAVE and a chunk", 8, 0, 1],
  ["… with the largest size", 0xffffffff, 0, 1],
])("wav: a file from a pipe is read to its end: %s", (_, size, declared, channels) => {
  const content = bytesOf(Int16Array.from({ length: 4 * channels }, (_, i) => 100 * i));
  const sound = readWav(riff([...chunk("fmt ", format({ channels })), ...chunk("data", content, declared)], size));
  const expected = Array.from({ length: channels }, (_, c) => [0, 1, 2, 3].map((i) => 100 * (channels * i + c)));
  expect(integers(sound)).toEqual(expected);
  expect(sound.dropped).toBe(0);
});

test("wav: a size that no program writes for a stream is damage, and no data with a chunk behind them are an empty sound", () => {
  const wav = (size: number, frame: number) =>
    riff([...chunk("fmt ", format({ frame, channels: frame / 2 })), ...chunk("data", [1, 2, 3, 4], size)], size + 36);
  for (const size of [0x7ffff001, 0x7fffeffe, 0x7fffffff, 0x80000001, 0xfffffffd]) {
    expect(() => readWav(wav(size, 2)), `${size}`).toThrow(`"data" of ${size} bytes at byte 44, got the end after 4`);
  }
  const empty = [...chunk("fmt ", format()), ...chunk("data", []), ...chunk("LIST", [1, 2, 3, 4])];
  expect(readWav(riff(empty))).toEqual({ sampleRate: 8000, channels: [new Float32Array()], dropped: 0 });
  expect(() => readWav(riff(empty).subarray(0, -1))).toThrow(/"LIST" of 4 bytes at byte 52, got the end after 3/);
});

/** A file with 64-bit sizes, which its chunk "ds64" declares. */
function long(kind: string, content: number[], size: bigint, data: bigint, behind: number[] = []): Uint8Array {
  const sizes = [...new Uint8Array(BigUint64Array.of(size, data, 0n).buffer), ...u32(0)];
  const chunks = [
    ...chunk("ds64", sizes),
    ...chunk("fmt ", format()),
    ...chunk("data", content, 0xffffffff),
    ...behind,
  ];
  const file = riff(chunks, 0xffffffff);
  file.set(ascii(kind));
  return file;
}

test("wav: files of RF64 and BW64 have sizes of 64 bits", () => {
  const content = bytesOf(Int16Array.of(1, -2, 3));
  const behind = chunk("LIST", [9, 9]);
  const whole = BigInt(4 + 36 + 24 + 14 + 10);
  for (const kind of ["RF64", "BW64"]) {
    const file = long(kind, content, whole, 6n, behind);
    expect(integers(readWav(file))).toEqual([[1, -2, 3]]);
    expect(integers(readWav(Uint8Array.from([...file, 7, 7, 7])))).toEqual([[1, -2, 3]]);
    for (let n = 0; n < file.length; n++) {
      expect(() => readWav(file.subarray(0, n)), `${n} bytes`).toThrow(/^readWav: expected .* at byte \d+, got /);
    }
  }
  expect(() => readWav(long("RF64", content, 2n ** 33n, 2n ** 33n - 72n))).toThrow(
    '"data" of 8589934520 bytes at byte 80, got the end after 6',
  );
  // FFmpeg writes zeros if it cannot seek back; other programs write the largest size.
  for (const size of [0n, 2n ** 64n - 1n]) {
    expect(integers(readWav(long("RF64", content, size, size)))).toEqual([[1, -2, 3]]);
  }
  // RF64 without a 64-bit chunk counts as a stream, and a 32-bit file ignores 64-bit sizes.
  const short = riff([...chunk("fmt ", format()), ...chunk("data", content, 0xffffffff)], 0xffffffff);
  short.set(ascii("RF64"));
  expect(integers(readWav(short))).toEqual([[1, -2, 3]]);
  expect(integers(readWav(long("RIFF", content, 0n, 2n)))).toEqual([[1, -2, 3]]);
  expect(() => readWav(riff(chunk("ds64", [1, 2, 3])))).toThrow(/"fmt "/);
});

test("wav: recover reads the whole frames of a file that is cut, and counts the others", () => {
  const channels = [Float32Array.of(0, 0.25, 0.5, 0.75, -1), Float32Array.of(0, -0.25, -0.5, -0.75, 1)];
  const file = writeWav({ sampleRate: 8000, channels }, { format: "float32" });
  const list = Uint8Array.from(chunk("LIST", [1, 2, 3, 4]));
  const more = Uint8Array.from([...file, ...list]);
  new DataView(more.buffer).setUint32(4, more.length - 8, true);
  expect(readWav(file)).toEqual({ sampleRate: 8000, channels, dropped: 0 });
  expect(readWav(more, { recover: true })).toEqual(readWav(file, { recover: true }));
  for (let n = 0; n < more.length; n++) {
    const cut = more.subarray(0, n);
    expect(() => readWav(cut), `${n} bytes`).toThrow(/^readWav: expected .* at byte \d+, got /);
    if (n < 44) {
      expect(() => readWav(cut, { recover: true }), `${n} bytes`).toThrow(/^readWav: expected .* at byte \d+, got /);
      continue;
    }
    const frames = Math.min(5, Math.floor((n - 44) / 8));
    const expected = { channels: channels.map((samples) => samples.subarray(0, frames)), dropped: 5 - frames };
    expect(readWav(cut, { recover: true }), `${n} bytes`).toEqual({ sampleRate: 8000, ...expected });
  }
  // Half a frame at the end, within correct sizes.
  const half = riff([...chunk("fmt ", format({ channels: 2 })), ...chunk("data", [1, 2, 3, 4, 5, 6])]);
  expect(() => readWav(half)).toThrow("data in frames of 4 bytes at byte 44, got 6 bytes");
  expect(readWav(half, { recover: true })).toMatchObject({ dropped: 1 });
  expect(() => readWav(file, { recover: 1 } as never)).toThrow(TypeError);
  expect(() => readWav(file, { repair: true } as never)).toThrow(TypeError);
});

test("wav: the extensible format names PCM or floats at its end", () => {
  const pcm = riff([...chunk("fmt ", extensible({ bits: 24, channels: 1 }, 1, 20)), ...chunk("data", [0, 0, 0x40])]);
  expect(first(readWav(pcm))).toEqual([0.5]);
  const floats = chunk("data", bytesOf(Float32Array.of(0.25)));
  expect(first(readWav(riff([...chunk("fmt ", extensible({ bits: 32 }, 3)), ...floats])))).toEqual([0.25]);
});

test("wav: other files are errors that name the format and the byte", () => {
  const data = chunk("data", [0, 0]);
  const wav = (content: number[]) => riff([...chunk("fmt ", content), ...data]);
  const cases: [Uint8Array, RegExp][] = [
    [wav(format({ codec: 7, bits: 8 })), /^readWav: expected PCM or floats at byte 20, got µ-law, format 0x7$/],
    [wav(format({ codec: 6, bits: 8 })), /A-law/],
    [wav(format({ codec: 0x55 })), /MP3, format 0x55/],
    [wav(format({ codec: 0x1234 })), /an unknown codec, format 0x1234/],
    [wav(extensible({ bits: 8 }, 7)), /µ-law/],
    [wav(extensible({ bits: 16 }, 1, 17)), /at most 16 valid bits at byte 38, got 17/],
    [wav([...extensible({}, 1).slice(0, -1), 0]), /PCM or floats at byte 44, got an unknown codec/],
    [wav(extensible({}, 1).slice(0, 30)), /40 bytes or more at byte 20, got 30/],
    [wav(format({ bits: 12, frame: 2 })), /at byte 34, got 12 bits of PCM/],
    [wav(format({ codec: 3, bits: 16 })), /got 16 bits of floats/],
    [wav(format({ channels: 0 })), /channels at byte 22, got 0/],
    [wav(format({ rate: 0 })), /samples a second at byte 24, got 0/],
    [wav(format({ frame: 3 })), /frames of 2 bytes at byte 32, got 3/],
    [wav(format({ channels: 2 })), /frames of 4 bytes at byte 44, got 2 bytes/],
    [wav(format().slice(0, 14)), /16 bytes or more at byte 20, got 14/],
    [riff(data), /"fmt " at byte 22, got the end/],
    [riff(chunk("fmt ", format())), /"data" at byte 36, got the end/],
    [riff([...data, ...data]), /one chunk "data" at byte 22/],
    [riff([...chunk("fmt ", format()), ...chunk("fmt ", format())]), /one chunk "fmt " at byte 36/],
    [
      riff([...chunk("fmt ", format()), ...chunk("data", [0, 0], 4)]),
      /"data" of 4 bytes at byte 44, got the end after 2/,
    ],
    [Uint8Array.from(ascii("RIFX")), /"RIFF" at byte 0, got "RIFX"/],
    [Uint8Array.from([...ascii("RIFF"), ...u32(4), ...ascii("AVI ")]), /"WAVE" at byte 8, got "AVI "/],
    [new Uint8Array(), /"RIFF" at byte 0, got ""/],
  ];
  for (const [bytes, message] of cases) {
    expect(() => readWav(bytes)).toThrow(RangeError);
    expect(() => readWav(bytes)).toThrow(message);
  }
  for (const bytes of [null, "RIFF", [1, 2], new Float32Array(20), {}]) {
    expect(() => readWav(bytes as never)).toThrow(TypeError);
  }
});

test("wav: a file that is cut at any byte is an error with the offset", () => {
  const sound = { sampleRate: 16000, channels: [Float32Array.from(numbers(7, 1, -1, 1)), new Float32Array(7)] };
  const files = (["uint8", "int16", "float64"] as const).map((kind) => writeWav(sound, { format: kind }));
  files.push(riff([...chunk("LIST", [1, 2, 3]), ...chunk("data", [1, 2]), ...chunk("fmt ", extensible({}, 1))]));
  for (const file of files) {
    expect(readWav(file).channels.length).toBeGreaterThan(0);
    for (let n = 0; n < file.length; n++) {
      expect(() => readWav(file.subarray(0, n)), `${n} bytes`).toThrow(/^readWav: expected .* at byte \d+, got /);
    }
  }
});

test("wav: mutated files give a sound of their size or a RangeError", () => {
  const draw = numbers(4 * 20000, 7, 0, 1);
  const file = writeWav({ sampleRate: 8000, channels: [new Float32Array(40), new Float32Array(40)] });
  let read = 0;
  for (let i = 0; i < 20000; i++) {
    const mutated = file.slice();
    const [where, bit, value, both] = draw.slice(4 * i, 4 * i + 4) as [number, number, number, number];
    mutated[Math.floor(where * 48)] = Math.floor(value * 256);
    if (both < 0.5) mutated[Math.floor(bit * 48)] = 255;
    try {
      const { channels } = readWav(mutated, { recover: i % 2 === 1 });
      read++;
      expect(channels.reduce((sum, samples) => sum + samples.length, 0)).toBeLessThanOrEqual(file.length);
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
      expect((error as Error).message).toMatch(/^readWav: expected .* at byte \d+, got /);
    }
  }
  expect(read).toBeGreaterThan(1000);
});

test("writeWav: refuses values that are no sound", () => {
  const channels = [new Float32Array(2)];
  expect(() => writeWav({ sampleRate: 8000, channels: [] })).toThrow(/1 to 4096 channels, got 0/);
  expect(() => writeWav({ sampleRate: 8000.5, channels })).toThrow(RangeError);
  expect(() => writeWav({ sampleRate: 8000, channels: [...channels, new Float32Array(3)] })).toThrow(
    /channels of one length, got \[2, 3\]/,
  );
  expect(() => writeWav({ sampleRate: 8000, channels }, { format: "int12" as never })).toThrow(/format "uint8"/);
  expect(() => writeWav({ sampleRate: 8000, channels: "ab" as never })).toThrow(TypeError);
  expect(() => writeWav(null as never)).toThrow(TypeError);
});
