/** Streams of users' modules: required declarations, and allowed operations of their steps. */
import { expect, test } from "vitest";
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  concat,
  Dropout,
  full,
  Linear,
  Module,
  memoryStats,
  noGrad,
  rand,
  Sequential,
  stack,
  type Tensor,
  tensor,
  zeros,
} from "../../index.ts";
import { bitsOf, expectSame, generator, linear } from "../../test/support/streams.ts";
import { bits, values } from "../../test/support/tensors.ts";
import {
  BatchNormTT1d,
  Delay,
  LeakyIntegrator,
  LIF,
  Recurrent,
  RecurrentLIF,
  SpikingLSTM,
  Stream,
  ThresholdDependentBatchNorm1d,
} from "../index.ts";

class Halved extends Conv2d {
  static override readonly stateless = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(x.data[0] === 1 ? 0.5 : 1);
  }
}

test("stream: a subclass of a convolution is run as it is", () => {
  expectSame([new Halved(1, 2, 3, { generator: generator() })], [1, 1, 4, 4]);
  const layer = new Halved(1, 2, 3, { generator: generator() });
  const stream = new Stream(layer, [1, 1, 3, 3]);
  const ones = new Float32Array(9).fill(1);
  for (const x of [ones.map((v, i) => v + i / 8), ones, ones.map((v) => v / 4)]) {
    const expected = noGrad(() => bits(layer.forward(tensor(x, { shape: [1, 1, 1, 3, 3] }))));
    expect(bitsOf(stream.step(x))).toEqual(expected);
  }
  stream.dispose();
});

test("stream: modules without a state are evaluated, and stay in their mode and as they are", () => {
  const norm = new BatchNorm2d(3);
  const drop = new Dropout(0.5);
  const before = norm.stateDict();
  const stream = new Stream([norm, drop], [2, 3, 4, 4]);
  const x = rand([2, 3, 4, 4], { generator: generator() });
  const output = bitsOf(stream.step(x.toFloat32Array()));
  expect(norm.stateDict()).toEqual(before);
  expect([norm.training, drop.training]).toEqual([true, true]);
  norm.eval();
  expect(output).toEqual(bits(norm.forward(x)));
  stream.dispose();
});

class Residual extends Sequential {
  static override readonly stateless = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).add(x);
  }
}

class Doubled extends Linear {
  static override readonly stateless: boolean = true;

  override forward(x: Tensor): Tensor {
    return super.forward(x).mul(2);
  }
}

class Inverted extends LIF {
  override forward(current: Tensor): Tensor {
    return super.forward(current).neg();
  }
}

test("stream: a subclass with a forward of its own is taken as it is", () => {
  for (const layer of [new Residual(linear(3, 3)), new Doubled(3, 3, { generator: generator() })]) {
    expectSame([layer, linear(3, 4)], [2, 3]);
  }
});

/** The message about the methods that a module needs for a stream. */
const unknown = (name: string): string =>
  `Stream: expected modules whose state is known, got ${name}, whose forward may keep one; give ${name} step(x, state) and ` +
  "initialState(shape), or static stateless = true if forward computes each step by itself";

/** z[t] = x[0] + … + x[t]. */
function sums(x: Tensor): Tensor {
  let sum = zeros(x.shape.slice(1));
  return stack(
    x.unbind(0).map((now) => {
      sum = sum.add(now);
      return sum;
    }),
  );
}

/** z[t] = x[t − 10]. */
class Late extends Module {
  forward(x: Tensor): Tensor {
    const past = zeros([10, ...x.shape.slice(1)]);
    return concat([past, x]).slice(0, 0, x.shape[0] as number);
  }
}

/** A sum over time with noise. */
class Noisy extends Module {
  forward(x: Tensor): Tensor {
    return sums(x.add(rand(x.shape).mul(1e-3)));
  }
}

