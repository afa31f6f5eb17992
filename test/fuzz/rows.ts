/**
 * How to call every op: a row draws the arguments. The table is typed by the registry and by what `snn` exports, so an op
 * or a layer without a row does not compile; ops of one tensor alone have theirs in test/support/elementwise.ts.
 */
import type { ops } from "../../engine/ops/index.ts";
import type * as snn from "../../snn/index.ts";
import { elementwise } from "../support/elementwise.ts";
import { drawsOf, fields, latency, timesteps } from "../support/encoders.ts";
import { type Compiled, type Composed, type Mode, type Plasticity, READS, type Rules } from "./calls.ts";
import type { Draw, Range, Row } from "./draw.ts";
import type { Arg, Ref } from "./program.ts";

const unary =
  (range?: Range): Row =>
  (g) => [g.tensor(range === undefined ? {} : { range })];

const binary: Row = (g) => {
  const x = g.tensor();
  if (g.chance(0.2)) return [x, g.number(-2, 2)];
  const y = g.partner(x);
  return g.chance(0.5) ? [x, y] : [y, x];
};

const reduce = (g: Draw, x: Ref, probability = 0.6) => {
  const ndim = g.shapeOf(x).length;
  const several = g.some(g.shuffled(Array.from({ length: ndim }, (_, i) => (g.chance(0.5) ? i : i - ndim))));
  const axis = ndim > 0 && g.chance(0.6) ? g.axis(ndim) : several;
  return g.maybe({ axis, keepdim: g.chance(0.5) }, probability);
};

const reduction: Row = (g) => {
  const x = g.tensor({ lazy: true });
  return g.chance(0.2) ? [x] : [x, reduce(g, x)];
};

/** Several axes have no index. */
const search =
  (needed: boolean): Row =>
  (g) => {
    const x = g.tensor({ min: needed ? 1 : 0 });
    const ndim = g.shapeOf(x).length;
    const axis = ndim === 0 || (!needed && g.chance(0.3)) ? {} : { axis: g.axis(ndim) };
    return [x, { ...axis, ...g.maybe({ keepdim: g.chance(0.5) }) }];
  };

const alongAxis: Row = (g) => {
  const x = g.tensor({ min: 1 });
  return g.chance(0.4) ? [x] : [x, g.axis(g.shapeOf(x).length)];
};

/** Indices below a limit: an array, or a tensor of one axis. */
const indices = (g: Draw, count: number, limit: number): Arg =>
  g.chance(0.5) ? g.whole([count], limit) : Array.from({ length: count }, () => g.int(0, limit - 1));

const reducing = (g: Draw) => g.maybe({ reduction: g.pick(["mean", "sum", "none"]) });

const difference =
  (option: (g: Draw) => { readonly [name: string]: Arg }): Row =>
  (g) => {
    const x = g.tensor();
    const [input, target] = g.chance(0.5) ? [x, g.sub(x)] : [g.sub(x), x];
    return [input, target, { ...option(g), ...reducing(g) }];
  };

const classLoss = (g: Draw, smoothing: boolean): readonly Arg[] => {
  const x = g.tensor({ min: 1 });
  const shape = g.shapeOf(x);
  const classes = shape[shape.length - 1] as number;
  const options = {
    ...reducing(g),
    ...g.maybe({ weight: g.leaf([classes], { range: [0.25, 2] }) }, 0.3),
    ...(smoothing ? g.maybe({ labelSmoothing: g.number(0, 1) }, 0.3) : {}),
  };
  if (smoothing && g.chance(0.3)) return [x, g.leaf(shape, { range: [0, 1] }), options];
  const rows = g.about(x).size / classes;
  if (g.chance(0.7)) return [x, indices(g, rows, classes), options];
  // At least one target counts.
  const targets = Array.from({ length: rows }, (_, i) => (i > 0 && g.chance(0.4) ? -1 : g.int(0, classes - 1)));
  return [x, targets, { ...options, ignoreIndex: -1 }];
};

/** A current [T, B, …]: short enough for a loop over its steps, at times the same in all of them. */
const current = (g: Draw, { min = 1 } = {}): Ref => {
  if (g.chance(0.2)) {
    return g.first("constantEncode", [g.tensor({ min: min - 1, max: 3, size: 60 }), { timesteps: timesteps(g) }]);
  }
  return g.tensor({ min, max: 4, size: 400, where: ({ shape }) => (shape[0] ?? 0) <= 10, lazy: true });
};

const perNeuron = (g: Draw, shape: readonly number[], range: Range): Arg => {
  const features = shape.length > 1 ? (shape[shape.length - 1] as number) : 1;
  return g.chance(0.5) ? g.number(...range) : g.leaf([features], { range, constant: true });
};

