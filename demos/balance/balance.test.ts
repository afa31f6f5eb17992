import { Generator } from "jarvis-snn/core";
import { expect, test } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { LIMITS, MOST_STEPS } from "../cartpole/environment.ts";
import { testGenerator, testReturns } from "../cartpole/policy.ts";
import { Learner, SETTINGS, STOP, survivors } from "./balance.ts";
import { Pole } from "./pole.ts";

/** Learns once for all tests. */
const returns: number[] = [];
const learner = new Learner(3);
while (!learner.isDone) returns.push(...learner.next().returns);

test("balance: learning stops when the policy balances each test episode and survives kicks", () => {
  const full = returns.slice(-STOP.tries).filter((steps) => steps === MOST_STEPS).length;
  expect(full).toBeGreaterThanOrEqual(learner.updates < STOP.after ? STOP.tries : STOP.most);
  expect(learner.updates).toBeLessThan(SETTINGS.updates);
  expect(Math.min(...testReturns(learner.actor, 100, testGenerator(3)))).toBeGreaterThanOrEqual(400);
  expect(survivors(learner.actor, 0.7, 20, new Generator(5))).toBeGreaterThanOrEqual(0.95);
  expect(survivors(learner.actor, 6, 20, new Generator(5))).toBe(0);
});

test("balance: a schedule that is over has no further update", () => {
  const last = new Learner(0);
  last.updates = SETTINGS.updates - 1;
  expect(last.isDone).toBe(false);
  last.next();
  expect([last.isOver, last.isDone]).toEqual([true, true]);
});

test("balance: a pole that nobody has taught falls to the ground, lies, and is set up again after 0.9 s", () => {
  const { actor } = new Learner(0);
  const pole = new Pole(new Generator(0));
  for (let fall = 0; fall < 20; fall++) {
    while (pole.fallen === 0) expect(pole.step(actor)).not.toBeNull();
    const [x, , angle] = pole.state as unknown as [number, number, number];
    expect(Math.abs(x) > LIMITS.position || Math.abs(angle) > LIMITS.angle).toBe(true);
    expect(pole.stood).toBeLessThan(MOST_STEPS);
    let steps = 1;
    for (let before = Math.abs(angle); pole.fallen > 0; steps++) {
      const now = Math.abs(pole.state[2] as number);
      // The steps are small, and it never rises from the ground.
      expect(now - before).toBeLessThan(0.2);
      if (before === Math.PI / 2) expect(now).toBe(before);
      before = now;
      pole.kick(3); // has no effect
      expect(pole.step(actor)).toBeNull();
    }
    expect(steps).toBe(46);
    expect(pole.stood).toBe(0);
    expect(Math.max(...pole.state.map(Math.abs))).toBeLessThanOrEqual(0.05);
  }
});

test("balance: the pole that is watched takes the decisions of the test episodes, until a hard kick", () => {
  const { actor } = learner;
  const pole = new Pole(testGenerator(3));
  const [lasted] = testReturns(actor, 1, testGenerator(3));
  const spikes = new Set<number>();
  while (pole.fallen === 0 && pole.stood < MOST_STEPS) {
    const decision = pole.step(actor);
    for (const spike of decision?.spikes ?? []) spikes.add(spike);
    expect(decision?.spikes.length).toBe(512);
  }
  expect([pole.stood, spikes]).toEqual([lasted, new Set([0, 1])]);
  pole.kick(0.7);
  for (let i = 0; i < 250; i++) pole.step(actor);
  expect(pole.stood).toBe(MOST_STEPS + 250);
  pole.kick(6);
  for (let i = 0; i < 20; i++) pole.step(actor);
  expect(pole.fallen).toBeGreaterThan(0);
});

test("balance: after a fall learning goes on until later tries have lasted", () => {
  const { updates } = learner;
  learner.goOn();
  expect(learner.isDone).toBe(false);
  let tries = 0;
  while (tries < STOP.tries) {
    expect(learner.isDone).toBe(false);
    tries += learner.next().returns.length;
  }
  expect(learner.updates).toBeGreaterThan(updates);
});

test("npm run demo -- balance: lines on the way, returns, kicks and the hash of the policy", async () => {
  const lines = await runDemo("balance", "--updates=30", "--episodes=5");
  expect(lines.length).toBe(3);
  expect(lines[0]).toMatch(/^updates=20 tries=\d+ last_tries_s=\d\.\d\d cpu_s=\d+\.\d$/);
  expect(lines[1]).toMatch(/^updates=30 /);
  expect(lines[2]).toMatch(
    /^mean_return=\d+\.\d\d worst=\d+ survive_kick=[01]\.\d\d learning_cpu_s=\d+\.\d hash=[0-9a-f]{64}$/,
  );
});
