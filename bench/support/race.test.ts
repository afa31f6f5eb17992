import { expect, test } from "vitest";
import { addGroups, hardest } from "./race.ts";
import type { Rows } from "./report.ts";

const slower = { value: 4, times: { ours: 1, eager: 4 } };
const faster = { value: 3, times: { ours: 1, loop: 3 } };
const missing = { missing: "no PyTorch" };

test("hardest: the peer that is nearest to us, or why none was measured", () => {
  expect(hardest([slower, faster])).toBe(faster);
  expect(hardest([missing, slower])).toBe(slower);
  expect(hardest([missing, missing])).toBe(missing);
});

test("addGroups: a row against the faster of the peers that a workload raced with", () => {
  const rows: Rows = { "a/torch": slower, "a/torch-loop": faster, "b/torch": slower };
  addGroups(rows, [
    { name: "a", rivals: ["threads", "torch", "torch-loop"] },
    { name: "b", rivals: ["torch"] },
  ]);
  expect(rows).toEqual({ "a/torch": slower, "a/torch-loop": faster, "b/torch": slower, "a/pytorch": faster });
});
