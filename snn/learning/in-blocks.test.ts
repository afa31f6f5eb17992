/** Long sequences in blocks: the bits of the whole run, the memory of a block. */
import { describe, expect, test } from "vitest";
import {
  BatchNorm1d,
  bernoulli,
  concat,
  Dropout,
  Generator,
  gradcheck,
  LayerNorm,
  Module,
  memoryStats,
  noGrad,
  ones,
  rand,
  resetPeak,
  Sequential,
  SGD,
  type Tensor,
  tape,
  tensor,
} from "../../engine/index.ts";
import { from, linear } from "../../test/support/seeded.ts";
import { ordersSoFar, startThreads } from "../../test/support/sharing.ts";
import { bits, bytesKept, expectNear, gradient, leaf, random, values } from "../../test/support/tensors.ts";
import {
  AdaptiveLIF,
  Delay,
  DelayedLinear,
  inBlocks,
  LeakyIntegrator,
  LIF,
  meanOverTime,
  ParametricLIF,
  PSN,
  poissonEncode,
  Recurrent,
  RecurrentLIF,
  record,
  SpikingLSTM,
} from "../index.ts";

const [T, B, N] = [13, 3, 4];

/** A user's layer with `step`. */
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
  LIF: () => new LIF(),
  "learned LIF": () => new LIF({ learnBeta: true, learnThreshold: true }),
  "held LIF": () => new LIF({ refractorySteps: 2, reset: "subtract" }),
  "delayed LIF": () => new LIF({ resetDelay: true, detachReset: false }),
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
  "Dropout, one mask": () => new Dropout(0.5, { sharedAxes: [0, -1], ...from() }),
  LayerNorm: () => new LayerNorm([N]),
  Summing: () => new Summing(),
  "nested Sequential": () => new Sequential(new LIF(), new Sequential(linear(N, N, 3), new LIF())),
};

type Run = (network: Module, x: Tensor) => Tensor;
const whole: Run = (network, x) => network.forward(x);
const blocks =
  (steps: number): Run =>
  (network, x) =>
    inBlocks(network, x, { steps });

/** A network around a layer. */
const around = (make: () => Module): Sequential => new Sequential(linear(N, N, 5), make(), linear(N, N, 6));

interface Learnt {
  readonly z: number[];
  readonly loss: number;
  readonly dx: number[];
  readonly dWeights: number[][];
}

/** The bits of output, loss and gradient of x, and the gradients of weights. */
function learnt(network: Module, run: Run, before: (x: Tensor) => Tensor = (x) => x): Learnt {
  const x = leaf([T, B, N], 1, { low: -1, high: 3 });
  return tape(() => {
    const z = run(network, before(x));
    const loss = z
      .square()
      .mean()
      .add(z.slice(0, 2, 9).sum());
    loss.backward();
    return { z: bits(z), loss: loss.item(), dx: bits(x.grad as Tensor), dWeights: network.parameters().map(gradient) };
  });
}

/** Layers whose outputs, and those whose gradients, add up steps of two blocks in another order. */
const ROUNDED = ["Summing"];
const ROUNDED_BACK = [...ROUNDED, "RecurrentLIF", "Recurrent, a module", "DelayedLinear", "PSN"];

const floats = (list: number[]) => new Float32Array(Uint32Array.from(list).buffer);

