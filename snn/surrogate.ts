import { formatShape, sameShape, scope } from "../engine/extend.ts";
import { noGrad, type Tensor } from "../engine/index.ts";

/** How a spike is differentiated: hard in the forward pass, a smooth step's derivative at x = u − θ in backward. */
export interface Surrogate {
  /** Its name among the surrogates. */
  readonly name: string;
  /** The kernel's number of the derivative, or −1 where `derivative` computes it. */
  readonly kind: number;
  /** The kernel's parameter of the derivative: a slope, an α or a width. */
  readonly slope: number;
  /** surrogate′(x) of a tensor. */
  readonly derivative: ((x: Tensor) => Tensor) | null;
  /** The smooth step itself, for layers with `spiking: false`. */
  readonly primitive: ((x: Tensor) => Tensor) | null;
}

function positive(where: string, name: string, value: number): number {
  if (!(Number.isFinite(value) && value > 0))
    throw new RangeError(`${where}: ${name} must be finite and > 0, got ${value}`);
  return value;
}

/** A surrogate of your own. */
export interface CustomSurrogate {
  /** Maps the tensor x = u − θ to the derivative, elementwise, in its shape; called once on the whole sequence. */
  derivative: (x: Tensor) => Tensor;
  /** The smooth step that it is the derivative of; needed for `spiking: false`. */
  primitive?: (x: Tensor) => Tensor;
}

/**
 * Derivatives in the place of that of the spike, which is 0 or infinite; elementwise functions of x = u − θ.
 *
 * @see Neftci, Mostafa and Zenke (2019), Surrogate Gradient Learning in Spiking Neural Networks, IEEE Signal Processing
 *   Magazine 36(6).
 * @namespace
 */
