/** The search for a difference, and the cut down to what shows it. */
import { expect, test } from "vitest";
import { again } from "./command.ts";
import { firstDiffering, type Kind } from "./differing.ts";

/** Lists from 1 to the seed that differ where they have a 3; without a 1 they are an error. */
const lists: Kind<number[]> = {
  part: "steps",
  generate: (seed) => Array.from({ length: seed }, (_, i) => i + 1),
  compare: (list) => (list.includes(1) ? (list.includes(3) ? `3 of ${list}` : null) : "RangeError: no 1"),
  values: (list) => [["list", list]],
  *smallerThan(list) {
    for (const x of list) yield list.filter((y) => y !== x);
  },
  print: (list) => `list ${list}`,
};

test("fuzz: the first that differs is cut down to what differs, and not to an error that a part left out brings about", () => {
  expect(firstDiffering(lists, 1, 2)).toBe(null);
  expect(firstDiffering(lists, 1, 5)).toBe(`seed 3: 3 of 1,3\nlist 1,3\n\n${again("steps", 3)}`);
});