describe("the bits of the whole run", () => {
  test.each(Object.entries(LAYERS))("%s", (name, make) => {
    const wanted = learnt(around(make), whole);
    for (const steps of [1, 2, 5, 12]) {
      const got = learnt(around(make), blocks(steps));
      if (!ROUNDED.includes(name)) {
        expect(got.z, `${steps} steps`).toEqual(wanted.z);
        expect(got.loss).toBe(wanted.loss);
      }
      if (!ROUNDED_BACK.includes(name)) expect(got.dx, `${steps} steps`).toEqual(wanted.dx);
      expectNear(floats(got.dx), floats(wanted.dx), `dx, ${steps} steps`, { absolute: 2e-6, relative: 2e-5 });
      for (const [i, dw] of got.dWeights.entries()) {
        expectNear(dw, wanted.dWeights[i] as number[], `parameter ${i}`, { absolute: 2e-5, relative: 2e-5 });
      }
    }
    expect(learnt(around(make), blocks(T))).toEqual(wanted);
    expect(wanted.dx.some((value) => value !== 0)).toBe(true);
  });

  test("spikes as the output, packed, and as the input", () => {
    const network = () => new Sequential(linear(N, N, 5), new LIF());
    const coded = (x: Tensor) => poissonEncode(x.detach().select(0, 0), { timesteps: T, ...from() });
    const run = (of: Run) =>
      tape(() => {
        const made = network();
        const z = of(made, coded(leaf([T, B, N], 1, { low: 0, high: 1 })));
        const packed = z.ptr === 0;
        const loss = z.mul(random([T, B, N], 7)).sum();
        loss.backward();
        return { packed, z: bits(z), dw: gradient(made.parameters()[0] as Tensor) };
      });
    const wanted = run(whole);
    for (const steps of [1, 3, 8]) {
      const got = run(blocks(steps));
      expect([got.packed, got.z]).toEqual([true, wanted.z]);
      expectNear(got.dw, wanted.dw, `${steps} steps`);
    }
  });

  test("a current that is the same in all steps", () => {
    const constant = (x: Tensor) => x.select(0, 3).expand([T, B, N]);
    const wanted = learnt(new LIF(), whole, constant);
    const got = learnt(new LIF(), blocks(4), constant);
    expect([got.z, got.loss]).toEqual([wanted.z, wanted.loss]);
    expectNear(floats(got.dx), floats(wanted.dx), "dx");
  });

  test("x is the output of an op, and is used twice", () => {
    const make = () => around(() => new LIF());
    const twice =
      (run: Run): Run =>
      (network, x) =>
        run(network, x).add(x);
    const wanted = learnt(make(), twice(whole), (x) => x.mul(1.5));
    const got = learnt(make(), twice(blocks(4)), (x) => x.mul(1.5));
    expect([got.z, got.dx]).toEqual([wanted.z, wanted.dx]);
  });

  test("outside of tapes and under noGrad", () => {
    const network = around(() => new RecurrentLIF({ features: N, ...from() }));
    const x = random([T, B, N], 1);
    const wanted = bits(network.forward(x));
    expect(bits(inBlocks(network, x, { steps: 4 }))).toEqual(wanted);
    expect(noGrad(() => bits(inBlocks(network, x, { steps: 4 })))).toEqual(wanted);
  });
});

test("in blocks: threads give the bits of one", async () => {
  const all = (): Learnt[] =>
    ["LIF", "AdaptiveLIF", "RecurrentLIF"].map((name) => learnt(around(LAYERS[name] as () => Module), blocks(5)));
  const alone = all();
  const before = ordersSoFar();
  try {
    for (const count of [2, 3]) {
      await startThreads(count);
      expect(all()).toEqual(alone);
    }
  } finally {
    await startThreads(1);
  }
  expect(ordersSoFar()).toBeGreaterThan(before);
});

test("in blocks: gradients agree with differences", () => {
  const first = linear(N, N, 5);
  const neurons = new ParametricLIF({ spiking: false, learn: ["w"] });
  const network = new Sequential(first, neurons, new RecurrentLIF({ features: N, spiking: false, ...from() }));
  const x = leaf([6, 2, N], 2);
  gradcheck(
    (x, weight, w) => {
      Object.assign(first, { weight });
      Object.assign(neurons, { w });
      return inBlocks(network, x as Tensor, { steps: 2 })
        .square()
        .mean();
    },
    [x, first.weight, neurons.w],
  );
});

describe("random layers draw the same numbers again", () => {
  /** A layer whose generator is in a closure. */
  const sampling = () => {
    const generator = new Generator(3);
    return new (class Sampling extends Module {
      forward(x: Tensor): Tensor {
        return x.mul(bernoulli(x.detach().mul(0).add(0.5), { generator }));
      }
    })();
  };
  const RANDOM: Readonly<Record<string, () => Module>> = {
    Dropout: () => new Dropout(0.5, from()),
    "a generator in a closure": sampling,
  };
  test.each(Object.entries(RANDOM))("%s", (_, make) => {
    const network = () => new Sequential(linear(N, N, 5), make(), linear(N, N, 6));
    const byHand =
      (steps: number): Run =>
      (network, x) =>
        concat(x.split(steps).map((block) => network.forward(block)));
    for (const steps of [1, 4]) {
      const wanted = learnt(network(), byHand(steps));
      const got = learnt(network(), blocks(steps));
      expect([got.z, got.dx]).toEqual([wanted.z, wanted.dx]);
    }
  });

  test("backward leaves generators where forward has brought them", () => {
    const generator = new Generator(5);
    const network = new Sequential(new Dropout(0.5, { generator }), new LIF(), new Dropout(0.3, { generator }));
    tape(() => {
      const z = inBlocks(network, leaf([T, B, N], 1), { steps: 4 });
      const state = generator.getState();
      expect(state.block).toBeGreaterThan(0);
      z.sum().backward();
      expect(generator.getState()).toEqual(state);
    });
  });
});

