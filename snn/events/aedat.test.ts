import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import {
  ascii,
  concat,
  type Event,
  eventPacket,
  HEADER_31,
  header4,
  little,
  lz4Block,
  lz4Frame,
  packet4,
  packet31,
  zstdFrame,
} from "../../test/support/events.ts";
import { numbers } from "../../test/support/sides.ts";
import { readEventChunks, readEvents } from "./index.ts";

async function eventsOf(file: Uint8Array, options = {}) {
  const { t, x, y, p, ...rest } = await readEvents(file, options);
  return { events: Array.from(t, (time, i) => [time, x[i], y[i], p[i]]), ...rest };
}

const first: Event[] = [
  [10, 0, 0, 1],
  [10, 127, 127, 0],
  [12, 5, 6, 1],
];
const second: Event[] = [
  [12, 1, 1, 0],
  [20, 2, 3, 1],
];
const SENSOR = { width: 128, height: 128 };

describe("aedat 3.1", () => {
  const start = HEADER_31.length;
  const file = (...parts: readonly Uint8Array[]) => concat(ascii(HEADER_31), ...parts);

  test("events of polarity, with those left out that the camera calls invalid", async () => {
    const other = packet31([[11, 1, 1, 1]], { type: 0 });
    const bytes = file(packet31(first), other, packet31(second, { invalid: [0] }));
    expect(await eventsOf(bytes)).toEqual({ events: [...first, second[1]], ...SENSOR, dropped: 0 });
  });

  test("overflows of 31 bits are in the header of a packet", async () => {
    const { events } = await eventsOf(file(packet31(first), packet31(first, { overflow: 2 })));
    expect(events.map(([t]) => t)).toEqual([10, 10, 12, 2 ** 32 + 10, 2 ** 32 + 10, 2 ** 32 + 12]);
  });

  test.each([
    ["DAVIS240C", 240, 180],
    ["DAVIS346", 346, 260],
    ["Unknown", 128, 128],
  ])("a sensor named %s", async (name, width, height) => {
    const bytes = concat(ascii(HEADER_31.replace("DVS128", name)), packet31(first));
    expect(await readEvents(bytes)).toMatchObject({ width, height });
  });

  test("other formats of packets are named", async () => {
    await expect(readEvents(ascii(HEADER_31.replace("RAW", "Serial-TS")))).rejects.toThrow(
      "the format RAW, got Serial-TS",
    );
  });

  test("garbage between packets", async () => {
    const garbage = Uint8Array.from({ length: 61 }, (_, i) => 200 + (i % 50));
    const bytes = file(packet31(first), garbage, packet31(second));
    const at = start + packet31(first).length;
    await expect(readEvents(bytes)).rejects.toThrow(
      `a packet of AEDAT 3.1, got the bytes c8 c9 ca cb cc cd ce cf at byte ${at}`,
    );
    expect(await eventsOf(bytes, { recover: true })).toEqual({ events: [...first, ...second], ...SENSOR, dropped: 1 });
  });

  test("the end of the file within a packet", async () => {
    const bytes = file(packet31(first), packet31(second));
    const at = start + packet31(first).length;
    for (let cut = 1; cut < packet31(second).length; cut++) {
      const short = bytes.subarray(0, bytes.length - cut);
      await expect(readEvents(short)).rejects.toThrow(`a packet, got the end of the file at byte ${at}`);
      expect(await eventsOf(short, { recover: true })).toMatchObject({ events: first, dropped: 1 });
    }
  });

  test("times that run backwards and pixels off the sensor", async () => {
    const late = file(packet31(first), packet31([[11, 1, 1, 1]]));
    const at = start + packet31(first).length + 28;
    await expect(readEvents(late)).rejects.toThrow(`from 12 µs on, got 11 µs at byte ${at}`);
    const off = file(
      packet31([
        [1, 128, 3, 1],
        [2, 3, 3, 1],
      ]),
    );
    await expect(readEvents(off)).rejects.toThrow(`128 × 128, got x 128, y 3 at byte ${start + 28}`);
    expect(await eventsOf(off, { recover: true })).toMatchObject({ events: [[2, 3, 3, 1]], dropped: 1 });
  });
});

