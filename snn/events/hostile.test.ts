/** Hostile recordings: no quadratic time, no long quotation of the file, no more memory than is allowed. */
import { deflateRawSync } from "node:zlib";
import { File as H5File, ready } from "h5wasm";
import { describe, expect, test } from "vitest";
import {
  ascii,
  concat,
  type Event,
  eventPacket,
  evt3File,
  evt3Word,
  header4,
  little,
  lz4Block,
  lz4Frame,
  npyFile,
  packet4,
  zipFile,
  zstdFrame,
} from "../../test/support/events.ts";
import { readEventChunks, readEvents, readSHD } from "./index.ts";

/** Largest number of bytes of a header. */
const MOST = 2 ** 22;

const errorOf = async (reading: Promise<unknown>): Promise<string> => {
  const error: unknown = await reading.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(RangeError);
  return (error as Error).message;
};

async function hdf5(write: (file: H5File) => void): Promise<Uint8Array> {
  const { FS } = await ready;
  const file = new H5File("/hostile-test.h5", "w");
  try {
    write(file);
  } finally {
    file.close();
  }
  const bytes = FS.readFile("/hostile-test.h5", { encoding: "binary" });
  FS.unlink("/hostile-test.h5");
  return bytes;
}

// A quadratic search would take minutes; a test has one minute.
describe("headers of 2 MB", () => {
  const lines = (line: string): Uint8Array => ascii(`#!AER-DAT2.0\r\n# ${line}\r\n#End Of ASCII Header\r\n`);

  test("of AEDAT 2 with the mark of the chip again and again", async () => {
    expect(await errorOf(readEvents(lines("AEChip:".repeat(MOST / 14))))).toBe(
      'readEvents: expected AEDAT 2.0 of a DVS128 or DAVIS, got "AEChip:AEChip:AEChip:AEChip:AEChip:AEChi" in the header',
    );
  });

  test("of AEDAT 4 with a key again and again, or nodes", async () => {
    for (const unit of ['key="typeIdentifier"', '<node name="0"', '<node name="', 'key="typeIdentifier">', "<", ">"]) {
      const xml = `<node name="0" ${unit.repeat(MOST / 2 / unit.length)}`;
      expect(await readEvents(header4({ xml }))).toMatchObject({ width: 0, dropped: 0 });
    }
  });

  test("longer ones are refused, piece by piece too", async () => {
    const file = lines("#".repeat(MOST));
    const message = `expected a header of at most ${MOST} bytes, got more`;
    expect(await errorOf(readEvents(file))).toBe(`readEvents: ${message}`);
    expect(await errorOf(readEventChunks([file]).next())).toBe(`readEventChunks: ${message}`);
    const camera = ascii(`% evt 3.0\n${"% geometry\n".repeat(MOST / 11)}`);
    expect(await errorOf(readEvents(camera))).toBe(`readEvents: ${message}`);
    expect(await errorOf(readEvents(header4({ xml: " ".repeat(MOST) })))).toMatch(/expected a header of AEDAT 4/);
  });
});

describe("errors quote no more than 200 characters of a file", () => {
  const long = "q".repeat(20_000);
  const files: [name: string, file: () => Uint8Array | Promise<Uint8Array>][] = [
    ["a chip of AEDAT 2", () => ascii(`#!AER-DAT2.0\r\n# AEChip: ${long}\r\n#End Of ASCII Header\r\n`)],
    ["a format of AEDAT 3.1", () => ascii(`#!AER-DAT3.1\r\n#Format: ${long}\r\n#!END-HEADER\r\n`)],
    ["names of an archive", () => zipFile([{ name: long, packed: ascii("q") }])],
    ["a name of a damaged archive", () => zipFile([{ name: long, packed: ascii("q"), size: 2 }])],
    [
      "a shape of an array",
      () =>
        zipFile(["t", "x", "y", "p"].map((name) => ({ name, packed: npyFile("'<i8'", `(${"1, ".repeat(20_000)})`) }))),
    ],
    ["a type of an array", () => zipFile([{ name: "t", packed: npyFile(`'<${long}'`, "(1,)") }])],
    ["names of HDF5", () => hdf5((file) => void file.create_group(long).create_group(long))],
  ];

  test.each(files)("%s", async (_, file) => {
    const message = await errorOf(readEvents(await file()));
    expect(message.match(/q|1, /g)?.length ?? 0, message).toBeLessThanOrEqual(200);
    expect(message.length).toBeLessThan(400);
  });
});

