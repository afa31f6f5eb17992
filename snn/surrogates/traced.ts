/**
 * Surrogates without a kernel: expressions of x = u − θ that are compiled into the step of a neuron.
 *
 * Each is one call of `traced` with defaults, the range of each option, the derivative and the smooth step. docs/coding.md lists the
 * equivalents of surrogates of other frameworks.
 */
import { allOptions, FLOAT, functionOf, numberOf, type Range, withDefaults } from "../../engine/arguments.ts";
import { type Derivative, Program, type StepArgument, tensorLanguage, type Value } from "../../engine/fuse/index.ts";
import type { CustomSurrogate, Primitive, Surrogate } from "./surrogate.ts";
import { checkSurrogate, frozenSurrogate, useLanguage } from "./surrogate.ts";

/** Range of slopes and widths. It keeps (slope·membrane)² finite in float32 for membranes up to 10⁴. */
const SCALE: Range = { expected: "in [1e-9, 1e9]", fits: (x) => x >= 1e-9 && x <= 1e9 };
const NOT_NEGATIVE: Range = { expected: "≥ 0 and finite in float32", fits: (x) => x >= 0 && FLOAT.fits(x) };
/**
 * Range of the exponent q of a tail |x|⁻ᑫ. At q = 1 the integral of the tail is infinite. Below 1 the base of the power
 * is negative far from 0.
 */
const EXPONENT: Range = { expected: "in [1.001, 1000]", fits: (x) => x >= 1.001 && x <= 1000 };
/** Range of the number of terms of a series. */
const TERMS: Range = { expected: "an integer in [1, 64]", fits: (x) => Number.isInteger(x) && x >= 1 && x <= 64 };

/** A derivative and its primitive, the smooth step. */
interface Curve {
  readonly derivative: Derivative;
  readonly primitive: Primitive;
}

/** A surrogate without a kernel. `spike` evaluates its derivative on tensors. */
function withoutKernel(name: string, derivative: Derivative, primitive: Primitive | null): Surrogate {
  useLanguage(tensorLanguage);
  return frozenSurrogate({ name, kind: -1, slope: 0, derivative, primitive });
}

type Numbers<Name extends string> = Readonly<Record<Name, number>>;

/** Defines a surrogate by name: the default and the range of each option, and its curve. */
function traced<Name extends string>(
  name: string,
  defaults: Numbers<Name>,
  ranges: Readonly<Record<Name, Range>>,
  options: Partial<Numbers<Name>>,
  curve: (given: Numbers<Name>) => Curve,
): Surrogate {
  const where = `surrogate.${name}`;
  const given = allOptions(where, defaults, options);
  for (const option of Object.keys(defaults) as Name[]) numberOf(where, option, given[option], ranges[option]);
  const { derivative, primitive } = curve(given);
  return withoutKernel(name, derivative, primitive);
}

/**
 * Scales a surrogate: surrogate′(x) = factor·derivative(x), primitive factor·primitive(x). The factor scales the gradient that passes each spike.
 *
 * @throws RangeError unless the factor is finite in float32; TypeError for anything but a surrogate.
 *
 * @example
 * ```ts
 * import { spike, surrogate, tape, tensor } from "jarvis-snn";
 *
 * const low = surrogate.scaled(surrogate.triangular(), 0.5);
 * const x = tensor([-0.5, 0, 2], { requiresGrad: true });
 * tape(() => spike(x, { threshold: 0, surrogate: low }).sum().backward());
 * console.log(x.grad?.toArray()); // [ 0.25, 0.5, 0 ]
 * ```
 */
export function scaled(surrogate: Surrogate, factor: number): Surrogate {
  checkSurrogate("surrogate.scaled", surrogate);
  numberOf("surrogate.scaled", "factor", factor, FLOAT);
  const { derivative, primitive } = surrogate;
  const scaledDerivative: Derivative = (x, language) => {
    const d = derivative(x, language);
    return typeof d === "number" ? d * factor : d.mul(factor);
  };
  return withoutKernel("scaled", scaledDerivative, primitive && ((x, language) => primitive(x, language).mul(factor)));
}

/**
 * surrogate′(x) = 1 where x > −window, else 0, primitive max(0, x + window). With the default window = 0 only neurons
 * that fire pass a gradient, as in snnTorch's `heaviside`.
 *
 * @throws RangeError unless the window is ≥ 0 and finite in float32; TypeError for an unknown option.
 */