const slope = (g: Draw): Arg => [g.pick(g.surrogates), g.pick([0.5, 1, 2, 5, 10])];

function neuron(g: Draw, shape: readonly number[]): { readonly [name: string]: Arg } {
  const learnBeta = g.chance(0.25);
  const decay = g.chance(0.25)
    ? { tau: g.number(1.5, 8), ...g.maybe({ dt: g.number(0.25, 1), decay: g.pick(["exp", "euler"]) }) }
    : g.maybe({ beta: perNeuron(g, shape, learnBeta ? [-0.25, 1.25] : [0, 1]) }, 0.8);
  const rare = g.maybe(
    {
      rest: g.number(-0.5, 0.5),
      inputScale: g.number(0.25, 2),
      resetValue: g.number(-0.5, 0.5),
      refractorySteps: g.int(0, 3),
      detachReset: g.chance(0.5),
      learnThreshold: g.chance(0.7),
    },
    g.chance(0.4) ? 0.5 : 0,
  );
  const common = g.maybe({
    threshold: perNeuron(g, shape, [0.25, 1.5]),
    reset: g.pick(["zero", "subtract", "none"]),
    resetDelay: g.chance(0.5),
    fire: g.pick(["ge", "gt"]),
  });
  if ((common.reset ?? "zero") !== "zero") delete (rare as { resetValue?: Arg }).resetValue;
  return { ...decay, ...rare, ...common, ...(learnBeta ? { learnBeta } : {}), surrogate: slope(g) };
}

const mode = (g: Draw): Mode => g.pick(["forward", "forward", "unroll", "unroll", "step"]);

const reads = (g: Draw): Arg => {
  const some = g.some(READS);
  return some.length === 0 ? ["spikes"] : some;
};

/** Neurons may be held at the start. */
const state = (g: Draw, shape: readonly number[], options: { readonly [name: string]: Arg }) => ({
  v: g.shaped(shape, [-1, 2]),
  refractory: g.whole(shape, 1 + ((options.refractorySteps as number | undefined) ?? 0)),
});

const LIF: Row = (g) => {
  const x = current(g);
  const shape = g.shapeOf(x);
  const smooth = g.chance(0.15);
  const options = neuron(g, shape);
  const given = smooth ? { ...options, spiking: false, surrogate: ["sigmoid", g.pick([1, 2, 5])] } : options;
  const how = mode(g);
  const start = how !== "forward" && g.chance(0.5) ? [state(g, shape.slice(1), given)] : [];
  return [x, given, how, reads(g), ...start];
};

const RecurrentLIF: Row = (g) => {
  const x = current(g, { min: 2 });
  const shape = g.shapeOf(x);
  const features = shape[shape.length - 1] as number;
  const connection = g.pick(["all", "one"]);
  const weights =
    connection === "one"
      ? [g.shaped([features], [-1, 1])]
      : [g.shaped([features, features], [-1, 1]), g.shaped([features], [-1, 1])];
  const options = { ...neuron(g, shape), features, connection };
  const how = mode(g);
  const step = shape.slice(1);
  const start = how !== "forward" && g.chance(0.5) ? [{ ...state(g, step, options), spikes: g.whole(step, 2) }] : [];
  return [x, options, weights, how, reads(g), ...start];
};

const LeakyIntegrator: Row = (g) => {
  const x = current(g);
  const shape = g.shapeOf(x);
  const given = g.maybe({ rest: perNeuron(g, shape, [-0.5, 0.5]), inputScale: perNeuron(g, shape, [0.25, 2]) }, 0.3);
  const learn = g.some(["beta", "rest", "inputScale"], 0.3);
  // Bounds of fixed values are checked: these are clamped.
  const bounds = g.maybe({ rest: [-0.25, 0.25], inputScale: [0.5, 1] }, 0.2);
  const constrain = Object.fromEntries(Object.entries(bounds).filter(([name]) => learn.includes(name)));
  const options = {
    ...g.maybe({ beta: perNeuron(g, shape, [0, 1]) }, 0.8),
    ...given,
    ...(learn.length > 0 ? { learn } : {}),
    ...(Object.keys(constrain).length > 0 ? { constrain } : {}),
  };
  const how = mode(g);
  return [x, options, how, ...(how !== "forward" && g.chance(0.5) ? [g.shaped(shape.slice(1))] : [])];
};

/** Steps of each sample, sometimes. */
const lengthsOf = (g: Draw, x: Ref) => {
  const [T, B] = g.shapeOf(x) as [number, number | undefined];
  return B !== undefined && g.chance(0.4) ? { lengths: Array.from({ length: B }, () => g.int(1, T)) } : {};
};

const overTime: Row = (g) => {
  const x = g.tensor({ min: 1, lazy: true });
  return [x, lengthsOf(g, x)];
};

