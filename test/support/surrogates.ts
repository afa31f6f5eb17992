/**
 * Every surrogate of the package, once: what its tests, the golden suites' and both fuzzers need to know. The compiler asks for a
 * row of each function.
 */
import { type Surrogate, surrogate } from "../../snn/index.ts";
import { fn, must, num } from "../fuzz/attack/kinds.ts";
import { surrogate as anySurrogate } from "../fuzz/attack/objects.ts";
import type { Rows } from "../fuzz/attack/typed.ts";

type Name = keyof typeof surrogate;

export interface SurrogateRow<Of extends Name> {
  /** With its defaults and with other options; the derivatives jump at no odd multiple of 1/40. */
  readonly examples: readonly Surrogate[];
  /** One of a given slope, width or height, for random programs. */
  readonly make: (size: number) => Surrogate;
  /** Places besides 0 where the derivative of that one jumps. */
  readonly jumps?: (size: number) => readonly number[];
  /** Arguments, for attacks. */
  readonly args: Rows<typeof surrogate>[Of];
}

const {
  sigmoid,
  fastSigmoid,
  atan,
  erf,
  gaussian,
  triangular,
  boxcar,
  superSpike,
  straightThrough,
  custom,
  scaled,
  heaviside,
  leakyKReLU,
  piecewiseLeakyReLU,
  logTailedReLU,
  sparseFastSigmoid,
  circ,
  piecewiseExp,
  spikeRateEscape,
  periodicExponential,
  nonzeroSignLogAbs,
  fakeNumericalGradient,
  qPseudoSpike,
  s2nn,
  multiGaussian,
  squarewaveFourierSeries,
} = surrogate;

