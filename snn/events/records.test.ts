import { describe, expect, test } from "vitest";
import { ascii, big4, concat, datRecord, type Event, nmnistRecord } from "../../test/support/events.ts";
import { readEvents } from "./index.ts";

async function eventsOf(file: Uint8Array, options = {}) {
  const { t, x, y, p, ...rest } = await readEvents(file, options);
  return { events: Array.from(t, (time, i) => [time, x[i], y[i], p[i]]), ...rest };
}

describe("dat", () => {
  const header = "% Data file containing CD events.\n% Version 2\n% Height 480\n% Width 640\n";
  const file = (...events: readonly Event[]) => concat(ascii(header), [12, 8], ...events.map(datRecord));

  test("records of 8 bytes, whose 32 bits of time wrap around", async () => {
    const events: Event[] = [
      [0, 639, 479, 1],
      [2 ** 31, 0, 0, 0],
      [2 ** 32 - 1, 1, 2, 1],
      [2 ** 32 + 3, 3, 4, 0],
    ];
    expect(await eventsOf(file(...events))).toEqual({ events, width: 640, height: 480, dropped: 0 });
  });

  test("without a size in the header, that of the largest coordinates", async () => {
    const old = concat(ascii("% Data file containing Event2D.\n"), [0, 8], datRecord([5, 70, 9, 1]));
    expect(await eventsOf(old)).toMatchObject({ events: [[5, 70, 9, 1]], width: 71, height: 10 });
  });

  test("other kinds of events are named", async () => {
    const triggers = concat(ascii(header), [14, 8], datRecord([1, 1, 1, 1]));
    await expect(readEvents(triggers)).rejects.toThrow(
      new RangeError(
        `readEvents: expected DAT events of type 0 or 12 and 8 bytes, got 14 and 8 at byte ${header.length}`,
      ),
    );
  });

  test("damage", async () => {
    const start = header.length + 2;
    await expect(readEvents(file([5, 1, 1, 1], [4, 1, 1, 1]))).rejects.toThrow(
      `from 5 µs on, got 4 µs at byte ${start + 8}`,
    );
    await expect(readEvents(file([5, 640, 1, 1]))).rejects.toThrow(`x 640, y 1 at byte ${start}`);
    await expect(readEvents(file([5, 1, 1, 1]).subarray(0, -3))).rejects.toThrow(
      `an event of 8 bytes, got the end of the file at byte ${start}`,
    );
    const bad = file([5, 1, 1, 1], [9000, 2, 1, 1], [6, 640, 1, 1], [7, 3, 1, 1], [8, 4, 1, 1]).subarray(0, -1);
    expect(await eventsOf(bad, { recover: true })).toMatchObject({
      events: [
        [5, 1, 1, 1],
        [expect.anything(), expect.anything(), 1, 1],
      ],
      dropped: 3,
    });
  });
});

describe("n-mnist", () => {
  const file = (...events: readonly Event[]) => concat(...events.map(nmnistRecord));
  const some: Event[] = [
    [0, 0, 0, 1],
    [10, 33, 33, 0],
    [2 ** 23 - 1, 1, 2, 1],
  ];

  test("records of 5 bytes on 34 × 34 pixels", async () => {
    expect(await eventsOf(file(...some), { format: "nmnist" })).toEqual({
      events: some,
      width: 34,
      height: 34,
      dropped: 0,
    });
  });

  test("a record of row 240 adds 2¹³ µs to all that follow", async () => {
    const events = file([5, 1, 1, 1], [0, 0, 240, 0], [4, 2, 2, 0], [0, 9, 240, 1], [9, 3, 3, 1]);
    expect((await eventsOf(events)).events).toEqual([
      [5, 1, 1, 1],
      [8196, 2, 2, 0],
      [16393, 3, 3, 1],
    ]);
  });

  test("the format is recognised, also of a larger image", async () => {
    const walk = Array.from({ length: 300 }, (_, i): Event => [100 * i, (7 * i) % 34, (5 * i) % 34, 1]);
    expect(await readEvents(file(...walk))).toMatchObject({ width: 34, height: 34 });
    const large = walk.map(([t, x, y, p]): Event => [t, 5 * x, 4 * y, p]);
    expect(await readEvents(file(...large))).toMatchObject({ width: 166, height: 133 });
    const damaged = walk.with(200, [20_000, 200, 5, 1]);
    await expect(readEvents(file(...damaged))).rejects.toThrow("a sensor of 34 × 34, got x 200, y 5 at byte 1000");
    expect(await readEvents(file(...damaged), { recover: true })).toMatchObject({ width: 34, dropped: 1 });
  });

  test("damage", async () => {
    await expect(readEvents(file([5, 1, 1, 1], [4, 1, 1, 1]), { format: "nmnist" })).rejects.toThrow(
      "got 4 µs at byte 5",
    );
    await expect(readEvents(file([5, 1, 1, 1]).subarray(0, 4), { format: "nmnist" })).rejects.toThrow(
      "the end of the file at byte 0",
    );
    await expect(readEvents(file([5, 1, 241, 1]), { format: "ncaltech101" })).rejects.toThrow(
      "any camera, got x 1, y 241 at byte 0",
    );
  });

  test("bytes of no format are refused", async () => {
    const noise = Uint8Array.from({ length: 1000 }, (_, i) => (i * i * 31 + i * 77) % 251);
    await expect(readEvents(noise)).rejects.toThrow(/^readEvents: expected the beginning of a recording/);
    await expect(readEvents(new Uint8Array(0))).rejects.toThrow(RangeError);
    for (const header of ["#!AER-DAT1.0\r\n", "% format EVT4;height=720;width=1280\n"])
      await expect(readEvents(ascii(header))).rejects.toThrow(/^readEvents: expected the beginning of a recording/);
  });
});

