/** Fused layers from outside of the package, by its public names alone: values, gradients, memory, errors. */

import {
  full,
  gradcheck,
  keep,
  LIF,
  Linear,
  Module,
  memoryStats,
  noGrad,
  ones,
  parameter,
  rand,
  Sequential,
  Stream,
  sub,
  type Tensor,
  tape,
  tensor,
  zeros,
} from "jarvis-snn";
import {
  addressOf,
  allocate,
  apply,
  bitsOf,
  buffer,
  composed,
  constantSource,
  empty,
  emptySpikes,
  gradOf,
  gradOfPart,
  inReference,
  isRecording,
  k,
  type Op,
  part,
  peek,
  type Recorded,
  record,
  recycle,
  SAVES,
  saveFor,
  touch,
  valuesAt,
} from "jarvis-snn/extend";
import { expect, test } from "vitest";

type Values = Float32Array | Float64Array;

/** The values of a tensor. */
const of = (t: Tensor) => valuesAt(addressOf(t), t.size);

/** z = x where x > 0, else slope·x, with one slope for each place of the last axis. */
const slopedOp: Op<null> = {
  name: "sloped",
  saves: SAVES.a | SAVES.b,
  forward(z, x, slope) {
    const [to, from, a] = [of(z), of(x), of(slope)];
    from.forEach((value, i) => {
      to[i] = value > 0 ? value : (a[i % a.length] as number) * value;
    });
  },
  backward(z, x, slope) {
    const [p, q, r] = [gradOf(z), gradOf(x), gradOf(slope)];
    const [dz, dx, da, a] = [valuesAt(p, z.size), valuesAt(q, x.size), valuesAt(r, slope.size), of(slope)];
    of(x).forEach((value, i) => {
      const [d, j] = [dz[i] as number, i % a.length];
      dx[i] = (dx[i] as number) + d * (value > 0 ? 1 : (a[j] as number));
      if (value <= 0) da[j] = (da[j] as number) + d * value;
    });
  },
};

const sloped = (x: Tensor, slope: Tensor): Tensor => apply(slopedOp, null, x, slope);

class Sloped extends Module {
  static override readonly stateless = true;

  readonly slope: Tensor;

  constructor(features: number) {
    super();
    this.slope = parameter(full([features], 0.25));
  }

  forward(x: Tensor): Tensor {
    return sloped(x, this.slope);
  }
}

/** max(x, 0), and as its part min(x, 0), by kernels over a buffer. */
const halvesOp: Op<{ negative: Tensor }> = {
  name: "halves",
  saves: SAVES.a,
  forward(z, x, _b, _c, { negative }) {
    const buffer = allocate(4 * x.size);
    k.affine(buffer, addressOf(x), x.size, -1, 0);
    k.relu(buffer, buffer, x.size);
    k.affine(addressOf(negative), buffer, x.size, -1, 0);
    recycle(buffer, 4 * x.size);
    k.relu(addressOf(z), addressOf(x), x.size);
  },
  backward(z, x) {
    const addresses = [gradOf(x), gradOf(z), gradOfPart(z, 1)];
    const [dx, dz, dNegative] = addresses.map((p) => valuesAt(p, x.size)) as [Values, Values, Values];
    of(x).forEach((value, i) => {
      dx[i] = (dx[i] as number) + ((value > 0 ? dz : dNegative)[i] ?? 0);
    });
  },
};

function halvesOf(x: Tensor): [positive: Tensor, negative: Tensor] {
  const negative = empty(x.shape);
  const positive = apply(halvesOp, { negative }, x);
  return [positive, part(positive, 1, negative)];
}

const halves = (x: Tensor): [positive: Tensor, negative: Tensor] => composed(halvesOf, x);

/** z = x³, which saves its derivative. */
const cubeOp: Op<{ slopes: number }> = {
  name: "cube",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, attrs) {
    attrs.slopes = saveFor(z, 4 * z.size);
    const [to, slopes] = [of(z), valuesAt(attrs.slopes, z.size)];
    of(x).forEach((value, i) => {
      to[i] = value ** 3;
      slopes[i] = 3 * value ** 2;
    });
  },
  backward(z, x, _y, _w, { slopes }) {
    k.mulGrad(gradOf(x), gradOf(z), slopes, z.size);
  },
};

const cube = (x: Tensor): Tensor => apply(cubeOp, { slopes: 0 }, x);