/** Takes small numbers alone. */
class Strict extends Module {
  forward(x: Tensor): Tensor {
    if (x.data.some((value) => value > 1)) throw new RangeError("Strict: expected x ≤ 1");
    return sums(x);
  }
}

/** Neurons that fire for very large sums alone. */
class Silent extends Module {
  forward(x: Tensor): Tensor {
    return sums(x).gt(1e9);
  }
}

test("stream: a module whose state is not known is refused, whatever it computes", () => {
  class Plain extends Module {
    forward(x: Tensor): Tensor {
      return x.relu();
    }
  }
  class Unsaid extends Doubled {
    override forward(x: Tensor): Tensor {
      return sums(x);
    }
  }
  class Denied extends Doubled {
    static override readonly stateless: boolean = false;
  }
  class Scaled extends Linear {
    override forward(x: Tensor): Tensor {
      return super.forward(x).mul(2);
    }
  }
  class Half extends Module {
    forward(x: Tensor): Tensor {
      return sums(x);
    }
    step(x: Tensor): Tensor {
      return x;
    }
  }
  const layers = [Late, Noisy, Strict, Silent, Plain, Half].map((Kind) => new Kind());
  const first = linear(2, 3);
  for (const layer of [...layers, new Unsaid(3, 3), new Denied(3, 3), new Scaled(3, 3)]) {
    const make = () => new Stream([first, layer], [1, 2]);
    const before = memoryStats().live;
    expect(make).toThrow(RangeError);
    expect(make).toThrow(unknown(layer.constructor.name));
    expect(memoryStats().live).toBe(before);
  }
});

test("stream: what a class says counts for its methods, not for a forward that is a property of the instance", () => {
  class Arrow extends Module {
    static override readonly stateless = true;
    forward = (x: Tensor): Tensor => x.mul(2);
  }
  const own = Object.assign(new Doubled(3, 3), { forward: (x: Tensor) => sums(x) });
  for (const layer of [new Arrow(), own]) {
    expect(() => new Stream(layer, [1, 3])).toThrow(
      `Stream: expected forward as a method of ${layer.constructor.name}, for which static stateless = true counts, got a property of ` +
        "the instance; make it a method",
    );
  }
});

test("stream: a module that says that it has no state may not hold one that has", () => {
  const message = (kind: string, where: string) =>
    `Stream: expected a list of layers: ${kind} has a state in ${where} that its forward keeps; or give ${kind} step(x, state)`;
  class Wrapped extends Module {
    static override readonly stateless = true;
    readonly layer: Module;
    constructor(layer: Module) {
      super();
      this.layer = layer;
    }
    forward(x: Tensor): Tensor {
      return this.layer.forward(x);
    }
  }
  expect(() => new Stream(new Residual(new LIF()), [1, 2])).toThrow(message("Residual", "0"));
  for (const layer of [new SpikingLSTM(2, 2), new Delay(1), new Wrapped(new LIF()), new BatchNormTT1d(2, 4)]) {
    const path = layer instanceof Wrapped ? "layer.layer" : "layer";
    expect(() => new Stream(new Wrapped(layer), [1, 2])).toThrow(message("Wrapped", path));
  }
  expectSame([new Wrapped(new Wrapped(linear(2, 2)))], [1, 2]);
});