describe("aedat 2.0", () => {
  const file = (chip: string, ...pairs: readonly number[]) =>
    concat(ascii(`#!AER-DAT2.0\r\n# This is a raw AE data file\r\n${chip}#End Of ASCII Header\r\n`), big4(...pairs));

  test("a DVS128 has columns from the right, rows from below and 0 for ON", async () => {
    const address = (x: number, y: number, off: number) => ((127 - y) << 8) | ((127 - x) << 1) | off;
    const bytes = file("", address(3, 100, 0), 7, address(127, 0, 1), 8, 1 << 15, 9);
    expect(await eventsOf(bytes)).toEqual({
      events: [
        [7, 3, 100, 1],
        [8, 127, 0, 0],
      ],
      width: 128,
      height: 128,
      dropped: 0,
    });
  });

  test.each([
    ["# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n", 346, 260],
    ["# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\r\n", 240, 180],
  ])("%j: frames and signals from outside are no events", async (chip, width, height) => {
    const address = (x: number, y: number, p: number) => ((height - 1 - y) << 22) | ((width - 1 - x) << 12) | (p << 11);
    const bytes = file(
      chip,
      address(0, 0, 1),
      1,
      (1 << 31) | address(5, 5, 0),
      1,
      (1 << 10) | address(5, 5, 0),
      2,
      address(width - 1, height - 1, 0),
      2,
    );
    expect(await eventsOf(bytes)).toEqual({
      events: [
        [1, 0, 0, 1],
        [2, width - 1, height - 1, 0],
      ],
      width,
      height,
      dropped: 0,
    });
  });

  test("32 bits of time wrap around", async () => {
    const { events } = await eventsOf(file("", 0, 2 ** 32 - 2, 0, 3, 0, 5));
    expect(events.map(([t]) => t)).toEqual([2 ** 32 - 2, 2 ** 32 + 3, 2 ** 32 + 5]);
  });

  test("damage, and chips that are not known", async () => {
    const davis = "# AEChip: eu.seebetter.ini.chips.davis.Davis346red\r\n";
    const start = file(davis).length;
    await expect(readEvents(file(davis, 400 << 12, 1))).rejects.toThrow(`346 × 260, got x -55, y 259 at byte ${start}`);
    await expect(readEvents(file(davis, 0, 9, 0, 8))).rejects.toThrow(`from 9 µs on, got 8 µs at byte ${start + 8}`);
    await expect(readEvents(file(davis, 0, 9).subarray(0, -1))).rejects.toThrow(`the end of the file at byte ${start}`);
    await expect(readEvents(file("# AEChip: org.example.Cochlea\r\n"))).rejects.toThrow(
      'got "org.example.Cochlea" in the header',
    );
    expect(await readEvents(file(davis, 400 << 12, 1, 0, 9, 0, 8), { recover: true })).toMatchObject({ dropped: 2 });
  });
});
