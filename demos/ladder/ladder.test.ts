import { readFileSync } from "node:fs";
import { Generator } from "jarvis-snn";
import { expect, test } from "vitest";
import { changedRungs, declaration, keptRun, pageOf } from "../../scripts/ladder.mjs";
import { collected } from "../../test/support/garbage.ts";
import { Tensor } from "../nano/nano.ts";
import { type Batch, toyBatch } from "./batches.ts";
import { allRungs, equalToPackage, measure } from "./measure.ts";
import { B, type Training, TUTORIAL5 } from "./rung.ts";
import { ops } from "./rungs/memory.ts";
import { LADDER } from "./words.ts";

const SEED = 5;
const toys = Array.from({ length: 4 }, (_, i) => toyBatch(B, new Generator(i)));

/** Images of which a fifth of the pixels is not 0, as in MNIST. */
const images: Batch = {
  x: Float32Array.from(toyBatch(B * 25, new Generator(9)).x.subarray(0, B * TUTORIAL5.inputs), (value) =>
    value > 0.8 ? value : 0,
  ),
  y: Uint8Array.from({ length: B }, (_, b) => b % TUTORIAL5.classes),
};

/** Losses of so many steps. */
const train = ({ step }: Training, batches: readonly Batch[], steps: number): number[] =>
  Array.from({ length: steps }, (_, i) => {
    const { x, y } = batches[i % batches.length] as Batch;
    return step(x, y);
  });

const FROM_SIMD = ["simd", "bits", "memory", "package", "threads"] as const;

test.each([
  { network: "toy", batches: toys, steps: 20 },
  { network: "tutorial5", batches: [images], steps: 3 },
] as const)("ladder: from SIMD on losses and weights of $network have the bits of the package", async (row) => {
  const { network, batches, steps } = row;
  const losses: number[][] = [];
  const trainings: Record<string, Training> = {};
  for (const name of FROM_SIMD) {
    const { [network]: make, enter, leave } = allRungs[name];
    const training = (make as NonNullable<typeof make>)(SEED);
    await enter?.();
    losses.push(train(training, batches, steps));
    await leave?.();
    trainings[name] = training;
  }
  for (const row of losses) expect(row).toEqual(losses[0]);
  expect(new Set(losses[0]).size).toBe(steps);
  expect(equalToPackage(trainings)).toEqual(FROM_SIMD);
});

test("ladder: arrays and compiled loops have the losses of the package to 10⁻⁵", () => {
  const [expected, ...others] = (["package", "arrays", "loops"] as const).map((name) =>
    train(allRungs[name].toy(SEED), toys, 4),
  );
  for (const losses of others) {
    for (const [i, loss] of losses.entries()) expect(Math.abs(loss - (expected?.[i] as number))).toBeLessThan(1e-5);
  }
});

test("ladder: scalars have the losses of the package to 10⁻⁵, for one sample and five steps", () => {
  const batches = [1, 2, 3].map((seed) => toyBatch(1, new Generator(seed)));
  const [expected, losses] = (["package", "scalars"] as const).map((name) =>
    train(allRungs[name].toy(SEED, { T: 5 }), batches, 6),
  ) as [number[], number[]];
  for (const [i, loss] of losses.entries()) expect(Math.abs(loss - (expected[i] as number))).toBeLessThan(1e-5);
  expect(new Set(losses).size).toBe(6);
});

test("ladder: the played tape serves batches of several sizes in turns", () => {
  const small = toyBatch(7, new Generator(8));
  const batches = [toys[0] as Batch, small, toys[1] as Batch, small];
  const [expected, losses] = (["package", "memory"] as const).map((name) =>
    train(allRungs[name].toy(SEED), batches, 6),
  );
  expect(losses).toEqual(expected);
});

test("ladder: a tensor of the played tape that is read twice is refused, as its gradient would be overwritten", () => {
  const [W, b] = [new Tensor([2, 2]).set([1, 0, 0, 1]), new Tensor([2]).set([0, 0])];
  const twice = ops.training(2, (x) => {
    const z = ops.linear(x, W, b);
    ops.linear(z, W, b);
    return ops.linear(z, W, b);
  });
  expect(() => twice([1, 2], [0])).toThrow("expected one reader of each tensor, whose gradient it overwrites, got two");
});

test("ladder: a step of the played tape leaves less than a fifth of the garbage of a step before it", async () => {
  const batch = toyBatch(32, new Generator(1));
  const garbage: number[] = [];
  for (const name of ["bits", "memory"] as const) {
    const training = allRungs[name].toy(SEED);
    train(training, [batch], 150);
    await collected();
    const before = process.memoryUsage().heapUsed;
    train(training, [batch], 50);
    garbage.push(process.memoryUsage().heapUsed - before);
  }
  const [bits, memory] = garbage as [number, number];
  expect(memory).toBeLessThan(bits / 5);
});

test("ladder: a measurement has the time of each rung, and only scalars stand for a whole step by a part", async () => {
  const whole = toyBatch(B, new Generator(1));
  const rounds: number[] = [];
  const { times, trainings } = await measure("toy", whole, SEED, 5, (done) => rounds.push(done));
  expect(rounds).toEqual([4, 5]);
  expect(Object.keys(times)).toEqual(Object.keys(trainings));
  expect(Object.keys(times)).toEqual(["scalars", "arrays", "loops", ...FROM_SIMD]);
  for (const ms of Object.values(times)) expect(ms).toBeGreaterThan(0);
  expect(equalToPackage(trainings)).toEqual(FROM_SIMD);
});

test("docs/ladder.md: figures and sources are those of the kept run and of the rungs", () => {
  const page = readFileSync(new URL("../../docs/ladder.md", import.meta.url), "utf8");
  expect(pageOf(page, LADDER), "npm run ladder -- --stored writes it").toBe(page);
  for (const { shown } of LADDER) {
    expect(declaration(shown).split("\n")[0]?.startsWith(shown.begins)).toBe(true);
    expect(page).toContain(`\n${declaration(shown)}\n`);
  }
});

test("ladder: a rung whose sources have changed since the kept run is found", async () => {
  const kept = keptRun();
  const changed = await changedRungs(kept);
  const rungs = { ...kept.rungs, bits: { ...kept.rungs.bits, digest: "of other sources" } };
  expect(new Set(await changedRungs({ ...kept, rungs }))).toEqual(new Set([...changed, "bits"]));
});

test("ladder: a declaration that is not there is an error", () => {
  const shown = { file: "demos/nano/nano.ts", begins: "function nowhere(" };
  expect(() => declaration(shown)).toThrow("expected a line of demos/nano/nano.ts that begins with function nowhere(");
});
