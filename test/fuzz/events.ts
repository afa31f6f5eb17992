/**
 * Files of event cameras, sound ones and damaged ones: bits flipped, bytes overwritten, cut, inserted, doubled or moved. Whatever the
 * damage, readers return sorted events on the sensor or throw an error of their own, soon, without memory for more events than a file of
 * the size can have, and a file piece by piece gives the same events as the whole.
 */
import { readFileSync } from "node:fs";
import {
  type EventFormat,
  type EventRecording,
  readEventChunks,
  readEvents,
  readSHD,
  writeEvents,
} from "jarvis-snn/events";
import {
  ascii,
  big4,
  concat,
  datRecord,
  type Event,
  eventPacket,
  evt2Word,
  HEADER_31,
  header4,
  little,
  lz4Block,
  lz4Frame,
  nmnistRecord,
  packet4,
  packet31,
  zstdFrame,
} from "../support/events.ts";
import { again } from "./command.ts";
import { Random } from "./random.ts";

/** Milliseconds of processors that no file of these sizes takes; those of a clock would go by where other programs run. */
const PATIENCE = 5000;

/** The milliseconds that processors have spent on this program. */
function spent(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Events that a byte can stand for, at most: LZ4 packs 255 bytes into one, of which 16 are an event; a word of EVT 3.0 has twelve. */
const PER_BYTE = 20;

function eventsOf(g: Random, n: number, width: number, height: number): Event[] {
  let t = g.int(0, 1000);
  return Array.from({ length: n }, () => {
    t += g.int(0, 20);
    return [t, g.int(0, width - 1), g.int(0, height - 1), g.int(0, 1) as 0 | 1];
  });
}

const recordingOf = (events: readonly Event[], width: number, height: number): EventRecording => ({
  t: Float64Array.from(events, ([t]) => t),
  x: Uint16Array.from(events, ([, x]) => x),
  y: Uint16Array.from(events, ([, , y]) => y),
  p: Uint8Array.from(events, ([, , , p]) => p),
  width,
  height,
});

/** Slices of events, as packets have them. */
const parts = (events: readonly Event[], size: number): (readonly Event[])[] =>
  Array.from({ length: Math.ceil(events.length / size) }, (_, i) => events.slice(size * i, size * (i + 1)));

const packed = (g: Random, compression: number, pack: (bytes: Uint8Array) => Uint8Array): Uint8Array =>
  concat(
    header4({ compression }),
    ...parts(eventsOf(g, 150, 346, 260), 40).map((some) => packet4(1, pack(eventPacket(some)))),
  );

/** A file of test/fixtures/events/, by the folder that npm and vitest run in: a bundle stands elsewhere. */
const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(`test/fixtures/events/${name}`));

const FILES: { readonly [format in EventFormat | "shd"]: readonly ((g: Random) => Uint8Array)[] } = {
  evt3: [(g) => writeEvents(recordingOf(eventsOf(g, 200, 640, 480), 640, 480), "evt3")],
  evt2: [
    (g) => {
      const words = eventsOf(g, 150, 640, 480).flatMap((event) => [
        evt2Word.high(Math.floor(event[0] / 64)),
        evt2Word.event(event),
      ]);
      return concat(ascii("% evt 2.0\n% geometry 640x480\n"), little(4, ...words));
    },
  ],
  "evt2.1": [
    (g) => {
      const words = eventsOf(g, 100, 600, 480).flatMap((event) => [
        ...[0, evt2Word.high(Math.floor(event[0] / 64))],
        ...[g.int(1, 2 ** 31), evt2Word.event(event)],
      ]);
      return concat(ascii("% format EVT21;endianness=little;height=480;width=640\n"), little(4, ...words));
    },
  ],
  dat: [
    (g) =>
      concat(ascii("% Version 2\n% Height 480\n% Width 640\n"), [12, 8], ...eventsOf(g, 150, 640, 480).map(datRecord)),
  ],
  nmnist: [(g) => concat(...eventsOf(g, 200, 34, 34).map(nmnistRecord))],
  ncaltech101: [(g) => concat(...eventsOf(g, 200, 230, 180).map(nmnistRecord))],
  aedat2: [
    (g) => {
      const pairs = eventsOf(g, 150, 346, 260).flatMap(([t, x, y, p]) => [(y << 22) | (x << 12) | (p << 11), t]);
      return concat(ascii("#!AER-DAT2.0\r\n# AEChip: Davis346red\r\n#End Of ASCII Header\r\n"), big4(...pairs));
    },
  ],
  "aedat3.1": [(g) => concat(ascii(HEADER_31), ...parts(eventsOf(g, 150, 128, 128), 40).map((some) => packet31(some)))],
  aedat4: [
    (g) => packed(g, 0, (bytes) => bytes),
    (g) => packed(g, 1, (bytes) => lz4Frame({ bytes: lz4Block(bytes) })),
    (g) => packed(g, 3, (bytes) => zstdFrame(bytes, { window: g.chance(0.5), checksum: g.chance(0.5) })),
    (g) => writeEvents(recordingOf(eventsOf(g, 200, 640, 480), 640, 480), "aedat4"),
  ],
  npz: [(g) => writeEvents(recordingOf(eventsOf(g, 100, 640, 480), 640, 480), "npz")],
  hdf5: [() => fixture("dsec.h5")],
  shd: [() => fixture("shd.h5"), () => fixture("ssc.h5")],
};

const NAMES = Object.keys(FILES) as (keyof typeof FILES)[];
/** Numbers that break sizes and offsets. */
const EXTREMES = [0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0xffff, 0x10000, 0x1000000];

