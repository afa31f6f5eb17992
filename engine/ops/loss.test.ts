/** Losses beyond their table rows: targets in linear memory, ignored rows, and the edges of the formulas. */
import { expect, test } from "vitest";
import { bits, expectNear, gradient, random, values } from "../../test/support/tensors.ts";
import {
  bceWithLogits,
  crossEntropy,
  huberLoss,
  klDiv,
  l1Loss,
  memoryStats,
  mseLoss,
  nllLoss,
  smoothL1Loss,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "../index.ts";

test("crossEntropy: labels in linear memory serve even where their copy makes the memory grow", () => {
  const rows = 1000;
  const logits = random([rows, 3], 21);
  const plain = Array.from({ length: rows }, (_, i) => i % 3);
  const labels = tensor(plain);
  const losses = (target: ArrayLike<number> | Tensor) => values(crossEntropy(logits, target, { reduction: "none" }));
  const expected = tape(() => losses(plain));
  const { reserved } = memoryStats();
  tape(() => {
    // The memory grows several times, so that each allocation is affected.
    for (let i = 0; memoryStats().reserved < reserved + 4 * 2 ** 20; i++) {
      if (i > 100_000) expect.fail("the memory did not grow");
      expect(losses(i % 2 === 0 ? labels : labels.data)).toEqual(expected);
    }
  });
});

/** Loss and gradients of the inputs, in one tape. */
function outcome(loss: (...x: Tensor[]) => Tensor, ...inputs: number[][]) {
  return tape(() => {
    const x = inputs.map((data) => tensor(data, { requiresGrad: true }));
    const z = loss(...x);
    z.sum().backward();
    return { losses: values(z), gradients: x.map(gradient) };
  });
}

test("crossEntropy: ignored rows count nothing, whatever they hold; any number may be the ignored index", () => {
  const logits = [
    [1, 2, 3],
    [Number.NaN, Infinity, -Infinity],
    [3, 1, 2],
  ];
  for (const ignoreIndex of [-100, -1, 1, 2 ** 32, 0.5, -Infinity]) {
    tape(() => {
      const x = tensor(logits, { requiresGrad: true });
      const loss = crossEntropy(x, [0, ignoreIndex, 0], { ignoreIndex, labelSmoothing: 0.1 });
      const expected = crossEntropy(tensor([logits[0], logits[2]] as number[][]), [0, 0], { labelSmoothing: 0.1 });
      expect(bits(loss)).toEqual(bits(expected));
      loss.backward();
      expect(gradient(x).slice(3, 6)).toEqual([0, 0, 0]);
    });
  }
  tape(() => {
    const x = tensor(logits, { requiresGrad: true });
    expect(crossEntropy(x, [-100, -100, -100], { reduction: "sum" }).item()).toBe(0);
    expect(crossEntropy(x, [-100, -100, -100]).item()).toBe(Number.NaN);
    expect(() => crossEntropy(x, [0, Number.NaN, 0], { ignoreIndex: Number.NaN })).toThrow(
      new RangeError("crossEntropy: ignoreIndex must be a number, got NaN"),
    );
  });
});

test("crossEntropy: a class of probability 0 costs nothing unless it is the target", () => {
  tape(() => {
    const x = tensor([[0, -Infinity, 0]], { requiresGrad: true });
    const loss = crossEntropy(x, [0]);
    expect(loss.item()).toBeCloseTo(Math.log(2), 6);
    loss.backward();
    expectNear(gradient(x), [-0.5, 0, 0.5], "gradient");
    expect(crossEntropy(x, [1]).item()).toBe(Infinity);
  });
});

test("crossEntropy: logits of ±1000 lose no digit, for classes and for probabilities", () => {
  for (const offset of [-1000, 0, 1000]) {
    const logits = [offset, offset + 0.5, offset - 20];
    for (const target of [[1], tensor([[0, 1, 0]])]) {
      const { losses, gradients } = outcome((x) => crossEntropy(x.reshape([1, 3]), target), logits);
      const total = 1 + Math.exp(0.5) + Math.exp(-20);
      expectNear(losses, [Math.log(total) - 0.5], "loss");
      expectNear(gradients[0] as number[], [1 / total, Math.exp(0.5) / total - 1, Math.exp(-20) / total], "gradient");
    }
  }
  expect(outcome((x) => crossEntropy(x, [0]), [-1000, 1000]).losses).toEqual([2000]);
});

test("crossEntropy: a probability of 1 is smoothed as its class is", () => {
  const x = random([3, 3], 23);
  const options = { labelSmoothing: 0.3, reduction: "none" } as const;
  const certain = tensor([1, 0, 0, 0, 0, 1, 0, 1, 0], { shape: [3, 3] });
  expectNear(values(crossEntropy(x, certain, options)), values(crossEntropy(x, [0, 2, 1], options)), "losses");
});

test("nllLoss: of logSoftmax it is the cross-entropy; only the entries of the targets are read", () => {
  tape(() => {
    const x = random([4, 3], 22);
    const options = { weight: tensor([0.5, 2, 1]), ignoreIndex: 2 };
    expectNear(
      values(nllLoss(x.logSoftmax(), [0, 2, 1, 0], options)),
      values(crossEntropy(x, [0, 2, 1, 0], options)),
      "loss",
    );
  });
  const { losses, gradients } = outcome((x) => nllLoss(x, [1]), [-Infinity, -0.5, Number.NaN]);
  expect(losses).toEqual([0.5]);
  expect(gradients).toEqual([[0, -1, 0]]);
});

test("l1Loss: the gradient is the sign, and 0 where input and target are equal", () => {
  const { losses, gradients } = outcome((x, y) => l1Loss(x, y, { reduction: "none" }), [1, 2, 3], [1, 4, 1]);
  expect(losses).toEqual([0, 2, 2]);
  expect(gradients).toEqual([
    [0, -1, 1],
    [0, 1, -1],
  ]);
});

test("smoothL1Loss: a border whose inverse float32 does not hold is that of l1Loss, an infinite one a square", () => {
  const x = [-1, 0, 1e-3, 2];
  for (const beta of [5e-324, 1e-45, 2 ** -127]) {
    const { losses, gradients } = outcome((y) => smoothL1Loss(y, zeros([4]), { beta, reduction: "none" }), x);
    expect(losses).toEqual(x.map((d) => Math.fround(Math.abs(d))));
    expect(gradients).toEqual([x.map(Math.sign)]);
  }
  expect(outcome((y) => huberLoss(y, zeros([4]), { delta: Infinity, reduction: "none" }), [1, 2, 3, 4]).losses).toEqual(
    [0.5, 2, 4.5, 8],
  );
});

test("smoothL1Loss and huberLoss: value and slope are continuous at the border", () => {
  const x = [0, 0.5, -0.5, 1, -2];
  const zeros = [0, 0, 0, 0, 0];
  const smooth = outcome((a, b) => smoothL1Loss(a, b, { beta: 0.5, reduction: "none" }), x, zeros);
  expect(smooth.losses).toEqual([0, 0.25, 0.25, 0.75, 1.75]);
  expect(smooth.gradients[0]).toEqual([0, 1, -1, 1, -1]);
  const huber = outcome((a, b) => huberLoss(a, b, { delta: 0.5, reduction: "none" }), x, zeros);
  expect(huber.losses).toEqual([0, 0.125, 0.125, 0.375, 0.875]);
  expect(huber.gradients[0]).toEqual([0, 0.5, -0.5, 0.5, -0.5]);
  const absolute = outcome((a, b) => smoothL1Loss(a, b, { beta: 0, reduction: "none" }), x, zeros);
  expect(absolute.losses).toEqual([0, 0.5, 0.5, 1, 2]);
  expect(absolute.gradients[0]).toEqual([0, 1, -1, 1, -1]);
});

test("bceWithLogits: logits of ±1000 neither overflow nor lose the small losses", () => {
  const x = [1000, -1000, 1000, -1000, 20, -20, 0, 0];
  const y = [1, 0, 0, 1, 1, 0, 1, 0.25];
  const small = Math.log1p(Math.exp(-20));
  const { losses, gradients } = outcome((a) => bceWithLogits(a, tensor(y), { reduction: "none" }), x);
  expectNear(losses, [0, 0, 1000, 1000, small, small, Math.LN2, Math.LN2], "loss", { absolute: 0, relative: 1e-6 });
  const slope = 1 / (1 + Math.exp(20));
  expectNear(gradients[0] as number[], [0, 0, 1, -1, -slope, slope, -0.5, 0.25], "gradient", {
    absolute: 0,
    relative: 1e-6,
  });
});

test("klDiv: 0·log 0 is 0; negative probabilities are NaN, as in PyTorch", () => {
  const { losses, gradients } = outcome(
    (x) => klDiv(x, tensor([0, 1, 0.5, -1]), { reduction: "none" }),
    [-1, -2, -3, -1],
  );
  expectNear(losses, [0, 2, 0.5 * (Math.log(0.5) + 3), Number.NaN], "loss");
  expect(gradients).toEqual([[0, -1, -0.5, 1]]);
});

test("klDiv: batchmean divides by the size of the first axis", () => {
  tape(() => {
    const [x, y] = [random([4, 3], 23), random([4, 3], 24)];
    const sum = klDiv(x, y, { logTarget: true, reduction: "sum" }).item();
    expect(klDiv(x, y, { logTarget: true, reduction: "batchmean" }).item()).toBeCloseTo(sum / 4, 5);
    expect(klDiv(x, y, { logTarget: true }).item()).toBeCloseTo(sum / 12, 5);
    expect(klDiv(tensor(-1), tensor(1), { reduction: "batchmean" }).item()).toBe(1);
  });
});

test("losses: a difference that is NaN makes the gradient NaN, as in PyTorch", () => {
  for (const loss of [mseLoss, smoothL1Loss, huberLoss]) {
    const x = tensor([Number.NaN, 1], { requiresGrad: true });
    tape(() => loss(x, zeros([2])).backward());
    expect(gradient(x)).toEqual([Number.NaN, loss === mseLoss ? 1 : 0.5]);
  }
});