/** 1 where x ≥ 0, as bits; the gradient passes as it is. */
const fireOp: Recorded<null> = {
  name: "fire",
  saves: SAVES.nothing,
  backward(z, x) {
    const dx = gradOf(x);
    if (dx !== 0) k.addTo(dx, gradOf(z), x.size);
  },
};

function fire(x: Tensor): Tensor {
  const z = emptySpikes(x.shape);
  const floats = addressOf(x.ge(0));
  k.packBits(bitsOf(z), floats, 1, x.size);
  return record(fireOp, null, z, x);
}

const [X, SLOPE] = [
  tensor([
    [-2, 3, 0.5],
    [1, -1, -4],
  ]),
  tensor([0.1, 0.5, 2]),
];

test("extend: an op of one's own computes, records and adds to gradients, as tensor ops do", () => {
  expect(sloped(X, SLOPE).toArray()).toEqual(X.maximum(0).add(X.minimum(0).mul(SLOPE)).toArray());
  const [x, slope] = [X, SLOPE].map((t) => parameter(t.clone())) as [Tensor, Tensor];
  const gradientsOf = (fn: (x: Tensor, slope: Tensor) => Tensor) => {
    for (const t of [x, slope]) t.zeroGrad();
    tape(() => fn(x, slope).mul(X).sum().backward());
    return [x, slope].map((t) => (t.grad as Tensor).toArray());
  };
  const expected = gradientsOf((x, slope) => x.relu().add(x.minimum(0).mul(slope)).add(x));
  expect(gradientsOf((x, slope) => sloped(x, slope).add(x))).toEqual(expected);
  for (const t of [x, slope]) t.dispose();
});

test("extend: gradients agree with differences, in float64", () => {
  const [x, slope] = [rand([4, 3]).sub(0.5), rand([3])];
  gradcheck((x, slope) => sloped(x, slope).square().sum(), [x, slope]);
  gradcheck(
    (x) => {
      expect(inReference()).toBe(true);
      const [positive, negative] = halves(x);
      return positive.square().sum().add(negative.mul(3).sum());
    },
    [x],
  );
  expect(inReference()).toBe(false);
});

test("extend: of an op with a part, the gradient of either output is enough", () => {
  const x = parameter(X.clone());
  const gradientOf = (loss: (outputs: [Tensor, Tensor]) => Tensor) => {
    x.zeroGrad();
    tape(() => loss(halves(x)).sum().backward());
    return x.grad?.toArray();
  };
  expect(gradientOf(([positive]) => positive)).toEqual([
    [0, 1, 1],
    [1, 0, 0],
  ]);
  expect(gradientOf(([, negative]) => negative)).toEqual([
    [1, 0, 0],
    [0, 1, 1],
  ]);
  expect(gradientOf(([positive, negative]) => positive.add(negative.mul(2)))).toEqual([
    [2, 1, 1],
    [1, 2, 2],
  ]);
  x.dispose();
  // Outside of tapes nothing is recorded.
  expect(halves(X).map((t) => [t.requiresGrad, t.sum().item()])).toEqual([
    [false, 4.5],
    [false, -7],
  ]);
});

test("extend: spikes of an op of one's own stay bits until something needs their floats", () => {
  const x = parameter(tensor([[-1, -2, 0, -3, -1, -1, -2, -4]]));
  const fc = new Linear(8, 2);
  tape(() => {
    const z = fire(x);
    fc.forward(z).sum().backward();
    expect(bitsOf(z)).not.toBe(0);
    expect(z.toArray()).toEqual(x.ge(0).toArray());
    expect(bitsOf(z)).toBe(0);
  });
  expect(x.grad?.toArray()).toEqual([fc.weight.sum({ axis: 0 }).toArray()]);
});

