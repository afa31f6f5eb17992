import { describe, expect, test } from "vitest";
import { ascii, concat, EVT3_HEADER, evt2Word, evt3File, evt3Word, little } from "../../test/support/events.ts";
import { readEventChunks, readEvents } from "./index.ts";

const { high, low, y, x, base, vector12, vector8 } = evt3Word;
const START = EVT3_HEADER.length;

/** The columns as lists. */
async function eventsOf(file: Uint8Array, options = {}) {
  const { t, x, y, p, ...rest } = await readEvents(file, options);
  return { events: Array.from(t, (time, i) => [time, x[i], y[i], p[i]]), ...rest };
}

describe("evt 3.0", () => {
  test("rows, columns and times change word by word", async () => {
    const file = evt3File([high(1), low(5), y(7), x(3, 1), x(4, 0), low(6), x(3, 1), y(8), x(0, 0)]);
    expect(await eventsOf(file)).toEqual({
      events: [
        [4101, 3, 7, 1],
        [4101, 4, 7, 0],
        [4102, 3, 7, 1],
        [4102, 0, 8, 0],
      ],
      width: 640,
      height: 480,
      dropped: 0,
    });
  });

  test("a vector is a mask of neighbours, and the next one begins behind it", async () => {
    const words = [high(0), low(9), y(1), base(10, 1), vector12(0b1000_0000_0001), vector12(0), vector8(0b1000_0010)];
    expect((await eventsOf(evt3File(words))).events.map(([, column]) => column)).toEqual([10, 21, 35, 41]);
    // Bits of a vector of eight beyond its mask are ignored.
    const wide = [high(0), y(1), base(0, 0), vector8(0xf01), x(9, 0)];
    expect((await eventsOf(evt3File(wide))).events).toEqual([
      [0, 0, 1, 0],
      [0, 9, 1, 0],
    ]);
  });

  test("24 bits of time wrap around, and words of high bits that come again change nothing", async () => {
    const words = [high(4095), low(4095), y(0), x(0, 1), high(0), low(0), x(1, 1), high(0), x(2, 1), high(1), x(3, 1)];
    const again = [high(3000), x(4, 0), high(100), low(7), x(5, 0)];
    const { events } = await eventsOf(evt3File([...words, ...again]));
    expect(events.map(([t]) => t)).toEqual([
      2 ** 24 - 1,
      2 ** 24,
      2 ** 24,
      2 ** 24 + 4096,
      2 ** 24 + 3000 * 4096,
      2 * 2 ** 24 + 100 * 4096 + 7,
    ]);
  });

  test("a time that no event has may be later than the next event", async () => {
    const words = [high(0), low(5), y(0), x(0, 1), low(43), low(32), x(1, 1)];
    expect((await eventsOf(evt3File(words))).events.map(([t]) => t)).toEqual([5, 32]);
  });

  test("expelliarmus takes a fall of the low bits for a wrap of them", async () => {
    const words = [high(0), low(5), y(0), x(0, 1), low(43), low(32), x(1, 1), high(1), low(3), x(2, 1)];
    const { events } = await eventsOf(evt3File(words), { numerics: "expelliarmus" });
    expect(events.map(([t]) => t)).toEqual([5, 32 + 4096, 3 + 3 * 4096]);
  });

  test("triggers, messages and what continues them are no events", async () => {
    const { trigger, others, continued4, continued12 } = evt3Word;
    const words = [high(0), y(2), trigger, others, continued12, continued4, x(1, 1)];
    expect(await eventsOf(evt3File(words))).toMatchObject({ events: [[0, 1, 2, 1]], dropped: 0 });
  });

  test("events before the first time, row or base are dropped: a camera's stream is joined anywhere", async () => {
    const words = [
      y(5),
      x(1, 1),
      base(0, 1),
      vector12(0b111),
      high(2),
      x(2, 1),
      vector8(1),
      y(6),
      vector8(3),
      base(8, 0),
      vector8(1),
    ];
    // The row and base before the first time are skipped with it.
    expect(await eventsOf(evt3File(words))).toMatchObject({ events: [[8192, 8, 6, 0]], dropped: 1 + 3 + 1 + 1 + 2 });
  });

  test.each([
    ["% format EVT3;height=720;width=1280\n", 1280, 720],
    ["% evt 3.0\r\n% geometry 320x240\r\n", 320, 240],
    ["% evt 3.0\n% end\n", 8, 3],
  ])("the header %j", async (header, width, height) => {
    const file = evt3File([high(0), y(2), x(7, 1)], header);
    expect(await eventsOf(file)).toMatchObject({ events: [[0, 7, 2, 1]], width, height });
  });

  test("no header, with the format and size from the caller", async () => {
    const words = [high(0), y(2), x(7, 1)];
    const options = { format: "evt3", width: 20, height: 10 } as const;
    expect(await eventsOf(evt3File(words, ""), options)).toMatchObject({
      events: [[0, 7, 2, 1]],
      width: 20,
      height: 10,
    });
  });

  test("a pixel off the sensor is an error with its byte, or is left out", async () => {
    const words = [high(0), y(2), x(640, 1), x(639, 1), base(630, 1), vector12(0xfff), y(480), x(1, 1)];
    const file = evt3File(words);
    const at = START + 2 * 2;
    await expect(readEvents(file)).rejects.toThrow(
      new RangeError(
        `readEvents: expected a pixel of a sensor of 640 × 480, got x 640, y 2 at byte ${at}; recover: true leaves it out`,
      ),
    );
    const { events, dropped } = await eventsOf(file, { recover: true });
    expect(events).toHaveLength(1 + 10);
    expect(dropped).toBe(1 + 2 + 1);
  });

  test("an event before the last one is an error with its byte, or the fewest such are left out", async () => {
    const early = [
      high(1),
      low(9),
      y(0),
      x(0, 1),
      low(8),
      x(1, 1),
      x(2, 1),
      high(0),
      low(1),
      x(3, 1),
      high(1),
      low(10),
      x(4, 1),
    ];
    const file = evt3File(early);
    await expect(readEvents(file)).rejects.toThrow(`from 4105 µs on, got 4104 µs at byte ${START + 10}`);
    expect(await eventsOf(file, { recover: true })).toMatchObject({
      events: [
        [4104, 1, 0, 1],
        [4104, 2, 0, 1],
        [4106, 4, 0, 1],
      ],
      dropped: 2,
    });
    const late = [high(0), low(1), y(0), x(0, 1), high(900), x(1, 1), high(0), low(2), x(2, 1), low(3), x(3, 1)];
    expect(await eventsOf(evt3File(late), { recover: true })).toMatchObject({
      events: [[1], [2], [3]].map(([t]) => [t, expect.anything(), 0, 1]),
      dropped: 1,
    });
  });

  test("unknown words and half a word at the end", async () => {
    const file = evt3File([high(0), y(0), 0xc123, x(1, 1)]);
    await expect(readEvents(file)).rejects.toThrow(`a word of EVT 3.0, got the type 12 at byte ${START + 4}`);
    expect(await eventsOf(file, { recover: true })).toMatchObject({ events: [[0, 1, 0, 1]], dropped: 1 });
    const cut = concat(evt3File([high(0), y(0), x(1, 1)]), [7]);
    await expect(readEvents(cut)).rejects.toThrow(`a word of 16 bits, got the end of the file at byte ${START + 6}`);
    expect(await eventsOf(cut, { recover: true })).toMatchObject({ events: [[0, 1, 0, 1]], dropped: 1 });
  });
});

