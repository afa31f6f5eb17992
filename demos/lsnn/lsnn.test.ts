/** Networks with memory in their thresholds: their shape, their errors, and the two rules that train them. */
import {
  type AdaptiveLIF,
  Generator,
  LIF,
  type Linear,
  manualSeed,
  memoryStats,
  noGrad,
  Recurrent,
  zeros,
} from "jarvis-snn";
import { describe, expect, test } from "vitest";
import { bits } from "../../test/support/tensors.ts";
import { DT_MS, INPUTS, Lsnn, NONE, spikesOf, stepsOf, type Trials } from "./network.ts";
import { errorsOf, type IterationReport, measure, trainMemory } from "./training.ts";

const SHAPE = { regular: 3, adaptive: 5, tauAdaptationMs: 1000, kappa: 0.2 };

describe("network", () => {
  test("lsnn: the activity has the bits of forward, and thresholds of adaptive neurons alone move", () => {
    manualSeed(1);
    const model = new Lsnn(SHAPE);
    const x = spikesOf(new Float32Array(60 * 2 * 4).fill(50), 2, new Generator(2));
    const { spikes, output, thresholds } = noGrad(() => {
      const { thresholds, ...activity } = model.activity(x);
      return { ...activity, thresholds: thresholds() };
    });
    expect(bits(output)).toEqual(bits(noGrad(() => model.forward(x))));
    expect(spikes.shape).toEqual([60, 2, 8]);
    const values = thresholds.toFloat32Array();
    const s = spikes.toFloat32Array();
    const a = new Float64Array(16);
    const rho = Math.exp(-DT_MS / 1000);
    for (let i = 0; i < values.length; i++) {
      const place = i % 16;
      a[place] = rho * (a[place] as number) + (s[i] as number);
      expect(values[i]).toBeCloseTo(1 + (i % 8 < 3 ? 0 : 0.2) * (a[place] as number), 4);
    }
    expect(Math.max(...a)).toBeGreaterThan(2);
  });

  test("lsnn: without adaptive neurons the spikes are those of recurrent LIF neurons", () => {
    manualSeed(2);
    const model = new Lsnn({ ...SHAPE, regular: 6, adaptive: 0 });
    const x = spikesOf(new Float32Array(80 * 3 * 4).fill(60), 3, new Generator(3));
    const [input, recurrent] = model.modules as unknown as [Linear, Recurrent<never, never>];
    const { beta } = recurrent.neuron as unknown as InstanceType<typeof AdaptiveLIF>;
    const lif = new Recurrent(new LIF({ beta, reset: "subtract" }), { features: 6, bias: false });
    (lif.recurrent as Linear).weight.copyFrom((recurrent.recurrent as Linear).weight);
    const spikes = noGrad(() => lif.forward(input.forward(x)));
    expect(bits(spikes)).toEqual(bits(noGrad(() => model.activity(x).spikes)));
    expect(spikes.sum().item()).toBeGreaterThan(50);
  });

  test("spikes: the neurons of a group fire at its rate", () => {
    const ratesHz = [0, 20, 60, 100];
    const T = 2000;
    const x = spikesOf(
      Float32Array.from({ length: T * 4 }, (_, i) => ratesHz[i % 4] as number),
      1,
      new Generator(4),
    );
    expect(x.shape).toEqual([T, 1, INPUTS]);
    const found = x.mean({ axis: [0, 1] }).toFloat32Array();
    for (const [i, p] of found.entries()) {
      const expected = ((ratesHz[Math.floor(i / 10)] as number) * DT_MS) / 1000;
      expect(Math.abs(p - expected)).toBeLessThan(5 * Math.sqrt((expected * (1 - expected)) / T) + 1e-9);
    }
  });
});

