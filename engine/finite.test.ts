/** fit and evaluate reject infinite and NaN values where they first appear, and an optimizer that no gradient reaches. */
import { describe, expect, test } from "vitest";
import { bits, bytesKept } from "../test/support/tensors.ts";
import type { Batch, FitOptions, Optimizer, Tensor } from "./index.ts";
import {
  accuracy,
  bernoulli,
  DataLoader,
  evaluate,
  fit,
  full,
  Generator,
  Linear,
  Module,
  maskedFill,
  mean,
  mseLoss,
  ones,
  parameter,
  Sequential,
  SGD,
  softmax,
  sqrt,
  TensorDataset,
  tensor,
  zeros,
} from "./index.ts";

const BAD = [Number.NaN, Infinity, -Infinity];

/** Two layers, for batches of two samples of three values. */
function setUp() {
  const generator = new Generator(1);
  const model = new Sequential(new Linear(3, 4, { generator }), new Linear(4, 1, { generator }));
  const optimizer = new SGD(model.parameters(), { lr: 0.01 });
  const options: FitOptions = { epochs: 2, optimizer, loss: (z, y) => mseLoss(z, y as Tensor) };
  return { model, options, weights: () => model.parameters().map(bits) };
}

const batch = (value = 1): Batch => ({ x: full([2, 3], value), y: ones([2, 1]) });

/** The batch with this value at one index. */
function withValue(value: number, place = 4): Batch {
  const x = full([2, 3], 1);
  x.copyFrom(x.toFloat32Array().map((one, i) => (i === place ? value : one)));
  return { x, y: ones([2, 1]) };
}

/** The error of fit, and the number of batches reported before it. */
async function refusal(model: Module, batches: Iterable<Batch>, options: FitOptions): Promise<[string, number]> {
  let done = 0;
  const act = fit(model, batches, { ...options, onBatch: () => done++ });
  await expect(act).rejects.toThrow(RangeError);
  return [await act.then(String, (error: Error) => error.message), done];
}

describe("fit: the input", () => {
  test.each(BAD)("%s is an error in its batch, with the weights of the last whole step", async (value) => {
    const [a, b] = [setUp(), setUp()];
    await fit(b.model, [batch(), batch(2)], { ...b.options, epochs: 1 });
    const said = await refusal(a.model, [batch(), batch(2), withValue(value), batch()], a.options);
    expect(said).toEqual([`fit: batch 3 of epoch 1 (see diagnose): the input must be finite, got ${value}`, 2]);
    expect(a.weights()).toEqual(b.weights());
  });

  test("the epoch counts from 1 too, and nothing is kept", async () => {
    const { model, options } = setUp();
    const x = full([2, 3], 1);
    const spoil = { ...options, onEpoch: () => void x.copyFrom(new Float32Array(6).fill(Number.NaN)) };
    const said = await refusal(model, [{ x, y: ones([2, 1]) }], spoil);
    expect(said).toEqual([`fit: batch 1 of epoch 2 (see diagnose): the input must be finite, got NaN`, 1]);
    expect(bytesKept(() => void fit(model, [{ x, y: 1 as never }], options).catch(() => {}))).toBe(0);
  });

  test("of a dataset, at each place of a batch, also of the last one that is not full", async () => {
    for (let place = 0; place < 15; place++) {
      const { model, options } = setUp();
      const values = new Float32Array(15).fill(1);
      values[place] = Infinity;
      const data = new TensorDataset(values, new Float32Array(5), { shape: [3] });
      const loss = (z: Tensor, y: Batch["y"]) => mseLoss(z.squeeze(1), y as Tensor);
      const loader = new DataLoader(data, { batchSize: 2 });
      const [message] = await refusal(model, loader, { ...options, loss });
      expect(message).toContain(
        `fit: batch ${1 + Math.floor(place / 6)} of epoch 1 (see diagnose): the input must be finite, got Infinity`,
      );
      loader.dispose();
    }
  });

  test("that repeats one step, or looks into another tensor", async () => {
    const { model, options } = setUp();
    const y = ones([2, 2, 1]);
    const loss = (z: Tensor, target: Batch["y"]) => mseLoss(z, target as Tensor);
    for (const x of [withValue(Number.NaN).x.expand([2, 2, 3]), withValue(Number.NaN).x.reshape([1, 2, 3])]) {
      const target = x.shape[0] === 2 ? y : ones([1, 2, 1]);
      const [message] = await refusal(model, [{ x, y: target, size: 2 }], { ...options, loss });
      expect(message).toContain("the input must be finite, got NaN");
    }
  });

  test("after encode is the encoded input; before, NaN is refused though encode would hide it", async () => {
    const { model, options } = setUp();
    const spoil = await refusal(model, [batch(0)], { ...options, encode: (x) => x.log() });
    expect(spoil[0]).toBe(`fit: batch 1 of epoch 1 (see diagnose): the encoded input must be finite, got -Infinity`);
    const hide = await refusal(model, [withValue(Number.NaN)], { ...options, encode: (x) => x.mul(0).gt(1) });
    expect(hide[0]).toContain("the input must be finite, got NaN");
  });

  test("spikes in bits, bytes, and finite values whose sum overflows are no errors", async () => {
    const { model, options } = setUp();
    const spikes = bernoulli(full([2, 3], 0.5), { generator: new Generator(2) });
    await fit(model, [{ x: spikes, y: ones([2, 1]) }], options);
    const bytes = new TensorDataset(new Uint8Array(6).fill(255), new Float32Array(2), { shape: [3] });
    await fit(model, bytes, { ...options, loss: (z, y) => mseLoss(z.squeeze(1).mul(1e-6), y as Tensor) });
    const small = new Linear(3, 1, { bias: false });
    small.weight.copyFrom([0, 0, 0]);
    const loss = (z: Tensor) => mean(z).mul(1e-38);
    const optimizer = new SGD(small.parameters(), { lr: 0.1 });
    const [report] = await fit(small, [batch(3e38)], { epochs: 1, optimizer, loss });
    expect(report?.loss).toBe(0);
    expect(small.weight.grad?.toArray()).toEqual([[expect.closeTo(3, 5), expect.closeTo(3, 5), expect.closeTo(3, 5)]]);
  });

  test("no epochs are no work, whatever the data", async () => {
    const { model, options, weights } = setUp();
    const before = weights();
    const optimizer = new SGD(new Linear(1, 1).parameters());
    expect(await fit(model, [withValue(Number.NaN)], { ...options, optimizer, epochs: 0 })).toEqual([]);
    expect(weights()).toEqual(before);
  });
});

