/** Flags: what they accept, what they refuse and how they explain themselves. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Flags, parseFlags, readFlags } from "./options.ts";

const FLAGS = {
  epochs: { kind: "integer", default: 10, min: 1, help: "passes" },
  seed: { kind: "integer", default: 0, min: 0, help: "seed" },
  samples: { kind: "integer", default: 8, min: 1, max: 16, help: "samples" },
  lr: { kind: "number", default: 1e-3, help: "learning rate" },
  encode: { kind: "choice", default: "poisson", of: ["poisson", "ttfs"], help: "spike code" },
  data: { kind: "text", default: "", help: "folder" },
  brief: { kind: "switch", default: false, help: "few words" },
} satisfies Flags;

const parse = (...args: string[]) => parseFlags(FLAGS, args);

afterEach(() => vi.restoreAllMocks());

describe("parseFlags", () => {
  test("flags: without arguments they have their defaults", () => {
    expect(parse()).toEqual({ epochs: 10, seed: 0, samples: 8, lr: 1e-3, encode: "poisson", data: "", brief: false });
  });

  test("flags: values replace defaults, after a space or an equals sign", () => {
    expect(parse("--epochs", "3", "--lr=0.5", "--encode", "ttfs", "--data", "a b", "--seed=0", "--samples=16")).toEqual(
      {
        epochs: 3,
        seed: 0,
        samples: 16,
        lr: 0.5,
        encode: "ttfs",
        data: "a b",
        brief: false,
      },
    );
    expect(parse("--lr", "1e-2", "--epochs", "1e3")).toMatchObject({ lr: 0.01, epochs: 1000 });
  });

  test("flags: a number with a bound may lie at it", () => {
    const push = { kind: "number", default: 0, min: -1, help: "push" } as const;
    expect(parseFlags({ push }, ["--push=-1"])).toEqual({ push: -1 });
    expect(parseFlags({ push }, ["--push=0"])).toEqual({ push: 0 });
    for (const text of ["-1.1", "Infinity", "far"])
      expect(() => parseFlags({ push }, [`--push=${text}`])).toThrow(`--push: expected a number ≥ -1, got ${text}`);
  });

  test("flags: the last of several values counts", () => {
    expect(parse("--epochs", "3", "--epochs", "4")).toMatchObject({ epochs: 4 });
  });

  test("flags: help is null", () => {
    expect(parse("--help")).toBe(null);
    expect(parse("-h", "--epochs", "3")).toBe(null);
  });

  const wrong: [args: string[], message: string][] = [
    [["--epochs", "0"], "--epochs: expected an integer ≥ 1, got 0"],
    [["--epochs", "1.5"], "--epochs: expected an integer ≥ 1, got 1.5"],
    [["--epochs", "ten"], "--epochs: expected an integer ≥ 1, got ten"],
    [["--epochs", ""], "--epochs: expected an integer ≥ 1, got "],
    [["--epochs=NaN"], "--epochs: expected an integer ≥ 1, got NaN"],
    [["--seed=-1"], "--seed: expected an integer ≥ 0, got -1"],
    [["--seed", "1e16"], "--seed: expected an integer ≥ 0, got 1e16"],
    [["--samples=17"], "--samples: expected an integer from 1 to 16, got 17"],
    [["--samples=0"], "--samples: expected an integer from 1 to 16, got 0"],
    [["--lr", "0"], "--lr: expected a number > 0, got 0"],
    [["--lr=-1"], "--lr: expected a number > 0, got -1"],
    [["--lr", "Infinity"], "--lr: expected a number > 0, got Infinity"],
    [["--lr", "fast"], "--lr: expected a number > 0, got fast"],
    [["--encode", "rate"], "--encode: expected poisson, ttfs, got rate"],
  ];
  test.each(wrong)("flags: %j is refused", (args, message) => {
    expect(() => parse(...args)).toThrow(RangeError);
    expect(() => parse(...args)).toThrow(new RangeError(message));
  });

  test.each([
    [["--epoch", "3"], "flags: expected a known one, got --epoch; did you mean --epochs? --help lists the flags"],
    [["--epoch=3"], "flags: expected a known one, got --epoch; did you mean --epochs=3? --help lists the flags"],
    [["--sede=3"], "flags: expected a known one, got --sede; did you mean --seed=3? --help lists the flags"],
    [["-x"], "flags: expected a known one, got -x; --help lists the flags"],
    [["--colour=red"], "flags: expected a known one, got --colour; --help lists the flags"],
    [
      ["epochs=1"],
      "flags: expected words that begin with --, got epochs=1; did you mean --epochs=1? --help lists the flags",
    ],
    [["3"], "flags: expected words that begin with --, got 3; --help lists the flags"],
    [["--epochs"], "--epochs: expected a value, got none; --help lists the flags"],
    [["--brief=yes"], "--brief: expected no value, got yes; --help lists the flags"],
  ])("flags: %j is refused with the flag that was meant", (args, message) => {
    expect(() => parse(...args)).toThrow(new RangeError(message));
  });

  test("flags: a switch is false until it is there", () => {
    expect(parse("--brief")).toMatchObject({ brief: true });
  });
});

describe("readFlags", () => {
  /** Ends like process.exit, but as an error that tests can see. */
  function captureExit() {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    vi.spyOn(process, "exit").mockImplementation((code) => {
      throw new Error(`exit ${code}`);
    });
    return { log, error };
  }

  test("flags: good ones are returned", () => {
    expect(readFlags("A title.", FLAGS, ["--epochs", "2"])).toMatchObject({ epochs: 2 });
  });

  test("flags: a bad one prints the message alone and ends with 2", () => {
    const { log, error } = captureExit();
    expect(() => readFlags("A title.", FLAGS, ["--epochs", "0"])).toThrow("exit 2");
    expect(error.mock.calls).toEqual([["--epochs: expected an integer ≥ 1, got 0"]]);
    expect(log).not.toHaveBeenCalled();
  });

  test("flags: help prints title, flags, choices and defaults, and ends with 0", () => {
    const { log, error } = captureExit();
    expect(() => readFlags("A title.", FLAGS, ["--help"])).toThrow("exit 0");
    expect(error).not.toHaveBeenCalled();
    expect(log.mock.calls).toEqual([
      [
        [
          "A title.",
          "",
          "  --epochs N             passes (10)",
          "  --seed N               seed (0)",
          "  --samples N            samples (8)",
          "  --lr N                 learning rate (0.001)",
          "  --encode poisson|ttfs  spike code (poisson)",
          "  --data PATH            folder",
          "  --brief                few words",
          "  --help                 this text",
        ].join("\n"),
      ],
    ]);
  });
});
