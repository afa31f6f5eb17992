import { expect, test } from "vitest";
import {
  Generator,
  Linear,
  Module,
  parameter,
  readSafetensors,
  Sequential,
  saveSafetensors,
  type Tensor,
  tensor,
} from "../../engine/index.ts";
import { LIF, Synaptic } from "../index.ts";
import { dequantizedState, Int8, prune, quantize, quantizedState, quantizedWeights, type WeightBits } from "./index.ts";

const network = (inputs: number, hidden: number, outputs: number, seed = 0) => {
  const generator = new Generator(seed);
  return new Sequential(
    new Linear(inputs, hidden, { generator }),
    new LIF(),
    new Linear(hidden, outputs, { generator }),
  );
};

const packedIn = (layer: Linear) => quantizedState(layer).weight_packed?.data ?? [];

const BITS: WeightBits[] = [8, 5, 4, 3, 2, "ternary"];

test.each(BITS)("file: weights of %s bits come back to the bit, into a model of floats and a quantized one", (bits) => {
  for (const perChannel of [true, false]) {
    const model = quantize(network(13, 7, 3), { weights: { bits, perChannel } });
    const x = tensor(
      Float32Array.from({ length: 5 * 2 * 13 }, (_, i) => (i * 7) % 5),
      { shape: [5, 2, 13] },
    );
    const expected = model.forward(x).toFloat32Array();
    expect(new Set(expected).size).toBeGreaterThan(6);
    const bytes = saveSafetensors(quantizedState(model));
    const state = dequantizedState(readSafetensors(bytes).arrays);
    const plain = network(13, 7, 3, 1);
    const other = quantize(network(13, 7, 3, 2), { weights: { bits, perChannel } });
    for (const loaded of [plain, other]) {
      loaded.loadStateDict(state);
      expect(loaded.forward(x).toFloat32Array()).toEqual(expected);
    }
    expect(quantizedWeights(other.modules[0] as Linear)).toEqual(quantizedWeights(model.modules[0] as Linear));
  }
});

test.each(BITS)("file: Int8 loads weights of %s bits", (bits) => {
  const model = quantize(network(13, 7, 3), { weights: { bits } });
  const state = readSafetensors(saveSafetensors(quantizedState(model))).arrays;
  const small = new Int8(network(13, 7, 3, 1));
  small.loadStateDict(state);
  const expected = new Int8(model);
  expect(small.arrays()).toEqual(expected.arrays());
  if (bits !== 4) return;
  const packed = { ...state, "0.weight_packed": { shape: [1], data: Uint8Array.of(1) } };
  expect(() => small.loadStateDict(packed)).toThrow("loadStateDict: 0.weight: expected 46 bytes, got 1");
  expect(small.arrays()).toEqual(expected.arrays());
});

test("file: names, kinds and shapes", () => {
  const model = quantize(network(5, 3, 2), { weights: { bits: 8 } });
  const state = quantizedState(model);
  expect(state["0.weight"]).toEqual({ shape: [3, 5], data: quantizedWeights(model.modules[0] as Linear).q });
  expect(state["0.weight_scale"]?.shape).toEqual([3]);
  expect(state["0.bias"]?.data).toBeInstanceOf(Float32Array);
  quantize(model.modules[2] as Linear, { weights: { bits: 4, perChannel: false } });
  const packed = quantizedState(model);
  expect(packed["2.weight"]).toBe(undefined);
  expect(packed["2.weight_packed"]?.data.length).toBe(3);
  expect(packed["2.weight_shape"]?.data).toEqual(new Int32Array([2, 3]));
  quantize(model, { weights: null });
  expect(quantizedState(model)).toEqual(model.stateDict());
});

