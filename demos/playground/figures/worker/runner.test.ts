import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Answer, NOT_LOADED, type Run } from "./protocol.ts";
import { Runner } from "./runner.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Counts its turns, a millisecond each, and repeats what it is told. */
const counter: Run<{ wait: number }, unknown, string> = function* ({ wait }, send) {
  try {
    for (let turn = 1; ; turn++) {
      send(turn);
      for (const word of yield wait) send(word);
    }
  } finally {
    send("freed");
  }
};

function runner(run: Run<never, unknown, never> = counter as never) {
  const answers: Answer[] = [];
  const made = new Runner(
    async () => run as never,
    (answer) => answers.push(answer),
  );
  const said = (id: number): unknown[] =>
    answers.filter((answer) => answer.id === id).map((answer) => (answer.kind === "message" ? answer.message : answer));
  return { made, said };
}

const start = (made: Runner, id: number, wait: number): void =>
  made.obey({ kind: "start", id, name: "counter", parameters: { wait } });

test("runner: a task computes while it plays, and nothing while it rests", async () => {
  const { made, said } = runner();
  start(made, 1, 1);
  await vi.advanceTimersByTimeAsync(50);
  expect(said(1)).toEqual([]);
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(3);
  const turns = said(1).length;
  expect(turns).toBeGreaterThanOrEqual(2);
  made.obey({ kind: "rest", id: 1 });
  await vi.advanceTimersByTimeAsync(50);
  expect(said(1).length).toBe(turns);
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(3);
  expect(said(1).length).toBeGreaterThan(turns);
});

test("runner: a message ends the wait, and the one that comes before the first turn is heard too", async () => {
  const { made, said } = runner();
  start(made, 1, Number.POSITIVE_INFINITY);
  made.obey({ kind: "tell", id: 1, message: "early" });
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(50);
  expect(said(1)).toEqual([1, "early", 2]);
  made.obey({ kind: "tell", id: 1, message: "late" });
  await vi.advanceTimersByTimeAsync(50);
  expect(said(1)).toEqual([1, "early", 2, "late", 3]);
});

test("runner: two tasks have their turns side by side, and one that stops frees what it holds", async () => {
  const { made, said } = runner();
  for (const id of [1, 2]) {
    start(made, id, 1);
    made.obey({ kind: "play", id });
  }
  await vi.advanceTimersByTimeAsync(5);
  expect([said(1).length, said(2).length].every((turns) => turns > 2)).toBe(true);
  made.obey({ kind: "stop", id: 1 });
  expect(said(1).at(-1)).toBe("freed");
  const [first, second] = [said(1).length, said(2).length];
  await vi.advanceTimersByTimeAsync(5);
  expect(said(1).length).toBe(first);
  expect(said(2).length).toBeGreaterThan(second);
});

test("runner: an error ends its task and is told with its text", async () => {
  const { made, said } = runner(function* () {
    yield 0;
    throw new RangeError("LIF: beta must lie in [0, 1], got 2");
  });
  start(made, 1, 0);
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(50);
  const problem = { kind: "problem", id: 1, message: "LIF: beta must lie in [0, 1], got 2" };
  expect(said(1)).toEqual([problem]);
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(50);
  expect(said(1)).toEqual([problem]);
});

test("runner: a script that does not load is told", async () => {
  const answers: Answer[] = [];
  const made = new Runner(
    () => Promise.reject(new TypeError("Failed to fetch")),
    (answer) => answers.push(answer),
  );
  start(made, 1, 0);
  await vi.advanceTimersByTimeAsync(1);
  expect(answers).toEqual([{ kind: "problem", id: 1, message: NOT_LOADED }]);
});

test("runner: a turn that is due at once is asked for without a timer, and only the last plan for it holds", async () => {
  const calls: (() => void)[] = [];
  const answers: unknown[] = [];
  const made = new Runner(
    async () => counter as never,
    (answer) => answers.push(answer.kind === "message" ? answer.message : answer),
    (call) => calls.push(call),
  );
  start(made, 1, Number.POSITIVE_INFINITY);
  made.obey({ kind: "play", id: 1 });
  await vi.advanceTimersByTimeAsync(50);
  expect([calls.length, answers]).toEqual([1, []]);
  made.obey({ kind: "tell", id: 1, message: "one" });
  made.obey({ kind: "tell", id: 1, message: "two" });
  for (const call of calls.splice(0)) call();
  await vi.advanceTimersByTimeAsync(50);
  // The first turn hears nothing; what was said before it is heard in the second.
  expect([calls.length, answers]).toEqual([1, [1]]);
  for (const call of calls.splice(0)) call();
  await vi.advanceTimersByTimeAsync(50);
  expect(answers).toEqual([1, "one", "two", 2]);
});
