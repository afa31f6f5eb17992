import { expect, test } from "vitest";
import { describe, drawNetworks, type Network, workloadOf } from "./networks.ts";

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

test("drawNetworks: two of each kind, within the ranges, the same again", () => {
  const all = SEEDS.flatMap(drawNetworks);
  expect(all.slice(0, 6).map(({ kind }) => kind)).toEqual(["fc", "fc", "recurrent", "recurrent", "conv", "conv"]);
  expect(new Set(all.map(describe)).size).toBe(all.length);
  expect(SEEDS.flatMap(drawNetworks)).toEqual(all);
  for (const { kind, T, batch, percent, widths, pixels } of all) {
    const isConv = kind === "conv";
    const drawn = isConv ? widths.slice(1) : widths;
    for (const width of drawn) {
      expect(width % 16).not.toBe(0);
      expect(width).toBeGreaterThanOrEqual(isConv ? 4 : 64);
      expect(width).toBeLessThanOrEqual(isConv ? 40 : 1200);
    }
    for (const [value, low, high] of [
      [T, 10, 100],
      [batch, 16, 256],
      [percent, 2, 15],
      ...(isConv ? [[pixels, 20, 40]] : []),
    ] as [number, number, number][]) {
      expect(value).toBeGreaterThanOrEqual(low);
      expect(value).toBeLessThanOrEqual(high);
    }
  }
});

const SMALL = { T: 3, batch: 2, percent: 30, pixels: 12, kernel: 3 };
const NETWORKS: readonly Network[] = [
  { ...SMALL, name: "a", kind: "fc", widths: [7, 5] },
  { ...SMALL, name: "b", kind: "recurrent", widths: [7, 5] },
  { ...SMALL, name: "c", kind: "conv", widths: [2, 3, 5] },
];

test.each(NETWORKS)("workloadOf: $kind takes steps on spikes that each turn draws", (network) => {
  const { step, prepare } = workloadOf(network, 1);
  expect(() => step()).toThrow();
  for (let turn = 0; turn < 2; turn++) {
    prepare?.();
    step();
    step();
  }
});
