import { createHash } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Learner, SETTINGS, STOP } from "../../../balance/balance.ts";
import { Pole } from "../../../balance/pole.ts";
import { DT, LIMITS, MOST_STEPS } from "../../../cartpole/environment.ts";
import { testGenerator } from "../../../cartpole/policy.ts";
import { CARTS, Scene, STEP_SECONDS, TRY, UPDATES } from "../balance/scene.ts";
import { type BalanceMessage, type BalanceOrder, type Moment, run } from "./tasks/balance.ts";

/** The time of the page passes as a test says. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

function started({ seed = 0, updates = 0, still = false }) {
  const messages: BalanceMessage[] = [];
  const turns = run({ seed, updates, still }, (message) => messages.push(message));
  const next = (...orders: BalanceOrder[]): number =>
    (turns.next(orders) as IteratorResult<number, void>).value as number;
  /** Lets so many milliseconds pass in turns. */
  const pass = (ms: number, ...orders: BalanceOrder[]): void => {
    next(...orders);
    for (let passed = 0; passed < ms; passed += 20) {
      vi.advanceTimersByTime(20);
      next();
    }
  };
  const last = (): BalanceMessage => messages.at(-1) as BalanceMessage;
  while (messages.length === 0) next();
  return { messages, next, pass, last };
}

function hashOf({ actor }: Learner): string {
  const hash = createHash("sha256");
  for (const p of actor.parameters()) hash.update(new Uint8Array(p.toFloat32Array().buffer));
  return hash.digest("hex");
}

function learned(seed: number, updates: number): Learner {
  const learner = new Learner(seed);
  while (learner.updates < updates) learner.next();
  return learner;
}

test("balance: the numbers of the picture are those of the demo", () => {
  expect([UPDATES, TRY, STEP_SECONDS, CARTS]).toEqual([SETTINGS.updates, DT * MOST_STEPS, DT, SETTINGS.carts]);
  expect(LIMITS.angle).toBeCloseTo(Math.PI / 15, 15);
});

test("balance: before the first press the pole falls in real time, and nothing learns", () => {
  const { messages, pass, last } = started({});
  pass(4000);
  const moments = messages.flatMap((message) => message.moments);
  expect(moments.length).toBe(200);
  expect([last().phase, last().updates, last().carts]).toEqual(["stopped", 0, []]);
  expect(last().falls).toBeGreaterThan(1);
  const { actor } = new Learner(0);
  const pole = new Pole(testGenerator(0));
  for (const { angle, counts, push } of moments) {
    const decision = pole.step(actor);
    expect(angle).toBe(pole.state[2]);
    const spikes = decision?.spikes.reduce((sum, spike) => sum + spike, 0) ?? null;
    expect(counts?.reduce((sum, n) => sum + n, 0) ?? null).toBe(spikes);
    expect(push).toBe(decision === null ? 0 : decision.pull > 0 ? 1 : -1);
  }
});

test("balance: time that nobody saw is not made up for", () => {
  const { messages, next } = started({});
  vi.advanceTimersByTime(60_000);
  next();
  expect(messages.at(-1)?.moments.length).toBe(5);
});

