import { formatShape, sameShape, scope } from "../engine/extend.ts";
import { noGrad, type Tensor } from "../engine/index.ts";

/** How a spike is differentiated: hard in the forward pass, a smooth step's derivative at x = u − θ in backward. */
export interface Surrogate {
  readonly name: string;
  /** The kernel's number of the derivative, or −1 where `derivative` computes it. */
  readonly kind: number;
  readonly slope: number;
  /** surrogate′(x) of a tensor. */
  readonly derivative: ((x: Tensor) => Tensor) | null;
  /** The smooth step itself, for layers with `spiking: false`. */
  readonly primitive: ((x: Tensor) => Tensor) | null;
}

function positive(where: string, name: string, value: number): number {
  if (!(value > 0 && value < Infinity)) throw new RangeError(`${where}: ${name} must be finite and > 0, got ${value}`);
  return value;
}

/** surrogate′(x) = k·σ(kx)·(1 − σ(kx)), primitive σ(kx). Default slope k = 10. */
function sigmoid({ slope = 10 }: { slope?: number } = {}): Surrogate {
  positive("surrogate.sigmoid", "slope", slope);
  return { name: "sigmoid", kind: 0, slope, derivative: null, primitive: (x) => x.mul(slope).sigmoid() };
}

/**
 * surrogate′(x) = 1 / (1 + k|x|)², primitive x / (1 + k|x|). Default slope k = 25.
 *
 * @see Zenke and Ganguli (2018), SuperSpike, Neural Computation 30(6).
 */
function fastSigmoid({ slope = 25 }: { slope?: number } = {}): Surrogate {
  positive("surrogate.fastSigmoid", "slope", slope);
  return { name: "fastSigmoid", kind: 1, slope, derivative: null, primitive: (x) => x.div(x.abs().mul(slope).add(1)) };
}

/**
 * surrogate′(x) = (α/2) / (1 + (π/2·α·x)²), primitive arctan(π/2·α·x)/π + 1/2. Default α = 2.
 *
 * @see Fang et al. (2021), Incorporating Learnable Membrane Time Constant, ICCV.
 */
function atan({ alpha = 2 }: { alpha?: number } = {}): Surrogate {
  positive("surrogate.atan", "alpha", alpha);
  const primitive = (x: Tensor): Tensor =>
    x
      .mul((Math.PI / 2) * alpha)
      .atan()
      .mul(1 / Math.PI)
      .add(0.5);
  return { name: "atan", kind: 2, slope: alpha, derivative: null, primitive };
}

export interface CustomSurrogate {
  /** Maps the tensor x = u − θ to the derivative, elementwise; called once on the whole sequence. */
  derivative: (x: Tensor) => Tensor;
  /** The smooth step that it is the derivative of; needed for `spiking: false`. */
  primitive?: (x: Tensor) => Tensor;
}

/**
 * A derivative of your own.
 *
 * @throws RangeError in backward unless the derivative has the shape of x.
 */
function custom({ derivative, primitive }: CustomSurrogate): Surrogate {
  if (typeof derivative !== "function")
    throw new TypeError(`surrogate.custom: expected a function, got ${typeof derivative}`);
  return {
    name: "custom",
    kind: -1,
    slope: 0,
    derivative: (x) => noGrad(() => ofItsOwn(derivative(x), x)),
    primitive: primitive ?? null,
  };
}

/** The derivative at x as a tensor that backward may dispose: one that was there before is copied. */
function ofItsOwn(d: Tensor, x: Tensor): Tensor {
  if (!sameShape(d.shape, x.shape)) {
    const got = `got ${formatShape(d.shape)}`;
    throw new RangeError(`surrogate.custom: expected a derivative of shape ${formatShape(x.shape)}, ${got}`);
  }
  return d.region === scope.region ? d : d.clone();
}

export const surrogate = { sigmoid, fastSigmoid, atan, custom } as const;