test("file: shifts and zeros of masks are in the state, and come into models of floats", () => {
  const make = (seed: number) => {
    const generator = new Generator(seed);
    return new Sequential(
      new Linear(6, 5, { generator }),
      new LIF({ beta: 0.95, learnBeta: true, threshold: 0.3 }),
      new Linear(5, 4, { generator }),
      new Synaptic({ alpha: 0.8, beta: 0.7, threshold: 0.3 }),
    );
  };
  const x = tensor(
    Float32Array.from({ length: 8 * 2 * 6 }, (_, i) => (i * 7) % 5),
    { shape: [8, 2, 6] },
  );
  const model = make(0);
  prune(model, { amount: 0.4 });
  quantize(model, { decays: "shift" });
  quantize(model.modules[2] as Linear, { weights: { bits: 4 } });
  const expected = model.forward(x).toFloat32Array();
  const arrays = readSafetensors(saveSafetensors(quantizedState(model))).arrays;
  expect(Object.keys(arrays).filter((name) => name.includes("mask"))).toEqual([]);
  expect(arrays["1.beta"]?.data).toEqual(Float32Array.of(0.9375));
  const state = dequantizedState(arrays);
  expect(state["0.weight"]?.data.filter((w) => w === 0).length).toBe(12);
  const quantized = quantize(make(2), { decays: "shift" });
  quantize(quantized.modules[2] as Linear, { weights: { bits: 4 } });
  for (const loaded of [make(1), quantized, model]) {
    loaded.loadStateDict(state);
    expect(loaded.forward(x).toFloat32Array()).toEqual(expected);
  }
});

test("file: floats whose names look like those of integers stay as they are", () => {
  class Gained extends Module {
    readonly gain = parameter(tensor([2, 3]));
    readonly gain_scale = parameter(tensor([10]));
    readonly gain_packed = parameter(tensor([5]));
    readonly gain_bits = parameter(tensor([2]));
    readonly gain_shape = parameter(tensor([2]));
    forward(x: Tensor): Tensor {
      return x.mul(this.gain).mul(this.gain_scale);
    }
  }
  const model = new Gained();
  expect(dequantizedState(quantizedState(model))).toEqual(model.stateDict());
  expect(dequantizedState(Object.fromEntries(model.namedParameters()))).toEqual(model.stateDict());
});

test("file: integers of two and four bits lie with the first lowest", () => {
  const layer = quantize(new Linear(6, 1, { bias: false }), { weights: { bits: 4 } });
  layer.weight.copyFrom([7, -7, 1, -1, 0, 3]);
  expect([...packedIn(layer)]).toEqual([0x97, 0xf1, 0x30]);
  quantize(layer, { weights: { bits: "ternary" } });
  layer.weight.copyFrom([1, -1, 0, 1, -1, 0]);
  expect([...packedIn(layer)]).toEqual([0b01_00_11_01, 0b00_11]);
});

test("file: the network of tutorial 5 takes less than a quarter of its floats and some", () => {
  const sizes = Object.fromEntries(
    ["floats" as const, ...BITS].map((bits) => {
      const model = network(784, 1000, 10);
      if (bits !== "floats") quantize(model, { weights: { bits } });
      return [bits, saveSafetensors(bits === "floats" ? model.stateDict() : quantizedState(model)).length];
    }),
  );
  const floats = sizes.floats as number;
  expect(floats / (sizes[8] as number)).toBeGreaterThan(3.9);
  expect(floats / (sizes[4] as number)).toBeGreaterThan(7.6);
  expect(floats / (sizes.ternary as number)).toBeGreaterThan(15);
});

test("file: parts that do not fit each other are errors", () => {
  const state = quantizedState(quantize(new Linear(3, 2), { weights: { bits: 4 } }));
  const wrong = (changes: object) => () => dequantizedState({ ...state, ...changes } as never);
  const array = (data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
  expect(wrong({ weight_scale: array([1, 2, 3]) })).toThrow("dequantizedState: weight: expected 1 or 2 scales, got 3");
  expect(wrong({ weight_packed: { shape: [1], data: Uint8Array.of(1) } })).toThrow(
    "dequantizedState: weight: expected 3 bytes, got 1",
  );
  expect(wrong({ weight_bits: array([3]) })).toThrow(
    "dequantizedState: weight: expected integers of 2 or 4 bits, got 3",
  );
  expect(wrong({ weight_shape: array([2 ** 30, 2 ** 30]) })).toThrow(RangeError);
  expect(wrong({ weight_shape: array([-2, 3]) })).toThrow(RangeError);
  expect(wrong({ weight_shape: undefined })).toThrow(TypeError);
  expect(wrong({ bias: 1 })).toThrow(TypeError);
  expect(() => dequantizedState(null as never)).toThrow(TypeError);
  let deep: unknown = 1;
  for (let depth = 0; depth < 20_000; depth++) deep = [deep];
  expect(wrong({ bias: { shape: deep, data: [1] } })).toThrow(/^dequantizedState: bias: /);
});
