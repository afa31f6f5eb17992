/** Pictures of the demos: every demo that trains draws its sheet, and the curves and neurons that are shown. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tensor } from "jarvis-snn";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../test/support/demo.ts";
import { drawingAt, meansOf, noted, sampleTitle, strideOf, trainingRow } from "./drawing.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drawing-"));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

/** The texts of an SVG; throws where a tag is not closed in its place, or there is no single root. */
function textsOf(svg: string): string[] {
  const open: string[] = [];
  const texts: string[] = [];
  let end = 0;
  for (const { 0: tag, 1: slash, 2: name, 3: empty, index } of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/gi)) {
    const text = svg.slice(end, index).trim();
    if (text !== "") texts.push(text);
    end = index + tag.length;
    if (slash === "/") {
      expect(open.pop(), tag).toBe(name);
    } else {
      expect(open.length > 0 || index === 0, "a single root").toBe(true);
      if (empty === "") open.push(name as string);
    }
  }
  expect(open).toEqual([]);
  expect(svg.slice(end).trim()).toBe("");
  expect(texts.filter((text) => /[<>]/.test(text))).toEqual([]);
  return texts;
}

describe("demos --svg", () => {
  const small = ["--epochs=2", "--limit=64", "--timesteps=2"];
  const held = [...small, "--measure=validation"];
  test.each([
    ["toy", ["--epochs=2", "--hidden=8"], ["Accuracy: test", "input", "hidden layer", "Logits read"]],
    ["mnist", [...small, "--hidden=200"], ["spike count", "membrane", "one in 3 of 200", "output", "Output neurons"]],
    ["mnist", [...small, "--epochs=1", "--layers=2", "--encode=ttfs"], ["· accuracy: spike count", "hidden layer 2"]],
    ["conv", held, ["Accuracy: validation", "first convolution", "second convolution", "Logits"]],
    ["fashion", [...held, "--hidden=8"], ["hidden layer", "Logits read"]],
    [
      "randman",
      ["--epochs=2", "--classes=3", "--samples=50", "--hidden=8"],
      ["time (ms)", "input", "Integrators, classes 0 … 2"],
    ],
    [
      "sequence",
      ["--epochs=2", "--hidden=8"],
      ["input", "layer 1", "layer 2", "Readout", "decays β", "thresholds θ", "end − start"],
    ],
  ])("%s %j: a sheet of charts, and a last line with its path", async (name, flags, shown) => {
    const path = join(folder, "new folder", "sheet.svg");
    expect((await runDemo(name, ...flags, `--svg=${path}`)).at(-1)).toBe(`saved=${path}`);
    const svg = readFileSync(path, "utf8");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const texts = textsOf(svg);
    for (const part of ["Loss", "Sample", "epoch", ...shown]) {
      expect(
        texts.some((text) => text.includes(part)),
        part,
      ).toBe(true);
    }
  });

  test("without a path nothing is drawn, and no package is loaded", async () => {
    const rows = vi.fn(() => []);
    await (await drawingAt(""))("none", rows);
    expect(rows).not.toHaveBeenCalled();
  });

  test("a path that cannot be written is an error before the training, and an earlier picture stays until then", async () => {
    await expect(drawingAt(folder)).rejects.toThrow("EISDIR");
    const path = join(folder, "earlier.svg");
    writeFileSync(path, "<svg/>");
    await drawingAt(path);
    expect(readFileSync(path, "utf8")).toBe("<svg/>");
  });

  test("a sheet names its demo, with signs that markup keeps for itself", async () => {
    vi.spyOn(console, "log").mockImplementation(() => {});
    const path = join(folder, "a.svg");
    const draw = await drawingAt(path);
    expect(existsSync(path)).toBe(true);
    await draw("a < b & c", (plot) => [trainingRow(plot, { x: [1], y: [2] }, { test: [0.5] })]);
    expect(textsOf(readFileSync(path, "utf8"))[0]).toBe("a &lt; b &amp; c");
  });
});

test("losses: each batch is noted at its part of the epoch, and reported on", () => {
  const onBatch = vi.fn();
  const { losses, callbacks } = noted({ onBatch, onEpoch: () => {}, progress: () => {} }, 4);
  const reports = [
    { epoch: 1, batch: 2, loss: 3, size: 8 },
    { epoch: 2, batch: 4, loss: 1, size: 8 },
  ];
  for (const report of reports) callbacks.onBatch(report);
  expect(losses).toEqual({ x: [0.5, 2], y: [3, 1] });
  expect(onBatch.mock.calls.flat()).toEqual(reports);
});

test("losses: means of a few batches each, the last one of those that are left", () => {
  const losses = { x: [1, 2, 3, 4, 5], y: [2, 4, 6, 8, 1] };
  expect(meansOf(losses, 2)).toEqual({ x: [1.5, 3.5, 5], y: [3, 7, 1] });
  expect(meansOf(losses, 1)).toEqual(losses);
});

test("rasters: at most 128 neurons, from all columns of an image", () => {
  expect([10, 128, 129, 784, 1024].map(strideOf)).toEqual([1, 1, 2, 9, 9]);
  const columns = new Set(Array.from({ length: 88 }, (_, i) => (i * strideOf(784)) % 28));
  expect(columns.size).toBe(28);
});

test("titles: the answer is the class of the largest logit", () => {
  const sample = { index: 3, label: 2, x: tensor([0]) };
  expect(sampleTitle(sample, tensor([[1, 5, 2]]))).toBe("Sample 3: class 2, answer 1");
});
