/** Truncated backpropagation: the bits of full backpropagation for a single piece, states across pieces, and bounded memory. */
import { describe, expect, test } from "vitest";
import {
  Adam,
  crossEntropy,
  Dropout,
  Generator,
  LayerNorm,
  Linear,
  Module,
  memoryStats,
  mseLoss,
  noGrad,
  ones,
  rand,
  resetPeak,
  Sequential,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { from, linear } from "../../test/support/seeded.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  AdaptiveLIF,
  BatchNormTT1d,
  Delay,
  DelayedLinear,
  LeakyIntegrator,
  LIF,
  meanOverTime,
  ParametricLIF,
  type PieceLoss,
  PSN,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  truncatedBackward,
} from "../index.ts";

const [T, B, N] = [7, 2, 4];
const sum: PieceLoss = (z) => z.square().sum();

/** A user-written layer with `step`. */
class Summing extends Module {
  forward(x: Tensor): Tensor {
    return x.cumsum({ axis: 0 });
  }
  step(x: Tensor, state: Tensor): [z: Tensor, state: Tensor] {
    const z = x.add(state);
    return [z, z];
  }
  initialState(shape: readonly number[]): Tensor {
    return ones(shape).mul(0);
  }
}

/** Layers of [T, B, N] by name; each call makes a new one. */
const LAYERS: Readonly<Record<string, () => Module>> = {
  LIF: () => new LIF({ learnBeta: true, learnThreshold: true }),
  "held LIF": () => new LIF({ refractorySteps: 2, reset: "subtract" }),
  ParametricLIF: () => new ParametricLIF({ rest: 0.25, learn: ["w", "rest"] }),
  AdaptiveLIF: () => new AdaptiveLIF({ learn: ["beta", "rho"] }),
  "LIF that competes": () => new LIF({ inhibition: true }),
  LeakyIntegrator: () => new LeakyIntegrator({ learnBeta: true, rest: 0.5 }),
  RecurrentLIF: () => new RecurrentLIF({ features: N, ...from() }),
  "Recurrent, one": () => new Recurrent(new AdaptiveLIF(), { features: N, connection: "one" }),
  "Recurrent, a module": () => new Recurrent(new LIF(), { connection: linear(N, N) }),
  SpikingLSTM: () => new SpikingLSTM(N, N, from()),
  Delay: () => new Delay([0, 1, 2, 5]),
  DelayedLinear: () => new DelayedLinear(N, N, { maxDelay: 2, ...from() }),
  PSN: () => new PSN({ kind: "sliding", order: 3 }),
  BatchNormTT1d: () => new BatchNormTT1d(N, T),
  Dropout: () => new Dropout(0.5, { sharedAxes: [0, -1], ...from() }),
  LayerNorm: () => new LayerNorm([N]),
  Summing: () => new Summing(),
};

const input = (): Tensor => random([T, B, N], 1, { low: -1, high: 3 });

/** Gradients of a network after `learn`, as bits by name, and of a leaf before it. */
function learnt(make: () => Module, learn: (network: Module, x: Tensor) => void): Record<string, number[] | null> {
  const network = new Sequential(linear(N, N, 5), make(), linear(N, N, 6));
  const x = leaf([T, B, N], 1, { low: -1, high: 3 });
  learn(network, x);
  const all = [["x", x] as const, ...network.namedParameters()];
  return Object.fromEntries(all.map(([name, { grad }]) => [name, grad && bits(grad)]));
}

describe("one piece has the bits of backpropagation", () => {
  test.each(Object.entries(LAYERS))("%s", (_, make) => {
    const wanted = learnt(make, (network, x) => tape(() => sum(network.forward(x), 0, T)?.backward()));
    for (const steps of [T, T + 1, 1000]) {
      expect(learnt(make, (network, x) => void truncatedBackward(network, x, sum, { steps }))).toEqual(wanted);
    }
    expect(Object.values(wanted).some((grad) => grad?.some((value) => value !== 0))).toBe(true);
  });

  test("also of a module that is no list of layers, and of a loss over a reduced output", () => {
    class Residual extends Module {
      readonly lif = new LIF();
      forward(x: Tensor): Tensor {
        return meanOverTime(this.lif.forward(x).add(x));
      }
    }
    const loss = (z: Tensor) => crossEntropy(z, [0, 1]);
    const wanted = learnt(
      () => new Residual(),
      (network, x) => tape(() => loss(network.forward(x)).backward()),
    );
    expect(
      learnt(
        () => new Residual(),
        (network, x) => void truncatedBackward(network, x, loss, { steps: T }),
      ),
    ).toEqual(wanted);
  });
});

/** Whether the grouping of steps changes the roundings of sums. */
const rounds = (layer: Module) => layer instanceof BatchNormTT1d || layer instanceof Summing;