/** An output [T, B, …, K] with its class indices and options. */
const sequenceLoss =
  (options: (g: Draw, neurons: number) => { readonly [name: string]: Arg }, isEntropy = true): Row =>
  (g) => {
    const x = g.tensor({ min: 2, lazy: true });
    const shape = g.shapeOf(x);
    const K = shape[shape.length - 1] as number;
    const given = options(g, K);
    const { numClasses: classes = K } = given as { numClasses?: number };
    const rows = shape.slice(1, -1).reduce((product, n) => product * n, 1);
    const weight = g.leaf([classes], { range: [0.25, 2], constant: true });
    const y = indices(g, rows, classes);
    // A tensor beside a squared error holds values, which have no weights of classes.
    const isWeighted = isEntropy || Array.isArray(y);
    return [
      x,
      y,
      {
        ...given,
        ...reducing(g),
        ...(shape.length > 2 ? lengthsOf(g, x) : {}),
        ...(isWeighted ? g.maybe({ weight, ...(isEntropy ? { labelSmoothing: g.number(0, 1) } : {}) }, 0.3) : {}),
      },
    ];
  };

/** Classes of one neuron or of several. */
const populations = (g: Draw, neurons: number) => {
  const divisors = Array.from({ length: neurons }, (_, i) => i + 1).filter((n) => neurons % n === 0);
  return g.maybe({ numClasses: g.pick(divisors) }, 0.4);
};

/** A cost of spikes of at least one sample. */
const activity =
  (options: (g: Draw) => { readonly [name: string]: Arg }): Row =>
  (g) => {
    const x = g.tensor({ min: 2, lazy: true });
    return [x, { ...options(g), ...lengthsOf(g, x) }];
  };

interface Window {
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
  outputPadding: number;
}

/** Options that are one number for all axes, or one for each. */
function options(windows: readonly Window[], names: readonly (keyof Window)[]): { readonly [name: string]: Arg } {
  const all = names.map((name) => {
    const values = windows.map((window) => window[name]);
    return [name, values.every((value) => value === values[0]) ? (values[0] as number) : values] as const;
  });
  return Object.fromEntries(all);
}

/** Windows along axes of these sizes; the same for all of them at times, and then it must fit the shortest. */
function windows(g: Draw, sizes: readonly number[], draw: (n: number) => Window): Window[] {
  const square = g.chance(0.3) ? draw(Math.min(...sizes)) : null;
  return sizes.map((n) => square ?? draw(n));
}

/** A window that fits at least once over n values. */
const over = (g: Draw, n: number): Window => {
  const padding = g.pick([0, 0, 1, 2]);
  const dilation = g.pick([1, 1, 2]);
  const kernel = g.int(1, Math.min(4, Math.floor((n + 2 * padding - 1) / dilation) + 1));
  return { kernel, stride: g.int(1, 3), padding, dilation, outputPadding: 0 };
};

/** A window of which n values are the map. */
const under = (g: Draw, n: number): Window => {
  const [kernel, stride, dilation] = [g.int(1, 3), g.int(1, 3), g.pick([1, 1, 2])];
  const padding = g.int(0, Math.min(2, Math.floor(((n - 1) * stride + dilation * (kernel - 1)) / 2)));
  return { kernel, stride, padding, dilation, outputPadding: g.int(0, Math.max(stride, dilation) - 1) };
};

/** A window of a pool: its padding is at most half of it. */
const pooling = (g: Draw, n: number, dilated: boolean): Window => {
  const dilation = dilated ? g.pick([1, 1, 2]) : 1;
  const kernel = g.int(1, Math.min(4, Math.floor((n - 1) / dilation) + 1));
  const padding = g.int(0, Math.floor((dilation * (kernel - 1) + 1) / 2));
  return { kernel, stride: g.int(1, 3), padding, dilation, outputPadding: 0 };
};

/** Images [..., C, H, W], or with one axis for time or space. */
const images = (g: Draw, axes: number, size = 400): Ref => g.tensor({ min: axes + 1, max: 5, size, lazy: true });

const groupsOf = (g: Draw, channels: number): number =>
  g.pick(Array.from({ length: channels }, (_, i) => i + 1).filter((n) => channels % n === 0));

const convolution =
  (axes: number): Row =>
  (g) => {
    const x = g.chance(0.2) ? fewSpikes(g, axes) : images(g, axes);
    const shape = g.shapeOf(x).slice(-axes - 1);
    const [channels, ...sizes] = shape as [number, ...number[]];
    const groups = groupsOf(g, channels);
    const filters = groups * g.int(1, Math.max(1, Math.floor(12 / groups)));
    const drawn = windows(g, sizes, (n) => over(g, n));
    const weight = g.shaped([filters, channels / groups, ...drawn.map(({ kernel }) => kernel)], [-1, 1]);
    const bias = g.chance(0.5) ? g.shaped([filters]) : null;
    return [x, weight, bias, { ...options(drawn, ["stride", "padding", "dilation"]), groups }];
  };