describe("aedat 4", () => {
  const PACK = {
    none: [0, (bytes: Uint8Array) => bytes],
    lz4: [1, (bytes: Uint8Array) => lz4Frame({ bytes: lz4Block(bytes) })],
    zstd: [3, (bytes: Uint8Array) => zstdFrame(bytes)],
    "zstd with a window": [4, (bytes: Uint8Array) => zstdFrame(bytes, { window: true, checksum: true })],
  } as const;
  const many = Array.from(
    { length: 500 },
    (_, i): Event => [1_700_000_000_000_000 + 3 * i, (7 * i) % 346, i % 260, (i % 2) as 0 | 1],
  );
  const size = { width: 346, height: 260 };

  test.each(Object.entries(PACK))(
    "packets packed by %s, of the first stream of events",
    async (_, [compression, pack]) => {
      const bytes = concat(
        header4({ compression }),
        packet4(0, pack(eventPacket([[1, 1, 1, 1]]))),
        packet4(1, pack(eventPacket(many.slice(0, 200)))),
        packet4(2, pack(eventPacket([[1, 1, 1, 1]]))),
        packet4(1, pack(eventPacket([]))),
        packet4(1, pack(eventPacket(many.slice(200)))),
      );
      expect(await eventsOf(bytes)).toEqual({ events: many, ...size, dropped: 0 });
    },
  );

  test.each(Object.entries(PACK))(
    "the end of the file within a packet packed by %s",
    async (_, [compression, pack]) => {
      const head = concat(header4({ compression }), packet4(1, pack(eventPacket(many.slice(0, 200)))));
      const bytes = concat(head, packet4(1, pack(eventPacket(many.slice(200)))));
      for (let length = head.length + 1; length < bytes.length; length += 97) {
        const short = bytes.subarray(0, length);
        await expect(readEvents(short)).rejects.toThrow(`a packet, got the end of the file at byte ${head.length}`);
        const { events, dropped } = await eventsOf(short, { recover: true });
        expect([events.length, dropped]).toEqual([200, 1]);
      }
    },
  );

  describe("Zstandard by its own program", () => {
    const file = readFileSync(fileURLToPath(new URL("../../test/fixtures/events/zstd.aedat4", import.meta.url)));
    const events = Array.from({ length: 2000 }, (_, i) => [1.7e15 + 3 * i, (7 * i) % 346, i % 260, i % 2]);
    /** Offsets of packets. */
    const places: number[] = [];
    for (let at = 18 + file.readUInt32LE(14); at < file.length; at += 8 + file.readUInt32LE(at + 4)) places.push(at);

    test("packets of every level, with checksums", async () => {
      expect(places.length).toBe(4);
      expect(file.length).toBeLessThan((16 * 2000) / 3);
      expect(await eventsOf(file)).toEqual({ events, ...size, dropped: 0 });
    });

    test.each([1, 7, 997])("chunks of %d bytes", async (length) => {
      const chunks = Array.from({ length: Math.ceil(file.length / length) }, (_, i) =>
        file.subarray(length * i, length * (i + 1)),
      );
      const found: number[][] = [];
      for await (const { t, x, y, p } of readEventChunks(chunks, { events: 300 }))
        for (const [i, time] of t.entries()) found.push([time, x[i] as number, y[i] as number, p[i] as number]);
      expect(found).toEqual(events);
    });

    test("a packet without its mark, its window or its end is named or left out", async () => {
      const [, at, next] = places as [number, number, number];
      const damaged = (change: (bytes: Uint8Array) => void): Uint8Array => {
        const bytes = Uint8Array.from(file);
        change(bytes);
        return bytes;
      };
      const rest = [...events.slice(0, 500), ...events.slice(1000)];
      // A window of 2⁴¹ bytes, blocks of an invalid type, and a frame that ends too early.
      const broken = [
        damaged((bytes) => bytes.fill(0xf8, at + 13, at + 14)),
        damaged((bytes) => bytes.fill(0xff, at + 8 + 8, at + 8 + 40)),
        damaged((bytes) => bytes.fill(0, next - 40, next)),
      ];
      for (const [i, bytes] of broken.entries()) {
        await expect(readEvents(bytes), `${i}`).rejects.toThrow(RangeError);
        await expect(readEvents(bytes), `${i}`).rejects.toThrow(
          `a packet packed by zstd, got one that cannot be unpacked at byte ${at}; recover: true leaves it out`,
        );
        expect(await eventsOf(bytes, { recover: true }), `${i}`).toEqual({ events: rest, ...size, dropped: 1 });
      }
      const marked = damaged((bytes) => bytes.fill(0, at + 8, at + 12));
      await expect(readEvents(marked)).rejects.toThrow(`a packet of AEDAT 4, got the bytes`);
      expect(await eventsOf(marked, { recover: true })).toEqual({ events: rest, ...size, dropped: 1 });
    });

    test("whatever bytes are damaged, the result is an error of the reader or a recording in order on the sensor", async () => {
      const draws = numbers(3 * 120, 9, 0, 1);
      let errors = 0;
      for (let k = 0; k < 120; k++) {
        const bytes = Uint8Array.from(file);
        const [at, length, value] = draws.slice(3 * k, 3 * k + 3) as [number, number, number];
        const first = Math.floor(at * bytes.length);
        bytes.fill(value * 256, first, first + 1 + Math.floor(length * 4));
        for (const recover of [false, true]) {
          try {
            const { t, x, y } = await readEvents(bytes, { format: "aedat4", recover });
            expect(t.every((time, i) => i === 0 || time >= (t[i - 1] as number))).toBe(true);
            expect(x.every((column) => column < 346) && y.every((row) => row < 260)).toBe(true);
          } catch (error) {
            expect((error as Error).message).toMatch(/^readEvents: expected /);
            errors++;
          }
        }
      }
      expect(errors).toBeGreaterThan(30);
    });

    test("the peer is named where it is missing, and only such a file needs it", async () => {
      vi.doMock("fzstd", () => {
        throw new Error("Cannot find package 'fzstd'");
      });
      try {
        await expect(readEvents(file)).rejects.toThrow(
          /^readEvents: expected the package fzstd, which reads packets compressed by Zstandard, .* npm install fzstd$/,
        );
        const plain = concat(header4(), packet4(1, eventPacket(many)));
        expect(await eventsOf(plain)).toMatchObject({ events: many });
      } finally {
        vi.doUnmock("fzstd");
      }
      expect((await readEvents(file)).t.length).toBe(2000);
    });
  });

  test("a table of packets at the end", async () => {
    const packets = packet4(1, eventPacket(many));
    const table = header4({ table: 0 }).length + packets.length;
    const bytes = concat(header4({ table }), packets, [1, 2, 3, 4, 5]);
    expect(await eventsOf(bytes)).toEqual({ events: many, ...size, dropped: 0 });
    const cut = bytes.subarray(0, table);
    expect(await eventsOf(cut)).toMatchObject({ events: many });
    await expect(readEvents(bytes.subarray(0, table - 1))).rejects.toThrow(
      `the table of packets at byte ${table}, got the end of the file at byte ${table - 1}`,
    );
  });

  test("streams without a description: the first one with events", async () => {
    const bytes = concat(header4({ xml: "" }), packet4(3, eventPacket(many)), packet4(4, eventPacket([[1, 1, 1, 1]])));
    expect(await eventsOf(bytes)).toMatchObject({ events: many, width: 346 });
  });

  test("a recording of other streams alone has no events", async () => {
    const xml = '<node name="0"><attr key="typeIdentifier" type="string">IMUS</attr></node>';
    const bytes = concat(header4({ xml }), packet4(0, eventPacket(many)));
    expect(await eventsOf(bytes)).toEqual({ events: [], width: 0, height: 0, dropped: 0 });
  });

  test("times before 1970", async () => {
    const bytes = concat(
      header4(),
      packet4(
        1,
        eventPacket([
          [-5_000_000_000, 1, 1, 1],
          [-1, 2, 2, 0],
        ]),
      ),
    );
    expect((await eventsOf(bytes)).events).toEqual([
      [-5_000_000_000, 1, 1, 1],
      [-1, 2, 2, 0],
    ]);
  });

  test("garbage between packets, packets that cannot be unpacked or whose parts lie outside of them", async () => {
    const [compression, pack] = PACK.lz4;
    const sound = [
      packet4(1, pack(eventPacket(many.slice(0, 200)))),
      packet4(1, pack(eventPacket(many.slice(200)))),
    ] as const;
    const head = header4({ compression });
    const at = head.length + sound[0].length;
    const garbage = concat(head, sound[0], ascii("some bytes that are no packet at all"), sound[1]);
    await expect(readEvents(garbage)).rejects.toThrow(
      `a packet of AEDAT 4, got the bytes 73 6f 6d 65 20 62 79 74 at byte ${at}`,
    );
    expect(await eventsOf(garbage, { recover: true })).toMatchObject({ events: many, dropped: 1 });

    const broken = lz4Frame({ bytes: Uint8Array.of(0x1f, 7, 9, 9, 3) });
    const unpackable = concat(head, sound[0], packet4(1, concat(broken, [0])), sound[1]);
    await expect(readEvents(unpackable)).rejects.toThrow(
      `a packet packed by lz4, got one that cannot be unpacked at byte ${at}`,
    );
    expect(await eventsOf(unpackable, { recover: true })).toMatchObject({ events: many, dropped: 1 });

    const flat = eventPacket(many);
    flat.fill(255, flat.length - 16 * many.length - 4, flat.length - 16 * many.length);
    const outside = concat(header4(), packet4(1, flat));
    await expect(readEvents(outside)).rejects.toThrow(
      `a flatbuffer of events, got one whose parts lie outside of it at byte ${header4().length}`,
    );
    expect(await eventsOf(outside, { recover: true })).toMatchObject({ events: [], dropped: 1 });
  });

  test("a length that is too large hides nothing behind it", async () => {
    const bytes = concat(
      header4({ compression: 1 }),
      packet4(1, lz4Frame({ bytes: eventPacket(many), stored: true })),
      packet4(1, lz4Frame({ bytes: eventPacket([[1.8e15, 1, 1, 1]]), stored: true })),
    );
    const head = header4({ compression: 1 }).length;
    bytes.set(little(4, 1_000_000), head + 4);
    await expect(readEvents(bytes)).rejects.toThrow(`a packet, got the end of the file at byte ${head}`);
    expect(await eventsOf(bytes, { recover: true })).toMatchObject({ events: [[1.8e15, 1, 1, 1]], dropped: 1 });
  });

  test("events off the sensor or before the last one, with the byte of their packet", async () => {
    const head = header4().length;
    const bytes = concat(
      header4(),
      packet4(
        1,
        eventPacket([
          [5, 1, 1, 1],
          [6, -1, 1, 1],
          [4, 2, 2, 1],
          [7, 3, 260, 0],
        ]),
      ),
    );
    await expect(readEvents(bytes)).rejects.toThrow(`346 × 260, got x 65535, y 1 at byte ${head}`);
    expect(await eventsOf(bytes, { recover: true })).toMatchObject({ dropped: 3 });
    await expect(
      readEvents(
        concat(
          header4(),
          packet4(
            1,
            eventPacket([
              [5, 1, 1, 1],
              [4, 1, 1, 1],
            ]),
          ),
        ),
      ),
    ).rejects.toThrow(`from 5 µs on, got 4 µs at byte ${head}`);
  });

  test("a header that is damaged, or of a compression that is not known", async () => {
    const bytes = header4();
    for (let length = 14; length < bytes.length; length++)
      await expect(readEvents(bytes.subarray(0, length))).rejects.toThrow(/a header of AEDAT 4, got .* at byte 14$/);
    await expect(readEvents(header4({ compression: 9 }))).rejects.toThrow(
      "without compression, with LZ4 or Zstandard, got number 9",
    );
  });

  test("recovery from a time far ahead does not cost the parts behind it", async () => {
    const packets = Array.from({ length: 40 }, (_, k) =>
      packet4(
        1,
        eventPacket(many.map(([t, x, y, p], i): Event => [t + 1500 * k + (k === 11 && i > 490 ? 1e12 : 0), x, y, p])),
      ),
    );
    const bytes = concat(header4(), ...packets);
    let count = 0;
    let dropped = 0;
    let newest = 0;
    const chunks = Array.from({ length: Math.ceil(bytes.length / 4000) }, (_, i) =>
      bytes.subarray(4000 * i, 4000 * (i + 1)),
    );
    for await (const part of readEventChunks(chunks, { recover: true, events: 700 })) {
      count += part.t.length;
      dropped += part.dropped;
      for (const t of part.t) {
        expect(t).toBeGreaterThanOrEqual(newest);
        newest = t;
      }
    }
    expect([count, dropped]).toEqual([40 * 500 - 9, 9]);
  });
});
