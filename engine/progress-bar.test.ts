/** progressBar: the line on a terminal, with a clock and a stream of the test. */
import { expect, test } from "vitest";
import { type BarReport, type ProgressBarOptions, progressBar } from "./node.ts";

/** A bar on a terminal with this many columns, and everything that it has written; time changes only by `at`. */
function terminal(columns: number | undefined, options: ProgressBarOptions = {}, isTTY = true) {
  const written: string[] = [];
  const time = { now: 0 };
  const stream = { isTTY, ...(columns !== undefined && { columns }), write: (text: string) => written.push(text) };
  const draw = progressBar({ stream, clock: () => time.now, ...options });
  const at = (now: number, report: Partial<BarReport>) => {
    time.now = now;
    draw({ epoch: 3, epochs: 10, batch: 12, batches: 48, ...report });
  };
  /** The lines without the escape sequence that clears them. */
  const lines = () => written.map((text) => text.replace("\r\x1b[2K", ""));
  return { at, written, lines };
}

const FULL = { loss: 0.597123, lr: 0.00123456, seconds: 65.4, secondsLeft: 3725 };

test("bar: one line with epoch, batches, loss, rate and times, behind a clearing of the line before", () => {
  const { at, written } = terminal(100);
  at(0, FULL);
  expect(written).toEqual([
    `\r\x1b[2Kepoch 3/10 ${"█".repeat(6)}${"░".repeat(18)} 12/48 · loss 0.5971 · lr 0.00123 · 1:05 · 1:02:05 left`,
  ]);
});

test("bar: parts that a report does not have are left out, and a single epoch has no number", () => {
  const { at, lines } = terminal(undefined, { label: "images" });
  at(0, { epoch: 1, epochs: 1, seconds: 5 });
  expect(lines()).toEqual([`images ${"█".repeat(6)}${"░".repeat(18)} 12/48 · 0:05`]);
});

test("bar: within an interval one drawing, and the last batch of an epoch clears the line whatever the time", () => {
  const { at, lines } = terminal(80, { intervalMs: 50 });
  for (const [now, batch] of [
    [0, 1],
    [49, 2],
    [50, 3],
    [60, 47],
    [61, 48],
    [62, 1],
  ] as const) {
    at(now, { batch });
  }
  expect(lines().map((line) => line.match(/\d+\/48/)?.[0] ?? line)).toEqual(["1/48", "3/48", "", "1/48"]);
});

test("bar: a line is never longer than the terminal less one sign, and keeps the words on its left", () => {
  for (let columns = 1; columns <= 110; columns++) {
    const { at, lines } = terminal(columns);
    at(0, FULL);
    expect(lines()[0]?.length).toBeLessThan(columns);
  }
  const { at, lines } = terminal(44);
  at(0, FULL);
  expect(lines()[0]).toBe("epoch 3/10 ███░░░░░░░░░ 12/48 · loss 0.5971");
});

test("bar: nothing is written where the stream is no terminal, or the batches are not known", () => {
  const file = terminal(80, {}, false);
  file.at(0, FULL);
  file.at(0, { batch: 48 });
  expect(file.written).toEqual([]);
  const endless = terminal(80);
  endless.at(0, { ...FULL, batches: undefined });
  expect(endless.written).toEqual([]);
});

test("bar: options of other names, types and ranges are refused", () => {
  const refused = (options: unknown) => expect(() => progressBar(options as ProgressBarOptions));
  refused({ width: 3 }).toThrow(TypeError);
  refused({ label: 3 }).toThrow(TypeError);
  refused({ stream: {} }).toThrow(new TypeError("progressBar: expected stream.write as a function, got undefined"));
  refused({ intervalMs: -1 }).toThrow(new RangeError("progressBar: intervalMs must be finite and ≥ 0, got -1"));
});