export const heaviside = (options: { window?: number } = {}): Surrogate =>
  traced("heaviside", { window: 0 }, { window: NOT_NEGATIVE }, options, ({ window }) => ({
    derivative: (x, { where }) => where(x.gt(0 - window), 1, 0),
    primitive: (x) => x.add(window).relu(),
  }));

/**
 * surrogate′(x) = k where x ≥ 0, else leak; primitive k·x and leak·x. Defaults k = 1 and leak = 0.
 *
 * @throws RangeError unless both are finite in float32; TypeError for an unknown option.
 */
export const leakyKReLU = (options: { leak?: number; k?: number } = {}): Surrogate =>
  traced("leakyKReLU", { leak: 0, k: 1 }, { leak: FLOAT, k: FLOAT }, options, ({ leak, k }) => ({
    derivative: (x, { where }) => where(x.ge(0), k, leak),
    primitive: (x, { where }) => where(x.ge(0), x.mul(k), x.mul(leak)),
  }));

/**
 * surrogate′(x) = 1/(2w) where |x| < w, else c; primitive x/(2w) + ½ for |x| < w, continued with the slope c. Defaults w = 1 and c = 0.01.
 *
 * @throws RangeError unless w is in [1e-9, 1e9] and c finite in float32; TypeError for an unknown option.
 */
export const piecewiseLeakyReLU = (options: { w?: number; c?: number } = {}): Surrogate =>
  traced("piecewiseLeakyReLU", { w: 1, c: 0.01 }, { w: SCALE, c: FLOAT }, options, ({ w, c }) => ({
    derivative: (x, { where }) => where(x.abs().lt(w), 1 / (2 * w), c),
    primitive(x) {
      const inside = x.clamp(-w, w);
      const step = inside.mul(1 / (2 * w)).add(0.5);
      return x.sub(inside).mul(c).add(step);
    },
  }));

/**
 * surrogate′(x) = 1 where 0 < x ≤ 1, 1/x above, α below; primitive x, 1 + log x and α·x. Default α = 0.
 *
 * @throws RangeError unless alpha is finite in float32; TypeError for an unknown option.
 * @see Cai et al. (2017), Deep Learning with Low Precision by Half-wave Gaussian Quantization, CVPR.
 */
export const logTailedReLU = (options: { alpha?: number } = {}): Surrogate =>
  traced("logTailedReLU", { alpha: 0 }, { alpha: FLOAT }, options, ({ alpha }) => ({
    derivative: (x, { where, constant }) => where(x.gt(0), constant(1).div(x.maximum(1)), alpha),
    primitive: (x, { where }) => where(x.gt(0), x.minimum(1).add(x.maximum(1).log()), x.mul(alpha)),
  }));

/**
 * The fast sigmoid above a bound: surrogate′(x) = 1 / (1 + k|x|)² where x > bound, else 0; primitive y / (1 + k|y|) with
 * y = max(x, bound). Defaults k = 25 and bound = 1, as in snnTorch's `SFS`.
 *
 * @throws RangeError unless the slope is in [1e-9, 1e9] and the bound finite in float32; TypeError for an unknown option.
 * @see Perez-Nieves and Goodman (2021), Sparse Spiking Gradient Descent, NeurIPS.
 */
export const sparseFastSigmoid = (options: { slope?: number; bound?: number } = {}): Surrogate =>
  traced("sparseFastSigmoid", { slope: 25, bound: 1 }, { slope: SCALE, bound: FLOAT }, options, ({ slope, bound }) => ({
    derivative: (x, { where, constant }) => where(x.gt(bound), constant(1).div(x.abs().mul(slope).add(1).square()), 0),
    primitive(x) {
      const y = x.maximum(bound);
      return y.div(y.abs().mul(slope).add(1));
    },
  }));

/**
 * surrogate′(x) = (1 + x²/α²)^(−3/2), primitive x / √(1 + x²/α²), which rises from −α to α. Default α = 1; Norse's cells use 100.
 *
 * @throws RangeError unless alpha is in [1e-9, 1e9]; TypeError for an unknown option.
 */
