/** fit, evaluate and accuracy: their calls, in order and with arguments, and the remaining memory. */
import { describe, expect, test, vi } from "vitest";
import { bits, bytesKept } from "../test/support/tensors.ts";
import type { Batch, BatchReport, EpochReport, FitOptions, Progress, Tensor } from "./index.ts";
import {
  accuracy,
  bernoulli,
  crossEntropy,
  DataLoader,
  evaluate,
  fit,
  Generator,
  Linear,
  Module,
  mean,
  mseLoss,
  ones,
  rand,
  Sequential,
  SGD,
  TensorDataset,
  tape,
  tensor,
} from "./index.ts";

const SAMPLES = 10;

/** The mean over time of the output of a layer. */
class Averaging extends Module {
  readonly layer: Module;

  constructor(layer: Module) {
    super();
    this.layer = layer;
  }

  forward(x: Tensor): Tensor {
    return mean(this.layer.forward(x), { axis: 0 });
  }
}

/** Seven of ten samples make two batches of four and one of two. Targets are twice the input. */
function setUp() {
  const generator = new Generator(1);
  const model = new Linear(1, 1, { generator });
  const x = Float32Array.from({ length: SAMPLES }, (_, i) => i / SAMPLES);
  const data = new TensorDataset(
    x,
    x.map((value) => 2 * value),
  );
  const loader = new DataLoader(data, { batchSize: 4 });
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const loss: FitOptions["loss"] = (output, y) => mseLoss(output.reshape([-1]), y as Tensor);
  return { model, loader, optimizer, loss, weights: () => model.parameters().map(bits) };
}