const pool =
  (dilated: boolean, more: (g: Draw) => { readonly [name: string]: Arg }): Row =>
  (g) => {
    const x = images(g, 2);
    const drawn = windows(g, g.shapeOf(x).slice(-2), (n) => pooling(g, n, dilated));
    const { kernel, ...rest } = options(drawn, [
      "kernel",
      "stride",
      "padding",
      ...(dilated ? ["dilation" as const] : []),
    ]);
    return [x, kernel, { ...rest, ...more(g) }];
  };

/** Factors and summands of a normalisation. A group of equal values amplifies roundings by 1/√eps. */
const affine = (g: Draw, shape: readonly number[]) => ({
  ...g.maybe({ weight: g.shaped(shape, [-2, 2]), bias: g.shaped(shape) }),
  eps: g.number(0.01, 0.5),
});

/** What a layer reads: anything, something sparse, or spikes in whole words of bits. */
function features(g: Draw): Ref {
  if (g.chance(0.1)) {
    const rates = g.shaped([g.int(1, 3), g.pick([32, 64])], [0, 1]);
    return g.first("poissonEncode", [rates, { timesteps: g.int(1, 3), seed: g.int(0, 1e6) }]);
  }
  const sparse = g.chance(0.5);
  return g.tensor({ min: 1, where: ({ density }) => !sparse || density < 0.6, lazy: true });
}

/** Images of spikes, so few that a convolution follows them. */
function fewSpikes(g: Draw, axes: number): Ref {
  const sizes = Array.from({ length: axes }, () => g.int(2, 6));
  const rates = g.shaped([g.int(1, 3), ...sizes], [0, 0.25]);
  return g.first("poissonEncode", [rates, { timesteps: g.int(1, 3), seed: g.int(0, 1e6) }]);
}

/** Spikes of which few gradients matter: products with many outputs leave the others out. */
function compactSpikes(g: Draw): Ref {
  const current = g.shaped([g.int(1, 3), g.int(1, 3), g.pick([8, 12, 32])], [-2, 3]);
  const surrogate = [g.pick(["boxcar", "triangular"]), g.number(0.1, 0.4)];
  return g.first("LIF", [current, { surrogate }, "forward", ["spikes"]]);
}