test("in blocks: a frozen network records nothing, frozen weights get no gradient", () => {
  const network = around(() => new LIF());
  for (const p of network.parameters()) p.requiresGrad = false;
  const x = random([T, B, N], 1);
  expect(tape(() => inBlocks(network, x, { steps: 4 }).requiresGrad)).toBe(false);
  const [first, , last] = network.modules as [Module, Module, Module];
  for (const p of last.parameters()) p.requiresGrad = true;
  tape(() => inBlocks(network, x, { steps: 4 }).sum().backward());
  expect(first.parameters().map((p) => p.grad)).toEqual([null, null]);
  expect(last.parameters().every((p) => p.grad !== null)).toBe(true);
});

test("in blocks: record sees the whole sequence of a model that runs its network in blocks", () => {
  class Long extends Module {
    readonly network = around(() => new LIF());
    forward(x: Tensor): Tensor {
      return meanOverTime(inBlocks(this.network, x, { steps: 4 }));
    }
  }
  const model = new Long();
  const x = random([T, B, N], 1, { low: -1, high: 3 });
  const seen = record(model, x, { loss: (z) => z.square().sum() });
  expect(seen.order).toEqual(["network.1"]);
  expect(seen.layers["network.1"]?.spikes?.shape).toEqual([T, B, N]);
  expect(bits(seen.output)).toEqual(bits(model.forward(x)));
});

test("in blocks: nothing but gradients is left, also where forward or backward fails", () => {
  class Failing extends Module {
    calls = 0;
    limit = Infinity;
    forward(x: Tensor): Tensor {
      if (++this.calls > this.limit) throw new RangeError("enough");
      return x.mul(2);
    }
  }
  const failing = new Failing();
  const network = new Sequential(linear(N, N), failing, new RecurrentLIF({ features: N, ...from() }));
  const x = random([T, B, N], 1);
  const run = (limit: number) => {
    [failing.calls, failing.limit] = [0, limit];
    tape(() => inBlocks(network, x, { steps: 2 }).sum().backward());
  };
  const all = () => {
    run(Infinity);
    expect(() => run(3)).toThrow("enough");
    network.zeroGrad();
    expect(() => run(11)).toThrow("enough");
    // After the error no incomplete sums remain.
    expect(network.parameters().map((p) => p.grad)).toEqual(network.parameters().map(() => null));
    failing.limit = Infinity;
    inBlocks(network, x, { steps: 2 }).dispose();
  };
  all();
  network.zeroGrad();
  expect(bytesKept(all)).toBeLessThanOrEqual(0);
});

test("in blocks: memory beside x and output is that of a block and the states", () => {
  const network = new Sequential(linear(16, 64), new LIF(), linear(64, 4));
  const peakOf = (length: number, steps: number): number => {
    const x = rand([length, 2, 16], from());
    const before = memoryStats().live;
    resetPeak();
    tape(() =>
      meanOverTime(inBlocks(network, x, { steps }))
        .square()
        .sum()
        .backward(),
    );
    const { peak } = memoryStats();
    x.dispose();
    return peak - before;
  };
  peakOf(100, 50);
  expect(peakOf(4000, 50)).toBeLessThan(0.25 * peakOf(4000, 4000));
});