describe("fit", () => {
  test("fit: it learns, and the history holds the mean loss over the samples of each epoch", async () => {
    const { model, loader, optimizer, loss } = setUp();
    const batches: BatchReport[] = [];
    const history = await fit(model, loader, {
      epochs: 60,
      optimizer,
      loss,
      onBatch: (report) => batches.push(report),
    });
    expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(history[59]?.loss).toBeLessThan(0.1 * (history[0]?.loss as number));
    for (const { epoch, loss: mean, validation, seconds } of history) {
      const own = batches.filter((report) => report.epoch === epoch);
      expect(own.map(({ batch, size }) => [batch, size])).toEqual([
        [1, 4],
        [2, 4],
        [3, 2],
      ]);
      expect(mean).toBeCloseTo(own.reduce((sum, report) => sum + report.loss * report.size, 0) / SAMPLES, 12);
      expect(validation).toBe(undefined);
      expect(seconds).toBeGreaterThanOrEqual(0);
    }
  });

  test("fit: each batch is one step, what a loop by hand does", async () => {
    const a = setUp();
    const b = setUp();
    await fit(a.model, a.loader, { epochs: 3, optimizer: a.optimizer, loss: a.loss });
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const { x, y } of b.loader) {
        b.optimizer.zeroGrad();
        tape(() => b.loss(b.model.forward(x), y).backward());
        b.optimizer.step();
      }
    }
    expect(a.weights()).toEqual(b.weights());
  });

  test("fit: batches, validation, scheduler and reports come in order, in the right mode", async () => {
    const { model, loader, optimizer, loss } = setUp();
    const calls: unknown[] = [];
    const scheduler = { step: (metric?: number) => calls.push(["scheduler", metric]) };
    const history = await fit(model, loader, {
      epochs: 2,
      optimizer,
      loss: (output, y) => {
        if (!model.training) calls.push("a loss in evaluation mode");
        return loss(output, y);
      },
      encode: (x) => x.mul(1),
      validate: async (epoch) => {
        calls.push(["validate", epoch, model.training]);
        await Promise.resolve();
        return 10 * epoch;
      },
      scheduler,
      onBatch: ({ epoch, batch }) => calls.push(["batch", epoch, batch]),
      onEpoch: ({ epoch, validation }) => calls.push(["epoch", epoch, validation]),
    });
    const one = (epoch: number) => [
      ["batch", epoch, 1],
      ["batch", epoch, 2],
      ["batch", epoch, 3],
      ["validate", epoch, false],
      ["scheduler", 10 * epoch],
      ["epoch", epoch, 10 * epoch],
    ];
    expect(calls).toEqual([...one(1), ...one(2)]);
    expect(history.map(({ validation }) => validation)).toEqual([10, 20]);
  });

  test("fit: in reports, validation is a number for the compiler too where validate is given, and else may be undefined", async () => {
    const { model, loader, optimizer, loss } = setUp();
    const options = { epochs: 1, optimizer, loss };
    const seen: number[] = [];
    const [report] = await fit(model, loader, {
      ...options,
      validate: (epoch) => epoch / 2,
      onEpoch: ({ validation }) => seen.push(validation),
    });
    await fit(model, loader, {
      ...options,
      validate: async () => 2 as number,
      onEpoch: ({ validation }) => seen.push(validation),
    });
    await fit(model, loader, { ...options, onEpoch: ({ validation = 3 }) => seen.push(validation) });
    // @ts-expect-error: it may be undefined
    await fit(model, loader, { ...options, onEpoch: ({ validation }) => seen.push(validation) });
    // @ts-expect-error: no number
    await fit(model, loader, { ...options, validate: () => undefined });
    expect(seen).toEqual([0.5, 2, 3, undefined]);
    const validation: number | undefined = report?.validation;
    expect(validation).toBe(0.5);
  });

  test("fit: encode makes the input of the model, inside the tape of the batch", async () => {
    const { model, loader, optimizer, loss } = setUp();
    const seen: number[] = [];
    let encoded: Tensor | undefined;
    const encode = (x: Tensor) => {
      seen.push(x.size);
      encoded = x.mul(0);
      return encoded;
    };
    await fit(model, loader, { epochs: 1, optimizer, loss, encode });
    expect(seen).toEqual([4, 4, 2]);
    expect(() => encoded?.data).toThrow(/freed/);
    expect(model.weight.grad?.item()).toBe(0);
  });

  test("fit: any iterable of batches will do", async () => {
    const { model, optimizer, loss } = setUp();
    const batch: Batch = { x: tensor([[1], [2]]), y: tensor([2, 4]) };
    const [report] = await fit(model, [batch, batch], { epochs: 1, optimizer, loss });
    expect(report?.epoch).toBe(1);
  });

  test("fit: no epochs are no work; other counts and empty loaders are RangeErrors", async () => {
    const { model, loader, optimizer, loss, weights } = setUp();
    const before = weights();
    expect(await fit(model, loader, { epochs: 0, optimizer, loss })).toEqual([]);
    for (const epochs of [-1, 1.5, Number.NaN]) {
      await expect(fit(model, loader, { epochs, optimizer, loss })).rejects.toThrow(
        new RangeError(`fit: epochs must be an integer ≥ 0, got ${epochs}`),
      );
    }
    await expect(fit(model, [], { epochs: 1, optimizer, loss })).rejects.toThrow(
      new RangeError("fit: the loader gave no batches; a generator gives them once only"),
    );
    expect(weights()).toEqual(before);
  });

  test("fit: progress tells the state of the training behind each batch, and the time that is left at the mean speed", async () => {
    const { model, loader, optimizer, loss } = setUp();
    let now = 1000;
    const clock = vi.spyOn(performance, "now").mockImplementation(() => now);
    const reports: Progress[] = [];
    const losses: number[] = [];
    await fit(model, loader, {
      epochs: 2,
      optimizer,
      loss: (output, y) => {
        now += 2000; // a batch takes two seconds
        return loss(output, y);
      },
      onBatch: ({ loss }) => {
        losses.push(loss);
        optimizer.lr = 0.5 / losses.length;
      },
      progress: (report) => reports.push(report),
    });
    clock.mockRestore();
    expect(reports.map(({ loss: _, ...rest }) => rest)).toEqual(
      Array.from({ length: 6 }, (_, i) => ({
        epoch: 1 + Math.floor(i / 3),
        epochs: 2,
        batch: 1 + (i % 3),
        batches: 3,
        lr: 0.5 / (i + 1),
        seconds: 2 * (i + 1),
        secondsLeft: expect.closeTo(2 * (5 - i), 9),
      })),
    );
    const [a, b, c] = losses as [number, number, number];
    expect(reports[0]?.loss).toBe(a);
    expect(reports[1]?.loss).toBeCloseTo((a + b) / 2, 12);
    expect(reports[2]?.loss).toBeCloseTo((4 * a + 4 * b + 2 * c) / SAMPLES, 12);
    expect(reports[3]?.loss).toBe(losses[3]);
  });

  test("fit: the progress of batches without a length has neither their number nor the time that is left", async () => {
    const { model, loader, optimizer, loss } = setUp();
    const reports: Progress[] = [];
    const endless = { [Symbol.iterator]: () => loader[Symbol.iterator]() };
    await fit(model, endless, { epochs: 1, optimizer, loss, progress: (report) => reports.push(report) });
    expect(reports.map(({ batches, secondsLeft }) => [batches, secondsLeft])).toEqual([
      [undefined, Number.NaN],
      [undefined, Number.NaN],
      [undefined, Number.NaN],
    ]);
  });

  test.each([
    ["min", 1, [3, 2, 2, 9, 9], 3],
    ["min", 2, [3, 2, 2.5, 1, 1, 1, 9], 6],
    ["max", 1, [0.1, 0.2, 0.3, 0.3, 0.9], 4],
    ["max", 2, [0.1, 0.2, 0.3, 0.2], 4],
    ["min", 2, [Number.NaN, Number.NaN, 1], 2],
    ["min", 2, [Number.NaN, 1, Number.NaN, 0, 1], 5],
    [undefined, 1, [1, 2, 3], 2],
    ["min", undefined, [1, 2, 3, 4], 4],
  ] as const)(
    "fit: mode %s with patience %s and the results %j ends after epoch %i",
    async (mode, patience, results, last) => {
      const { model, loader, optimizer, loss } = setUp();
      const seen: (number | undefined)[] = [];
      const history = await fit(model, loader, {
        ...{ epochs: results.length, optimizer, loss },
        ...(patience !== undefined && { patience }),
        ...(mode !== undefined && { mode }),
        validate: (epoch) => results[epoch - 1] as number,
        onEpoch: ({ validation }) => seen.push(validation),
      });
      expect(history.map(({ epoch }) => epoch)).toEqual(Array.from({ length: last }, (_, i) => i + 1));
      expect(seen).toEqual(results.slice(0, last));
      expect(model.training).toBe(false);
    },
  );

  test("fit: patience needs validate and a positive integer, and mode is one of two words, before anything is trained", async () => {
    const { model, loader, optimizer, loss, weights } = setUp();
    const before = weights();
    const run = (options: Partial<FitOptions>) => fit(model, loader, { epochs: 1, optimizer, loss, ...options });
    await expect(run({ patience: 3 })).rejects.toThrow(
      new TypeError("fit: expected validate as a function, got undefined"),
    );
    const validate = () => 1;
    for (const patience of [0, 1.5, Number.NaN, Infinity]) {
      await expect(run({ patience, validate })).rejects.toThrow(
        new RangeError(`fit: patience must be a positive integer, got ${patience}`),
      );
    }
    await expect(run({ mode: "least" as "min" })).rejects.toThrow(
      new RangeError('fit: expected mode "min" or "max", got "least"'),
    );
    expect(weights()).toEqual(before);
  });

  test("fit: an aborted signal ends it with the signal's reason, after a whole step", async () => {
    const { model, loader, optimizer, loss, weights } = setUp();
    const controller = new AbortController();
    let after: number[][] | undefined;
    const onBatch = vi.fn(({ batch }: BatchReport) => {
      if (batch !== 2) return;
      after = weights();
      controller.abort(new Error("enough"));
    });
    await expect(
      fit(model, loader, { epochs: 5, optimizer, loss, onBatch, signal: controller.signal }),
    ).rejects.toThrow("enough");
    expect(onBatch).toHaveBeenCalledTimes(2);
    expect(weights()).toEqual(after);
    const before = weights();
    await expect(fit(model, loader, { epochs: 1, optimizer, loss, signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: "AbortError" }),
    );
    expect(weights()).toEqual(before);
  });

  test("fit: other work runs between batches", async () => {
    const { model, loader, optimizer, loss } = setUp();
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const slow: FitOptions["loss"] = (output, y) => {
      const end = performance.now() + 2;
      while (performance.now() < end);
      return loss(output, y);
    };
    const reports: EpochReport[] = [];
    await fit(model, loader, { epochs: 10, optimizer, loss: slow, onEpoch: (report) => reports.push(report) });
    clearInterval(timer);
    // Thirty batches of 2 ms with a pause after at most 12 ms and one batch.
    expect(turns).toBeGreaterThanOrEqual(2);
    expect(reports.length).toBe(10);
  });

  test("fit: an error in the loss passes through, without a step and without a leak", async () => {
    const { model, loader, optimizer, weights } = setUp();
    const before = weights();
    const fail = () =>
      fit(model, loader, {
        epochs: 1,
        optimizer,
        loss: () => {
          throw new Error("on purpose");
        },
      });
    await expect(fail()).rejects.toThrow("on purpose");
    const kept = bytesKept(() => void fail().catch(() => {}));
    expect(kept).toBe(0);
    expect(weights()).toEqual(before);
    await expect(fit(model, loader, { epochs: 1, optimizer, loss: (output) => output })).rejects.toThrow(
      /^backward: expected a loss with one element/,
    );
  });
});