export const circ = (options: { alpha?: number } = {}): Surrogate =>
  traced("circ", { alpha: 1 }, { alpha: SCALE }, options, ({ alpha }) => {
    const rate = 1 / alpha;
    const squared = (x: Value): Value => x.mul(rate).square().add(1);
    return {
      derivative(x, { constant }) {
        const d = squared(x);
        return constant(1).div(d.mul(d.sqrt()));
      },
      primitive: (x) => x.div(squared(x).sqrt()),
    };
  });

/** e^(−|x|/width), for derivatives. */
const decaying =
  (width: number): ((x: Value, power: (x: Value) => Value) => Value) =>
  (x, power) =>
    power(x.abs().mul(-Math.LOG2E / width));

/**
 * surrogate′(x) = α/2·e^(−α|x|), primitive e^(αx)/2 below 0 and 1 − e^(−αx)/2 from 0 on. Default α = 1.
 *
 * @throws RangeError unless alpha is in [1e-9, 1e9]; TypeError for an unknown option.
 * @see Shrestha and Orchard (2018), SLAYER: Spike Layer Error Reassignment in Time, NeurIPS.
 */
export const piecewiseExp = (options: { alpha?: number } = {}): Surrogate =>
  traced("piecewiseExp", { alpha: 1 }, { alpha: SCALE }, options, ({ alpha }) => ({
    derivative: (x, { power }) => decaying(1 / alpha)(x, power).mul(alpha / 2),
    primitive(x, { where, constant }) {
      const e = x.abs().mul(-alpha).exp().mul(0.5);
      return where(x.lt(0), e, constant(1).sub(e));
    },
  }));

/**
 * surrogate′(x) = k·e^(−β|x − 1|), primitive k/β·e^(β(x − 1)) below 1 and k/β·(2 − e^(−β(x − 1))) from 1 on. Defaults β = 1 and k = 25, as in
 * snnTorch. The peak lies at x = 1, one above the threshold.
 *
 * @throws RangeError unless beta and slope are in [1e-9, 1e9]; TypeError for an unknown option.
 * @see Gerstner and Kistler (2002), Spiking Neuron Models, Cambridge University Press.
 */
export const spikeRateEscape = (options: { beta?: number; slope?: number } = {}): Surrogate =>
  traced("spikeRateEscape", { beta: 1, slope: 25 }, { beta: SCALE, slope: SCALE }, options, ({ beta, slope }) => ({
    derivative: (x, { power }) => decaying(1 / beta)(x.sub(1), power).mul(slope),
    primitive(x, { where, constant }) {
      const height = slope / beta;
      const e = x.sub(1).abs().mul(-beta).exp().mul(height);
      return where(x.lt(1), e, constant(2 * height).sub(e));
    },
  }));

/**
 * For neurons that may fire several times in a step: surrogate′(x) = e^(−d/width)/θ. d is |x| for x < 0; for x ≥ 0 it
 * is the distance of x from the nearest multiple of θ. The primitive is the integral, a staircase of smooth steps.
 * Defaults width = 0.5 and θ = 1.
 *
 * @throws RangeError unless width and threshold are in [1e-9, 1e9]; TypeError for an unknown option.
 * @see Weidel and Sheik (2021), WaveSense: Efficient Temporal Convolutions with Spiking Neural Networks for Keyword Spotting.
 */
export const periodicExponential = (options: { width?: number; threshold?: number } = {}): Surrogate => {
  const ranges = { width: SCALE, threshold: SCALE };
  return traced("periodicExponential", { width: 0.5, threshold: 1 }, ranges, options, ({ width, threshold }) => {
    const rate = 1 / threshold;
    /** x/θ rounded to the nearest integer. */
    const multiples = (x: Value): Value => x.mul(rate).relu().round();
    return {
      derivative: (x, { power }) => decaying(width)(x.sub(multiples(x).mul(threshold)), power).mul(rate),
      primitive(x, { where, constant }) {
        const m = multiples(x);
        const rest = x.sub(m.mul(threshold));
        const height = width / threshold;
        const distance = rest.abs().mul(-1 / width);
        const e = distance.exp();
        const half = constant(1).sub(constant(-threshold / (2 * width)).exp());
        const above = m.mul(half.mul(2)).add(rest.sign().mul(constant(1).sub(e)));
        return where(x.lt(0), e, above.add(1)).mul(height);
      },
    };
  });
};

/**
 * surrogate′(x) = 1 / (1/α + |x|), primitive sign(x)·log(1 + α|x|), which is unbounded. Default α = 1.
 *
 * @throws RangeError unless alpha is in [1e-9, 1e9]; TypeError for an unknown option.
 */
