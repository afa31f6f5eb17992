import { expect, test } from "vitest";
import { digitsFile } from "../../digits.ts";
import { type MnistMessage, run } from "./tasks/mnist.ts";

const file = Uint8Array.from(digitsFile()).buffer;

function started() {
  const messages: MnistMessage[] = [];
  const turns = run({ file }, (message) => messages.push(message));
  const count = (kind: MnistMessage["kind"]): number => messages.filter((each) => each.kind === kind).length;
  return { turns, count };
}

test("mnist: a turn is an epoch, and between two turns nothing is computed", async () => {
  const { turns, count } = started();
  expect(await turns.next([])).toEqual({ done: false, value: 0 });
  expect([count("batch"), count("progress"), count("epoch")]).toEqual([60, 60, 0]);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(count("batch")).toBe(60);
  await turns.next([]);
  expect([count("batch"), count("epoch"), count("end")]).toEqual([120, 1, 0]);
  await turns.return();
  expect([count("batch"), count("epoch"), count("end")]).toEqual([120, 2, 0]);
});

test("mnist: the end of the training is told", async () => {
  const { turns, count } = started();
  let epochs = 0;
  while (!(await turns.next([])).done) epochs++;
  expect([epochs, count("epoch"), count("end")]).toEqual([10, 10, 1]);
});