describe("evaluate", () => {
  test("evaluate: the metric is weighted by the size of its batch, and nothing is recorded or kept", () => {
    const { model, loader } = setUp();
    const metrics: number[] = [];
    const run = () =>
      evaluate(model, loader, (output, y) => {
        expect(output.requiresGrad).toBe(false);
        expect(model.training).toBe(false);
        metrics.push((y as Tensor).size);
        return (y as Tensor).size;
      });
    expect(run()).toBe((4 * 4 + 4 * 4 + 2 * 2) / SAMPLES);
    expect(metrics).toEqual([4, 4, 2]);
    expect(bytesKept(run)).toBe(0);
  });

  test("evaluate: encode makes the input of the model", () => {
    const { model, loader } = setUp();
    const bias = model.bias?.item();
    const metric = (output: Tensor) => output.sum().item() / output.size;
    expect(evaluate(model, loader, metric, { encode: (x) => x.mul(0) })).toBeCloseTo(bias as number, 6);
  });

  test("evaluate: every module gets its mode back, also after an error", () => {
    const { loader } = setUp();
    const frozen = new Linear(1, 1);
    const model = new Sequential(frozen, new Linear(1, 1));
    frozen.eval();
    evaluate(model, loader, () => 0);
    expect([model.training, frozen.training, model.modules[1]?.training]).toEqual([true, false, true]);
    expect(() =>
      evaluate(model, loader, () => {
        throw new Error("on purpose");
      }),
    ).toThrow("on purpose");
    expect(model.training).toBe(true);
    model.eval();
    evaluate(model, loader, () => 0);
    expect(model.training).toBe(false);
  });

  test("evaluate: a loader without batches is a RangeError", () => {
    expect(() => evaluate(setUp().model, [], () => 0)).toThrow(
      new RangeError("evaluate: the loader gave no batches; a generator gives them once only"),
    );
  });
});

