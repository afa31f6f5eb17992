import { expect, test } from "vitest";
import type { PictureParameters } from "../pressed.ts";
import { run } from "../worker/tasks/ladder.ts";
import { emptyRace, nextLane, RACING, type Race, raceOf, sentenceOf, stepMs, timesFaster } from "./model.ts";

test("race: the lane that has had the least time is next", () => {
  const race = { ...emptyRace(), lanes: [3, 1, 2].map((ms) => ({ steps: 1, ms })) };
  expect(nextLane(race)).toBe(1);
  expect(nextLane(emptyRace())).toBe(0);
});

test("race: the times of a step give the steps of a second, and how many times faster a lane is", () => {
  const { lanes } = raceOf([500, 20]);
  expect(lanes.map(({ steps }) => steps)).toEqual([2, 50]);
  expect(lanes.map(stepMs)).toEqual([500, 20]);
  const [first, second] = lanes as [(typeof lanes)[number], (typeof lanes)[number]];
  expect(timesFaster(second, first)).toBe(25);
  expect(timesFaster({ steps: 0, ms: 0 }, first)).toBe(null);
});

test("race: the sentence has the number of equal steps, and is empty before the first", () => {
  expect(sentenceOf(emptyRace())).toBe("");
  const sentence = (steps: number) => sentenceOf({ ...emptyRace(), equal: { steps, loss: 0.5 } });
  expect(sentence(1)).toBe("Rungs 4 to 7 have equal losses in their first step, to the bit: now 0.500000.");
  expect(sentence(12)).toBe(
    "Rungs 4 to 7 have equal losses in each of their first 12 steps, to the bit: now 0.500000.",
  );
});

test("race: each rung has its turn, takes steps, and the losses from SIMD on are equal", () => {
  const races: Race[] = [];
  const parameters: PictureParameters = { pictureMs: 0 };
  const turns = run(parameters, (race) => races.push(race)) as Generator<number, void>;
  for (let i = 0; i < 2 * RACING.length; i++) expect(turns.next().value).toBe(0);
  const { lanes, equal } = races.at(-1) as Race;
  expect(races.length).toBe(2 * RACING.length);
  for (const { steps, ms } of lanes) {
    expect(steps).toBeGreaterThan(0);
    expect(ms).toBeGreaterThan(0);
  }
  expect(equal?.steps).toBeGreaterThan(0);
  expect((lanes[0] as Race["lanes"][number]).steps).toBeLessThan(1);
});