export const SURROGATE_ROWS: { readonly [Of in Name]: SurrogateRow<Of> } = {
  sigmoid: {
    examples: [sigmoid(), sigmoid({ slope: 1.5 })],
    make: (slope) => sigmoid({ slope }),
    args: [{ slope: num(1, 10) }],
  },
  fastSigmoid: {
    examples: [fastSigmoid(), fastSigmoid({ slope: 2 })],
    make: (slope) => fastSigmoid({ slope }),
    args: [{ slope: num(1, 10) }],
  },
  atan: {
    examples: [atan(), atan({ alpha: 5 })],
    make: (alpha) => atan({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  erf: {
    examples: [erf(), erf({ alpha: 0.7 })],
    make: (alpha) => erf({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  gaussian: {
    examples: [gaussian(), gaussian({ sigma: 0.2 })],
    make: (sigma) => gaussian({ sigma }),
    args: [{ sigma: num(1, 2) }],
  },
  triangular: {
    examples: [triangular(), triangular({ width: 0.3 })],
    make: (width) => triangular({ width }),
    jumps: (width) => [width, -width],
    args: [{ width: num(1, 2) }],
  },
  boxcar: {
    examples: [boxcar(), boxcar({ width: 2 })],
    make: (width) => boxcar({ width }),
    jumps: (width) => [width / 2, -width / 2],
    args: [{ width: num(1, 2) }],
  },
  superSpike: {
    examples: [superSpike({ alpha: 3 }), superSpike()],
    make: (alpha) => superSpike({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  straightThrough: { examples: [straightThrough()], make: () => straightThrough(), args: [] },
  custom: {
    examples: [
      custom({
        derivative: (x) => x.tanh().square().neg().add(1).mul(0.5),
        primitive: (x) => x.tanh().add(1).mul(0.5),
      }),
    ],
    make: (slope) =>
      custom({
        derivative: (x) =>
          x
            .mul(slope / 2)
            .square()
            .neg()
            .exp(),
      }),
    args: [{ derivative: must(fn("(x) => x.neg()")), primitive: fn("(x) => x.sigmoid()") }],
  },
  scaled: {
    examples: [scaled(triangular(), 0.3), scaled(sigmoid({ slope: 4 }), 2), scaled(straightThrough(), -1.5)],
    make: (factor) => scaled(atan(), factor),
    args: [anySurrogate, num(0.5, 2)],
  },
  heaviside: {
    examples: [heaviside(), heaviside({ window: 0.6 })],
    make: (window) => heaviside({ window }),
    jumps: (window) => [-window],
    args: [{ window: num(0, 1) }],
  },
  leakyKReLU: {
    examples: [leakyKReLU(), leakyKReLU({ leak: 0.1, k: 2 })],
    make: (k) => leakyKReLU({ leak: 0.1, k }),
    args: [{ leak: num(0, 0.1), k: num(1, 2) }],
  },
  piecewiseLeakyReLU: {
    examples: [piecewiseLeakyReLU(), piecewiseLeakyReLU({ w: 0.4, c: 0 })],
    make: (w) => piecewiseLeakyReLU({ w }),
    jumps: (w) => [w, -w],
    args: [{ w: num(1, 2), c: num(0, 0.1) }],
  },
  logTailedReLU: {
    examples: [logTailedReLU(), logTailedReLU({ alpha: 0.2 })],
    make: (size) => logTailedReLU({ alpha: size / 20 }),
    args: [{ alpha: num(0, 0.1) }],
  },
  sparseFastSigmoid: {
    examples: [sparseFastSigmoid(), sparseFastSigmoid({ slope: 4, bound: -0.5 })],
    make: (slope) => sparseFastSigmoid({ slope, bound: -0.25 }),
    jumps: () => [-0.25],
    args: [{ slope: num(1, 10), bound: num(0, -0.5) }],
  },
  circ: {
    examples: [circ(), circ({ alpha: 0.3 })],
    make: (alpha) => circ({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  piecewiseExp: {
    examples: [piecewiseExp(), piecewiseExp({ alpha: 4 })],
    make: (alpha) => piecewiseExp({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  spikeRateEscape: {
    examples: [spikeRateEscape(), spikeRateEscape({ beta: 3, slope: 2 })],
    make: (beta) => spikeRateEscape({ beta, slope: 1 }),
    args: [{ beta: num(1, 2), slope: num(1, 10) }],
  },
  periodicExponential: {
    examples: [periodicExponential(), periodicExponential({ width: 0.2, threshold: 0.4 })],
    make: (width) => periodicExponential({ width }),
    args: [{ width: num(0.5, 1), threshold: num(1, 2) }],
  },
  nonzeroSignLogAbs: {
    examples: [nonzeroSignLogAbs(), nonzeroSignLogAbs({ alpha: 5 })],
    make: (alpha) => nonzeroSignLogAbs({ alpha }),
    args: [{ alpha: num(1, 2) }],
  },
  fakeNumericalGradient: {
    examples: [fakeNumericalGradient(), fakeNumericalGradient({ alpha: 3 })],
    make: (alpha) => fakeNumericalGradient({ alpha }),
    args: [{ alpha: num(0.5, 2) }],
  },
  qPseudoSpike: {
    examples: [qPseudoSpike(), qPseudoSpike({ alpha: 1.5 })],
    make: (size) => qPseudoSpike({ alpha: 1.25 + size }),
    args: [{ alpha: num(1.5, 2) }],
  },
  s2nn: {
    examples: [s2nn(), s2nn({ alpha: 2, beta: 0.5 })],
    make: (alpha) => s2nn({ alpha }),
    args: [{ alpha: num(1, 4), beta: num(1, 2) }],
  },
  multiGaussian: {
    examples: [multiGaussian(), multiGaussian({ sigma: 0.3, h: 0.3, s: 2 })],
    make: (sigma) => multiGaussian({ sigma }),
    args: [{ sigma: num(0.5, 1), h: num(0, 0.15), s: num(2, 6) }],
  },
  squarewaveFourierSeries: {
    examples: [
      squarewaveFourierSeries(),
      squarewaveFourierSeries({ n: 4, period: 5 }),
      squarewaveFourierSeries({ n: 1 }),
    ],
    make: (period) => squarewaveFourierSeries({ period: 2 + period }),
    args: [{ n: num(1, 2, 3), period: num(4, 8) }],
  },
};

type Row = SurrogateRow<Name>;

/** The rows as a list. */
export const SURROGATE_LIST = Object.entries(SURROGATE_ROWS) as [Name, Row][];

/** All examples, with names that tell them apart. */
export const SURROGATE_EXAMPLES: readonly (readonly [title: string, name: Name, smooth: Surrogate])[] =
  SURROGATE_LIST.flatMap(([name, { examples }]) =>
    examples.map((smooth, i) => [i === 0 ? name : `${name}, example ${i + 1}`, name, smooth] as const),
  );

/** Those with a kernel, on which plain layers run. */
export const KERNEL_EXAMPLES = SURROGATE_EXAMPLES.filter(([, , { kind }]) => kind >= 0);
