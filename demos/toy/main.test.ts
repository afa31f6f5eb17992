import { afterEach, expect, test, vi } from "vitest";
import { DEMOS } from "../list.ts";
import { FEATURES } from "./data.ts";

afterEach(() => vi.restoreAllMocks());

test("npm start: its words name the task that it trains", () => {
  expect(DEMOS.toy.source).toContain(`sum of ${FEATURES} features`);
});

test("npm start: prints one line an epoch, and one for the run", async () => {
  const flags = ["--epochs=2", "--timesteps=4", "--hidden=8", "--batch-size=256"];
  vi.spyOn(process, "argv", "get").mockReturnValue(["node", "main.ts", ...flags]);
  const lines: string[] = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  await import("./main.ts");
  const epoch = /^epoch=(\d) loss=\d\.\d{4} test_acc=[01]\.\d{4} train_s=\d+\.\d{3}$/;
  expect(lines.length).toBe(3);
  expect(lines.slice(0, 2).map((line) => line.match(epoch)?.[1])).toEqual(["1", "2"]);
  expect(lines[2]).toMatch(/^firing_rate=0\.\d{4} total_s=\d+\.\d{3}$/);
});