const OPS: { readonly [Name in keyof typeof ops]: Row } = {
  ...elementwise((_, range) => unary(range)),
  add: binary,
  sub: binary,
  mul: binary,
  div: (g) => {
    const x = g.tensor();
    const range: Range = g.chance(0.5) ? [0.4, 4] : [-4, -0.4];
    return g.chance(0.2) ? [x, g.number(...range)] : [x, g.partner(x, { range })];
  },
  maximum: binary,
  minimum: binary,
  reciprocal: (g) => [
    g.tensor({
      range: g.pick([
        [0.4, 4],
        [-4, -0.4],
      ]),
    }),
  ],
  pow: (g) => {
    const whole = g.chance(0.3);
    const x = g.tensor({ range: whole ? [-2, 2] : [0.2, 2] });
    if (whole) return [x, g.pick([0, 1, 2, 3])];
    return [x, g.chance(0.4) ? g.pick([-1, -0.5, 0.5, g.number(-2, 2)]) : g.partner(x, { range: [-2, 2] })];
  },
  atan2: (g) => {
    const x = g.tensor();
    const y = g.chance(0.2)
      ? g.number(0.4, 2)
      : g.partner(x, {
          range: g.pick([
            [0.4, 4],
            [-4, -0.4],
          ]),
        });
    return [x, y];
  },
  leakyRelu: (g) => [g.tensor(), ...(g.chance(0.7) ? [g.number(-0.5, 0.5)] : [])],
  elu: (g) => [g.tensor(), ...(g.chance(0.7) ? [g.number(0.25, 2)] : [])],
  gelu: (g) => [g.tensor(), g.maybe({ approximate: g.pick(["none", "tanh"]) }, 0.8)],
  softplus: (g) => [g.tensor(), g.maybe({ beta: g.number(0.5, 3), threshold: g.number(1, 20) })],
  hardtanh: (g) => [g.tensor(), ...(g.chance(0.7) ? [g.number(-2, 0), g.number(0, 2)] : [])],
  where: (g) => {
    const x = g.tensor();
    const [condition, y] = [g.sub(x), g.chance(0.3) ? g.number(-2, 2) : g.sub(x)];
    return [condition, ...g.shuffled([x, y])];
  },
  maskedFill: (g) => {
    const x = g.tensor();
    return [x, g.sub(x), g.chance(0.5) ? g.number(-2, 2) : g.sub(x)];
  },
  clamp: (g) => {
    const [low, high] = [g.number(-2, 0), g.number(0, 2)];
    return [g.tensor(), ...g.pick([[low, high], [low], [null, high]])];
  },
  gt: binary,
  ge: binary,
  lt: binary,
  le: binary,
  eq: binary,
  matmul: (g) => {
    const x = g.tensor({ min: 1, max: 4 });
    const shape = g.shapeOf(x);
    const depth = shape[shape.length - 1] as number;
    if (g.chance(0.15)) return [x, g.shaped([depth])];
    const batch = shape.slice(0, -2).map((n) => (g.chance(0.5) ? n : 1));
    if (g.chance(0.6)) batch.length = 0;
    const y = g.shaped([...batch, depth, g.extent()]);
    return [x, y];
  },
  sum: reduction,
  mean: reduction,
  variance: (g) => {
    const x = g.tensor();
    return [x, { ...reduce(g, x), unbiased: false }];
  },
  std: (g) => {
    const x = g.tensor({ where: ({ size }) => size > 1 });
    return g.about(x).size > 1 && g.chance(0.3) ? [x] : [x, { ...reduce(g, x), unbiased: false }];
  },
  prod: (g) => {
    const x = g.tensor({ range: [-1.5, 1.5], where: ({ shape, size }) => size <= 12 || shape.some((n) => n <= 12) });
    const shape = g.shapeOf(x);
    if (g.about(x).size <= 12) return [x, reduce(g, x)];
    const short = shape.flatMap((n, axis) => (n <= 12 ? [axis] : []));
    return [x, { axis: short.length === 0 ? [] : g.pick(short) }];
  },
  cumsum: search(false),
  logsumexp: reduction,
  norm: (g) => {
    const x = g.tensor();
    return [x, { ...reduce(g, x), ...g.maybe({ p: g.pick([1, 2, Infinity]) }) }];
  },
  amax: reduction,
  amin: reduction,
  max: search(true),
  min: search(true),
  argmax: search(false),
  argmin: search(false),
  softmax: alongAxis,
  logSoftmax: alongAxis,
  reshape: (g) => {
    const x = g.tensor({ lazy: true });
    let rest = g.about(x).size;
    const shape: number[] = [];
    for (let divisor = 2; rest > 1; ) {
      if (rest % divisor !== 0) divisor++;
      else {
        rest /= divisor;
        if (shape.length > 0 && (shape.length >= 5 || g.chance(0.4))) shape.push((shape.pop() as number) * divisor);
        else shape.push(divisor);
      }
    }
    const target = g.shuffled(g.chance(0.2) ? [...shape, 1] : shape);
    if (target.length > 0 && g.chance(0.3)) target[g.int(0, target.length - 1)] = -1;
    return [x, target];
  },
  flatten: (g) => {
    const x = g.tensor();
    const ndim = g.shapeOf(x).length;
    if (ndim === 0 || g.chance(0.3)) return [x];
    const start = g.axis(ndim);
    const end = g.int(g.at(start, ndim), ndim - 1);
    return [x, start, g.chance(0.5) ? end : end - ndim];
  },
  squeeze: (g) => {
    const x = g.tensor({ where: ({ shape }) => shape.includes(1) });
    const ndim = g.shapeOf(x).length;
    return ndim === 0 || g.chance(0.5) ? [x] : [x, g.axis(ndim)];
  },
  unsqueeze: (g) => {
    const x = g.tensor({ max: 5 });
    return [x, g.axis(g.shapeOf(x).length + 1)];
  },
  transpose: (g) => {
    const x = g.tensor({ min: 2 });
    const ndim = g.shapeOf(x).length;
    return g.chance(0.4) ? [x] : [x, g.axis(ndim), g.axis(ndim)];
  },
  permute: (g) => {
    const x = g.tensor();
    const ndim = g.shapeOf(x).length;
    return [x, g.shuffled(Array.from({ length: ndim }, (_, i) => (g.chance(0.7) ? i : i - ndim)))];
  },
  expand: (g) => {
    const x = g.tensor({ max: 4, size: 300 });
    const shape = g.shapeOf(x).map((n) => (n === 1 ? g.int(1, 4) : g.chance(0.2) ? -1 : n));
    return [x, g.chance(0.5) ? [g.int(1, 5), ...shape] : shape];
  },
  tile: (g) => {
    const x = g.tensor({ max: 4, size: 200 });
    return [x, Array.from({ length: g.int(0, g.shapeOf(x).length + 1) }, () => g.pick([1, 1, 2, 3]))];
  },
  slice: (g) => {
    const x = g.tensor({ min: 1 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    const n = shape[g.at(axis, shape.length)] as number;
    const start = g.int(0, n - 1);
    const end = g.int(start + 1, n);
    const bounds = [
      g.chance(0.3) ? start - n : start,
      g.chance(0.3) && end < n ? end - n : g.chance(0.3) ? end + 3 : end,
    ];
    if (end < n && (bounds[1] as number) > n) bounds[1] = end;
    return [x, axis, ...bounds, ...(g.chance(0.4) ? [g.int(1, 3)] : [])];
  },
  select: (g) => {
    const x = g.tensor({ min: 1 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    return [x, axis, g.axis(shape[g.at(axis, shape.length)] as number)];
  },
  indexSelect: (g) => {
    const x = g.tensor({ min: 1, size: 300 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    return [x, axis, indices(g, g.int(1, 8), shape[g.at(axis, shape.length)] as number)];
  },
  gather: (g) => {
    const x = g.tensor({ min: 1, size: 300 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    const at = g.at(axis, shape.length);
    const index = shape.map((n, i) => (i === at ? g.int(1, 6) : g.chance(0.7) ? n : g.int(1, n)));
    return [x, axis, g.whole(index, shape[at] as number)];
  },
  scatterAdd: (g) => {
    const source = g.tensor({ min: 1, size: 300 });
    const shape = g.shapeOf(source);
    const axis = g.axis(shape.length);
    const at = g.at(axis, shape.length);
    const index = shape.map((n) => (g.chance(0.7) ? n : g.int(1, n)));
    const x = g.shaped(index.map((n, i) => (i === at ? g.int(1, 6) : n)));
    return [x, axis, g.whole(index, g.shapeOf(x)[at] as number), source];
  },
  split: (g) => {
    const x = g.tensor({ min: 1 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    const n = shape[g.at(axis, shape.length)] as number;
    const part = g.int(Math.ceil(n / 6), n);
    if (g.chance(0.5)) return [x, part, axis];
    return [x, part < n ? [part, n - part] : [n], axis];
  },
  unbind: (g) => {
    const x = g.tensor({ min: 1, where: ({ shape }) => shape.every((n) => n <= 6) });
    const ndim = g.shapeOf(x).length;
    return g.chance(0.3) ? [x] : [x, g.axis(ndim)];
  },
  flip: (g) => {
    const x = g.tensor();
    const ndim = g.shapeOf(x).length;
    if (ndim === 0 || g.chance(0.3)) return [x];
    return [x, g.chance(0.5) ? g.axis(ndim) : g.some(Array.from({ length: ndim }, (_, i) => i))];
  },
  tril: (g) => [g.tensor({ min: 2 }), ...(g.chance(0.6) ? [g.int(-3, 3)] : [])],
  backward: unary(),
  linear: (g) => {
    const compact = g.chance(0.06);
    const x = compact ? compactSpikes(g) : features(g);
    const shape = g.shapeOf(x);
    const outputs = compact ? g.int(64, 70) : g.extent();
    const weight = g.shaped([outputs, shape[shape.length - 1] as number], [-1, 1]);
    return g.chance(0.5) ? [x, weight] : [x, weight, g.shaped([outputs])];
  },
  concat: (g) => {
    const x = g.tensor({ min: 1, size: 300 });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    const at = g.at(axis, shape.length);
    const others = Array.from({ length: g.int(0, 3) }, () =>
      g.chance(0.2) ? x : g.shaped(shape.map((n, i) => (i === at ? g.int(1, 4) : n))),
    );
    return [g.shuffled([x, ...others]), axis];
  },
  stack: (g) => {
    const x = g.tensor({ max: 4, size: 300 });
    const shape = g.shapeOf(x);
    const others = Array.from({ length: g.int(0, 3) }, () => (g.chance(0.2) ? x : g.shaped(shape)));
    return [g.shuffled([x, ...others]), ...(g.chance(0.7) ? [g.axis(shape.length + 1)] : [])];
  },
  pad: (g) => {
    const x = g.tensor({ size: 300 });
    const shape = g.shapeOf(x);
    const axes = g.int(0, Math.min(shape.length, 3));
    const padding = Array.from({ length: axes }, (_, i) => {
      const n = shape[shape.length - 1 - i] as number;
      const cut = n > 1 && g.chance(0.3) ? -g.int(1, n - 1) : g.int(0, 3);
      return g.shuffled([cut, g.int(0, 2)]);
    });
    return [x, padding.flat(), ...(g.chance(0.5) ? [g.number(-1, 1)] : [])];
  },
  embedding: (g) => {
    const weight = g.tensor({ min: 2, max: 2, size: 300 });
    const rows = g.shapeOf(weight)[0] as number;
    const index = g.chance(0.5) ? indices(g, g.int(1, 9), rows) : g.whole(g.shape(0, 2, 12), rows);
    return [index, weight, g.maybe({ paddingIdx: g.axis(rows) }, 0.4)];
  },
  conv1d: convolution(1),
  conv2d: convolution(2),
  convTranspose2d: (g) => {
    const x = images(g, 2, 150);
    const [channels, ...sizes] = g.shapeOf(x).slice(-3) as [number, ...number[]];
    const groups = groupsOf(g, channels);
    const filters = g.int(1, 4);
    const drawn = windows(g, sizes, (n) => under(g, n));
    const weight = g.shaped([channels, filters, ...drawn.map(({ kernel }) => kernel)], [-1, 1]);
    const bias = g.chance(0.5) ? g.shaped([filters * groups]) : null;
    return [x, weight, bias, { ...options(drawn, ["stride", "padding", "dilation", "outputPadding"]), groups }];
  },
  maxPool2d: pool(true, (g) => g.maybe({ ceilMode: true })),
  avgPool2d: pool(false, (g) => g.maybe({ ceilMode: true, countIncludePad: false })),
  adaptiveAvgPool2d: (g) => [images(g, 2), g.chance(0.5) ? g.int(1, 5) : [g.int(1, 5), g.int(1, 5)]],
  batchNorm: (g) => {
    const training = g.chance(0.6);
    const x = g.tensor({ min: 2, max: 5, lazy: true, where: ({ shape, size }) => shape.every((n) => n < size) });
    const shape = g.shapeOf(x);
    const axis = g.axis(shape.length);
    const channels = shape[g.at(axis, shape.length)] as number;
    const alone = g.about(x).size === channels;
    const running = {
      mean: g.leaf([channels], { range: [-1, 1] }),
      variance: g.leaf([channels], { range: [0.25, 2] }),
    };
    return [
      x,
      {
        axis,
        training: training && !alone,
        ...affine(g, [channels]),
        ...g.maybe({ momentum: g.number(0, 1) }),
        ...(training && !alone ? g.maybe({ running }) : { running }),
      },
    ];
  },
  layerNorm: (g) => {
    const x = g.tensor({ min: 1, lazy: true });
    const shape = g.shapeOf(x);
    const last = shape.slice(-g.int(1, shape.length));
    const options = affine(g, last);
    return [x, last.length === 1 && g.chance(0.5) ? (last[0] as number) : last, options];
  },
  groupNorm: (g) => {
    const x = g.tensor({ min: 2, max: 5, lazy: true });
    const shape = g.shapeOf(x);
    const axis = g.int(1, shape.length - 1);
    const channels = shape[axis] as number;
    const options = { ...affine(g, [channels]), axis };
    return [x, groupsOf(g, channels), options];
  },
  dropout: (g) => {
    const x = g.tensor({ lazy: true });
    const { length } = g.shapeOf(x);
    const sharedAxes = length > 0 && g.chance(0.5) ? g.axis(length) : [];
    return [x, { seed: g.int(0, 1e6), sharedAxes, ...g.maybe({ p: g.number(0, 1), training: g.chance(0.8) }) }];
  },
  crossEntropy: (g) => classLoss(g, true),
  nllLoss: (g) => classLoss(g, false),
  mseLoss: difference(() => ({})),
  l1Loss: difference(() => ({})),
  smoothL1Loss: difference((g) => g.maybe({ beta: g.number(0, 2) })),
  huberLoss: difference((g) => g.maybe({ delta: g.number(0.25, 2) })),
  bceWithLogits: (g) => {
    const x = g.tensor();
    const [weight, posWeight] = [g.sub(x, [0.25, 2]), g.sub(x, [0.25, 2])];
    return [x, g.leaf(g.shapeOf(x), { range: [0, 1] }), { ...reducing(g), ...g.maybe({ weight, posWeight }, 0.3) }];
  },
  klDiv: (g) => {
    const x = g.tensor();
    const logTarget = g.chance(0.3);
    const target = g.partner(x, { range: logTarget ? [-3, 0] : [0.05, 1] });
    return [
      x,
      target,
      { ...(logTarget ? { logTarget } : {}), reduction: g.pick(["mean", "sum", "none", "batchmean"]) },
    ];
  },
};

/** Names without a row: those that give no tensors of tensors, and those that give classes of layers. */
type NoRow =
  | "surrogate"
  | "Stream"
  | "EProp"
  | "neuron"
  | "Recurrent"
  | "fromPython"
  | Metrics
  | Probes
  | Patterns
  | Composed
  | Compiled
  | Rules
  | Plasticity;
type Patterns = "adExPattern" | "adExPatterns" | "izhikevichPattern" | "izhikevichPatterns";
type Metrics = "accuracyRate" | "accuracyTemporal" | "confusionMatrix";
type Probes =
  | "record"
  | "observe"
  | "diagnose"
  | "firingRates"
  | "gradientNorms"
  | "firingCurve"
  | "rasterText"
  | "traceText";

const LAYERS: { readonly [Name in Exclude<keyof typeof snn, NoRow>]: Row } = {
  LIF,
  RecurrentLIF,
  LeakyIntegrator,
  Delay: (g) => {
    const x = g.tensor({ min: 1, lazy: true });
    const shape = g.shapeOf(x);
    if (shape.length === 1 || g.chance(0.4)) return [x, g.int(0, 5)];
    const axis = g.int(1, shape.length - 1);
    return [x, Array.from({ length: shape[axis] as number }, () => g.int(0, 5)), { axis }];
  },
  ...drawsOf(),
  receptiveFields: (g) => [g.tensor({ max: 3, size: 100 }), fields(g)],
  rateTargets: (g) => [
    g.shuffled([0, 1, 2, 2]),
    {
      numClasses: 3,
      timesteps: timesteps(g),
      ...g.maybe({ correctRate: g.number(0.5, 1), incorrectRate: g.number(0, 0.5), interpolate: g.chance(0.5) }),
    },
  ],
  latencyTargets: (g) => [g.shuffled([0, 1, 2, 2]), { numClasses: 3, ...latency(g) }],
  meanOverTime: overTime,
  spikeCount: overTime,
  lastMembrane: overTime,
  maxMembrane: (g) => {
    const x = g.tensor({ min: 1, lazy: true });
    return [x, { ...g.maybe({ ties: g.pick(["first", "share"]) }), ...lengthsOf(g, x) }];
  },
  filteredTrace: (g) => {
    const x = g.tensor({ min: 1, lazy: true });
    return [x, { ...g.maybe({ beta: g.number(0, 1) }), ...lengthsOf(g, x) }];
  },
  spikeTimes: (g) => {
    const x = g.tensor({ min: 1, lazy: true, size: 300 });
    return [x, { ...g.maybe({ count: g.int(1, 3) }), ...lengthsOf(g, x) }];
  },
  ceRateLoss: sequenceLoss(() => ({})),
  ceCountLoss: sequenceLoss(populations),
  ceMaxMembraneLoss: sequenceLoss(() => ({})),
  tetLoss: sequenceLoss((g): { readonly [name: string]: Arg } => {
    const lambda = g.number(0.1, 1);
    return g.chance(0.5) ? { lambda, target: g.number(-1, 1) } : g.maybe({ lambda });
  }),
  mseCountLoss: sequenceLoss(
    (g, K) => ({ ...populations(g, K), ...g.maybe({ correctRate: g.number(0, 1), incorrectRate: g.number(0, 1) }) }),
    false,
  ),
  mseMembraneLoss: sequenceLoss((g) => g.maybe({ onTarget: g.number(0, 2), offTarget: g.number(-1, 1) }), false),
  ceTemporalLoss: sequenceLoss((g) => g.maybe({ inverse: g.pick(["negate", "reciprocal"]) })),
  mseTemporalLoss: sequenceLoss(
    (g) => g.maybe({ onTarget: g.chance(0.5) ? g.int(0, 3) : [0, g.int(1, 3)], tolerance: g.int(0, 2) }),
    false,
  ),
  vanRossumLoss: (g) => {
    const x = g.tensor({ min: 1 });
    const target = g.shaped(g.shapeOf(x), [0, 1]);
    return [
      x,
      target,
      { ...g.maybe({ tau: g.number(1, 20), dt: g.number(0.5, 2) }), ...reducing(g), ...lengthsOf(g, x) },
    ];
  },
  l1RateSparsity: activity((g) => g.maybe({ lambda: g.number(0, 1) })),
  maximumRate: activity((g) => ({ maximum: g.number(0, 1), ...g.maybe({ lambda: g.number(0, 1) }) })),
  silence: activity((g) => ({ minimum: g.number(0, 1), ...g.maybe({ lambda: g.number(0, 1) }) })),
  synapticOperations: (g) => {
    const x = g.tensor({ min: 2, lazy: true });
    const shape = g.shapeOf(x);
    const fanOut = g.chance(0.5) ? g.number(0, 9) : g.shaped(shape.slice(1 + g.int(0, shape.length - 1)), [0, 9]);
    return [x, fanOut, lengthsOf(g, x)];
  },
  spike: (g) => {
    const v = g.tensor();
    const threshold = g.chance(0.5) ? g.number(-1, 1) : g.partner(v);
    return [v, { ...g.maybe({ threshold, fire: g.pick(["ge", "gt"]) }), surrogate: slope(g) }];
  },
};

export const ROWS: Readonly<Record<string, Row>> = { ...OPS, ...LAYERS };
