import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type EventRecording, readEventChunks, readEvents, writeEvents } from "./index.ts";

/** Third-party recordings, which are not part of the project: a folder events/ of goldens, with files.json next to files/. */
const folder = [process.env.GOLDENS, fileURLToPath(new URL("../../../shared/goldens", import.meta.url))]
  .map((goldens) => join(goldens ?? "", "events"))
  .find((events) => existsSync(join(events, "files.json")));

interface Expected {
  readonly format: string;
  /** Number of events; absent for a file with only a header. */
  readonly events?: number;
  readonly t: readonly [number, number];
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
  readonly on: number;
  readonly sha256: string;
  readonly picks: readonly (readonly [index: number, t: number, x: number, y: number, p: number])[];
}

const files: Readonly<Record<string, Expected>> =
  folder === undefined ? {} : JSON.parse(readFileSync(join(folder, "files.json"), "utf8")).files;

/** SHA-256 of t as 64-bit integers, then x, y and p. */
function sha256({ t, x, y, p }: EventRecording): string {
  const hash = createHash("sha256").update(BigInt64Array.from(t, BigInt));
  return hash.update(x).update(y).update(p).digest("hex");
}

const extremes = (values: Uint16Array): number[] => {
  const first = values[0] as number;
  return [
    ...values.reduce(
      ([least, most], value) => [Math.min(least as number, value), Math.max(most as number, value)],
      [first, first],
    ),
  ];
};

function joined(parts: readonly EventRecording[]): EventRecording {
  const last = parts.at(-1) as EventRecording;
  return {
    t: Float64Array.from(parts.flatMap(({ t }) => [...t])),
    x: Uint16Array.from(parts.flatMap(({ x }) => [...x])),
    y: Uint16Array.from(parts.flatMap(({ y }) => [...y])),
    p: Uint8Array.from(parts.flatMap(({ p }) => [...p])),
    width: last.width,
    height: last.height,
  };
}

/** files.json has EVT 3.0 as expelliarmus reads it. */
const optionsOf = ({ format }: Expected) => ({ numerics: format === "EVT 3.0" ? ("expelliarmus" as const) : null });

function* chunksOf(bytes: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

if (folder === undefined) {
  test("recordings of cameras: left out, since ../shared/goldens/events is not there and GOLDENS names no other", () => {
    expect(folder).toBeUndefined();
  });
}

describe.each(Object.entries(files))("%s", (name, expected) => {
  const bytes = readFileSync(join(folder as string, "files", name));
  if (expected.events === undefined) {
    test("is a header without events", async () => {
      expect(await readEvents(bytes)).toMatchObject({ t: new Float64Array(0), width: 346, height: 260, dropped: 0 });
    });
    return;
  }

  test("has every event that files.json says", async () => {
    const recording = await readEvents(bytes, optionsOf(expected));
    const { t, x, y, p } = recording;
    expect(t).toHaveLength(expected.events as number);
    for (const [i, ...event] of expected.picks) expect([t[i], x[i], y[i], p[i]]).toEqual(event);
    expect([t[0], t.at(-1)]).toEqual(expected.t);
    expect(extremes(x)).toEqual(expected.x);
    expect(extremes(y)).toEqual(expected.y);
    expect(p.reduce((on, polarity) => on + polarity, 0)).toBe(expected.on);
    expect(sha256(recording)).toBe(expected.sha256);
    expect(recording.dropped).toBe(0);
  });

  test("has the same events in parts, whatever the chunks of the stream", async () => {
    for (const size of [997, 65_536]) {
      const parts = [];
      for await (const part of readEventChunks(chunksOf(bytes, size), { ...optionsOf(expected), events: 1000 }))
        parts.push(part);
      expect(sha256(joined(parts))).toBe(expected.sha256);
      for (const part of parts.slice(0, -1)) expect(part.t.length).toBeGreaterThanOrEqual(1000);
    }
  });

  test("loses nothing where damage would be recovered from", async () => {
    const recording = await readEvents(bytes, { ...optionsOf(expected), recover: true });
    expect(sha256(recording)).toBe(expected.sha256);
    expect(recording.dropped).toBe(0);
  });

  test.each(["evt3", "aedat4", "npz"] as const)("comes back from a file that is written as %s", async (format) => {
    const recording = await readEvents(bytes);
    const origin = recording.t[0] as number;
    const fits = format !== "evt3" || origin < 2 ** 40;
    const t = fits ? recording.t : recording.t.map((time) => time - origin);
    const again = await readEvents(writeEvents({ ...recording, t }, format));
    expect(sha256(again)).toBe(sha256({ ...recording, t }));
    const { width, height } = recording;
    expect(again).toMatchObject({ width, height, dropped: 0 });
  });
});
