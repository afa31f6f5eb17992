import { memoryStats } from "jarvis-snn";
import { expect, test } from "vitest";
import { type BoundaryPicture, learn, MAP_SIDE } from "./tasks/boundary.ts";

test("boundary: the network learns the moons, its pictures change, and its end frees its memory", () => {
  const before = memoryStats().live;
  const pictures: BoundaryPicture[] = [];
  for (const message of learn(0, 10)) if (message.kind === "picture") pictures.push(message);
  expect(pictures.map(({ steps }) => steps)).toEqual(pictures.map((_, i) => 10 * i));
  const [first, last] = [pictures[0] as BoundaryPicture, pictures.at(-1) as BoundaryPicture];
  expect(first.accuracy).toBeLessThan(0.9);
  expect(last.accuracy).toBeGreaterThanOrEqual(0.97);
  expect(pictures.map(({ isLearned }) => isLearned).lastIndexOf(false)).toBe(pictures.length - 2);
  expect(last.map.length).toBe(MAP_SIDE ** 2);
  expect(last.map).not.toEqual(first.map);
  expect(memoryStats().live).toBe(before);
});