export const nonzeroSignLogAbs = (options: { alpha?: number } = {}): Surrogate =>
  traced("nonzeroSignLogAbs", { alpha: 1 }, { alpha: SCALE }, options, ({ alpha }) => ({
    derivative: (x, { constant }) => constant(1).div(x.abs().add(1 / alpha)),
    primitive: (x) => x.abs().mul(alpha).log1p().mul(x.sign()),
  }));

/**
 * surrogate′(x) = min(1/|x|, α), primitive α·x near 0 and sign(x)·(1 + log α|x|) from |x| = 1/α on. Default α = 0.3.
 *
 * @throws RangeError unless alpha is in [1e-9, 1e9]; TypeError for an unknown option.
 */
export const fakeNumericalGradient = (options: { alpha?: number } = {}): Surrogate =>
  traced("fakeNumericalGradient", { alpha: 0.3 }, { alpha: SCALE }, options, ({ alpha }) => ({
    derivative: (x, { constant }) => constant(1).div(x.abs().maximum(1 / alpha)),
    primitive(x) {
      const y = x.mul(alpha);
      return y.clamp(-1, 1).add(y.abs().maximum(1).log().mul(x.sign()));
    },
  }));

/**
 * surrogate′(x) = (1 + 2|x|/(α − 1))^(−α), primitive ½·(1 ± (1 − (1 + 2|x|/(α − 1))^(1 − α))) with the sign of x.
 * Default α = 2. α must be above 1, as in the paper. SpikingJelly accepts smaller values, but then its gradients are
 * NaN far from 0.
 *
 * @throws RangeError unless alpha is in [1.001, 1000]; TypeError for an unknown option.
 * @see Herranz-Celotti and Rouat (2022), Surrogate Gradients Design, arXiv:2202.00282.
 */
export const qPseudoSpike = (options: { alpha?: number } = {}): Surrogate =>
  traced("qPseudoSpike", { alpha: 2 }, { alpha: EXPONENT }, options, ({ alpha }) => {
    const rate = 2 / (alpha - 1);
    const base = (x: Value): Value => x.abs().mul(rate).add(1);
    return {
      derivative: (x) => base(x).pow(-alpha),
      primitive(x, { where, constant }) {
        const power = base(x).pow(1 - alpha);
        const tail = power.mul(0.5);
        return where(x.lt(0), tail, constant(1).sub(tail));
      },
    };
  });

/**
 * surrogate′(x) = α·σ(αx)·(1 − σ(αx)) below 0 and β / (1 + x) from 0 on, primitive σ(αx) and ½ + β·log(1 + x). Defaults α = 4 and β = 1.
 *
 * @throws RangeError unless alpha and beta are in [1e-9, 1e9]; TypeError for an unknown option.
 * @see Suetake et al. (2023), S³NN: Time step reduction of spiking surrogate gradients for training energy efficient single-step spiking
 *   neural networks, Neural Networks 159.
 */
export const s2nn = (options: { alpha?: number; beta?: number } = {}): Surrogate =>
  traced("s2nn", { alpha: 4, beta: 1 }, { alpha: SCALE, beta: SCALE }, options, ({ alpha, beta }) => ({
    derivative(x, { where, power, constant }) {
      const e = decaying(1 / alpha)(x, power);
      return where(x.lt(0), e.mul(alpha).div(e.add(1).square()), constant(beta).div(x.abs().add(1)));
    },
    primitive: (x, { where }) => where(x.lt(0), x.mul(alpha).sigmoid(), x.abs().log1p().mul(beta).add(0.5)),
  }));

/**
 * A Gaussian with negative tails: surrogate′(x) = (1 + h)·N(x; 0, σ) − h·N(x; σ, sσ) − h·N(x; −σ, sσ), where N is the
 * density of the normal distribution. The primitive is the same sum of distribution functions and rises from 0 to 1 −
 * h. Defaults σ = 0.5, h = 0.15, s = 6.
 *
 * @throws RangeError unless sigma and s are in [1e-9, 1e9] and h is ≥ 0 and finite in float32; TypeError for an unknown option.
 * @see Yin, Corradi and Bohté (2021), Accurate and efficient time-domain classification with adaptive spiking recurrent
 *   neural networks, Nature Machine Intelligence 3.
 */