test("extend: an op that lifts computes a step that is repeated once, with the same values and gradients", () => {
  const sizes: number[] = [];
  const op: Op<{ shape: readonly number[] }> = {
    ...(slopedOp as unknown as Op<{ shape: readonly number[] }>),
    reads: { a: ["bits"] },
    lifts: 1,
    forward(z, x, slope, none, attrs) {
      sizes.push(x.size);
      slopedOp.forward(z, x, slope, none, attrs as never);
    },
  };
  const run = (isLifted: boolean, shape: number[]) => {
    const [x, slope] = [X, SLOPE].map((t) => parameter(t.clone())) as [Tensor, Tensor];
    const z = tape(() => {
      const repeated = (shape.length === 1 ? x.sum({ axis: 0 }) : x).expand(shape);
      const z = isLifted ? apply(op, { shape }, repeated, slope) : sloped(repeated.clone(), slope);
      z.sum().backward();
      return z;
    });
    return [z, x.grad as Tensor, slope.grad as Tensor].map((t) => t.toArray());
  };
  expect(run(true, [4, 2, 3])).toEqual(run(false, [4, 2, 3]));
  expect(sizes).toEqual([6]);
  // Outside of tapes too, where the repetition is written out; repetitions over two axes are no steps.
  const z = apply(op, { shape: [4, 2, 3] }, X.expand([4, 2, 3]), SLOPE);
  expect(z.toArray()).toEqual(sloped(X.expand([4, 2, 3]).clone(), SLOPE).toArray());
  apply(op, { shape: [4, 5, 2, 3] }, X.expand([4, 5, 2, 3]), SLOPE);
  expect(sizes).toEqual([6, 6, 120]);
  const freed = tape(() => X.expand([4, 2, 3]));
  freed.dispose();
  const ended: Tensor[] = [];
  tape(() => void ended.push(X.expand([4, 2, 3])));
  for (const x of [freed, ...ended]) {
    expect(() => apply(op, { shape: [4, 2, 3] }, x, SLOPE)).toThrow("sloped: the tensor [4, 2, 3] was freed");
  }
});

test("extend: what forward saves is there in backward, goes with the record, and at once without one", () => {
  gradcheck((x) => cube(x).square(), [X]);
  const x = parameter(X.clone());
  const saved = () => {
    const before = memoryStats().live;
    cube(x).dispose();
    return memoryStats().live - before;
  };
  saved();
  expect(saved()).toBe(0);
  const step = () => tape(() => cube(x).sum().backward());
  step();
  expect(x.grad?.toArray()).toEqual(X.square().mul(3).toArray());
  const { live } = memoryStats();
  step();
  expect(memoryStats().live).toBe(live);
  x.dispose();
});

test("extend: a layer of one's own trains in a Sequential and runs in a Stream", () => {
  const model = new Sequential(new Linear(3, 4), new Sloped(4), new LIF());
  expect(model.namedParameters().map(([name]) => name)).toEqual(["0.weight", "0.bias", "1.slope"]);
  const x = rand([5, 2, 3]);
  tape(() => model.forward(x).sum().backward());
  for (const t of model.parameters()) expect(t.grad).not.toBe(null);
  const stream = new Stream(model, [2, 3]);
  const steps = x.unbind(0).flatMap((t) => Array.from(stream.step(t.toFloat32Array())));
  expect(steps).toEqual(Array.from(noGrad(() => model.forward(x)).toFloat32Array()));
  stream.dispose();
});

test("extend: memory is as before at the end of a tape, and outside of tapes after dispose()", () => {
  const [x, slope] = [X, SLOPE].map((t) => parameter(t.clone())) as [Tensor, Tensor];
  const step = () =>
    tape(() => {
      const [positive, negative] = halves(sloped(x, slope));
      positive.sub(negative).add(fire(x)).sum().backward();
    });
  step();
  const { live } = memoryStats();
  for (let i = 0; i < 3; i++) step();
  for (const z of [sloped(x, slope), ...halves(x)]) z.dispose();
  expect(memoryStats().live).toBe(live);
  for (const t of [x, slope]) t.dispose();
});

test("extend: outputs take the shape of a tensor, and a record may be wanted for a tensor among the attributes", () => {
  const gain = parameter(tensor([3]));
  const scaled: Recorded<{ gain: Tensor }> = {
    name: "scaled",
    saves: SAVES.a | SAVES.more,
    more: ({ gain }) => [gain],
    backward(z, x, _b, _c, { gain }) {
      const [p, q] = [gradOf(gain), gradOf(z)];
      const [dGain, dz] = [valuesAt(p, 1), valuesAt(q, z.size)];
      of(x).forEach((value, i) => {
        dGain[0] = (dGain[0] as number) + (dz[i] as number) * value;
      });
    },
  };
  const scale = (wanted?: boolean) => {
    const z = empty(X);
    k.affine(addressOf(z), addressOf(X), X.size, peek(gain)[0] as number, 0);
    return record(scaled, { gain }, z, X, null, null, wanted);
  };
  tape(() => {
    expect(isRecording()).toBe(true);
    expect(scale().requiresGrad).toBe(false);
    scale(true).sum().backward();
  });
  expect(isRecording()).toBe(false);
  noGrad(() => {
    const z = empty(X);
    const saved = saveFor(z, 64);
    record(scaled, { gain }, z, X);
    expect(allocate(64), "a block of an output without a record comes back").toBe(saved);
  });
  expect(scale(true).requiresGrad).toBe(false);
  expect(gain.grad?.toArray()).toEqual([X.sum().item()]);
  expect([empty(X).shape, emptySpikes(X).shape]).toEqual([X.shape, X.shape]);
  gain.dispose();
});

