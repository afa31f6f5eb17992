import { type Module, noGrad, rand } from "jarvis-snn";
import { expect, test } from "vitest";
import { Csnn, NorseCifar, SewResNet18 } from "./deep.ts";
import { Spikformer } from "./spikformer.ts";

const weights = (model: Module): number => model.parameters().reduce((sum, { size }) => sum + size, 0);

test("SEW-ResNet-18 has as many weights as ResNet-18 of ten classes, and an output an image", () => {
  const model = new SewResNet18();
  expect(weights(model)).toBe(11_181_642);
  expect(model.parameters().length).toBe(62);
  expect(noGrad(() => model.forward(rand([2, 3, 3, 32, 32])).shape)).toEqual([3, 10]);
});

test("CSNN of 128 channels has 13 million weights, and rates of ten outputs", () => {
  expect(weights(new Csnn(128))).toBe(13_014_656);
  expect(noGrad(() => new Csnn(3).forward(rand([2, 4, 1, 28, 28])).shape)).toEqual([4, 10]);
});

test("Norse's network for CIFAR-10 has a million weights, and an output an image", () => {
  const model = new NorseCifar();
  expect(weights(model)).toBe(1_001_152);
  expect(noGrad(() => model.forward(rand([2, 3, 3, 32, 32])).shape)).toEqual([3, 10]);
});

test("a Spikformer of two blocks has 644 506 weights, and an output an image", () => {
  const model = new Spikformer(128, 4, 2);
  expect(weights(model)).toBe(644_506);
  expect(noGrad(() => model.forward(rand([2, 3, 3, 32, 32])).shape)).toEqual([3, 10]);
});
