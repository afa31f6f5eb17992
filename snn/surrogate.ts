import { formatShape, sameShape, scope } from "../engine/extend.ts";
import { noGrad, type Tensor } from "../engine/index.ts";

/** How a spike is differentiated: hard in the forward pass, a smooth step's derivative at x = u − θ in backward. */
export interface Surrogate {
  /** Its name among the surrogates. */
  readonly name: string;
  /** The kernel's number of the derivative, or −1 where `derivative` computes it. */
  readonly kind: number;
  /** The steepness that it was made with: slope or alpha. */
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