describe("evt 2", () => {
  const header = "% evt 2.0\n% geometry 640x480\n";
  const { event, high } = evt2Word;
  const file = (...words: readonly number[]) => concat(ascii(header), little(4, ...words));

  test("2.0: six bits of the time come with an event", async () => {
    const words = [
      high(10),
      event([0, 639, 479, 1]),
      event([63, 0, 0, 0]),
      0xa0000001,
      0xe0000000,
      0xf0000000,
      high(11),
      event([1, 5, 6, 1]),
    ];
    expect(await eventsOf(file(...words))).toEqual({
      events: [
        [640, 639, 479, 1],
        [703, 0, 0, 0],
        [705, 5, 6, 1],
      ],
      width: 640,
      height: 480,
      dropped: 0,
    });
  });

  test("2.0: 34 bits wrap around", async () => {
    const words = [
      high(2 ** 28 - 1),
      event([63, 0, 0, 0]),
      high(0),
      event([0, 0, 0, 0]),
      high(2 ** 27 - 1),
      event([1, 0, 0, 0]),
      high(2 ** 28 - 2),
      high(0),
    ];
    const { events } = await eventsOf(file(...words, event([5, 0, 0, 1])));
    expect(events.map(([t]) => t)).toEqual([2 ** 34 - 1, 2 ** 34, 2 ** 34 + 64 * (2 ** 27 - 1) + 1, 2 * 2 ** 34 + 5]);
  });

  test("2.0: damage", async () => {
    const early = file(
      high(10),
      event([5, 1, 1, 1]),
      event([4, 2, 1, 1]),
      0x50000000,
      event([6, 1, 480, 0]),
      event([6, 3, 3, 0]),
    );
    await expect(readEvents(early)).rejects.toThrow(`from 645 µs on, got 644 µs at byte ${header.length + 8}`);
    expect(await eventsOf(early, { recover: true })).toMatchObject({
      events: [
        [expect.anything(), expect.anything(), 1, 1],
        [646, 3, 3, 0],
      ],
      dropped: 3,
    });
    const unknown = file(high(10), 0x50000000);
    await expect(readEvents(unknown)).rejects.toThrow(`a word of EVT 2.0, got the type 5 at byte ${header.length + 4}`);
    await expect(readEvents(concat(file(high(1)), [1, 2]))).rejects.toThrow(
      `the end of the file at byte ${header.length + 4}`,
    );
    const joined = file(event([1, 1, 1, 1]), high(1), event([1, 1, 1, 1]));
    expect(await eventsOf(joined)).toMatchObject({ events: [[65, 1, 1, 1]], dropped: 1 });
  });

  test.each([
    ["% format EVT21;endianness=little;height=480;width=640\n", 1],
    ["% evt 2.1\n% geometry 640x480\n", 0],
    ["% format EVT21;height=480;width=640\n", 0],
    ["% evt 2.1\n% endianness little\n% geometry 640x480\n", 1],
  ])("2.1: masks of 32 neighbours, %j", async (header, upper) => {
    const words = ([address, mask]: readonly [number, number]) => (upper === 1 ? [mask, address] : [address, mask]);
    const pairs = [
      [high(2), 0],
      [event([3, 32, 5, 1]), 0x80000001],
      [event([4, 0, 0, 0]), 0],
      [event([4, 1, 0, 0]), 6],
      [0xe0000000, 0],
    ] as const;
    const bytes = concat(ascii(header), little(4, ...pairs.flatMap(words)));
    expect(await eventsOf(bytes)).toEqual({
      events: [
        [131, 32, 5, 1],
        [131, 63, 5, 1],
        [132, 2, 0, 0],
        [132, 3, 0, 0],
      ],
      width: 640,
      height: 480,
      dropped: 0,
    });
    const off = concat(bytes, little(4, ...words([event([5, 630, 0, 1]), 0xffffffff])));
    await expect(readEvents(off)).rejects.toThrow(`x 640, y 0 at byte ${bytes.length}`);
    expect(await eventsOf(off, { recover: true })).toMatchObject({ dropped: 22 });
  });
});

test("chunks: a part of a file that names no sensor has the size so far", async () => {
  const words = [high(0), y(2), x(7, 1), x(3, 1), y(9), x(4, 0), x(20, 1)];
  const sizes = [];
  for await (const part of readEventChunks(
    [...evt3File(words, "% evt 3.0\n")].map((byte) => Uint8Array.of(byte)),
    { events: 1 },
  ))
    sizes.push([part.width, part.height, part.t.length]);
  expect(sizes).toEqual([[21, 10, 4]]);
});