export const surrogate = {
  /**
   * surrogate′(x) = k·σ(kx)·(1 − σ(kx)), primitive σ(kx). Default slope k = 10 (snnTorch: 25).
   *
   * @throws RangeError unless the slope is finite and > 0.
   */
  sigmoid({ slope = 10 }: { slope?: number } = {}): Surrogate {
    positive("surrogate.sigmoid", "slope", slope);
    return { name: "sigmoid", kind: 0, slope, derivative: null, primitive: (x) => x.mul(slope).sigmoid() };
  },

  /**
   * surrogate′(x) = 1 / (1 + k|x|)², primitive x / (1 + k|x|). Default slope k = 25, as in snnTorch.
   *
   * @throws RangeError unless the slope is finite and > 0.
   * @see Zenke and Ganguli (2018), SuperSpike, Neural Computation 30(6).
   */
  fastSigmoid({ slope = 25 }: { slope?: number } = {}): Surrogate {
    positive("surrogate.fastSigmoid", "slope", slope);
    return {
      name: "fastSigmoid",
      kind: 1,
      slope,
      derivative: null,
      primitive: (x) => x.div(x.abs().mul(slope).add(1)),
    };
  },

  /**
   * surrogate′(x) = (α/2) / (1 + (π/2·α·x)²), primitive arctan(π/2·α·x)/π + 1/2. Default α = 2, as in snnTorch.
   *
   * @throws RangeError unless alpha is finite and > 0.
   * @see Fang et al. (2021), Incorporating Learnable Membrane Time Constant, ICCV.
   */
  atan({ alpha = 2 }: { alpha?: number } = {}): Surrogate {
    positive("surrogate.atan", "alpha", alpha);
    const primitive = (x: Tensor): Tensor =>
      x
        .mul((Math.PI / 2) * alpha)
        .atan()
        .mul(1 / Math.PI)
        .add(0.5);
    return { name: "atan", kind: 2, slope: alpha, derivative: null, primitive };
  },

  /**
   * surrogate′(x) = α/√π·exp(−α²x²), primitive (1 + erf αx) / 2. Default α = 2.
   *
   * @throws RangeError unless alpha is finite and > 0.
   * @see Esser et al. (2016), Convolutional networks for fast, energy-efficient neuromorphic computing, PNAS 113(41).
   */
  erf({ alpha = 2 }: { alpha?: number } = {}): Surrogate {
    positive("surrogate.erf", "alpha", alpha);
    return gaussian("erf", alpha);
  },

  /**
   * The density of a normal distribution, surrogate′(x) = exp(−x²/2σ²) / (σ√2π), primitive its distribution function.
   * Default σ = 0.5. The same as erf with α = 1 / (σ√2).
   *
   * @throws RangeError unless sigma is finite and > 0.
   * @see Yin, Corradi and Bohté (2021), Accurate and efficient time-domain classification with adaptive spiking recurrent
   *   neural networks, Nature Machine Intelligence 3.
   */
  gaussian({ sigma = 0.5 }: { sigma?: number } = {}): Surrogate {
    positive("surrogate.gaussian", "sigma", sigma);
    return gaussian("gaussian", Math.SQRT1_2 / sigma);
  },

  /**
   * surrogate′(x) = (1 − |x|/w) / w for |x| < w, else 0; primitive its integral, from 0 to 1. Default width w = 1.
   *
   * @throws RangeError unless the width is finite and > 0.
   * @see Bellec et al. (2018), Long short-term memory and learning-to-learn in networks of spiking neurons, NeurIPS.
   */
  triangular({ width = 1 }: { width?: number } = {}): Surrogate {
    positive("surrogate.triangular", "width", width);
    const primitive = (x: Tensor): Tensor => {
      const y = x.mul(1 / width).clamp(-1, 1);
      return y.sub(y.mul(y.abs()).mul(0.5)).add(0.5);
    };
    return { name: "triangular", kind: 4, slope: width, derivative: null, primitive };
  },

  /**
   * surrogate′(x) = 1/w for |x| < w/2, else 0; primitive x/w + 1/2 between 0 and 1. Default width w = 1.
   *
   * @throws RangeError unless the width is finite and > 0.
   * @see Wu et al. (2018), Spatio-Temporal Backpropagation for Training High-Performance Spiking Neural Networks,
   *   Frontiers in Neuroscience 12.
   */
  boxcar({ width = 1 }: { width?: number } = {}): Surrogate {
    positive("surrogate.boxcar", "width", width);
    const primitive = (x: Tensor): Tensor =>
      x
        .mul(1 / width)
        .add(0.5)
        .clamp(0, 1);
    return { name: "boxcar", kind: 5, slope: width, derivative: null, primitive };
  },

  /**
   * surrogate′(x) = 1 / (1 + α|x|)², the fast sigmoid as Norse names it. Default α = 100.
   *
   * @throws RangeError unless alpha is finite and > 0.
   * @see Zenke and Ganguli (2018), SuperSpike, Neural Computation 30(6).
   */
  superSpike({ alpha = 100 }: { alpha?: number } = {}): Surrogate {
    positive("surrogate.superSpike", "alpha", alpha);
    return { ...surrogate.fastSigmoid({ slope: alpha }), name: "superSpike" };
  },

  /**
   * surrogate′(x) = 1, primitive x + 1/2.
   *
   * @see Bengio, Léonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic Neurons.
   */
  straightThrough(): Surrogate {
    return { name: "straightThrough", kind: 6, slope: 1, derivative: null, primitive: (x) => x.add(0.5) };
  },

  /**
   * A derivative of your own: surrogate′(x) = derivative(x), [...] → [...]; `primitive` is null if not given.
   *
   * @throws TypeError unless the derivative is a function, and the primitive where it is given; RangeError in backward
   *   unless it gives the shape of x.
   */
  custom({ derivative, primitive }: CustomSurrogate): Surrogate {
    for (const fn of primitive === undefined ? [derivative] : [derivative, primitive]) {
      if (typeof fn !== "function") throw new TypeError(`surrogate.custom: expected a function, got ${typeof fn}`);
    }
    return {
      name: "custom",
      kind: -1,
      slope: 0,
      derivative: (x) => noGrad(() => ofItsOwn(derivative(x), x)),
      primitive: primitive ?? null,
    };
  },
} as const;

function gaussian(name: string, alpha: number): Surrogate {
  const primitive = (x: Tensor): Tensor => x.mul(alpha).erf().add(1).mul(0.5);
  return { name, kind: 3, slope: alpha, derivative: null, primitive };
}

/** Throws unless it is a surrogate. */
export function checkSurrogate(where: string, s: Surrogate): void {
  if (typeof s?.kind === "number") return;
  throw new TypeError(`${where}: expected a surrogate such as surrogate.atan(), got ${s === null ? s : typeof s}`);
}

/** The derivative at x as a tensor that backward may dispose: one that was there before is copied. */
function ofItsOwn(d: Tensor, x: Tensor): Tensor {
  if (!sameShape(d.shape, x.shape)) {
    const got = `got ${formatShape(d.shape)}`;
    throw new RangeError(`surrogate.custom: expected a derivative of shape ${formatShape(x.shape)}, ${got}`);
  }
  return d.region === scope.region ? d : d.clone();
}
