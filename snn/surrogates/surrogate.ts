/** The type of a surrogate: derivative, smooth step, and the number of its kernel where it has one. */
import { wrongType } from "../../engine/arguments.ts";
import type { Derivative, Language, tensorLanguage, Value } from "../../engine/fuse/index.ts";

/** How a spike is differentiated: hard in the forward pass, a smooth step's derivative at x = u − θ in backward. */
export interface Surrogate {
  /** The name among the surrogates. */
  readonly name: string;
  /** The kernel's number of the derivative, or −1 where there is none. */
  readonly kind: number;
  /** The kernel's parameter of the derivative: a slope, an α or a width. */
  readonly slope: number;
  /** surrogate′(x), for steps that are compiled; it has the bits of the kernel. */
  readonly derivative: Derivative;
  /** The smooth step itself, for layers with `spiking: false`. */
  readonly primitive: Primitive | null;
}

/** The smooth step that a surrogate is the derivative of. */
export type Primitive = (x: Value, language: Language) => Value;

/** A surrogate of your own: functions of x = u − θ, traced as the step of a neuron is. */
export interface CustomSurrogate {
  /**
   * The derivative at x, from the methods of x and the functions of the second argument: `where`, `select`, `softplus`, `constant`, and
   * `power`, a fast 2ˣ for x ≤ 0.
   */
  derivative: Derivative;
  /** The smooth step that it is the derivative of, from the same but `power`; needed for `spiking: false`. */
  primitive?: Primitive;
}

/** The surrogate, which from now on stays as it is: kernels take its numbers as they are. */
export const frozenSurrogate = (s: Surrogate): Surrogate => Object.freeze(Object.assign(new Made(), s));

/** Throws unless it is a surrogate that {@link frozenSurrogate} has made. */
export function checkSurrogate(where: string, s: Surrogate): void {
  if (!(s instanceof Made)) throw wrongType(where, "a surrogate such as surrogate.atan()", s);
}

class Made {}

/** The functions of a step on tensors, for `spike`: a surrogate without a kernel brings them. A live binding. */
export let language = undefined as unknown as typeof tensorLanguage;

export function useLanguage(functions: typeof tensorLanguage): void {
  language = functions;
}
