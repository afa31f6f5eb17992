import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type EventRecording, type EventWriteFormat, readEventChunks, readEvents, writeEvents } from "./index.ts";

const FORMATS = ["evt3", "aedat4", "npz"] as const;

function recordingOf(events: readonly (readonly number[])[], width: number, height: number): EventRecording {
  const column = (i: number) => events.map((event) => event[i] as number);
  return {
    t: Float64Array.from(column(0)),
    x: Uint16Array.from(column(1)),
    y: Uint16Array.from(column(2)),
    p: Uint8Array.from(column(3)),
    width,
    height,
  };
}

/** Recordings with bursts on a row, which EVT 3.0 stores as vectors, and with gaps beyond the wrap of its times. */
const recordings = fc
  .record({ width: fc.integer({ min: 1, max: 2048 }), height: fc.integer({ min: 1, max: 2048 }) })
  .chain(({ width, height }) => {
    const steps = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 ** 27 }));
    const event = fc.tuple(steps, fc.nat(width - 1), fc.nat(height - 1), fc.nat(1), fc.nat(40));
    return fc.array(event, { maxLength: 40 }).map((bursts) => {
      let t = 0;
      const events = bursts.flatMap(([step, x, y, p, length]) => {
        t += step;
        return Array.from({ length: Math.min(length, width - x) }, (_, i) => [t, x + i, y, p]).filter(
          ([, column]) => (column as number) % 7 !== 3,
        );
      });
      return recordingOf(events, width, height);
    });
  });

describe.each(FORMATS)("%s", (format) => {
  test("any recording comes back as it was", async () => {
    await fc.assert(
      fc.asyncProperty(recordings, async (recording) => {
        expect(await readEvents(writeEvents(recording, format))).toEqual({ ...recording, dropped: 0 });
      }),
      { numRuns: 100 },
    );
  });

  test("no events", async () => {
    const empty = recordingOf([], 3, 4);
    expect(await readEvents(writeEvents(empty, format))).toEqual({ ...empty, dropped: 0 });
  });

  test("what is no recording is refused before a byte is written", () => {
    const sound = recordingOf(
      [
        [1, 1, 1, 1],
        [2, 2, 2, 0],
      ],
      3,
      3,
    );
    const refused = (change: object): void => {
      expect(() => writeEvents({ ...sound, ...change }, format)).toThrow(/^writeEvents: /);
    };
    refused({ t: Float64Array.of(2, 1) });
    refused({ t: Float64Array.of(1, 1.5) });
    refused({ t: Float64Array.of(1, Number.NaN) });
    refused({ t: Float64Array.of(1, 2 ** 60) });
    refused({ t: Float64Array.of(1) });
    refused({ t: undefined });
    refused({ x: Uint16Array.of(1, 3) });
    refused({ x: [0, 65_536 + 1] });
    refused({ y: Int16Array.of(-1, 0) });
    refused({ p: Uint8Array.of(1, 2) });
    refused({ width: 0 });
    refused({ width: 70_000 });
    refused({ height: 1.5 });
    expect(() => writeEvents(null as never, format)).toThrow(TypeError);
    expect(() => writeEvents([] as never, format)).toThrow(TypeError);
  });
});

test("evt3: a sensor or time that the format cannot hold", () => {
  const at = (t: number, side: number) => recordingOf([[t, 0, 0, 1]], side, side);
  expect(() => writeEvents(at(0, 2049), "evt3")).toThrow(
    "a sensor of at most 2048 × 2048 pixels for evt3, got 2049 × 2049",
  );
  expect(() => writeEvents(at(1.6e15, 10), "evt3")).toThrow("subtract the first time from all");
  expect(() => writeEvents(at(-1, 10), "evt3")).toThrow(RangeError);
});

test("evt3: twelve days after the camera was switched on", async () => {
  const recording = recordingOf(
    [
      [2 ** 40 - 1, 3, 2, 1],
      [2 ** 40, 4, 2, 0],
    ],
    10,
    10,
  );
  expect(await readEvents(writeEvents(recording, "evt3"))).toEqual({ ...recording, dropped: 0 });
});

test("aedat4 and npz: times of the clock, and before 1970", async () => {
  const recording = recordingOf(
    [
      [-5, 0, 0, 1],
      [0, 1, 1, 1],
      [1_732_694_316_123_457, 2, 2, 0],
    ],
    3,
    3,
  );
  for (const format of ["aedat4", "npz"] as const) {
    expect(await readEvents(writeEvents(recording, format))).toEqual({ ...recording, dropped: 0 });
  }
});

test("an unknown format is refused", () => {
  expect(() => writeEvents(recordingOf([], 1, 1), "dat" as EventWriteFormat)).toThrow(
    new RangeError('writeEvents: expected format "evt3", "aedat4" or "npz", got "dat"'),
  );
});

