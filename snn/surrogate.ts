import { wrongType } from "../engine/extend.ts";
import type { Derivative } from "../engine/fuse/index.ts";
import type { Tensor } from "../engine/index.ts";

/** How a spike is differentiated: hard in the forward pass, a smooth step's derivative at x = u − θ in backward. */
export interface Surrogate {
  /** Its name among the surrogates. */
  readonly name: string;
  /** The kernel's number of the derivative, or −1 where `derivative` computes it. */
  readonly kind: number;
  /** The kernel's parameter of the derivative: a slope, an α or a width. */
  readonly slope: number;
  /** surrogate′(x) as an expression, for steps that are compiled; it has the bits of the kernel. */
  readonly expression: Derivative;
  /** surrogate′(x) of a tensor. */
  readonly derivative: ((x: Tensor) => Tensor) | null;
  /** The smooth step itself, for layers with `spiking: false`. */
  readonly primitive: ((x: Tensor) => Tensor) | null;
}

/** A surrogate of your own. */
export interface CustomSurrogate {
  /**
   * Maps the tensor x = u − θ to the derivative, elementwise, in its shape; called once on the whole sequence, in which
   * neurons put the state that they started from before the first step: [T + 1, B, …].
   */
  derivative: (x: Tensor) => Tensor;
  /** The smooth step that it is the derivative of; needed for `spiking: false`. */
  primitive?: (x: Tensor) => Tensor;
}

/** The surrogate, which from now on stays as it is: kernels take its numbers as they are. */
export function made(s: Surrogate): Surrogate {
  return Object.freeze(Object.assign(new Made(), s));
}

/** Throws unless it is a surrogate that {@link made} has made. */
export function checkSurrogate(where: string, s: Surrogate): void {
  if (!(s instanceof Made)) throw wrongType(where, "a surrogate such as surrogate.atan()", s);
}

class Made {}
