/** The command line, and the lines that it prints to draw a finding again. */
import { expect, test } from "vitest";
import { again, commandOf, PARTS } from "./command.ts";

test.each(PARTS)("fuzz: the command line reads the command that a finding of %s prints", (part) => {
  for (const threads of [1, 3]) {
    const [, args] = /^again: npm run fuzz -- (.*)$/.exec(again(part, 7, threads)) ?? [];
    expect(commandOf((args as string).split(" "))).toEqual({
      parts: [part],
      seed: 7,
      count: 1,
      threads,
      broken: false,
    });
  }
});

test("fuzz: the command line refuses other parts, options and numbers", () => {
  expect(() => commandOf(["programmes"])).toThrow(
    "fuzz: expected programs, attack, steps, neurons, rules, events, expressions, got programmes",
  );
  expect(() => commandOf(["steps", "--broken"])).toThrow("fuzz: expected programs, attack, got steps");
  expect(() => commandOf(["--programs", "1"])).toThrow("'--programs'");
  expect(() => commandOf(["--seed=-1"])).toThrow("fuzz: expected --seed to be a number ≥ 0, got -1");
});