describe("errors", () => {
  /** Two trials of six steps: one recall of class 1, and two recalls of classes 0 and 1. */
  const answers = Int32Array.from([NONE, 0, NONE, 0, 1, NONE, 1, NONE, 1, 1, NONE, 1]);
  const trials: Trials = { x: zeros([6, 2, INPUTS]), answers };
  /** The first output is 0 and the second the margin of each step. */
  const errors = (...margins: number[]) =>
    errorsOf(
      margins.flatMap((margin) => [0, margin]),
      trials,
    );

  test("errors: each run of steps that ask is a recall, and the sum over its steps is the answer", () => {
    expect(errors(0, -1, 0, -1, 3, 0, -1, 0, -1, 1, 0, 1)).toEqual({ wrong: 0, recalls: 3 });
    expect(errors(0, 1, 0, -0.5, 3, 0, -2, 0, -2, -1, 0, -2)).toEqual({ wrong: 3, recalls: 3 });
    expect(errors(9, -1, -9, -1, 1, -9, 1, -9, 1, -1, 9, 2)).toEqual({ wrong: 0, recalls: 3 });
  });

  test("measure: all trials count, in batches of at most 250", () => {
    const model = new Lsnn(SHAPE);
    const batches: number[] = [];
    const error = measure(model, 600, (batch) => {
      batches.push(batch);
      // Without spikes both outputs are 0, which is answered by 0.
      return {
        x: zeros([1, batch, INPUTS]),
        answers: Int32Array.from({ length: batch }, (_, b) => (b % 4 === 0 ? 1 : 0)),
      };
    });
    expect(batches).toEqual([250, 250, 100]);
    expect(error).toBeCloseTo((63 + 63 + 25) / 600, 10);
  });
});

describe("training", () => {
  /** Trials that ask which of two groups has fired, in the last steps. */
  const cues =
    (generator: Generator, delay: number) =>
    (batch: number): Trials => {
      const T = 20 + delay + 10;
      const rates = new Float32Array(T * batch * 4);
      const answers = new Int32Array(T * batch).fill(NONE);
      for (let b = 0; b < batch; b++) {
        for (let t = 0; t < 20; t++) rates[4 * (t * batch + b) + (b % 2)] = 50;
        for (let t = T - 10; t < T; t++) {
          rates[4 * (t * batch + b) + 2] = 50;
          answers[t * batch + b] = b % 2;
        }
      }
      return { x: spikesOf(rates, batch, generator), answers };
    };

  const train = (rule: "bptt" | "eprop", options: { iterations: number; feedback?: "symmetric" | "random" }) => {
    manualSeed(3);
    const model = new Lsnn({ ...SHAPE, regular: 10, adaptive: 10, kappa: 0.1 });
    const reports: IterationReport[] = [];
    const given = { rule, feedback: "symmetric" as const, batchSize: 64, lr: 3e-2, ...options };
    trainMemory({ model, draw: cues(new Generator(5), 20), ...given }, (report) => reports.push(report));
    return { model, reports };
  };

  test("rules: both see the same loss, errors and rates in the first iteration", () => {
    const [bptt, eprop] = [train("bptt", { iterations: 1 }), train("eprop", { iterations: 1 })] as const;
    const [a, b] = [bptt.reports[0], eprop.reports[0]] as [IterationReport, IterationReport];
    expect(b.loss).toBeCloseTo(a.loss, 5);
    expect(b.error).toBe(a.error);
    expect(b.rateHz).toBeCloseTo(a.rateHz, 4);
    expect(a.rateHz).toBeGreaterThan(1);
  });

  test("rules: gradients of the readout are the same, so its weights move alike", () => {
    const after = (["bptt", "eprop"] as const).map((rule) =>
      (train(rule, { iterations: 1 }).model.modules[2] as Linear).weight.toFloat32Array(),
    );
    const [a, b] = after as [Float32Array, Float32Array];
    for (const [i, x] of a.entries()) expect(b[i]).toBeCloseTo(x, 4);
  });

  test.each([
    ["bptt", "symmetric"],
    ["eprop", "symmetric"],
    ["eprop", "random"],
  ] as const)("rules: by %s with %s feedback a network learns which group has fired", (rule, feedback) => {
    const { model } = train(rule, { iterations: 15, feedback });
    expect(measure(model, 200, cues(new Generator(6), 20))).toBeLessThan(0.1);
  });

  test.each(["bptt", "eprop"] as const)("rules: by %s an iteration leaves no memory behind", (rule) => {
    manualSeed(3);
    const given = { model: new Lsnn(SHAPE), draw: cues(new Generator(5), 5), feedback: "symmetric" } as const;
    const live: number[] = [];
    trainMemory({ ...given, rule, iterations: 12, batchSize: 4, lr: 1e-3 }, () => live.push(memoryStats().live));
    expect(live.at(-1)).toBe(live[2]);
  });
});

test("times: steps of 5 ms", () => {
  expect([5, 100, 150, 1500].map(stepsOf)).toEqual([1, 20, 30, 300]);
});
