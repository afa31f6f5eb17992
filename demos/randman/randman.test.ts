/** Random manifolds: the formula, the split, the code, that a small version learns from times alone, and what is printed. */
import { Generator, manualSeed, noGrad, rand, tensor } from "jarvis-snn";
import { afterEach, describe, expect, test, vi } from "vitest";
import { runDemo } from "../../test/support/demo.ts";
import { trainClassifier } from "../training.ts";
import { PAPER, randman } from "./data.ts";
import { RandmanNetwork, spikeTimes } from "./network.ts";

const SMALL = { ...PAPER, classes: 4, inputs: 10, samples: 300, dataSeed: 0 };

/** Smooth enough for few samples. */
const SMOOTH = { ...SMALL, inputs: PAPER.inputs, alpha: 2 };

afterEach(() => vi.restoreAllMocks());

describe("data", () => {
  test("randman: a tenth of the samples each for validation and test, classes in turn", () => {
    const { train, validation, test } = randman({ ...SMALL, inputs: 2 });
    expect([train.length, validation.length, test.length]).toEqual([4 * 240, 4 * 30, 4 * 30]);
    for (const { y, shape } of [train, validation, test]) {
      expect(shape).toEqual([2]);
      expect((y as Uint8Array).every((label, i) => label === i % 4)).toBe(true);
    }
  });

  test("randman: its seed alone decides", () => {
    const tiny = { ...SMALL, samples: 10, inputs: 2 };
    manualSeed(1);
    const first = randman(tiny).train.x;
    manualSeed(2);
    expect(randman(tiny).train.x).toEqual(first);
    expect(randman({ ...tiny, dataSeed: 1 }).train.x).not.toEqual(first);
  });

  test.each([1, 2])("randman: coordinates are those of the formula in float64, for manifolds of %i dimensions", (D) => {
    const [n, inputs, terms, alpha] = [40, 3, 1000, 1.5];
    const { train, validation, test } = randman({ classes: 1, inputs, dimensions: D, alpha, samples: n, dataSeed: 7 });
    const found = [train, validation, test].flatMap(({ x }) => Array.from(x));
    const generator = new Generator(7);
    const draw = (shape: number[]) => Array.from(noGrad(() => rand(shape, { generator }).toFloat32Array()));
    const parameters = draw([D, n, 1]);
    for (let i = 0; i < inputs; i++) {
      const f = new Array<number>(n).fill(1);
      for (let d = 0; d < D; d++) {
        const [a, b, c] = [0, 1, 2] as const;
        const coefficients = draw([3, terms]);
        for (let s = 0; s < n; s++) {
          let sum = 0;
          for (let k = 1; k <= terms; k++) {
            const at = (row: number) => coefficients[row * terms + k - 1] as number;
            const x = parameters[d * n + s] as number;
            sum += k ** -alpha * at(a) * Math.sin(2 * Math.PI * (k * at(b) * x + at(c)));
          }
          f[s] = (f[s] as number) * sum;
        }
      }
      const [low, high] = [Math.min(...f), Math.max(...f)];
      for (let s = 0; s < n; s++) {
        // Turns up to 1000 are rounded to 2⁻¹⁵ of a turn in float32.
        expect(found[s * inputs + i]).toBeCloseTo(((f[s] as number) - low) / (high - low), 3);
      }
    }
  });

  test("randman: the larger α, the smoother", () => {
    // Samples of neighbouring parameters differ less: the nearest of other samples in space is nearer.
    const nearest = (alpha: number): number => {
      const { x } = randman({ ...SMALL, classes: 1, alpha }).train;
      const points = Array.from({ length: 240 }, (_, s) => Array.from(x.subarray(10 * s, 10 * s + 10)));
      const distance = (p: number[], q: number[]) => Math.hypot(...p.map((value, i) => value - (q[i] as number)));
      const least = points.map((p, i) => Math.min(...points.filter((_, j) => j !== i).map((q) => distance(p, q))));
      return least.reduce((sum, value) => sum + value) / least.length;
    };
    expect(nearest(2)).toBeLessThan(0.5 * nearest(0.8));
  });
});

test("randman: each input fires once, at step 49 times its coordinate", () => {
  const spikes = noGrad(() => spikeTimes(tensor([[0, 0.25, 0.5, 0.999, 1]])));
  expect(spikes.shape).toEqual([100, 1, 5]);
  const data = spikes.toFloat32Array();
  const times = Array.from({ length: 5 }, (_, i) =>
    Array.from({ length: 100 }, (_, t) => t).filter((t) => data[5 * t + i] === 1),
  );
  expect(times).toEqual([[0], [12], [24], [49], [49]]);
});

test("randman: a small version tells four manifolds apart by spike times", async () => {
  const { train, validation } = randman(SMOOTH);
  manualSeed(0);
  const model = new RandmanNetwork({ inputs: SMOOTH.inputs, hidden: 64, classes: 4 });
  const history = await trainClassifier({ model, train, test: validation, epochs: 6, batchSize: 32, lr: 2e-2 });
  expect(history.at(-1)?.validation).toBeGreaterThan(0.85);
});

test("npm run demo -- randman: one line an epoch", async () => {
  const lines = await runDemo("randman", "--epochs=2", "--classes=2", "--samples=200", "--hidden=8");
  const epoch = /^epoch=(\d) loss=\d+\.\d{4} test_acc=[01]\.\d{4} train_s=\d+\.\d$/;
  expect(lines.map((line) => line.match(epoch)?.[1])).toEqual(["1", "2"]);
});