describe("maxBytes", () => {
  const many = (n: number): Event[] => Array.from({ length: n }, (_, i) => [i, i % 346, 7, 1]);
  /** Bytes per event in a recording. */
  const EVENT = 13;
  const within = (name = "readEvents") =>
    new RegExp(`^${name}: expected at most \\d+ bytes more, by maxBytes, got \\d+ for `);

  const zeros = (n: number, descr = "'|u1'") => {
    const array = npyFile(descr, `(${n},)`, new Uint8Array(n));
    const packed = deflateRawSync(array, { level: 9 });
    return zipFile(["t", "x", "y", "p"].map((name) => ({ name, packed, method: 8 as const, size: array.length })));
  };

  test("an archive of NumPy is read within it, and no further", async () => {
    const n = 100_000;
    const file = zeros(n);
    expect(file.length).toBeLessThan(2000);
    const need = 4 * npyFile("'|u1'", `(${n},)`).length + 4 * n + EVENT * n;
    expect((await readEvents(file, { maxBytes: need })).t).toHaveLength(n);
    for (const maxBytes of [1, n, 4 * n, 5 * n, need - 1]) {
      expect(await errorOf(readEvents(file, { maxBytes }))).toMatch(within());
    }
  });

  test("an array that claims more than 2³⁰ bytes is refused before anything is unpacked", async () => {
    const packed = new Uint8Array(2 ** 21);
    const file = zipFile([{ name: "t", packed, method: 8, size: 2 ** 30 + 1 }]);
    expect(await errorOf(readEvents(file))).toBe(
      "readEvents: expected at most 1073741824 bytes more, by maxBytes, got 1073741825 for part t",
    );
    // With enough memory, the error is that the bytes are not deflated.
    const other = zipFile([{ name: "t", packed, method: 8, size: 2 ** 20 }]);
    expect(await errorOf(readEvents(other))).toMatch(/expected the part t of 1048576 bytes, got a damaged zip file/);
  });

  test("an array that claims more than deflate can pack is damaged", async () => {
    const file = zipFile([{ name: "t", packed: new Uint8Array(10), method: 8, size: 10_321 }]);
    expect(await errorOf(readEvents(file))).toMatch(/expected the part t of 10321 bytes, got a damaged zip file/);
  });

  const PACKED = {
    LZ4: [1, (bytes: Uint8Array) => lz4Frame({ bytes: lz4Block(bytes) })],
    Zstandard: [3, (bytes: Uint8Array) => zstdFrame(bytes)],
    "Zstandard with a window": [3, (bytes: Uint8Array) => zstdFrame(bytes, { window: true })],
  } as const;

  test.each(Object.entries(PACKED))("AEDAT 4 with %s", async (_, [compression, pack]) => {
    const n = 3000;
    const packet = eventPacket(Array.from({ length: n }, () => [5, 5, 5, 1] as const));
    const file = concat(header4({ compression }), packet4(1, pack(packet)));
    const need = packet.length + EVENT * n;
    expect((await readEvents(file, { maxBytes: need })).t).toHaveLength(n);
    for (const recover of [false, true]) {
      for (const maxBytes of [1, 1000, packet.length - 1, packet.length, need - 1]) {
        expect(await errorOf(readEvents(file, { maxBytes, recover })), `${maxBytes}`).toMatch(within());
      }
    }
  });

  test("AEDAT 4 without compression, and EVT 3.0, where it is given", async () => {
    const plain = concat(header4({}), packet4(1, eventPacket(many(1000))));
    expect((await readEvents(plain, { maxBytes: 2 * EVENT * 1000 })).t).toHaveLength(1000);
    expect(await errorOf(readEvents(plain, { maxBytes: 999 * EVENT }))).toMatch(within());
    // A 16-bit word is twelve events.
    const words = [evt3Word.high(0), evt3Word.low(1), evt3Word.y(1), evt3Word.base(0, 1)];
    const file = evt3File([...words, ...Array.from({ length: 50 }, () => evt3Word.vector12(0xfff))]);
    expect((await readEvents(file)).t).toHaveLength(600);
    expect(await errorOf(readEvents(file, { maxBytes: 599 * EVENT }))).toMatch(within());
    expect((await readEvents(file, { maxBytes: Infinity })).t).toHaveLength(600);
  });

  test("piece by piece it bounds what is held, not the whole file", async () => {
    const packets = Array.from({ length: 40 }, (_, k) => {
      const events = many(1000).map(([t, ...rest]): Event => [1000 * k + t, ...rest]);
      return packet4(1, lz4Frame({ bytes: lz4Block(eventPacket(events)) }));
    });
    const file = concat(header4({ compression: 1 }), ...packets);
    const chunks = packets.map((_, k) => {
      const size = Math.ceil(file.length / packets.length);
      return file.subarray(size * k, size * (k + 1));
    });
    const maxBytes = 60 * 1000 * EVENT;
    let count = 0;
    for await (const { t } of readEventChunks(chunks, { events: 1, maxBytes })) count += t.length;
    expect(count).toBe(40_000);
    expect(await errorOf(readEventChunks(chunks, { events: 1, maxBytes: 100 * EVENT }).next())).toMatch(
      within("readEventChunks"),
    );
  });

  /** HDF5 of DSEC with n events that are not stored: the library returns zeros. */
  const empty = (n: number, chunk: number, more = 0) =>
    hdf5((file) => {
      const events = file.create_group("events");
      for (const name of ["t", "x", "y", "p"]) {
        const data = new Uint8Array(1);
        const made = events.create_dataset({ name, data, shape: [1], maxshape: [null], chunks: [chunk], dtype: "<B" });
        made.resize([n]);
      }
      if (more > 0) file.create_dataset({ name: "more", data: new Uint8Array(more) });
    });

  test("HDF5 of DSEC is read within it, and no further", async () => {
    const n = 50_000;
    const file = await empty(n, 1000);
    const maxBytes = (EVENT + 8) * n;
    const { t, width } = await readEvents(file, { maxBytes });
    expect([t.length, width]).toEqual([n, 640]);
    expect(await errorOf(readEvents(file, { maxBytes: EVENT * n - 1 }))).toBe(
      `readEvents: expected at most ${EVENT * n - 1} bytes more, by maxBytes, got ${EVENT * n} for ${n} events`,
    );
  });

  test("HDF5 that stands for more than 2³⁰ bytes is refused before memory is taken", async () => {
    const n = 83_000_000;
    const file = await empty(n, 1000, n / 1000);
    const { arrayBuffers } = process.memoryUsage();
    expect(await errorOf(readEvents(file))).toMatch(within());
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(2 ** 26);
  });

  test("HDF5 in chunks that are larger is refused", async () => {
    const file = await empty(1000, 2 ** 20);
    expect(await errorOf(readEvents(file, { maxBytes: 2 ** 20 - 1 }))).toBe(
      "readEvents: expected at most 1048575 bytes more, by maxBytes, got 1048576 for a part of events/t",
    );
  });

  test("lists of labels of SHD, too", async () => {
    const n = 2000;
    const file = await hdf5((made) => {
      made.create_group("spikes");
      for (const name of ["spikes/times", "spikes/units", "labels"]) {
        made.create_dataset({ name, data: new Uint16Array(n) });
      }
    });
    (await readSHD(file, { maxBytes: 100 * n })).close();
    expect(await errorOf(readSHD(file, { maxBytes: n }))).toMatch(within("readSHD"));
    await expect(readSHD(file, { maxBites: n } as never)).rejects.toThrow(
      "readSHD: expected a known option, got maxBites; did you mean maxBytes?",
    );
  });

  test("text of HDF5 without an end is refused, which the library would read for ever", async () => {
    const file = await hdf5((made) => {
      made.create_group("spikes");
      for (const name of ["spikes/times", "spikes/units", "labels"]) {
        made.create_dataset({ name, data: Uint16Array.of(1) });
      }
      made.create_group("extra").create_dataset({ name: "keys", data: ["zero"] });
    });
    const heap = Buffer.from(file.buffer).indexOf("GCOL");
    expect(heap).toBeGreaterThan(0);
    file.fill(0, heap + 16, heap + 32);
    expect(await errorOf(readSHD(file))).toBe(`readSHD: expected an HDF5 file at byte ${heap + 16}, got damaged text`);
  });

  test("it is a number from 1 on", async () => {
    const file = concat(header4({}), packet4(1, eventPacket(many(3))), little(1));
    for (const maxBytes of [0, -1, Number.NaN]) {
      expect(await errorOf(readEvents(file, { maxBytes }))).toBe(
        `readEvents: maxBytes must be a number ≥ 1, got ${maxBytes}`,
      );
    }
    await expect(readEvents(file, { maxBytes: "1" as never })).rejects.toThrow(TypeError);
  });
});
