/** The figure's bump is that of the demo, remembers its cue, and leaves the trail of its spikes. */
import { expect, test } from "vitest";
import { Bump, CUE_MS, STORY_MS, story } from "../../../ring/bump.ts";
import { directionAt } from "./paint.ts";
import { Play } from "./play.ts";
import { CELL_MS, Trail } from "./trail.ts";

test("ring: frames of any length give the bits of the demo's story", () => {
  const beginning = { angle: 220, size: 32, push: -0.5 };
  const play = new Play(beginning);
  const frames = [1, 33, 47, 100];
  for (let i = 0; play.time < STORY_MS + 200; i++) play.pass(frames[i % frames.length] as number);
  expect(play.hash).toBe(story(new Bump(beginning.size), beginning).hash);
  expect([play.cue, play.left, play.leftTime]).toEqual([null, 220, CUE_MS]);
});

test("ring: a short touch is a cue of half a second, and a long one ends when it is released", () => {
  const play = new Play({ angle: 40, size: 32, push: 0 });
  play.pass(600);
  play.hold(90);
  play.release();
  play.pass(CUE_MS - 1);
  expect([play.cue, play.left]).toEqual([90, 40]);
  play.pass(1);
  expect([play.cue, play.left, play.leftTime]).toEqual([null, 90, 600 + CUE_MS]);
  play.hold(180);
  play.pass(700);
  expect([play.cue, play.left]).toEqual([180, 90]);
  play.release();
  play.pass(20);
  expect([play.cue, play.left]).toEqual([null, 180]);
});

test("ring: while it is silent nothing fires, then it goes on", () => {
  const play = new Play({ angle: 40, size: 32, push: 0 });
  play.pass(1000);
  play.silence();
  play.pass(20);
  expect([play.isSilent, play.direction]).toEqual([true, null]);
  play.pass(400);
  expect(play.isSilent).toBe(false);
  expect(play.direction).not.toBeNull();
});

test("ring: cells with spikes are joined to runs, and are forgotten after three seconds", () => {
  const trail = new Trail(64);
  const runs = (now: number, young: number, old: number) => {
    const found: number[][] = [];
    trail.runs(now, young, old, (...run) => found.push(run));
    return found;
  };
  // Both rings share a trail: neuron 64 + 5 has the direction of neuron 5.
  trail.add(0, 5);
  trail.add(CELL_MS, 64 + 5);
  trail.add(3 * CELL_MS, 5);
  trail.add(3 * CELL_MS + 1, 9);
  trail.reach(100);
  expect(runs(100, 0, 3000)).toEqual([
    [5, 0, 2 * CELL_MS],
    [5, 3 * CELL_MS, 4 * CELL_MS],
    [9, 3 * CELL_MS, 4 * CELL_MS],
  ]);
  // Two parts of the time share no cell.
  expect([...runs(100, 0, 70), ...runs(100, 70, 3000)].length).toBe(3);
  trail.reach(3200);
  expect(runs(3200, 0, 3000)).toEqual([]);
});

test("ring: larger rings show one direction in some", () => {
  const trail = new Trail(256);
  trail.add(0, 1);
  trail.add(0, 6);
  const found: number[] = [];
  trail.runs(10, 0, 3000, (direction) => found.push(direction));
  expect([trail.count, found]).toEqual([128, [3]]);
});

test("ring: places around the middle are directions clockwise from the top, and the middle is none", () => {
  const at = [
    [200, 10],
    [390, 200],
    [200, 390],
    [10, 200],
  ].map(([x, y]) => directionAt(x as number, y as number, 400));
  expect(at.map((degrees) => Math.round(degrees as number))).toEqual([0, 90, 180, -90]);
  expect(directionAt(205, 195, 400)).toBeNull();
});