describe("fit: the loss", () => {
  /** The layers, with an op between them that belongs to no layer. */
  class Net extends Module {
    readonly fc1 = new Linear(3, 4);
    readonly fc2 = new Linear(4, 1);
    readonly between: (z: Tensor) => Tensor;

    constructor(between: (z: Tensor) => Tensor = (z) => z) {
      super();
      this.between = between;
    }

    forward(x: Tensor): Tensor {
      return this.fc2.forward(this.between(this.fc1.forward(x)));
    }
  }

  function train(model: Module, change: Partial<FitOptions> = {}): Promise<[string, number]> {
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    return refusal(model, [batch()], { ...setUp().options, optimizer, ...change });
  }

  test("names the first op that gave such a value, and the last parameter that was read until then", async () => {
    const model = new Net((z) => z.mul(0).log());
    const before = model.parameters().map(bits);
    expect(await train(model)).toEqual([
      `fit: batch 1 of epoch 1 (see diagnose): the output of log after fc1.weight must be finite, got -Infinity`,
      0,
    ]);
    expect(model.parameters().map(bits)).toEqual(before);
    expect(model.parameters().map(({ grad }) => grad)).toEqual([null, null, null, null]);
  });

  test("names a layer whose products overflow, and a parameter that is not finite", async () => {
    const model = new Net();
    model.fc2.weight.copyFrom([3e38, 3e38, 3e38, 3e38]);
    model.fc1.weight.copyFrom(new Float32Array(12).fill(1));
    expect((await train(model))[0]).toContain("the output of linear after fc2.weight must be finite, got Infinity");
    model.fc2.bias?.copyFrom([Number.NaN]);
    expect((await train(model))[0]).toContain("the parameter fc2.bias must be finite, got NaN");
  });

  test("names an op behind the model, for targets that are not finite too, and itself where nothing was recorded", async () => {
    const y = full([2, 1], Number.NaN);
    const optimizer = new SGD(setUp().model.parameters());
    const model = new Net();
    const own = parameter(tensor(1));
    const loss = () => own.mul(full([], Infinity));
    expect((await train(model, { optimizer, loss }))[0]).toContain(
      "the output of mul after fc2.weight must be finite, got Infinity",
    );
    const [message] = await refusal(model, [{ ...batch(), y }], {
      ...setUp().options,
      optimizer: new SGD(model.parameters()),
    });
    expect(message).toMatch(/the output of (?!linear)\w+ after fc2\.weight must be finite, got NaN$/);
    expect((await train(model, { loss: () => full([], Number.NaN) }))[0]).toContain("the loss must be finite, got NaN");
  });

  test("masks of −∞ within the model are no errors", async () => {
    const model = new Net((z) => softmax(maskedFill(z, tensor([0, 1, 0, 0]), -Infinity), -1));
    const optimizer = new SGD(model.parameters(), { lr: 0.01 });
    const history = await fit(model, [batch()], { ...setUp().options, optimizer });
    expect(history.length).toBe(2);
  });
});

