import { readEvents } from "jarvis-snn/events";
import { expect, test } from "vitest";
import { FILES, recording } from "./recordings.ts";

test.each(Object.entries(FILES))("a file of %s holds the recording", async (_, { width, height, write }) => {
  const events = recording({ events: 20_000, width, height, pause: 80 });
  expect(await readEvents(await write(events))).toEqual({ ...events, dropped: 0 });
});

test("a recording has events all over its sensor, in order", () => {
  const { t, x, y, p } = recording({ events: 20_000, width: 240, height: 180, pause: 80 });
  expect(t).toEqual(t.slice().sort());
  expect([Math.min(...x), Math.max(...x), Math.max(...y)]).toEqual([0, 239, 179]);
  expect(p.reduce((on, each) => on + each, 0)).toBeGreaterThan(8000);
});
