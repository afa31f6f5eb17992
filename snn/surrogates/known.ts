/**
 * Surrogates that kernels compute: elementwise functions of x = u − θ. They replace the derivative of the spike, which
 * is 0 or infinite.
 *
 * @see Neftci, Mostafa and Zenke (2019), Surrogate Gradient Learning in Spiking Neural Networks, IEEE Signal Processing
 *   Magazine 36(6).
 * @module
 */
import { numberOf, type Range, withDefaults } from "../../engine/arguments.ts";
import type { Derivative, Value } from "../../engine/fuse/index.ts";
import { ATAN, BOXCAR, ERF, FAST_SIGMOID, SIGMOID, STRAIGHT_THROUGH, TRIANGULAR } from "../../kernels/kinds.ts";
import { frozenSurrogate, type Surrogate } from "./surrogate.ts";

/** Range of slopes k: float32 represents k² and 1/k², which kernels compute, as normal numbers. */
const SLOPE: Range = { expected: "in [1e-18, 1e18]", fits: (x) => x >= 1e-18 && x <= 1e18 };

/** A surrogate that a kernel computes; its one option, with the default `usual`, becomes the slope. */
function known<Name extends string>(
  name: string,
  kind: number,
  options: { [option in Name]?: number },
  option: Name,
  usual: number,
  derivative: (slope: number) => Derivative,
  primitive: (x: Value, slope: number) => Value,
  slopeOf = (given: number): number => given,
): Surrogate {
  const where = `surrogate.${name}`;
  const given = withDefaults<{ [option in string]: number }>(where, { [option]: usual }, options)[option];
  const slope = slopeOf(numberOf(where, option, given, SLOPE));
  // Kernels read the slope as float32.
  return frozenSurrogate({
    name,
    kind,
    slope,
    derivative: derivative(f(slope)),
    primitive: (x) => primitive(x, slope),
  });
}

/**
 * surrogate′(x) = k·σ(kx)·(1 − σ(kx)), primitive σ(kx). Default slope k = 10 (snnTorch: 25).
 *
 * @throws RangeError unless the slope is in [1e-18, 1e18]; TypeError for an unknown option.
 */
export const sigmoid = (options: { slope?: number } = {}): Surrogate =>
  known("sigmoid", SIGMOID, options, "slope", 10, sigmoidSlope, (x, slope) => x.mul(slope).sigmoid());

/**
 * surrogate′(x) = 1 / (1 + k|x|)², primitive x / (1 + k|x|). Default slope k = 25, as in snnTorch.
 *
 * @throws RangeError unless the slope is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Zenke and Ganguli (2018), SuperSpike, Neural Computation 30(6).
 */
export const fastSigmoid = (options: { slope?: number } = {}): Surrogate =>
  known("fastSigmoid", FAST_SIGMOID, options, "slope", 25, fastSigmoidSlope, fastSigmoidStep);

/**
 * surrogate′(x) = (α/2) / (1 + (π/2·α·x)²), primitive arctan(π/2·α·x)/π + 1/2. Default α = 2, as in snnTorch.
 *
 * @throws RangeError unless alpha is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Fang et al. (2021), Incorporating Learnable Membrane Time Constant, ICCV.
 */
export const atan = (options: { alpha?: number } = {}): Surrogate =>
  known("atan", ATAN, options, "alpha", 2, atanSlope, (x, alpha) =>
    x
      .mul((Math.PI / 2) * alpha)
      .atan()
      .mul(1 / Math.PI)
      .add(0.5),
  );

/**
 * surrogate′(x) = α/√π·exp(−α²x²), primitive (1 + erf αx) / 2. Default α = 2.
 *
 * @throws RangeError unless alpha is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Esser et al. (2016), Convolutional networks for fast, energy-efficient neuromorphic computing, PNAS 113(41).
 */
export const erf = (options: { alpha?: number } = {}): Surrogate =>
  known("erf", ERF, options, "alpha", 2, erfSlope, erfStep);