describe("fit: gradients", () => {
  test("that are not finite are errors before the step, with the name of the parameter", async () => {
    const { model, options, weights } = setUp();
    const before = weights();
    // √0 is 0 with an infinite derivative, and a zero factor before it gives 0·∞.
    const loss = (z: Tensor) => sqrt(z.mul(0)).sum();
    expect(await refusal(model, [batch()], { ...options, loss })).toEqual([
      `fit: batch 1 of epoch 1 (see diagnose): the gradient of 0.weight must be finite, got NaN`,
      0,
    ]);
    expect(weights()).toEqual(before);
  });

  test("of parameters outside of the model", async () => {
    const { model, options } = setUp();
    const own = parameter(tensor(0));
    const optimizer = new SGD([...model.parameters(), own]);
    const loss = (z: Tensor) => mean(z).add(sqrt(own));
    const [message] = await refusal(model, [batch()], { ...options, optimizer, loss });
    expect(message).toContain("the gradient of a parameter outside of the model must be finite, got Infinity");
  });

  test("of the model count where the optimizer is an object around several", async () => {
    const { model, options } = setUp();
    const [first, ...rest] = model.parameters();
    const both = [new SGD([first as Tensor]), new SGD(rest)];
    const optimizer = {
      lr: 0.01,
      zeroGrad: () => both.forEach((each) => each.zeroGrad()),
      step: () => both.forEach((each) => each.step()),
    } as unknown as Optimizer;
    const before = bits(first as Tensor);
    await fit(model, [batch()], { ...options, optimizer });
    expect(bits(first as Tensor)).not.toEqual(before);
    const loss = (z: Tensor) => sqrt(z.mul(0)).sum();
    const [message] = await refusal(model, [batch()], { ...options, optimizer, loss });
    expect(message).toContain("the gradient of 0.weight must be finite, got NaN");
  });

  const NONE =
    "fit: batch 1 of epoch 1 (see diagnose): expected parameters of the optimizer with a gradient (is it that of another model?), got 0";

  test("that reach no parameter of the optimizer are an error of the first batch", async () => {
    const { model, options, weights } = setUp();
    const before = weights();
    const own = parameter(tensor(1));
    const others: Partial<FitOptions>[] = [
      { optimizer: new SGD(setUp().model.parameters()) },
      { loss: (z, y) => mseLoss(z.detach(), y as Tensor).mul(own) },
      { loss: () => own.square() },
    ];
    for (const change of others) expect(await refusal(model, [batch()], { ...options, ...change })).toEqual([NONE, 0]);
    expect(weights()).toEqual(before);
  });

  test("that reach some of its parameters, or none in a later batch, are enough", async () => {
    const { model, options } = setUp();
    const unused = parameter(tensor(1));
    await fit(model, [batch()], { ...options, optimizer: new SGD([...model.parameters(), unused]) });
    const own = parameter(tensor(1));
    let batches = 0;
    const loss: FitOptions["loss"] = (z, y) => (batches++ === 0 ? mseLoss(z, y as Tensor) : own.square());
    await fit(model, [batch(), batch()], { ...options, loss });
    expect(batches).toBe(4);
  });

  test("of a frozen model, and of a loss that does not depend on it, are errors of backward", async () => {
    const { model, options } = setUp();
    const said = /^backward: nothing was recorded/;
    const constant = { ...options, loss: () => full([], 1) };
    await expect(fit(model, [batch()], constant)).rejects.toThrow(said);
    for (const p of model.parameters()) p.requiresGrad = false;
    await expect(fit(model, [batch()], options)).rejects.toThrow(said);
  });
});

test("evaluate: a value that is infinite or no number is an error in its batch; the metric may be anything", () => {
  const { model } = setUp();
  for (const value of BAD) {
    expect(() => evaluate(model, [batch(), withValue(value)], () => 1)).toThrow(
      new RangeError(`evaluate: batch 2 (see diagnose): the input must be finite, got ${value}`),
    );
  }
  expect(() => evaluate(model, [batch(0)], accuracy as never, { encode: (x) => x.log() })).toThrow(
    "evaluate: batch 1 (see diagnose): the encoded input must be finite, got -Infinity",
  );
  expect(evaluate(model, [batch()], () => Infinity)).toBe(Infinity);
  expect(evaluate(model, [{ x: zeros([2, 3]), y: ones([2, 1]) }], () => Number.NaN)).toBe(Number.NaN);
});
