/** Recordings of event cameras for benchmarks, and files of them in formats that the package reads but does not write. */
import { Builder } from "flatbuffers";
import { File as H5File, ready } from "h5wasm";
import { type EventRecording, writeEvents } from "jarvis-snn/events";

export interface RecordingOptions {
  readonly events: number;
  readonly width: number;
  readonly height: number;
  /** µs, the bound of the pauses behind a third of the groups. */
  readonly pause: number;
}

/** Events in groups of a few on a row, as edges of moving things make them; half of the groups are close together. */
export function recording({ events, width, height, pause }: RecordingOptions): EventRecording {
  const t = new Float64Array(events);
  const x = new Uint16Array(events);
  const y = new Uint16Array(events);
  const p = new Uint8Array(events);
  let state = 1;
  const below = (limit: number): number => {
    state = (Math.imul(state, 0x5bd1e995) + 0x6d2b79f5) >>> 0;
    return Math.floor((((state ^ (state >>> 15)) >>> 0) / 2 ** 32) * limit);
  };
  let time = 0;
  for (let i = 0; i < events; ) {
    time += below(3) === 0 ? below(pause) : 0;
    const row = below(height);
    const on = below(2);
    const spread = below(2) === 0 ? 6 : 200;
    let column = below(width / 2);
    for (let k = 1 + below(8); k > 0 && i < events && column < width; k--, i++) {
      t[i] = time;
      x[i] = column;
      y[i] = row;
      p[i] = on;
      column += 1 + below(spread);
    }
  }
  return { t, x, y, p, width, height };
}

const encoder = new TextEncoder();

/** A copy of its own, which begins at a multiple of eight bytes. */
const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** A header, and behind it words of 32 bits. */
const wordFile = (header: string, words: Uint32Array): Uint8Array =>
  joined(encoder.encode(header), new Uint8Array(words.buffer, 0, words.byteLength));

const geometry = ({ width, height }: EventRecording, version: string): string =>
  `% evt ${version}\n% endianness little\n% geometry ${width}x${height}\n% end\n`;

/** EVT 2.0: a word for each event, and one where the high bits of the time change. */
function evt2(events: EventRecording): Uint8Array {
  const { t, x, y, p } = events;
  const words = new Uint32Array(2 * t.length);
  let [length, high] = [0, -1];
  for (let i = 0; i < t.length; i++) {
    const time = t[i] as number;
    if (Math.floor(time / 64) !== high) {
      high = Math.floor(time / 64);
      words[length++] = 0x80000000 + high;
    }
    words[length++] = ((p[i] as number) << 28) | ((time % 64) << 22) | ((x[i] as number) << 11) | (y[i] as number);
  }
  return wordFile(geometry(events, "2.0"), words.slice(0, length));
}

/** EVT 2.1: the same with a mask of 32 neighbours. */
function evt21(events: EventRecording): Uint8Array {
  const { t, x, y, p } = events;
  const words = new Uint32Array(4 * t.length);
  let [length, high] = [0, -1];
  for (let i = 0; i < t.length; ) {
    const time = t[i] as number;
    if (Math.floor(time / 64) !== high) {
      high = Math.floor(time / 64);
      words[length + 1] = 0x80000000 + high;
      length += 2;
    }
    const [row, on, base] = [y[i] as number, p[i] as number, (x[i] as number) & ~31];
    let [mask, before] = [0, -1];
    const isNext = (column: number): boolean =>
      t[i] === time && y[i] === row && p[i] === on && (column & ~31) === base && column > before;
    for (; isNext(x[i] as number); i++) {
      before = x[i] as number;
      mask |= 1 << (before & 31);
    }
    words[length++] = mask;
    words[length++] = (on << 28) | ((time % 64) << 22) | (base << 11) | row;
  }
  return wordFile(geometry(events, "2.1"), words.slice(0, length));
}

function dat({ t, x, y, p, width, height }: EventRecording): Uint8Array {
  const words = new Uint32Array(2 * t.length);
  for (let i = 0; i < t.length; i++) {
    words[2 * i] = t[i] as number;
    words[2 * i + 1] = ((p[i] as number) << 28) | ((y[i] as number) << 14) | (x[i] as number);
  }
  return wordFile(`% Height ${height}\n% Width ${width}\n% end\n\x0c\x08`, words);
}

function aedat2({ t, x, y, p, width, height }: EventRecording): Uint8Array {
  const header = encoder.encode("#!AER-DAT2.0\r\n# AEChip: Davis346\r\n#End Of ASCII Header\r\n");
  const file = new Uint8Array(header.length + 8 * t.length);
  file.set(header);
  const view = new DataView(file.buffer, header.length);
  for (let i = 0; i < t.length; i++) {
    const address = ((height - 1 - (y[i] as number)) << 22) | ((width - 1 - (x[i] as number)) << 12);
    view.setUint32(8 * i, address | ((p[i] as number) << 11));
    view.setUint32(8 * i + 4, t[i] as number);
  }
  return file;
}

/** Events of a packet. */
const PACKET = 8192;

function aedat31({ t, x, y, p }: EventRecording): Uint8Array {
  const parts: Uint8Array[] = [
    encoder.encode("#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS346\r\n#!END-HEADER\r\n"),
  ];
  for (let first = 0; first < t.length; first += PACKET) {
    const count = Math.min(PACKET, t.length - first);
    const words = new Uint32Array(7 + 2 * count);
    words.set([1, 8, 4, 0, count, count, count]);
    for (let i = 0; i < count; i++) {
      const k = first + i;
      words[7 + 2 * i] = ((x[k] as number) << 17) | ((y[k] as number) << 2) | ((p[k] as number) << 1) | 1;
      words[8 + 2 * i] = t[k] as number;
    }
    parts.push(new Uint8Array(words.buffer));
  }
  return joined(...parts);
}