/** The file with up to four kinds of damage. */
function damaged(g: Random, file: Uint8Array): Uint8Array {
  let bytes: Uint8Array = file.slice();
  for (let k = g.int(0, 4); k > 0 && bytes.length > 0; k--) {
    const at = g.int(0, bytes.length - 1);
    const length = Math.min(g.int(1, g.chance(0.5) ? 4 : 60), bytes.length - at);
    const kind = g.int(0, 6);
    if (kind === 0) bytes[at] = (bytes[at] as number) ^ (1 << g.int(0, 7));
    else if (kind === 1) for (let i = at; i < at + length; i++) bytes[i] = g.int(0, 255);
    else if (kind === 2) bytes = bytes.slice(0, at);
    else if (kind === 3) bytes = concat(bytes.subarray(0, at), bytes.subarray(at + length));
    else if (kind === 4)
      bytes = concat(
        bytes.subarray(0, at),
        Array.from({ length }, () => g.int(0, 255)),
        bytes.subarray(at),
      );
    else if (kind === 5) bytes = concat(bytes.subarray(0, at + length), bytes.subarray(at));
    else bytes.set(little(4, g.pick(EXTREMES)).subarray(0, bytes.length - at), at);
  }
  return bytes;
}

/** The fault of a recording that was read. */
function fault({ t, x, y, p, width, height }: EventRecording & { dropped: number }, size: number): string | null {
  if (x.length !== t.length || y.length !== t.length || p.length !== t.length) return "columns of different length";
  if (t.length > PER_BYTE * size) return `${t.length} events`;
  for (let i = 0; i < t.length; i++) {
    if (!Number.isSafeInteger(t[i])) return `the time ${t[i]} at ${i}`;
    if (i > 0 && (t[i] as number) < (t[i - 1] as number)) return `the time ${t[i]} behind ${t[i - 1]} at ${i}`;
    if ((x[i] as number) >= width || (y[i] as number) >= height) return `the pixel ${x[i]}, ${y[i]} at ${i}`;
    if ((p[i] as number) > 1) return `the polarity ${p[i]} at ${i}`;
  }
  return null;
}

/** The result of a reader, or the error where it is one of the reader's own; a fault otherwise. */
async function outcome<T>(where: string, read: () => Promise<T>): Promise<T | Error> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && error.message.startsWith(`${where}: expected`)) return error;
    throw error;
  }
}

async function inChunks(g: Random, bytes: Uint8Array, format: EventFormat): Promise<EventRecording> {
  const size = g.pick([7, 64, 1000, 100_000]);
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(size * i, size * (i + 1)),
  );
  const found: number[] = [];
  let last = { width: 0, height: 0 };
  for await (const part of readEventChunks(chunks, { format, events: g.pick([1, 50]) })) {
    found.push(...part.t);
    last = part;
  }
  return { ...recordingOf([], 0, 0), t: Float64Array.from(found), width: last.width, height: last.height };
}

async function tryFile(g: Random, format: EventFormat, bytes: Uint8Array): Promise<string | null> {
  const start = spent();
  const strict = await outcome("readEvents", () => readEvents(bytes, { format }));
  const recovered = await outcome("readEvents", () => readEvents(bytes, { format, recover: true }));
  const pieces = await outcome("readEventChunks", () => inChunks(g, bytes, format));
  await outcome("readEvents", () => readEvents(bytes));
  const ms = spent() - start;
  if (ms > PATIENCE) return `${Math.round(ms)} ms`;
  if (recovered instanceof Error) {
    if (!(strict instanceof Error)) return `an error with recover alone: ${recovered.message}`;
  } else {
    const wrong = fault(recovered as EventRecording & { dropped: number }, bytes.length);
    if (wrong !== null) return `recovered: ${wrong}`;
  }
  if (strict instanceof Error !== pieces instanceof Error) return `whole: ${strict}, in pieces: ${pieces}`;
  if (strict instanceof Error || pieces instanceof Error) return null;
  const wrong = fault(strict as EventRecording & { dropped: number }, bytes.length);
  if (wrong !== null) return wrong;
  const isSame = strict.t.length === pieces.t.length && strict.t.every((t, i) => t === pieces.t[i]);
  return isSame ? null : `${strict.t.length} events, in pieces ${pieces.t.length}`;
}

/** All recordings of a file of SHD. */
async function trySHD(bytes: Uint8Array): Promise<string | null> {
  const start = spent();
  const found = await outcome("readSHD", async () => {
    const data = await readSHD(bytes);
    try {
      const recordings = Array.from({ length: Math.min(data.length, 100) }, (_, i) => data.get(i));
      const wrong = recordings.map((recording) => fault({ ...recording, dropped: 0 }, bytes.length));
      return wrong.find((text) => text !== null) ?? null;
    } finally {
      data.close();
    }
  });
  const ms = spent() - start;
  return ms > PATIENCE ? `${Math.round(ms)} ms` : found instanceof Error ? null : found;
}

/** Damages and reads so many files, from a seed on, and describes the first fault. */
export async function fuzzEvents(seed: number, count: number): Promise<string | null> {
  for (let k = seed; k < seed + count; k++) {
    const g = new Random(k);
    const format = NAMES[k % NAMES.length] as keyof typeof FILES;
    const bytes = damaged(g, g.pick(FILES[format])(g));
    const found = await (format === "shd" ? trySHD(bytes) : tryFile(g, format, bytes)).catch(
      (error: unknown) => `${error instanceof Error ? error.stack : error}`,
    );
    if (found !== null) return `seed ${k}, ${format}, ${bytes.length} bytes: ${found}\n\n${again("events", k)}`;
  }
  return null;
}