describe("streams", () => {
  const recording = recordingOf(
    Array.from({ length: 3000 }, (_, i) => [10 * i, i % 100, i % 50, i % 2]),
    100,
    50,
  );
  const bytes = writeEvents(recording, "evt3");

  async function eventsOf(stream: Parameters<typeof readEventChunks>[0], events: number): Promise<number[]> {
    const lengths = [];
    for await (const part of readEventChunks(stream, { events })) lengths.push(part.t.length);
    return lengths;
  }
  const sum = (lengths: readonly number[]) => lengths.reduce((a, b) => a + b, 0);

  test("of the web, with a reader that is cancelled once the parts are left", async () => {
    let cancelled = 0;
    const stream = () => {
      let at = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= bytes.length) controller.close();
          else controller.enqueue(bytes.slice(at, at + 1000));
          at += 1000;
        },
        cancel() {
          cancelled++;
        },
      });
    };
    expect(sum(await eventsOf(stream(), 10))).toBe(3000);
    const reader = stream();
    const bare = { getReader: () => reader.getReader() };
    expect(sum(await eventsOf(bare, 10))).toBe(3000);
    // Longer than any header, which is read first.
    let pulled = 0;
    const header = "% evt 3.0\n";
    const long = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(
          pulled === 0 ? new TextEncoder().encode(header) : new Uint8Array(Uint16Array.of(0x8000, 0, 0x2000).buffer),
        );
        if (++pulled > 1) controller.enqueue(new Uint8Array(new Uint16Array(500_000).fill(0x2000).buffer));
        if (pulled > 100) controller.error(new Error("read on and on"));
      },
      cancel() {
        cancelled += 100;
      },
    });
    for await (const part of readEventChunks(long, { events: 10 })) {
      expect(part.t.length).toBeGreaterThanOrEqual(10);
      break;
    }
    expect(pulled).toBeLessThan(10);
    expect(cancelled).toBe(100);
  });

  test("of other formats than these are refused", async () => {
    const next = (stream: unknown) => readEventChunks(stream as never).next();
    await expect(next(bytes)).rejects.toThrow(TypeError);
    await expect(next(null)).rejects.toThrow(TypeError);
    await expect(next({})).rejects.toThrow("readEventChunks: expected a stream of bytes, got object");
    await expect(next(["text"])).rejects.toThrow(
      'readEventChunks: expected bytes as a Uint8Array or an ArrayBuffer, got "text"',
    );
    await expect(next([])).rejects.toThrow(RangeError);
  });

  test("files whose parts lie anywhere come in parts too", async () => {
    expect(await eventsOf([writeEvents(recording, "npz")], 1000)).toEqual([1000, 1000, 1000]);
  });

  test("an error comes after the parts before the damage", async () => {
    const long = recordingOf(
      Array.from({ length: 300_000 }, (_, i) => [i, i % 100, 7, 1]),
      100,
      50,
    );
    const file = writeEvents(long, "evt3");
    const end = Buffer.from(file).indexOf("% end\n") + 6;
    let count = 0;
    const read = async () => {
      for await (const part of readEventChunks([file, file.subarray(end)], { events: 1 })) count += part.t.length;
    };
    await expect(read()).rejects.toThrow(`from 299999 µs on, got 0 µs at byte ${file.length + 6}`);
    expect(count).toBeGreaterThan(200_000);
  });
});

test("readEvents: options and bytes of another kind are refused", async () => {
  const bytes = writeEvents(recordingOf([[1, 1, 1, 1]], 3, 3), "npz");
  const read = (file: unknown, options = {}) => readEvents(file as Uint8Array, options);
  await expect(read("text")).rejects.toThrow(
    'readEvents: expected bytes as a Uint8Array or an ArrayBuffer, got "text"',
  );
  await expect(read(null)).rejects.toThrow(TypeError);
  await expect(read(bytes, { format: "avi" })).rejects.toThrow(RangeError);
  await expect(read(bytes, { recover: 1 })).rejects.toThrow(TypeError);
  await expect(read(bytes, { width: 0 })).rejects.toThrow("readEvents: width must be an integer in [1, 65536], got 0");
  await expect(read(bytes, { colour: true })).rejects.toThrow("readEvents: expected the options format");
  const detached = Uint8Array.of(1, 2, 3);
  structuredClone(detached, { transfer: [detached.buffer] });
  await expect(read(detached)).rejects.toThrow(RangeError);
  expect(await read(bytes.buffer)).toMatchObject({ width: 3 });
  await expect(read(new DataView(bytes.buffer))).rejects.toThrow(TypeError);
});
