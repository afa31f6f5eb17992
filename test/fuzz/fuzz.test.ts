import { afterEach, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../engine/core/backend.ts";
import { wasmHeap } from "../../engine/core/memory.ts";
import { memory } from "../../engine/core/wasm.ts";
import { memoryStats } from "../../engine/index.ts";
import { Pool } from "../../engine/threads/pool.ts";
import type { Kernels } from "../../kernels/build/types.ts";
import { TRIANGULAR } from "../../kernels/kinds.ts";
import * as layout from "../../kernels/lif-layout.ts";
import { ordersSoFar, startThreads, threadsNow } from "../support/sharing.ts";
import { replaced, slightlyWrong, wordOf } from "./broken.ts";
import { SURROGATE_NAMES } from "./calls.ts";
import { again } from "./command.ts";
import { compare } from "./compare.ts";
import { describe as describeFailure, fuzz } from "./fuzz.ts";
import { generate } from "./generate.ts";
import { print } from "./program.ts";
import { ROWS } from "./rows.ts";

const SEED = 20_250_101;

const THREADS = 3;
/** A program of so many runs with threads too. */
const EVERY = 4;

afterEach(() => startThreads(1));

test(`fuzz: 60 random programs of 50 ops, from seed ${SEED} on, agree with the reference, and ${THREADS} threads with one`, async () => {
  const { live } = memoryStats();
  await startThreads(THREADS);
  const before = ordersSoFar();
  const report = fuzz({ seed: SEED, programs: 60, every: EVERY });
  if (report.failure !== null) expect.fail(describeFailure(report.failure));
  expect(ordersSoFar() - before).toBeGreaterThan(200);
  await startThreads(1);
  expect(memoryStats().live).toBe(live);
  expect(report.programs).toBe(60);
  expect(report.ops).toBeGreaterThanOrEqual(50 * 60);
  // Few programs may end early, and every op has its turn.
  expect(report.abandoned).toBeLessThan(10);
  expect(Object.keys(ROWS).filter((op) => (report.deviations.get(op)?.count ?? 0) === 0)).toEqual([]);
});

/** Programs of layers whose spikes have one surrogate, enough of them that every loop over time meets it. */
const ofLayers = (surrogate: (typeof SURROGATE_NAMES)[number]) =>
  ({ seed: SEED, programs: 4, ops: ["LIF", "LIF", "RecurrentLIF", "spike", "mul"], surrogates: [surrogate] }) as const;

test.each(SURROGATE_NAMES)("fuzz: layers with the surrogate %s agree with the reference", (surrogate) => {
  const { failure, deviations } = fuzz(ofLayers(surrogate));
  if (failure !== null) expect.fail(describeFailure(failure));
  for (const layer of ["LIF", "RecurrentLIF", "spike"]) expect(deviations.get(layer)?.count).toBeGreaterThan(10);
});

test("fuzz: a seed gives the same program again", () => {
  expect(print(generate(SEED).program)).toBe(print(generate(SEED).program));
  expect(print(generate(SEED).program)).not.toBe(print(generate(SEED + 1).program));
});

describe("fuzz: finds", () => {
  /**
   * Runs programs of one op, and of what brings its arguments into range, until something is found, and expects it to be laid to the op.
   * So an op that is added changes nothing here: neither what is drawn nor which op meets a broken kernel first.
   */
  function found(op: string, backend: Backend, laidTo = op): string {
    const { failure } = fuzz({ seed: SEED, programs: 500, backend, ops: [op, "mul"] });
    expect(failure, "nothing was found").not.toBeNull();
    if (failure === null) return "";
    expect(failure.finding.op).toContain(laidTo);
    // What is left shows the same again.
    expect(compare(failure.program, new Map(), backend).finding?.op).toBe(failure.finding.op);
    expect(compare(failure.program, new Map()).finding).toBeNull();
    return describeFailure(failure);
  }

  // One of each kind: all of them take a while, `npm run fuzz -- --broken` does it.
  const cases: readonly (readonly [keyof Kernels, string])[] = [
    ["prodAxis", "prod"],
    ["softmaxGrad", "softmax"],
    ["firstSpike", "ttfsEncode"],
    ["lifBackward", "LIF"],
    ["crossEntropyGrad", "ceCountLoss"],
  ];
  test.each(cases)("%s that is off by a thousandth or a bit", (name, op) => {
    found(op, slightlyWrong(name));
  });

  test("a surrogate that the loop over time does not know", () => {
    const forgetful = replaced("lifBackward", (result, [descriptor]) => {
      const word = (number: number) => wordOf(descriptor as number, number);
      const steps = word(layout.stepDU) === 0 ? 1 : word(layout.T);
      const size = steps * word(layout.rows) * word(layout.n);
      if (word(layout.kind) === TRIANGULAR) new Float32Array(memory.buffer, word(layout.dU), size).fill(0);
      return result;
    });
    const { failure } = fuzz({ ...ofLayers("triangular"), backend: forgetful });
    // What LIF passes on is compared where it arrives, at another layer too.
    expect(["LIF", "RecurrentLIF"]).toContain(failure?.finding.op);
    expect(fuzz({ ...ofLayers("sigmoid"), backend: forgetful }).failure).toBeNull();
  });

  test("a gradient that is written instead of added", () => {
    const overwriting = replaced("sigmoidGrad", (result, [dx, dz, z, n]) => {
      const at = (p: number | undefined) => new Float32Array(memory.buffer, p, n);
      at(dx).set(at(dz).map((d, i) => d * (at(z)[i] as number) * (1 - (at(z)[i] as number))));
      return result;
    });
    found("sigmoid", overwriting);
  });

  test("one wrong element at the end of a long vector", () => {
    const short = replaced("exp", (result, [z, , n]) => {
      if (n !== undefined && n > 40 && n % 4 === 1) new Float32Array(memory.buffer, z, n)[n - 1] = 0;
      return result;
    });
    found("exp", short);
  });

  test("memory that is read before it is written", () => {
    const unwritten = replaced("relu", (result, [z, , n]) => {
      new Float32Array(memory.buffer, z, n)[0] = new Float32Array(
        memory.buffer,
        (z as number) + 4 * 60_000,
        1,
      )[0] as number;
      return result;
    });
    found("relu", unwritten);
  });

  test("memory that is not given back", () => {
    const leaking = replaced("relu", (result) => {
      wasmHeap.allocate(64);
      return result;
    });
    const report = found("relu", leaking, "memory");
    expect(report).toMatch(/^memory: \d+ bytes are still in use/);
  });

  test("a part of the work that a thread leaves undone", async () => {
    await startThreads(THREADS);
    const { run } = Pool.prototype;
    const spy = vi.spyOn(Pool.prototype, "run").mockImplementation(function (this: Pool, f, parts, argumentsOf) {
      return run.call(this, f, parts, (part) => argumentsOf(part === 2 ? 1 : part));
    });
    const { failure } = fuzz({ seed: SEED, programs: 500, ops: ["exp", "mul"] });
    spy.mockRestore();
    expect(failure).not.toBeNull();
    const text = failure === null ? "" : describeFailure(failure);
    expect(text).toMatch(/^\w+: v\d+, element \d+ of \d+: got .* with 3 threads, .* with one/);
    expect(text).toMatch(/npm run fuzz -- programs --seed \d+ --count 1 --threads 3$/);
  });

  test("an op that throws", () => {
    const throwing = replaced("exp", () => {
      throw new Error("out of order");
    });
    expect(found("exp", throwing, "crash")).toContain("out of order");
  });

  test("what an op does with NaN", () => {
    const hiding = replaced("sigmoid", (result, [z, , n]) => {
      const view = new Float32Array(memory.buffer, z, n);
      for (let i = 0; i < view.length; i++) if (Number.isNaN(view[i])) view[i] = 0;
      return result;
    });
    found("sigmoid", hiding);
  });
});

test.each([145, 284, 4030, 5626])(
  "fuzz: sums of many large values round, which cross-entropy shows (seed %d)",
  (seed) => {
    const ops = ["ceCountLoss", "mul", "div", "exp", "sum", "log", "pow", "reciprocal"] as const;
    expect(compare(generate(seed, { ops }).program, new Map()).finding).toBeNull();
  },
);

test("fuzz: a failure is cut down to what it needs and can be read", () => {
  const { failure } = fuzz({ seed: SEED, programs: 500, backend: slightlyWrong("prodAxis"), ops: ["prod", "mul"] });
  expect(failure).not.toBeNull();
  if (failure === null) return;
  expect(failure.program.items.length).toBeLessThan(4);
  const text = describeFailure(failure);
  expect(text).toMatch(/^prod: v\d+, element 0 of \d+: got /);
  expect(text).toMatch(/v\d+ = prod\(v\d+, \{/);
  expect(text.split("\n").at(-1)).toBe(again("programs", failure.seed, threadsNow()));
});