test("balance: sixteen carts learn until their tries last; the end is that of Node, and a kick moves the pole that stands", () => {
  const { messages, next, pass, last } = started({ seed: 3 });
  next({ kind: "learn" });
  const before = last().updates;
  pass(1200);
  // One update in 120 ms.
  expect(last().updates - before).toBe(10);
  expect([last().phase, last().hash, last().carts.length]).toEqual(["learning", "", CARTS]);
  next({ kind: "stop" });
  const stopped = last();
  expect(stopped.hash).toBe(hashOf(learned(3, stopped.updates)));
  pass(1000);
  expect([last().phase, last().updates]).toEqual(["stopped", stopped.updates]);
  pass(0, { kind: "learn" });
  while (last().phase === "learning") pass(100);
  const end = new Learner(3);
  while (!end.isDone) end.next();
  // A large pole that fell before does not change what learns.
  expect([last().phase, last().updates, last().hash]).toEqual(["learned", end.updates, hashOf(end)]);
  expect(last().lasted).toBeGreaterThan((TRY * STOP.most) / STOP.tries);

  while (last().stood < 1) pass(100);
  const { falls, updates } = last();
  const at = messages.length;
  pass(3000, { kind: "kick", turn: 0.7 });
  const kicked = messages.slice(at).flatMap(({ moments }) => moments);
  expect(kicked.filter(({ kick }) => kick !== 0).map(({ kick }) => kick)).toEqual([0.7]);
  const widest = (moments: readonly Moment[]): number => Math.max(...moments.map(({ angle }) => Math.abs(angle)));
  const still = messages.slice(0, at).flatMap(({ moments }) => moments);
  expect(widest(kicked.slice(0, 25))).toBeGreaterThan(1.5 * widest(still.slice(-25)));
  expect([last().falls, last().phase]).toEqual([falls, "learned"]);

  // A kick that no policy survives: it falls to the ground, and learning goes on from there.
  pass(200, { kind: "kick", turn: 8 });
  expect([last().falls, last().phase, last().hash]).toEqual([falls + 1, "learning", ""]);
  pass(1000);
  expect(last().updates).toBeGreaterThan(updates);
});

test("balance: a new policy begins from another seed", () => {
  const { next, last } = started({ updates: 3 });
  expect([last().phase, last().updates]).toEqual(["stopped", 3]);
  next({ kind: "begin", seed: 5 });
  vi.advanceTimersByTime(20);
  next();
  expect([last().phase, last().seed, last().falls]).toEqual(["learning", 5, 0]);
  next({ kind: "stop" });
  expect(last().hash).toBe(hashOf(learned(5, last().updates)));
});

test("balance: orders that come while a link is computed are heard after it", () => {
  const messages: BalanceMessage[] = [];
  const turns = run({ seed: 1, updates: 4, still: true }, (message) => messages.push(message));
  // The time of the turn is over after each update.
  const time = vi.spyOn(performance, "now");
  let now = 0;
  time.mockImplementation(() => (now += 30));
  turns.next([]);
  expect(messages.length).toBe(0);
  for (let i = 0; i < 6; i++) turns.next(i === 0 ? [{ kind: "learn" }] : []);
  time.mockRestore();
  expect(messages.map(({ updates, phase }) => [updates, phase]).slice(0, 2)).toEqual([
    [4, "stopped"],
    [4, "learning"],
  ]);
});

test("balance: where motion is unwanted, a picture is a try at its end; after a kick two seconds have passed", () => {
  const { messages, next, last } = started({ seed: 3, still: true });
  // The policy that has learned nothing falls, and lies.
  expect([last().falls, last().stood < 2]).toEqual([1, true]);
  expect(Math.abs(last().moments.at(-1)?.angle as number)).toBeGreaterThan(1);
  expect(next()).toBe(Number.POSITIVE_INFINITY);
  next({ kind: "learn" });
  while (last().phase === "learning") expect(next() === 0).toBe(last().phase === "learning");
  const shown = messages.map(({ updates }) => updates);
  expect(shown.slice(0, 4)).toEqual([0, 0, 20, 40]);
  const end = learned(3, last().updates);
  expect([end.isDone, last().hash]).toEqual([true, hashOf(end)]);
  next({ kind: "kick", turn: -0.7 });
  expect(last().moments.length).toBe(100);
  expect(last().moments[0]?.kick).toBe(-0.7);
});

test("balance: equal links give equal pictures", () => {
  const scenes = [0, 1].map(() => {
    const scene = new Scene();
    const turns = run({ seed: 2, updates: 25, still: true }, (message) => scene.show({ ...message, seconds: 0 }));
    while (scene.updates === 0) turns.next([]);
    return scene;
  });
  expect(scenes[0]?.moments.length).toBeGreaterThan(20);
  expect(scenes[0]).toEqual(scenes[1]);
});