describe("pieces go on from each other", () => {
  test.each(Object.entries(LAYERS))("%s", (_, make) => {
    const wanted = make().forward(input());
    for (const steps of [1, 2, 3, 6]) {
      const ends: number[][] = [];
      const copies: Float32Array[] = [];
      const look: PieceLoss = (z, start, end) => {
        copies.push(z.toFloat32Array());
        ends.push([start, end]);
        return null;
      };
      truncatedBackward(make(), input(), look, { steps });
      const all = copies.flatMap((copy) => [...copy]);
      if (rounds(make())) expectNear(all, values(wanted), `${steps} steps`);
      else expect(bits(Float32Array.from(all)), `${steps} steps`).toEqual(bits(wanted));
      expect(ends).toEqual(
        Array.from({ length: Math.ceil(T / steps) }, (_, i) => [i * steps, Math.min((i + 1) * steps, T)]),
      );
    }
  });
});

test("truncated: gradients are those of pieces with the state before them fixed, and add up", () => {
  const make = () => new Sequential(linear(N, N, 5), new RecurrentLIF({ features: N, ...from() }), linear(N, 3, 6));
  const [network, other] = [make(), make()];
  const x = leaf([T, B, N], 1, { low: -1, high: 3 });
  const target = random([T, B, 3], 2);
  const loss = (z: Tensor, start: number, end: number) => mseLoss(z, target.slice(0, start, end)).mul(end - start);
  const total = truncatedBackward(network, x, loss, { steps: 3 });

  const [first, neurons, last] = other.modules as [Linear, RecurrentLIF, Linear];
  const again = leaf([T, B, N], 1, { low: -1, high: 3 });
  let state = neurons.initialState([B, N]);
  let expected = 0;
  for (const [start, end] of [
    [0, 3],
    [3, 6],
    [6, 7],
  ] as const) {
    state = tape(() => {
      const record = neurons.unroll(first.forward(again.slice(0, start, end)), state);
      const piece = loss(last.forward(record.spikes), start, end);
      piece.backward();
      expected += piece.item();
      return record.state;
    });
  }
  expect(total).toBe(expected);
  expect([x, ...network.parameters()].map(gradient)).toEqual([again, ...other.parameters()].map(gradient));
  const whole = make();
  truncatedBackward(whole, input(), loss, { steps: T });
  expect(gradient(whole.parameters()[0] as Tensor)).not.toEqual(gradient(network.parameters()[0] as Tensor));
});

test("truncated: neurons without a memory lose nothing in pieces", () => {
  const make = () => new Sequential(linear(N, N, 5), new LIF({ beta: 0, reset: "none" }), linear(N, 3, 6));
  const [pieces, whole] = [make(), make()];
  truncatedBackward(pieces, input(), sum, { steps: 2 });
  truncatedBackward(whole, input(), sum, { steps: T });
  for (const [i, p] of pieces.parameters().entries()) {
    expectNear(gradient(p), gradient(whole.parameters()[i] as Tensor), `parameter ${i}`, { relative: 1e-5 });
  }
});

test("truncated: pieces without a loss pass, and the sum is that of the others", () => {
  const network = new Sequential(linear(N, N), new LIF(), linear(N, 2));
  const seen: number[] = [];
  const loss: PieceLoss = (z, start) => {
    seen.push(start);
    return start === 6 ? crossEntropy(z.select(0, -1), [0, 1]) : null;
  };
  const found = truncatedBackward(network, input(), loss, { steps: 2 });
  expect(seen).toEqual([0, 2, 4, 6]);
  expect(found).toBeCloseTo(crossEntropy(network.forward(input()).select(0, -1), [0, 1]).item(), 6);
});

test("truncated: nothing but gradients is left, also inside of a tape and where a loss throws", () => {
  const network = new Sequential(linear(N, N), new RecurrentLIF({ features: N, ...from() }), new LeakyIntegrator());
  const x = input();
  const steps = () => {
    truncatedBackward(network, x, sum, { steps: 2 });
    tape(() => void truncatedBackward(network, x, sum, { steps: 2 }));
    const failing: PieceLoss = (z, start) => (start === 4 ? (1 as never) : z.sum());
    expect(() => truncatedBackward(network, x, failing, { steps: 2 })).toThrow("truncatedBackward: expected a loss");
  };
  steps();
  expect(bytesKept(steps)).toBe(0);
});

test("truncated: memory is that of a piece, whatever the length of the sequence, at the root and in a tape", () => {
  const network = new Sequential(linear(4, 8), new LIF(), linear(8, 4), new LIF());
  const peakOf = (length: number, steps: number, inTape: boolean): number => {
    const x = rand([length, 2, 4], from());
    const { live } = memoryStats();
    resetPeak();
    const run = () => void truncatedBackward(network, x, sum, { steps });
    if (inTape) tape(run);
    else run();
    const { peak } = memoryStats();
    x.dispose();
    return peak - live;
  };
  for (const inTape of [false, true]) {
    const [, short, long, longest] = [100, 100, 1000, 10_000].map((n) => peakOf(n, 10, inTape)) as [0, 0, 0, 0];
    expect(long).toBeLessThan(short * 1.2);
    expect(longest).toBeLessThan(short * 1.2);
    expect(peakOf(1000, 1000, inTape)).toBeGreaterThan(20 * short);
  }
});