/**
 * The density of a normal distribution, surrogate′(x) = exp(−x²/2σ²) / (σ√2π), primitive its distribution function. Default σ = 0.5. Equals erf with
 * α = 1 / (σ√2).
 *
 * @throws RangeError unless sigma is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Yin, Corradi and Bohté (2021), Accurate and efficient time-domain classification with adaptive spiking recurrent
 *   neural networks, Nature Machine Intelligence 3.
 */
export const gaussian = (options: { sigma?: number } = {}): Surrogate =>
  known("gaussian", ERF, options, "sigma", 0.5, erfSlope, erfStep, (sigma) => Math.SQRT1_2 / sigma);

/**
 * surrogate′(x) = (1 − |x|/w) / w for |x| < w, else 0; the primitive is its integral, from 0 to 1. Default width w = 1.
 *
 * @throws RangeError unless the width is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
 */
export const triangular = (options: { width?: number } = {}): Surrogate =>
  known("triangular", TRIANGULAR, options, "width", 1, triangularSlope, (x, width) => {
    const y = x.mul(1 / width).clamp(-1, 1);
    return y.sub(y.mul(y.abs()).mul(0.5)).add(0.5);
  });

/**
 * surrogate′(x) = 1/w for |x| < w/2, else 0; primitive x/w + 1/2 between 0 and 1. Default width w = 1.
 *
 * @throws RangeError unless the width is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Wu et al. (2018), Spatio-Temporal Backpropagation for Training High-Performance Spiking Neural Networks,
 *   Frontiers in Neuroscience 12.
 */
export const boxcar = (options: { width?: number } = {}): Surrogate =>
  known("boxcar", BOXCAR, options, "width", 1, boxcarSlope, (x, width) =>
    x
      .mul(1 / width)
      .add(0.5)
      .clamp(0, 1),
  );

/**
 * surrogate′(x) = 1 / (1 + α|x|)², Norse's name of the fast sigmoid. Default α = 100.
 *
 * @throws RangeError unless alpha is in [1e-18, 1e18]; TypeError for an unknown option.
 * @see Zenke and Ganguli (2018), SuperSpike, Neural Computation 30(6).
 */
export const superSpike = (options: { alpha?: number } = {}): Surrogate =>
  known("superSpike", FAST_SIGMOID, options, "alpha", 100, fastSigmoidSlope, fastSigmoidStep);

/**
 * surrogate′(x) = 1, primitive x + 1/2.
 *
 * @see Bengio, Léonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic Neurons.
 */
export const straightThrough = (): Surrogate =>
  known(
    "straightThrough",
    STRAIGHT_THROUGH,
    {},
    "slope",
    1,
    () => () => 1,
    (x) => x.add(0.5),
  );

const f = Math.fround;
const LOG2_E = f(Math.LOG2E);

/** The derivatives with the roundings of kernels/derivative.ts. */
const sigmoidSlope =
  (k: number): Derivative =>
  (x, { power }) => {
    const e = power(x.abs().mul(f(-k * LOG2_E)));
    return e.mul(k).div(e.add(1).square());
  };
const fastSigmoidSlope =
  (k: number): Derivative =>
  (x, { constant }) =>
    constant(1).div(x.abs().mul(k).add(1).square());
const atanSlope =
  (a: number): Derivative =>
  (x, { constant }) =>
    constant(0.5 * a).div(
      x
        .mul(f(Math.PI / 2) * a)
        .square()
        .add(1),
    );
const erfSlope =
  (a: number): Derivative =>
  (x, { power }) =>
    power(x.square().mul(f(f(-a * a) * LOG2_E))).mul(f(0.56418958) * a);
const triangularSlope =
  (w: number): Derivative =>
  (x, { constant, where }) =>
    where(
      x.abs().lt(w),
      constant(w)
        .sub(x.abs())
        .mul(1 / f(w * w)),
      0,
    );
const boxcarSlope =
  (w: number): Derivative =>
  (x, { where }) =>
    where(x.abs().lt(0.5 * w), 1 / w, 0);

const fastSigmoidStep = (x: Value, slope: number): Value => x.div(x.abs().mul(slope).add(1));
const erfStep = (x: Value, alpha: number): Value => x.mul(alpha).erf().add(1).mul(0.5);