export const multiGaussian = (options: { sigma?: number; h?: number; s?: number } = {}): Surrogate => {
  const ranges = { sigma: SCALE, h: NOT_NEGATIVE, s: SCALE };
  return traced("multiGaussian", { sigma: 0.5, h: 0.15, s: 6 }, ranges, options, ({ sigma, h, s }) => {
    const wide = s * sigma;
    return {
      derivative(x, { power }) {
        const bell = (y: Value, width: number, height: number) => {
          const squared = y.mul(1 / width).square();
          return power(squared.mul(-Math.LOG2E / 2)).mul(height / (width * Math.sqrt(2 * Math.PI)));
        };
        const tails = bell(x.sub(sigma), wide, h).add(bell(x.add(sigma), wide, h));
        return bell(x, sigma, 1 + h).sub(tails);
      },
      primitive(x) {
        const rise = (y: Value, width: number, height: number) => {
          const from0 = y.mul(Math.SQRT1_2 / width).erf();
          return from0.add(1).mul(height / 2);
        };
        return rise(x, sigma, 1 + h).sub(rise(x.sub(sigma), wide, h).add(rise(x.add(sigma), wide, h)));
      },
    };
  });
};

/**
 * The first terms of the Fourier series of a square wave: surrogate′(x) = 4/T·Σ cos((2i − 1)·2πx/T) for i = 1 … n − 1, primitive ½ + 2/π·Σ sin((2i −
 * 1)·2πx/T)/(2i − 1). Defaults n = 2 (one cosine) and T = 8, the period. With n = 1 the sum is empty and the gradient 0.
 *
 * @throws RangeError unless n is an integer in [1, 64] and the period in [1e-9, 1e9]; TypeError for an unknown option.
 */
export const squarewaveFourierSeries = (options: { n?: number; period?: number } = {}): Surrogate =>
  traced("squarewaveFourierSeries", { n: 2, period: 8 }, { n: TERMS, period: SCALE }, options, ({ n, period }) => {
    const series = (sum: Value, term: (odd: number, frequency: number) => Value): Value => {
      for (let i = 1; i < n; i++) sum = sum.add(term(2 * i - 1, ((2 * i - 1) * 2 * Math.PI) / period));
      return sum;
    };
    return {
      derivative: (x, { constant }) => series(constant(0), (_, frequency) => x.mul(frequency).cos()).mul(4 / period),
      primitive(x) {
        const sum = series(x.mul(0), (odd, frequency) =>
          x
            .mul(frequency)
            .sin()
            .mul(1 / odd),
        );
        return sum.mul(2 / Math.PI).add(0.5);
      },
    };
  });

/**
 * A user-defined surrogate: surrogate′(x) = derivative(x) at x = u − θ; `primitive` is null if not given. Both are traced with the operations of a
 * neuron's step and compiled into the loops of the neurons that use them; x is the value of one neuron.
 *
 * @throws TypeError unless the derivative, and the primitive if given, is a function of operations that a step allows; a sum over neurons, for
 *   example, is not one.
 *
 * @example
 * ```ts
 * import { LIF, surrogate } from "jarvis-snn";
 *
 * const rectangle = surrogate.custom({
 *   derivative: (x, { where }) => where(x.abs().lt(0.5), 1, 0),
 *   primitive: (x) => x.add(0.5).clamp(0, 1),
 * });
 * console.log(new LIF({ surrogate: rectangle }).parameters().length); // 0
 * ```
 */
export function custom(options: CustomSurrogate): Surrogate {
  const where = "surrogate.custom";
  const given = withDefaults(where, CUSTOM, options);
  const derivative = functionOf(where, "derivative", given.derivative as Derivative);
  const primitive = given.primitive === undefined ? null : functionOf(where, "primitive", given.primitive);
  check(where, ({ x, spike }) => spike(x, derivative));
  if (primitive !== null) check(where, (language) => primitive(language.x, language));
  return withoutKernel("custom", derivative, primitive);
}

const CUSTOM = { derivative: undefined as Derivative | undefined, primitive: undefined as Primitive | undefined };

/** Throws if an expression of x uses an operation that a step does not allow. */
function check(name: string, expression: (argument: StepArgument<"x">) => Value | number): void {
  const step = (argument: StepArgument<"x">) => ({ y: expression(argument) });
  new Program({ name, inputs: ["x"], states: [], parameters: {}, step });
}