describe("in blocks: bad input", () => {
  const network = new Sequential(linear(N, 3), new LIF());
  const x = random([T, B, N], 1);
  const run =
    (model: Module, options: object = { steps: 2 }, data: unknown = x) =>
    () =>
      inBlocks(model, data as Tensor, options as never);
  class Hidden extends Module {
    readonly cell = new RecurrentLIF({ features: N });
    forward(x: Tensor): Tensor {
      return this.cell.forward(x);
    }
  }
  class Several extends Module {
    forward(x: Tensor): Tensor {
      return [x, x] as unknown as Tensor;
    }
  }
  class Doubled extends LIF {
    override forward(x: Tensor): Tensor {
      return super.forward(x.mul(2));
    }
  }
  const replaced = new Sequential(linear(N, N), new LIF());
  replaced.forward = (x) => x;
  const cases: [call: () => unknown, message: string | RegExp][] = [
    [run(1 as never), "inBlocks: expected a module with forward(x), got 1"],
    [run(network, { steps: 2 }, [1]), "inBlocks: expected a tensor, got [1]"],
    [run(network, { steps: 2 }, tensor(1)), /^inBlocks: expected x \[T, B, …\], got \[\]/],
    [run(network, { steps: 0 }), "inBlocks: steps must be a positive integer, got 0"],
    [run(network, {}), "inBlocks: steps must be a positive integer, got NaN"],
    [run(network, { steps: 2, K: 1 }), "inBlocks: expected the options steps, got K"],
    [
      run(new Sequential(network, new Hidden())),
      /^inBlocks: expected layers with step\(x, state\) .* got "1" \(Hidden\)/,
    ],
    [
      run(replaced),
      /^inBlocks: expected layers with step\(x, state\) .* got Sequential, whose forward keeps the state of "1"/,
    ],
    [run(new Several()), /^inBlocks: expected a tensor from Several, got \[/],
    [run(new Several(), { steps: T }), /^inBlocks: expected a module that returns a tensor, got \[/],
    [
      run(new Doubled()),
      "inBlocks: expected a step(x, state) that goes with forward, got Doubled with another forward",
    ],
    [
      run(new Sequential(linear(N, N), new BatchNorm1d(N, { axis: -1 }))),
      'inBlocks: expected layers that compute each step by itself, got "1" (BatchNorm1d), whose batch statistics span all steps',
    ],
    [run(new PSN({ timesteps: T })), 'PSN: expected kind "sliding" for single steps, got "full"'],
    [run(network, { steps: 2 }, ones([T, B, N + 1])), /linear: expected x \[\.\.\., in\]/],
  ];
  test.each(cases)("%#: the error names the values", (call, message) => {
    expect(call).toThrow(message);
  });

  test("a module that reads a tensor of the tape around it", () => {
    tape(() => {
      const scale = leaf([N], 3).mul(2);
      class Scaled extends Module {
        forward(x: Tensor): Tensor {
          return x.mul(scale);
        }
      }
      expect(run(new Scaled())).toThrow("got one that reads [4], the output of mul outside of it");
    });
  });

  test("weights, or the mode, that change before backward", () => {
    const learning = new Sequential(linear(N, 3), new LIF(), new Dropout(0.5, from()));
    tape(() => {
      const z = inBlocks(learning, x, { steps: 4 }).sum();
      learning.eval();
      expect(() => z.backward()).toThrow("inBlocks: expected the mode of forward in backward()");
    });
    const optimizer = new SGD(learning.parameters(), { lr: 0.1 });
    tape(() => {
      const first = inBlocks(learning, x, { steps: 4 });
      inBlocks(learning, x, { steps: 4 }).sum().backward();
      optimizer.step();
      expect(() => first.sum().backward()).toThrow(
        "backward of inBlocks: a value it needs, of shape [3, 4], was overwritten",
      );
    });
  });

  test("batch statistics of evaluation are the same in all blocks", () => {
    const model = new Sequential(linear(N, N), new BatchNorm1d(N, { axis: -1 }), new LIF()).eval();
    expect(bits(inBlocks(model, x, { steps: 4 }))).toEqual(bits(model.forward(x)));
  });
});

test("in blocks: an empty gradient of x is none, and values stay readable after backward", () => {
  const network = new Sequential(linear(N, N), new LIF());
  tape(() => {
    const z = inBlocks(network, random([T, B, N], 1), { steps: 4 });
    z.sum().backward();
    expect(values(z)).toHaveLength(T * B * N);
    expect(() => z.sum().backward()).toThrow("consumed");
  });
});
