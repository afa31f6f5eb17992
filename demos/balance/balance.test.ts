import { Generator } from "jarvis-snn/core";
import { expect, test } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { MOST_STEPS } from "../cartpole/environment.ts";
import { testGenerator, testReturns } from "../cartpole/policy.ts";
import { Learner, SETTINGS, STOP, survivors } from "./balance.ts";

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

test("npm run demo -- balance: lines on the way, returns, kicks and the hash of the policy", async () => {
  const lines = await runDemo("balance", "--updates=30", "--episodes=5");
  expect(lines.length).toBe(3);
  expect(lines[0]).toMatch(/^updates=20 tries=\d+ last_tries_s=\d\.\d\d cpu_s=\d+\.\d$/);
  expect(lines[1]).toMatch(/^updates=30 /);
  expect(lines[2]).toMatch(
    /^mean_return=\d+\.\d\d worst=\d+ survive_kick=[01]\.\d\d learning_cpu_s=\d+\.\d hash=[0-9a-f]{64}$/,
  );
});
