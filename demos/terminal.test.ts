/** Text on terminals of 60, 80 and 100 columns: lists, tables, charts, and the reports of all demos. */
import { IF, Linear, ones, Sequential, tensor, traceText } from "jarvis-snn";
import { profile, profileText } from "jarvis-snn/quantize";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { withStdout, wordsOf } from "../test/support/terminal.ts";
import { DEMOS, type DemoName, listed } from "./list.ts";
import { begin, end, line } from "./report.ts";
import { chartText, GLUE, tableText, wrapped } from "./terminal.ts";

const WIDTHS = [60, 80, 100];

beforeEach(() => void vi.stubEnv("NO_COLOR", "1"));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

/** The longest line of a text. */
const widest = (text: string): number => Math.max(...text.split("\n").map(({ length }) => length));

test.each(WIDTHS)("terminal: the list of demos fits %d columns, and titles go on below their beginning", (columns) => {
  const whole = wrapped(listed(), Number.POSITIVE_INFINITY);
  const list = wrapped(listed(), columns);
  expect(widest(list)).toBeLessThanOrEqual(columns);
  expect(list.split(/\s+/)).toEqual(whole.split(/\s+/));
  const start = (whole.split("\n")[1] as string).indexOf("Trains");
  const titles = list.split("\n").filter((text) => text.startsWith("  "));
  for (const text of titles) expect(text.slice(start - 1, start + 1)).toMatch(/^ \S$/);
  expect(titles.length > Object.keys(DEMOS).length).toBe(widest(whole) > columns);
});

describe.each(WIDTHS)("on %d columns", (columns) => {
  const values = Array.from({ length: 700 }, (_, i) => Math.exp(-i / 100));

  /** All that a demo says, but for what it computes. */
  async function reportOf(name: DemoName, width: number): Promise<string> {
    vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts"]);
    const log = vi.spyOn(console, "log").mockReturnValue();
    log.mockClear();
    await withStdout({ isTTY: true, columns: width }, () => {
      begin(name, {});
      line({ right_in_the_last_hundred_trials: 0.75, deviation_from_the_measured_changes: 12.5, seconds: "8.5" });
      end({
        figure: 0.123456,
        curve: { name: "a loss over the batches of all epochs", values },
        raster: { name: "spikes of the output neurons", spikes: () => tensor(values).gt(0.5).reshape([700, 1, 1]) },
      });
    });
    return log.mock.calls.flat().join("\n");
  }

  test.each(Object.keys(DEMOS) as DemoName[])(
    "terminal: the report of %s fits, without a broken word",
    async (name) => {
      const report = await reportOf(name, columns);
      expect(widest(report)).toBeLessThanOrEqual(columns);
      expect(wordsOf(report)).toEqual(wordsOf(await reportOf(name, 1000)));
      // The chart takes the width, with its labels.
      const chart = report.split("\n").filter((text) => /[┤│]/.test(text));
      expect(widest(chart.join("\n"))).toBe(columns);
    },
  );
});

test("terminal: a line goes on at its tab, keeps glued words together, and ends without spaces", () => {
  const text = `  next  \ta few words   and more${GLUE}of${GLUE}them`;
  expect(wrapped(text, 20)).toBe("  next  a few words\n        and\n        more of them");
  expect(wrapped(text, 100)).toBe("  next  a few words   and more of them");
  expect(wrapped("\x1b[1mab cd\x1b[0m ef", 5)).toBe("\x1b[1mab cd\x1b[0m\nef");
  expect(wrapped("--a-long-flag  \tits help in words", 20)).toBe(
    "--a-long-flag  its\n          help in\n          words",
  );
  expect(wrapped("abcdefgh ij", 4)).toBe("abcdefgh\nij");
});

test("terminal: a wide table comes in parts of about as many columns, with the names before each", () => {
  const rows = [
    ["rate", "1 Hz", "2 Hz", "3 Hz", "4 Hz", "5 Hz"],
    ["  all", "0.1", "", "-0.3", "0.4", "0.5"],
  ];
  expect(tableText(rows, 100)).toBe("rate   1 Hz  2 Hz  3 Hz  4 Hz  5 Hz\n  all   0.1        -0.3   0.4   0.5");
  expect(tableText(rows, 30)).toBe(
    "rate   1 Hz  2 Hz  3 Hz\n  all   0.1        -0.3\n\nrate   4 Hz  5 Hz\n  all   0.4   0.5",
  );
  expect(tableText(rows, 3).split("\n\n")).toHaveLength(5);
});

test("terminal: the table of a profile, read as cells, is the same table", () => {
  const text = profileText(profile(new Sequential(new Linear(4, 8), new IF({ threshold: 100 })), ones([10, 1, 4])));
  const rows = text.split("\n").map((row) => row.split(/ {2,}/));
  expect(tableText(rows, 100)).toBe(text);
  expect(widest(tableText(rows, 60))).toBeLessThanOrEqual(60);
});

test("terminal: a chart fits where its labels depend on its width", () => {
  const draw = (width: number) => `${"label".repeat(1 + (width % 3))}|${"x".repeat(width)}`;
  for (let columns = 12; columns < 40; columns++) expect(widest(chartText(draw, columns))).toBeLessThanOrEqual(columns);
  const wide = chartText((width) => traceText(tensor(Array.from({ length: 900 }, Math.sin)), { width }), 500);
  expect(widest(wide)).toBe(100);
});