test("stream: a step whose output or state has another size leaves all as it was", () => {
  /** Counts in `a`; the third step gives tensors of these sizes. */
  class Counting extends Module {
    readonly sizes: readonly number[];
    constructor(...sizes: number[]) {
      super();
      this.sizes = sizes;
    }
    forward(x: Tensor): Tensor {
      return x;
    }
    initialState(shape: readonly number[]) {
      return { a: zeros(shape), b: zeros(shape) };
    }
    step(_x: Tensor, { a, b }: { a: Tensor; b: Tensor }): [Tensor, { a: Tensor; b: Tensor }] {
      const [first, second, third] = a.toFloat32Array()[0] === 2 ? this.sizes : [2, 2, 2];
      const of = (n: number | undefined, value: number) => full([1, n as number], value);
      const now = (a.toFloat32Array()[0] as number) + 1;
      return [of(first, now), { a: of(second, now), b: of(third, (b.toFloat32Array()[0] as number) + 10) }];
    }
  }
  for (const [sizes, kind, got] of [
    [[3, 2, 2], "an output", 3],
    [[2, 1, 2], "a state", 1],
    [[2, 2, 4], "a state", 4],
  ] as const) {
    const layer = new Counting(...sizes);
    const stream = new Stream(layer, [1, 2]);
    for (const now of [1, 2]) expect(stream.step([0, 0])).toEqual(Float32Array.of(now, now));
    const message = `Stream: expected Counting to give ${kind} of shape [1, 2] in each step, got [1, ${got}]`;
    // Again the third step: all parts of the state belong to the second.
    for (let i = 0; i < 2; i++) expect(() => stream.step([0, 0])).toThrow(message);
    expect(stream.output.toArray()).toEqual([[2, 2]]);
    Object.assign(layer, { sizes: [2, 2, 2] });
    expect(stream.step([0, 0])).toEqual(Float32Array.of(3, 3));
    stream.dispose();
  }
});

test("stream: a state whose parts become each other, in another order of names, and begin anew", () => {
  /** z[t] = a[t − 1]·x[t]     a[t] = 2b[t − 1]     b[t] = a[t − 1] */
  class Crossed extends Module {
    forward(x: Tensor): Tensor {
      let state = this.initialState(x.shape.slice(1));
      const steps = x.unbind(0).map((now) => {
        const [z, next] = this.step(now, state);
        state = next;
        return z;
      });
      return stack(steps);
    }
    initialState(shape: readonly number[]): { a: Tensor; b: Tensor } {
      return { a: full(shape, 1), b: full(shape, 3) };
    }
    step(x: Tensor, { a, b }: { a: Tensor; b: Tensor }): [Tensor, { a: Tensor; b: Tensor }] {
      return [a.mul(x), { b: a, a: b.mul(2) }];
    }
  }
  expectSame([new Crossed()], [2, 3]);
});

test("stream: a step that another forward has left behind is refused", () => {
  const refused = (layer: Module, shape: number[]) => {
    const message = `Stream: expected a step(x, state) that goes with forward, got ${layer.constructor.name} with another forward`;
    expect(() => new Stream(layer, shape)).toThrow(message);
  };
  refused(new Inverted(), [1, 2]);
  refused(Object.assign(new LIF(), { forward: (x: Tensor) => x }), [1, 2]);
  const { forward } = Recurrent.prototype;
  try {
    Recurrent.prototype.forward = function (x) {
      return forward.call(this, x).neg();
    };
    refused(new RecurrentLIF({ features: 2 }), [1, 2]);
  } finally {
    Reflect.deleteProperty(Recurrent.prototype, "forward"); // it hid the method of its prototype
  }
  new Stream(new RecurrentLIF({ features: 2 }), [1, 2]).dispose();
});

test("stream: batch normalisation takes running statistics, as those of all steps are not known", () => {
  for (const layer of [
    new BatchNorm1d(2, { trackRunningStats: false }),
    new ThresholdDependentBatchNorm1d(2, { trackRunningStats: false }),
  ]) {
    const message = `Stream: expected ${layer.constructor.name} with running statistics, got one that takes those of all steps`;
    expect(() => new Stream(layer, [3, 2, 4])).toThrow(message);
  }
});

test("stream: a layer that stays in training mode draws anew in each step", () => {
  class Always extends Dropout {
    override eval(): this {
      return this;
    }
    override train(): this {
      return this;
    }
  }
  const stream = new Stream(new Always(0.5, { generator: generator() }), [1, 64]);
  const frame = new Float32Array(64).fill(1);
  const draws = Array.from({ length: 4 }, () => bitsOf(stream.step(frame)).join());
  expect(new Set(draws).size).toBe(4);
  stream.dispose();
});

