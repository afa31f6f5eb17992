/** Recurrent neurons of fixed weights: their equations against a float64 loop, their drive and their noise. */
import { full, Generator, noGrad, tensor, zeros } from "jarvis-snn";
import { expect, test } from "vitest";
import { Attractor, type AttractorOptions, normal } from "./attractor.ts";

const OPTIONS: AttractorOptions = {
  weight: zeros([2, 2]),
  tauMs: { synapse: 20, membrane: 10 },
  refractorySteps: 3,
  noise: 0,
  draw: normal(new Generator(0)),
};

test("attractor: without noise its spikes are those of a float64 loop over the equations, also in pieces", () => {
  const weight = [
    [0.1, -0.9, 0.7],
    [1.3, 0.2, -0.4],
    [-0.8, 1.1, 0],
  ];
  const drive = [1.9, 0.6, 1.3];
  const [alpha, beta, T] = [Math.exp(-1 / 20), Math.exp(-1 / 10), 200];
  const [i, v, rest] = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ] as [number[], number[], number[]];
  let before = [0, 0, 0];
  const expected = Array.from({ length: T }, () => {
    const spikes = drive.map((d, k): number => {
      const fed = before.reduce((sum, s, j) => sum + s * (weight[k]?.[j] as number), 0);
      i[k] = alpha * (i[k] as number) + (1 - alpha) * d + fed;
      if ((rest[k] as number) > 0) {
        rest[k] = (rest[k] as number) - 1;
        return 0;
      }
      v[k] = beta * (v[k] as number) + (1 - beta) * (i[k] as number);
      if ((v[k] as number) < 1) return 0;
      [v[k], rest[k]] = [0, 3];
      return 1;
    });
    before = spikes;
    return [spikes];
  });
  const attractor = new Attractor({ ...OPTIONS, weight: tensor(weight) });
  expect(attractor.run(tensor([drive]), T).spikes.toArray()).toEqual(expected);
  expect(expected.flat(2).reduce((sum, s) => sum + s)).toBeGreaterThan(30);

  const first = attractor.run(tensor([drive]), 77);
  const second = attractor.run(tensor([drive]), T - 77, first.state);
  expect([...(first.spikes.toArray() as unknown[]), ...(second.spikes.toArray() as unknown[])]).toEqual(expected);
});

test("attractor: a constant drive becomes the current, and noise has the given deviation around it", () => {
  const attractor = new Attractor({ ...OPTIONS, noise: 0.3, draw: normal(new Generator(3)) });
  // Currents of many samples, long after the start, each of which is the sum of more than a hundred draws of noise.
  const { state } = attractor.run(full([4000, 2], 0.7), 200);
  const { i } = state;
  expect(noGrad(() => i.mean()).item()).toBeCloseTo(0.7, 2);
  expect(noGrad(() => i.std()).item()).toBeCloseTo(0.3, 2);
});

test("attractor: the seed of the generator decides the noise", () => {
  const run = (seed: number) =>
    new Attractor({ ...OPTIONS, noise: 1, draw: normal(new Generator(seed)) }).run(full([8, 2], 1), 100).spikes;
  expect(run(1).toFloat32Array()).toEqual(run(1).toFloat32Array());
  expect(run(1).toFloat32Array()).not.toEqual(run(2).toFloat32Array());
});