describe("accuracy", () => {
  test("accuracy: the share of rows whose largest entry is at the index; the first of equal ones counts", () => {
    const output = tensor([
      [1, 2, 3],
      [3, 2, 1],
      [0, 0, 0],
      [5, 7, 7],
    ]);
    expect(accuracy(output, [2, 0, 0, 1])).toBe(1);
    expect(accuracy(output, Int32Array.of(2, 1, 1, 2))).toBe(0.25);
    expect(accuracy(output, tensor([0, 0, 0, 0]))).toBe(0.5);
    expect(accuracy(output.reshape([2, 2, 3]), [2, 0, 1, 1])).toBe(0.75);
  });

  test("accuracy: an output without classes is a RangeError", () => {
    expect(() => accuracy(tensor(3), [0])).toThrow(new RangeError("accuracy: expected an output [..., K], got []"));
  });

  test("accuracy: another number of targets is a RangeError with both", () => {
    expect(() => accuracy(rand([3, 3]), [0, 1])).toThrow(new RangeError("accuracy: expected 3 targets, got 2"));
    expect(() => accuracy(null as never, [0])).toThrow(new TypeError("accuracy: expected a tensor, got null"));
    expect(() => accuracy(rand([2, 3]), "01" as never)).toThrow(
      new TypeError('accuracy: expected an array or a tensor of targets, got "01"'),
    );
    expect(() => accuracy(rand([5, 2, 3]), [0, 1])).toThrow(
      new RangeError(
        "accuracy: expected 10 targets, got 2; does [5, 2, 3] have a time axis? take a readout over time first, or repeat the targets",
      ),
    );
  });
});

