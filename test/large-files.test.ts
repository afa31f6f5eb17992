/** Large files that are no bombs are read: readers of formats without compression have no bound of their own. */
import { loadSafetensors } from "jarvis-snn";
import { readEvents } from "jarvis-snn/events";
import { expect, test } from "vitest";
import { ascii, EVT3_HEADER, evt3Word } from "./support/events.ts";

test("large files: 100 MB of EVT 3.0", async () => {
  const head = ascii(`${EVT3_HEADER}% end\n`);
  const length = head.length + (head.length % 2) + 1e8;
  const file = new Uint8Array(length);
  const start = length - 1e8;
  file.set(head, start - head.length);
  const words = new Uint16Array(file.buffer, start);
  // A time, a row, and two events of it, again and again.
  words.set([evt3Word.low(7), evt3Word.y(5), evt3Word.x(3, 1), evt3Word.x(4, 0)]);
  for (let n = 4; n < words.length; n *= 2) words.copyWithin(n, 0, Math.min(n, words.length - n));
  words[0] = evt3Word.high(1);
  const { t, x, dropped } = await readEvents(file.subarray(start - head.length));
  expect([t.length, x[0], x[1], dropped]).toEqual([words.length / 2, 3, 4, 0]);
});

test("large files: 400 MB of safetensors", () => {
  const header = ascii(JSON.stringify({ w: { dtype: "F32", shape: [1e4, 1e4], data_offsets: [0, 4e8] } }).padEnd(120));
  const file = new Uint8Array(8 + header.length + 4e8);
  const view = new DataView(file.buffer);
  view.setUint32(0, header.length, true);
  file.set(header, 8);
  view.setFloat32(file.length - 4, 1.5, true);
  const { w } = loadSafetensors(file).tensors;
  try {
    expect(w?.shape).toEqual([1e4, 1e4]);
    expect(w?.select(0, 9999).select(0, 9999).item()).toBe(1.5);
  } finally {
    w?.dispose();
  }
});
