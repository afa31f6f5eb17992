import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { File as H5File, ready } from "h5wasm";
import { describe, expect, test } from "vitest";
import { numbers } from "../../test/support/sides.ts";
import { readEventChunks, readEvents, readSHD, writeEvents } from "./index.ts";

const fixture = (name: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../test/fixtures/events/${name}`, import.meta.url)));

async function eventsOf(file: Uint8Array, options = {}) {
  const { t, x, y, p, ...rest } = await readEvents(file, options);
  return { events: Array.from(t, (time, i) => [time, x[i], y[i], p[i]]), ...rest };
}

const n = 5000;
const recording = {
  t: Float64Array.from({ length: n }, (_, i) => 3 * i),
  x: Uint16Array.from({ length: n }, (_, i) => i % 640),
  y: Uint16Array.from({ length: n }, (_, i) => i % 480),
  p: Uint8Array.from({ length: n }, (_, i) => i % 2),
  width: 640,
  height: 480,
};

describe("npz", () => {
  test.each(["stored", "deflated"])(
    "an archive of NumPy, %s, has the size of its largest coordinates",
    async (name) => {
      const events = [
        [5, 1, 4, 1],
        [6, 2, 5, 0],
        [2 ** 40, 3, 6, 1],
      ];
      expect(await eventsOf(fixture(`${name}.npz`))).toEqual({ events, width: 4, height: 7, dropped: 0 });
    },
  );

  test("a file that ends anywhere is refused, since its table stands at the end", async () => {
    const bytes = fixture("stored.npz");
    for (let length = 4; length < bytes.length; length += 7)
      await expect(readEvents(bytes.subarray(0, length))).rejects.toThrow(/damaged zip file at byte \d+$/);
  });

  test("events off the sensor, with their byte", async () => {
    const bytes = writeEvents(recording, "npz");
    await expect(readEvents(bytes, { width: 600 })).rejects.toThrow("got x 600, y 120 at byte");
    expect(await readEvents(bytes, { width: 600, recover: true })).toMatchObject({
      width: 600,
      height: 480,
      dropped: 7 * 40,
    });
  });

  /** A NumPy array whose header has this shape instead of a row of three numbers. */
  const shaped = (file: Uint8Array, name: string, shape: string): Uint8Array => {
    const bytes = Buffer.from(file);
    const at = bytes.indexOf("'shape': ", bytes.indexOf(`${name}.npy`));
    const end = bytes.indexOf("}", at);
    bytes.write(`'shape': ${shape}, `.padEnd(end - at), at);
    return bytes;
  };

  test("an array of one column is read as a row, and other shapes are refused", async () => {
    const file = fixture("stored.npz");
    const expected = await eventsOf(file);
    const columns = ["t", "x", "y", "p"].reduce((bytes, name) => shaped(bytes, name, "(3, 1)"), file as Uint8Array);
    expect(await eventsOf(columns)).toEqual(expected);
    expect(await eventsOf(shaped(file, "x", "(3, 1)"))).toEqual(expected);
    for (const shape of ["(1, 3)", "(3, 2)", "(3, 1, 1)", "(1,3,)"]) {
      await expect(readEvents(shaped(file, "x", shape)), shape).rejects.toThrow(
        /expected x as numbers in a row or a column, got an array of shape \(.*\) at byte \d+$/,
      );
    }
  });

  test("an archive of other arrays is named", async () => {
    const bytes = writeEvents(recording, "npz");
    const text = Buffer.from(bytes);
    for (let at = text.indexOf("t.npy"); at >= 0; at = text.indexOf("t.npy", at + 1)) text[at] = 113;
    await expect(readEvents(text)).rejects.toThrow("with t, x, y and p, got q, x, y, p, width, heighq");
  });
});

/** The bytes of a file that `fill` writes. */
async function hdf5(fill: (file: H5File) => void): Promise<Uint8Array> {
  const { FS } = await ready;
  const file = new H5File("/test.h5", "w");
  fill(file);
  file.close();
  const bytes = FS.readFile("/test.h5");
  FS.unlink("/test.h5");
  return bytes;
}

const DEFLATE = { compression: "gzip", compression_opts: [4] } as const;

const dsec = (packing: object, change: Partial<typeof recording> = {}) =>
  hdf5((file) => {
    const events = file.create_group("events");
    const { t, x, y, p } = { ...recording, ...change };
    events.create_dataset({ name: "t", data: Uint32Array.from(t), chunks: [1000], ...packing });
    events.create_dataset({ name: "x", data: x, chunks: [1000], ...packing });
    events.create_dataset({ name: "y", data: y, chunks: [1000], ...packing });
    events.create_dataset({ name: "p", data: p, chunks: [1000], ...packing });
    file.create_dataset({ name: "t_offset", data: [49_600_000_000n] as never, shape: [], dtype: "<q" });
  });

const metavision = (packing: object) =>
  hdf5((file) => {
    const { t, x, y, p } = recording;
    const data = new Map<string, unknown>([
      ["x", [...x]],
      ["y", [...y]],
      ["p", [...p]],
      ["t", Array.from(t, BigInt)],
    ]);
    const dtype = [
      ["x", "<H"],
      ["y", "<H"],
      ["p", "<h"],
      ["t", "<q"],
    ];
    const cd = file.create_group("CD");
    cd.create_dataset({ name: "events", data, shape: [n], chunks: [1000], dtype, ...packing } as never);
    file.create_attribute("geometry", "1280x720");
  });

describe("hdf5", () => {
  test("DSEC with deflate: times count from t_offset", async () => {
    const { t, ...rest } = recording;
    const bytes = await dsec(DEFLATE);
    expect(await readEvents(bytes)).toEqual({ ...rest, t: t.map((time) => time + 49_600_000_000), dropped: 0 });
    let count = 0;
    for await (const part of readEventChunks([bytes], { events: 2000 })) count += part.t.length;
    expect(count).toBe(n);
  });

  test("DSEC with blosc: a plugin is loaded", async () => {
    const { events, ...rest } = await eventsOf(fixture("dsec.h5"));
    expect(rest).toEqual({ width: 640, height: 480, dropped: 0 });
    expect(events).toEqual(Array.from({ length: 1000 }, (_, i) => [3 * i + 49_600_000_000, i % 640, i % 480, i % 2]));
  });

  test.each([
    ["nothing", {}],
    ["deflate", DEFLATE],
  ])("Metavision with %s", async (_, packing) => {
    const { t, x, y, p } = recording;
    expect(await readEvents(await metavision(packing))).toEqual({ t, x, y, p, width: 1280, height: 720, dropped: 0 });
  });

  test("the filter of Metavision is named", async () => {
    await expect(readEvents(fixture("ecf.h5"))).rejects.toThrow(
      /got number 36559 \(ECF, which Metavision's own software reads/,
    );
  });

  test("damage", async () => {
    const late = recording.t.with(100, 0);
    await expect(readEvents(await dsec(DEFLATE, { t: late }))).rejects.toThrow("got 49600000000 µs at byte 0");
    expect(await readEvents(await dsec(DEFLATE, { t: late }), { recover: true })).toMatchObject({ dropped: 1 });
    await expect(readEvents(await dsec(DEFLATE, { x: recording.x.slice(1) }))).rejects.toThrow(
      "t, x, y and p of one length, got 5000, 4999, 5000, 5000",
    );
    const bytes = await dsec(DEFLATE);
    await expect(readEvents(bytes.subarray(0, 3000))).rejects.toThrow(RangeError);
    await expect(readEvents(await hdf5((file) => void file.create_group("frames")))).rejects.toThrow(
      "of Metavision with CD/events, got frames",
    );
    // The library reports a chunk that cannot be unpacked, and leaves memory unchanged.
    const packed = Uint8Array.from(bytes).fill(170, bytes.length - 6000);
    for (const recover of [false, true]) {
      await expect(readEvents(packed, { recover })).rejects.toThrow(
        "readEvents: expected HDF5 data that h5wasm can read at /events/p, got damaged ones",
      );
    }
  });

  test("a file of another layout is refused with the names and shapes that it has", async () => {
    const other = await hdf5((file) => {
      const events = file.create_group("events");
      for (const name of ["x", "y", "p", "time"]) events.create_dataset({ name, data: Uint16Array.of(1, 2) });
      file.create_dataset({ name: "ms_to_idx", data: Uint16Array.of(0) });
    });
    await expect(readEvents(other)).rejects.toThrow("CD/events, got events/{p, time, x, y}, ms_to_idx");
    const table = await hdf5((file) => {
      const events = file.create_group("events");
      for (const name of ["t", "x", "y", "p"]) {
        events.create_dataset({ name, data: Uint16Array.of(1, 2), shape: name === "x" ? [2, 1] : [2] });
      }
    });
    await expect(readEvents(table)).rejects.toThrow("readEvents: expected a list at events/x, got shape [2,1]");
  });

  test("events that are there and cannot be read are damage, and no other layout", async () => {
    // The headers of objects begin with these letters: the root, events, and the arrays.
    const file = Buffer.from(await dsec({}));
    file[file.indexOf("OHDR", file.indexOf("OHDR") + 1)] = 0;
    const error: Error = await readEvents(file).catch((thrown) => thrown);
    expect(error.message).toMatch(
      /^readEvents: expected HDF5 data that h5wasm can read at \/events\/t, got damaged ones$/,
    );
    expect((error.cause as Error).message).toMatch(/HDF5-DIAG/);
  });
});

test("readers of damaged HDF5 print nothing, and give an error of their own or a recording", async () => {
  const { FS } = await ready;
  const errors = (FS as unknown as { streams: { stream_ops: object }[] }).streams[2] as { stream_ops: object };
  const before = errors.stream_ops;
  let printed = 0;
  const write = (...[, , , n]: [unknown, unknown, unknown, number]) => {
    printed += n;
    return n;
  };
  errors.stream_ops = { ...before, write };
  const readers: [name: string, file: Uint8Array, read: (file: Uint8Array) => Promise<unknown>][] = [
    ["readEvents", await dsec(DEFLATE), (file) => readEvents(file, { recover: true })],
    ["readEvents", await metavision(DEFLATE), (file) => readEvents(file)],
    [
      "readSHD",
      fixture("shd.h5"),
      async (file) => {
        const data = await readSHD(file);
        try {
          for (let i = 0; i < data.length; i++) data.get(i);
        } finally {
          data.close();
        }
      },
    ],
  ];
  try {
    for (const [name, file, read] of readers) {
      const draw = numbers(500, 5, 0, 1);
      let refused = 0;
      for (let i = 0; i < 250; i++) {
        const [where, kind] = [draw[2 * i] as number, draw[2 * i + 1] as number];
        const damaged = file.slice(0, i % 5 === 0 ? Math.floor(where * file.length) : file.length);
        // Most of the structure is in the first bytes.
        const at = Math.floor(where * Math.min(damaged.length, i % 2 === 0 ? 3000 : Infinity));
        if (damaged.length > 0) damaged[at] = (damaged[at] as number) ^ (1 << Math.floor(8 * kind));
        await read(damaged).catch((error: Error) => {
          refused++;
          expect(error.message).toMatch(new RegExp(`^${name}: expected `));
        });
      }
      expect(refused).toBeGreaterThan(50);
      expect(printed).toBe(0);
    }
  } finally {
    errors.stream_ops = before;
  }
});

describe("readSHD", () => {
  test.each([
    ["shd.h5", ["zero", "one"], Uint16Array.of(1, 2, 3)],
    ["ssc.h5", [], null],
  ])("%s: spikes in microseconds, sorted, with labels", async (name, keys, speakers) => {
    const data = await readSHD(fixture(name));
    expect(data).toMatchObject({ length: 3, labels: Uint16Array.of(7, 0, 19), keys, speakers });
    expect(data.get(0)).toEqual({
      t: Float64Array.of(0, 62_500, 500_000, 1_250_000),
      x: Uint16Array.of(0, 699, 5, 5),
      y: new Uint16Array(4),
      p: Uint8Array.of(1, 1, 1, 1),
      width: 700,
      height: 1,
    });
    expect(data.get(1).t).toEqual(new Float64Array(0));
    expect(data.get(2)).toMatchObject({ t: Float64Array.of(125_000, 250_000, 250_000), x: Uint16Array.of(1, 3, 2) });
    expect(() => data.get(3)).toThrow(
      new RangeError("readSHD: the index of a recording must be an integer in [0, 3), got 3"),
    );
    data.close();
    data.close();
    expect(() => data.get(0)).toThrow("expected recordings that are open");
  });

  test("speakers are one for each label", async () => {
    const bytes = await hdf5((file) => {
      for (const group of ["spikes", "extra"]) file.create_group(group);
      for (const name of ["spikes/times", "spikes/units", "labels"]) {
        file.create_dataset({ name, data: Uint16Array.of(1, 2, 3) });
      }
      file.create_dataset({ name: "extra/speaker", data: Uint16Array.of(1, 2) });
    });
    await expect(readSHD(bytes)).rejects.toThrow(
      "readSHD: expected a list of 3 speakers at extra/speaker, got shape [2]",
    );
  });

  test("another file is refused", async () => {
    await expect(readSHD(await dsec(DEFLATE))).rejects.toThrow(
      "readSHD: expected HDF5 with spikes/times, spikes/units and labels",
    );
    await expect(readSHD(new Uint8Array(100))).rejects.toThrow(
      "readSHD: expected an HDF5 file at byte 0, got no signature",
    );
    await expect(readSHD("file" as never)).rejects.toThrow(TypeError);
  });
});