test("module: the interface that fit needs is forward alone", async () => {
  class Constant extends Module {
    readonly inner = new Linear(1, 1);
    forward(x: Tensor): Tensor {
      return this.inner.forward(x);
    }
  }
  const { loader, loss } = setUp();
  const model = new Constant();
  const history = await fit(model, loader, { epochs: 1, optimizer: new SGD(model.parameters()), loss });
  expect(history.length).toBe(1);
});

test("evaluate: a metric that gives no number is a TypeError, and keeps nothing", () => {
  const { model, loader } = setUp();
  const act = () => evaluate(model, loader, mseOf as unknown as (output: Tensor) => number);
  expect(act).toThrow(TypeError);
  expect(act).toThrow("evaluate: expected the metric to give a number (a loss needs .item()), got object");
  expect(bytesKept(() => expect(act).toThrow())).toBe(0);
});

const mseOf = (output: Tensor, y: Batch["y"]): Tensor => mseLoss(output.squeeze(1), y as Tensor);

test("fit, evaluate: where the batch lies in the place of time, errors of losses and metrics name it first", async () => {
  // Samples [B, T, C] of a loader, which a network over time needs as [T, B, C].
  const data = new TensorDataset(new Float32Array(4 * 10 * 3), Int32Array.of(0, 1, 2, 0), { shape: [10, 3] });
  const linear = new Linear(3, 3);
  const optimizer = new SGD(linear.parameters(), { lr: 0.1 });
  const loss: FitOptions["loss"] = (output, y) => crossEntropy(output, y as Int32Array);
  const options = { epochs: 1, optimizer, loss };
  const model = new Averaging(linear);
  const loader = new DataLoader(data, { batchSize: 4 });
  await expect(fit(model, loader, options)).rejects.toThrow(
    new RangeError(
      "fit: expected an output for the 4 samples of the batch, got [10, 3]; did encode put time first? " +
        "(crossEntropy: expected 10 targets, got 4)",
    ),
  );
  expect(() => evaluate(model, loader, (z, y) => accuracy(z, y as Int32Array))).toThrow(
    /^evaluate: expected an output for the 4 samples of the batch, got \[10, 3\]; did encode put time first\? \(accuracy: /,
  );
  const encode = (x: Tensor) => x.transpose(0, 1);
  await fit(model, loader, { ...options, encode });
  // Other errors are passed on unchanged.
  const own = new RangeError("own");
  const fails = () => {
    throw own;
  };
  await expect(fit(model, loader, { ...options, encode, loss: fails })).rejects.toBe(own);
  const kind = new TypeError("kind");
  const refuses = () => {
    throw kind;
  };
  await expect(fit(model, loader, { ...options, loss: refuses })).rejects.toBe(kind);
  loader.dispose();
});

test("accuracy: NaN is the largest, as for argmax; targets may be spikes that are not written out yet", () => {
  expect(accuracy(tensor([[1, Number.NaN]]), [0])).toBe(0);
  expect(accuracy(tensor([[1, Number.NaN]]), [1])).toBe(1);
  const ones = bernoulli(tensor([1, 1, 1]), { generator: new Generator(1) });
  expect(
    accuracy(
      tensor([
        [0, 1],
        [1, 0],
        [0, 1],
      ]),
      ones,
    ),
  ).toBeCloseTo(2 / 3);
});

describe("arguments", () => {
  const { model, loader, optimizer, loss } = setUp();
  const options: FitOptions = { epochs: 1, optimizer, loss };
  const batch: Batch = { x: tensor([[1], [2]]), y: tensor([2, 4]) };

  const refused: [message: string, model: unknown, loader: unknown, change: object][] = [
    ["fit: expected a module with forward(x), got undefined", undefined, loader, {}],
    ["fit: expected a module with forward(x), got object", { forward: 1 }, loader, {}],
    ["fit: expected a loader, or batches in a list, got undefined", model, undefined, {}],
    ["fit: expected a loader, or batches in a list, got object", model, {}, {}],
    ["fit: expected batches { x, y }, got [object, object]", model, [[batch.x, batch.y]], {}],
    ["fit: expected batches { x, y }, got null", model, [null], {}],
    ["fit: x of a batch: expected a tensor, got undefined", model, [{ y: batch.y }], {}],
    ["fit: expected x of a batch as [B, …], got []", model, [{ ...batch, x: tensor(1) }], {}],
    ["fit: expected optimizer.step as a function, got undefined", model, loader, { optimizer: undefined }],
    ["fit: expected optimizer.zeroGrad as a function, got undefined", model, loader, { optimizer: { step() {} } }],
    ["fit: expected loss as a function, got null", model, loader, { loss: undefined }],
    ["fit: loss: expected a tensor, got undefined", model, loader, { loss: () => undefined }],
    ["fit: loss: expected a tensor, got ", model, loader, { loss: async () => tensor(1) }],
    ["backward: expected a loss with one element", model, loader, { loss: (output: Tensor) => output }],
    ["fit: encode: expected a tensor, got undefined", model, loader, { encode: () => undefined }],
    ["fit: expected encode of type function, got null", model, loader, { encode: null }],
    ["fit: expected scheduler.step as a function, got undefined", model, loader, { scheduler: {} }],
    ["fit: expected signal as an AbortSignal, got object", model, loader, { signal: new AbortController() }],
    ['fit: expected epochs of type number, got "1"', model, loader, { epochs: "1" }],
    ["fit: epochs must be an integer ≥ 0, got NaN", model, loader, { epochs: undefined }],
  ];
  test.each(refused)("%s", async (message, net, batches, change) => {
    const before = model.parameters().map(bits);
    const act = fit(net as Module, batches as Batch[], { ...options, ...change });
    await expect(act).rejects.toThrow(message);
    expect(model.parameters().map(bits)).toEqual(before);
  });

  const notEvaluated: [message: string, ...args: unknown[]][] = [
    ["evaluate: expected a module with forward(x), got null", null, loader, () => 1],
    ["evaluate: expected a loader, or batches in a list, got 3", model, 3, () => 1],
    ["evaluate: expected metric as a function, got undefined", model, loader, undefined],
    ["evaluate: expected batches { x, y }, got 1", model, [1], () => 1],
    ["evaluate: encode: expected a tensor, got undefined", model, loader, () => 1, { encode: () => undefined }],
    ["evaluate: expected encode of type function, got 3", model, loader, () => 1, { encode: 3 }],
  ];
  test.each(notEvaluated)("%s", (message, ...args) => {
    expect(() => (evaluate as (...args: unknown[]) => number)(...args)).toThrow(message);
    expect(model.training).toBe(true);
  });

  test("fit: no options at all are a TypeError", async () => {
    await expect(fit(model, loader, undefined as never)).rejects.toThrow(
      new TypeError("fit: expected options, got undefined"),
    );
  });

  test("fit: a generator that has given its batches says so in the second epoch", async () => {
    function* once() {
      yield batch;
    }
    await expect(fit(model, once(), { ...options, epochs: 2 })).rejects.toThrow("a generator gives them once only");
  });
});

test("fit, evaluate and containers: the error of a layer that a field holds has its name", async () => {
  class Net extends Module {
    readonly fc1 = new Linear(2, 3);
    readonly fc2 = new Linear(4, 2);

    forward(x: Tensor): Tensor {
      return this.fc2.forward(this.fc1.forward(x));
    }
  }
  const said = (path: string) =>
    `at ${path} (Linear): linear: expected x [..., in] and weight [out, in], got [2, 4, 3] and [2, 4]`;
  const model = new Net();
  const loader = [{ x: ones([4, 2]), y: Int32Array.of(0, 1, 0, 1) }];
  const options = { epochs: 1, optimizer: new SGD(model.parameters(), { lr: 1 }), loss: crossEntropy };
  const encode = (x: Tensor) => x.expand([2, 4, 2]);
  await expect(fit(model, loader as never, { ...options, encode } as never)).rejects.toThrow(
    new RangeError(said("fc2")),
  );
  expect(() => evaluate(model, loader as never, accuracy, { encode } as never)).toThrow(said("fc2"));
  expect(() => new Sequential(model).forward(ones([2, 4, 2]))).toThrow(said("0.fc2"));
});