/** AEDAT 4 with LZ4: the packets of the package's writer in frames of a block each, behind a header that names the compression. */
function lz4(events: EventRecording): Uint8Array {
  const plain = writeEvents(events, "aedat4");
  const view = new DataView(plain.buffer);
  const builder = new Builder();
  const node = (name: string, text: string) => `<node name="${name}">${text}</node>`;
  const attribute = (key: string, value: unknown) => `<attr key="${key}" type="string">${value}</attr>`;
  const info = node("info", attribute("sizeX", events.width) + attribute("sizeY", events.height));
  const text = builder.createString(node("outInfo", node("0", attribute("typeIdentifier", "EVTS") + info)));
  builder.startObject(3);
  builder.addFieldInt32(0, 1, 0);
  builder.addFieldOffset(2, text, 0);
  builder.finishSizePrefixed(builder.endObject(), "IOHE");
  const parts = [encoder.encode("#!AER-DAT4.0\r\n"), builder.asUint8Array()];
  for (let at = 18 + view.getUint32(14, true); at < plain.length; ) {
    const size = view.getUint32(at + 4, true);
    const frame = lz4Frame(plain.subarray(at + 8, at + 8 + size));
    parts.push(new Uint8Array(Uint32Array.of(0, frame.length).buffer), frame);
    at += 8 + size;
  }
  return joined(...parts);
}

/** A frame with one block. Each copy is from the latest place with the same four bytes, as in the fast encoders of LZ4. */
function lz4Frame(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + bytes.length + (bytes.length >> 7));
  // Version 1 without checksums, blocks of at most 4 MB.
  out.set([4, 0x22, 0x4d, 0x18, 0x40, 0x70, 0]);
  const latest = new Int32Array(1 << 14).fill(-1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let to = 11;
  let from = 0;
  const length = (rest: number): void => {
    for (let left = rest - 15; left >= 0; left -= 255) out[to++] = Math.min(left, 255);
  };
  const literals = (end: number, copied: number): void => {
    const count = end - from;
    out[to++] = (Math.min(count, 15) << 4) | Math.min(copied, 15);
    length(count);
    out.set(bytes.subarray(from, end), to);
    to += count;
  };
  // The last five bytes of a block are literals, and its last copy begins twelve bytes before the end.
  for (let at = 0; at + 12 < bytes.length; ) {
    const four = view.getInt32(at, true);
    const hash = Math.imul(four, 0x9e3779b1) >>> 18;
    const back = latest[hash] as number;
    latest[hash] = at;
    if (back < 0 || at - back > 65_535 || view.getInt32(back, true) !== four) {
      at++;
      continue;
    }
    let size = 4;
    while (at + size < bytes.length - 5 && bytes[at + size] === bytes[back + size]) size++;
    literals(at, size - 4);
    out[to++] = (at - back) & 255;
    out[to++] = (at - back) >> 8;
    length(size - 4);
    at += size;
    from = at;
  }
  literals(bytes.length, 0);
  new DataView(out.buffer).setUint32(7, to - 11, true);
  return out.subarray(0, to + 4);
}

function nmnist({ t, x, y, p }: EventRecording): Uint8Array {
  const file = new Uint8Array(5 * t.length);
  for (let i = 0; i < t.length; i++) {
    const time = t[i] as number;
    file[5 * i] = x[i] as number;
    file[5 * i + 1] = y[i] as number;
    file[5 * i + 2] = ((p[i] as number) << 7) | (time >> 16);
    file[5 * i + 3] = time >> 8;
    file[5 * i + 4] = time;
  }
  return file;
}

/** HDF5 with the groups of DSEC, in chunks without compression. */
async function hdf5({ t, x, y, p }: EventRecording): Promise<Uint8Array> {
  const { FS } = await ready;
  const file = new H5File("/bench.h5", "w");
  const group = file.create_group("events");
  const columns = { t: Uint32Array.from(t), x, y, p };
  for (const [name, data] of Object.entries(columns))
    group.create_dataset({ name, data, chunks: [Math.min(data.length, 1 << 16)] });
  file.close();
  const bytes = FS.readFile("/bench.h5");
  FS.unlink("/bench.h5");
  return bytes;
}

/** A file of a format: its sensor, and its bytes for a recording. */
interface FileFormat {
  readonly width: number;
  readonly height: number;
  write(events: EventRecording): Uint8Array | Promise<Uint8Array>;
}

const HD = { width: 1280, height: 720 };
const DAVIS = { width: 346, height: 260 };

/** Files by the keys of their rows. */
export const FILES: Readonly<Record<string, FileFormat>> = {
  evt3: { ...HD, write: (events) => writeEvents(events, "evt3") },
  evt2: { ...HD, write: evt2 },
  "evt2.1": { ...HD, write: evt21 },
  dat: { ...HD, write: dat },
  aedat2: { ...DAVIS, write: aedat2 },
  "aedat3.1": { ...DAVIS, write: aedat31 },
  aedat4: { ...HD, write: (events) => writeEvents(events, "aedat4") },
  lz4: { ...HD, write: lz4 },
  nmnist: { width: 34, height: 34, write: nmnist },
  npz: { ...HD, write: (events) => writeEvents(events, "npz") },
  hdf5: { width: 640, height: 480, write: hdf5 },
};
