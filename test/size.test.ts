/** The budgets of the size check. */
import { expect, test } from "vitest";
import { difference, excesses, raised, strangers } from "../scripts/size.mjs";

const sizes = { page: { minified: 300, gzip: 1000 }, all: { minified: 3000, gzip: 2000 } };

test("size: what exceeds its budget is named with both numbers, what has none is not limited", () => {
  expect(excesses(sizes, { page: { bytes: 1000, reason: "" } })).toEqual([]);
  expect(excesses(sizes, { page: { bytes: 999, reason: "" } })).toEqual(["page must stay within 999 bytes, got 1000"]);
});

test("size: a raise sets each budget a margin above the size, and keeps the reason", () => {
  const budgets = raised(sizes, { page: { bytes: 10, reason: "before" } }, "a second neuron");
  expect(budgets).toEqual({ page: { bytes: 1030, reason: "a second neuron" } });
  expect(excesses(sizes, budgets)).toEqual([]);
});

test("size: a raise needs a reason", () => {
  expect(() => raised(sizes, {}, " ")).toThrow(/^size: expected a reason/);
});

test("size: an entry beside a page costs what the page with both has more", () => {
  const page = Buffer.from("export const a = 1;");
  const both = Buffer.concat([page, Buffer.from("export const b = [3, 1, 4, 1, 5];")]);
  const { minified, gzip } = difference(page, both);
  expect(minified).toBe(both.length - page.length);
  expect(gzip).toBeGreaterThan(0);
  expect(excesses({ added: { minified, gzip } }, { added: { bytes: gzip - 1, reason: "" } })).toHaveLength(1);
  expect(difference(page, page)).toEqual({ minified: 0, gzip: 0 });
});

test("size: modules of another entry are found, its own and those that all share are none", () => {
  const modules = ["/x/dist/chunks/engine.js", "/x/dist/snn/index.js", "/x/dist/snn/audio/index.js"];
  expect(strangers("jarvis-snn/audio", modules)).toEqual([]);
  expect(strangers("a training program", modules)).toEqual(["audio"]);
  expect(strangers("jarvis-snn/engine", ["/x/dist/engine/index.js", "/x/dist/engine/threads/index.js"])).toEqual([
    "threads",
  ]);
  const readers = ["/x/dist/chunks/recordings.js", "/x/dist/chunks/containers.js", "/x/dist/snn/events/index.js"];
  expect(strangers("jarvis-snn/events", readers)).toEqual([]);
  expect(strangers("jarvis-snn", readers)).toEqual(["events"]);
});