describe("truncated: bad input", () => {
  class Hidden extends Module {
    readonly cell = new RecurrentLIF({ features: N });
    forward(x: Tensor): Tensor {
      return this.cell.forward(x);
    }
  }
  class Joining extends Module {
    forward(x: Tensor): Tensor {
      return meanOverTime(x);
    }
  }
  const network = new Sequential(linear(N, 3), new LIF());
  const x = input();
  const run = (model: Module, options: object = { steps: 2 }, loss: unknown = sum, data: unknown = x) => {
    return () => truncatedBackward(model, data as Tensor, loss as PieceLoss, options as never);
  };
  const cases: [call: () => unknown, message: string | RegExp][] = [
    [run(1 as never), "truncatedBackward: expected a module with forward(x), got 1"],
    [run(network, { steps: 2 }, sum, [1]), "truncatedBackward: expected a tensor, got [1]"],
    [run(network, { steps: 2 }, sum, tensor(1)), /^truncatedBackward: expected x \[T, B, …\], got \[\]/],
    [run(network, { steps: 2 }, 1), "truncatedBackward: expected loss as a function, got 1"],
    [run(network, { steps: 0 }), "truncatedBackward: steps must be a positive integer, got 0"],
    [run(network, { steps: 2.5 }), "truncatedBackward: steps must be a positive integer, got 2.5"],
    [run(network, {}), "truncatedBackward: steps must be a positive integer, got NaN"],
    [run(network, { steps: "2" }), 'truncatedBackward: expected steps of type number, got "2"'],
    [run(network, { steps: 2, K: 1 }), "truncatedBackward: expected the options steps, got K"],
    [run(network, { steps: 2 }, () => 1), "truncatedBackward: expected a loss that returns a tensor, got 1"],
    [run(network, { steps: 2 }, (z: Tensor) => z), "truncatedBackward: expected a loss of one number, got [2, 2, 3]"],
    [run(network, { steps: T }, (z: Tensor) => z), "truncatedBackward: expected a loss of one number, got [7, 2, 3]"],
    [
      run(new Sequential(network, new Hidden())),
      'truncatedBackward: expected layers with step(x, state) and initialState(shape), or without a state, got "1" (Hidden), ' +
        'whose forward keeps the state of "cell"; put its layers into a Sequential, or give it both methods',
    ],
    [
      run(new Sequential(new LIF(), new Joining())),
      'truncatedBackward: expected "1" (Joining) to give [2, 2, …] for [2, 2, 4], got [2, 4]',
    ],
    [
      run(new PSN({ timesteps: T })),
      'PSN: expected kind "sliding" for single steps, got "full", which needs the whole sequence',
    ],
    [
      () => tape(() => truncatedBackward(network, linear(N, N).forward(x), sum, { steps: 2 })),
      "truncatedBackward: expected x as a leaf or a constant, got one that was recorded, which the backward of the first of 4 " +
        "pieces would consume; x.detach()?",
    ],
    [run(network, { steps: 2 }, sum, ones([T, B, N + 1])), /^linear: expected x \[\.\.\., in\]/],
  ];

  test.each(cases)("%#: the error names the values", (call, message) => {
    expect(call).toThrow(message);
    expect(network.parameters().map((p) => p.grad)).toEqual([null, null]);
  });
});

test("truncated: a recurrent network learns to tell a pattern from its mirror image", () => {
  const generator = new Generator(4);
  const network = new Sequential(
    new Linear(4, 24, { generator }),
    new RecurrentLIF({ features: 24, beta: 0.9, generator }),
    new Linear(24, 2, { generator }),
    new LeakyIntegrator({ beta: 0.95 }),
  );
  /** The channels fire in turn, upwards in the first class and downwards in the second. */
  const samples = (count: number) => {
    const labels = Array.from({ length: count }, (_, i) => i % 2);
    const rates = Array.from({ length: 16 }, (_, t) =>
      labels.map((label) => Array.from({ length: 4 }, (_, i) => ((label === 0 ? t : 15 - t) >> 2 === i ? 0.9 : 0.1))),
    );
    return { x: noGrad(() => rand([16, count, 4], { generator }).lt(tensor(rates))), labels };
  };
  const test = samples(200);
  const accuracy = () => {
    const found = values(noGrad(() => network.forward(test.x).select(0, -1).argmax({ axis: -1 })));
    return found.filter((label, i) => label === test.labels[i]).length / found.length;
  };
  const before = accuracy();
  const optimizer = new Adam(network.parameters(), { lr: 0.01 });
  for (let batch = 0; batch < 40; batch++) {
    const { x, labels } = samples(32);
    optimizer.zeroGrad();
    truncatedBackward(network, x, (z, start) => (start < 8 ? null : crossEntropy(z.select(0, -1), labels)), {
      steps: 8,
    });
    optimizer.step();
    x.dispose();
  }
  expect(before).toBeLessThan(0.75);
  expect(accuracy()).toBeGreaterThan(0.9);
});