test("extend: a write through a view is noted, buffers belong to the state, and repeated values are found", () => {
  const x = parameter(X.clone());
  tape(() => {
    const z = x.square().sum();
    peek(x)[0] = 1;
    touch(x);
    expect(() => z.backward()).toThrow("was overwritten");
    const source = ones([2]);
    expect(constantSource(source.expand([3, 2]))).toBe(source);
    expect(constantSource(x)).toBe(null);
  });
  const module = new Sequential();
  const mean = buffer(zeros([2]));
  expect(Object.assign(module, { mean }).stateDict()).toHaveProperty("mean");
  expect(mean.requiresGrad).toBe(false);
  for (const t of [x, mean]) t.dispose();
});

test("extend: what is wrong says so", () => {
  const freed = zeros([2, 3]);
  freed.dispose();
  const wrong: [() => unknown, new (message: string) => Error, string][] = [
    [() => apply(slopedOp, null, 3 as never, SLOPE), TypeError, "sloped: expected a tensor, got 3"],
    [() => apply(slopedOp, null, freed, SLOPE), Error, "sloped: the tensor [2, 3] was freed"],
    [
      () => apply(slopedOp, { shape: [0, 3] } as never, X, SLOPE),
      RangeError,
      "sloped: expected positive integer sizes",
    ],
    [() => gradOf(X), Error, "gradOf: no backward() is running"],
    [() => gradOf(3 as never), TypeError, "gradOf: expected a tensor, got 3"],
    [() => addressOf(freed), Error, "addressOf: the tensor [2, 3] was freed"],
    [() => bitsOf(null as never), TypeError, "bitsOf: expected a tensor, got null"],
    [() => empty([2, -1]), RangeError, "empty: expected positive integer sizes, got shape [2, -1]"],
    [() => emptySpikes([0.5]), RangeError, "emptySpikes: expected positive integer sizes"],
    [() => saveFor(X, 0.5), RangeError, "saveFor: bytes must be a positive integer, got 0.5"],
    [() => saveFor(0 as never, 4), TypeError, "saveFor: expected a tensor, got 0"],
    [() => allocate(-4), RangeError, "allocate: bytes must be a positive integer, got -4"],
    [() => part(empty([1]), 0, empty([1])), RangeError, "part: index must be a positive integer, got 0"],
    [() => part(X, 1, X.mul(parameter(ones([])))), Error, "part: expected an output that was just made"],
    [
      () => apply({ ...slopedOp, takesBits: true } as Op<null>, null, X, SLOPE),
      TypeError,
      'sloped: expected reads: { a: ["bits"] }, got takesBits',
    ],
    [
      () => apply({ ...slopedOp, reads: () => [X] } as unknown as Op<null>, null, X, SLOPE),
      TypeError,
      "sloped: expected more(attrs) to list further tensors that backward reads, got reads(attrs)",
    ],
    [
      () => record({ ...fireOp, takesBits: true } as Recorded<null>, null, empty([2, 3]), X),
      TypeError,
      'fire: expected reads: { a: ["bits"] }, got takesBits',
    ],
    [() => record(fireOp, null, X, X), Error, "got one of another tape"],
    [() => record(fireOp, null, empty([2, 3]), freed), Error, "fire: the tensor [2, 3] was freed"],
  ];
  tape(() => {
    for (const [use, type, message] of wrong) {
      expect(use, message).toThrow(type);
      expect(use, message).toThrow(message);
    }
    const x = parameter(X.clone());
    const y = keep(X.clone());
    const z = sub(sloped(x, SLOPE.clone()), sloped(y, SLOPE)).sum();
    x.copyFrom(y);
    expect(() => z.backward()).toThrow("backward of sloped: a value it needs, of shape [2, 3], was overwritten");
  });
});
