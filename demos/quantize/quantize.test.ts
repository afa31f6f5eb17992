/** The network of tutorial 5 with few bits, small: it learns, and its file gives the same accuracy. */
import { Generator, rand, TensorDataset } from "jarvis-snn";
import { expect, test } from "vitest";
import { type Bits, fileOf, measured, measuredOf, trained } from "./train.ts";

/** Bright places of ten classes, in noise. */
function samples(count: number, seed: number): TensorDataset<Uint8Array> {
  const noise = rand([count, 64], { generator: new Generator(seed) }).toFloat32Array();
  const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
  const pixels = Uint8Array.from(noise, (x, at) => {
    const isBright = (at % 64) % 10 === (labels[Math.floor(at / 64)] as number);
    return 255 * (0.6 * x + (isBright ? 0.4 : 0));
  });
  return new TensorDataset(pixels, labels, { shape: [64], scale: 1 / 255 });
}

test.each<Bits>([null, 8, 4, 2, "ternary"])("quantize: a small network of %s bits learns", async (bits) => {
  const task = { train: samples(1280, 1), test: samples(500, 2), epochs: 12, hidden: 96, timesteps: 10, seed: 0 };
  const { model, accuracies } = await trained(task, bits);
  expect(accuracies.at(-1)).toBeGreaterThan(0.9);
  expect(measured(model, task)).toBe(accuracies.at(-1));
  if (bits !== null) expect(measuredOf(fileOf(model, bits), task)).toBe(accuracies.at(-1));
});