test("stream: a wrapped forward is not taken for that of the class", () => {
  const { forward } = Linear.prototype;
  const layer = linear(2, 2);
  const x = [1, 2];
  const plain = new Stream(layer, [1, 2]);
  const expected = Array.from(plain.step(x), (value) => 2 * value);
  plain.dispose();
  try {
    Linear.prototype.forward = function (input) {
      return forward.call(this, input).mul(2);
    };
    const networks = [layer, new Sequential(layer)];
    for (const network of networks) expect(() => new Stream(network, [1, 2])).toThrow(unknown("Linear"));
    Object.defineProperty(Linear, "stateless", { value: true, configurable: true });
    for (const network of networks) {
      const stream = new Stream(network, [1, 2]);
      expect(Array.from(stream.step(x))).toEqual(expected);
      stream.dispose();
    }
  } finally {
    Linear.prototype.forward = forward;
    Reflect.deleteProperty(Linear, "stateless");
  }
});

test("stream: an error of a layer names its path, where the stream is made and in a step", () => {
  const linear = "linear: expected x [..., in] and weight [out, in], got [1, 1, 3] and [2, 4]";
  const bad = () => new Linear(4, 2);
  const good = () => new Linear(3, 3);
  expect(() => new Stream(new Sequential(good(), new Sequential(good(), bad())), [1, 3])).toThrow(
    new RangeError(`at 1.1 (Linear): ${linear}`),
  );
  expect(() => new Stream([good(), [bad()]] as never, [1, 3])).toThrow(`at 1.0 (Linear): ${linear}`);
  expect(() => new Stream(bad(), [1, 3])).toThrow(new RangeError(linear));
  let fails = false;
  class Failing extends Module {
    static override readonly stateless = true;

    forward(x: Tensor): Tensor {
      if (fails) throw new RangeError("not now");
      return x.mul(2);
    }
  }
  const stream = new Stream(new Sequential(good(), new Failing()), [1, 3]);
  stream.step();
  fails = true;
  expect(() => stream.step()).toThrow(new RangeError("at 1 (Failing): not now"));
});

test("stream: a module that frees what a later layer reads is an error of this step", () => {
  const linear = new Linear(3, 3);
  let frees: () => void = () => {};
  class Freeing extends Module {
    static override readonly stateless = true;

    forward(x: Tensor): Tensor {
      frees();
      return x.mul(1);
    }
  }
  const stream = new Stream(new Sequential(new Freeing(), linear), [1, 3]);
  stream.step();
  frees = () => linear.weight.dispose();
  expect(() => stream.step()).toThrow(/^at 0 \(Freeing\): Stream: the tensor \[3, 3\] was freed/);
  const other = new Stream(new Sequential(new Freeing(), new Linear(3, 3)), [1, 3]);
  frees = () => other.dispose();
  expect(() => other.step()).toThrow(/was freed/);
});

test("stream: a module that frees its input, or the input of the stream, is an error of the step", () => {
  class Freeing extends Module {
    frees = false;

    forward(x: Tensor): Tensor {
      return x.mul(1);
    }
    step(x: Tensor, state: object): [Tensor, object] {
      const z = x.mul(2);
      if (this.frees) x.dispose();
      return [z, state];
    }
    initialState(): object {
      return {};
    }
  }
  for (const before of [[], [new LeakyIntegrator()], [new LIF()], [new Sequential(new LIF())]]) {
    const freeing = new Freeing();
    const stream = new Stream([...before, freeing, new LIF()], [1, 4]);
    stream.step([1, 1, 1, 1]);
    freeing.frees = true;
    expect(() => stream.step([1, 1, 1, 1])).toThrow(/^at .*was freed/);
    const other = full([1, 4], 7);
    freeing.frees = false;
    expect(() => stream.step([1, 1, 1, 1])).toThrow();
    expect(values(other)).toEqual([7, 7, 7, 7]);
  }
});
