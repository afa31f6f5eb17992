/** The type of a surrogate: derivative, smooth step, and the number of its kernel, if any. */
import { wrongType } from "../../engine/arguments.ts";
import type { Derivative, Language, tensorLanguage, Value } from "../../engine/fuse/index.ts";

/** Gradient of a spike: a hard step in forward; in backward the derivative of a smooth step at x = u − θ. */
export interface Surrogate {
  /** Name of the surrogate. */
  readonly name: string;
  /** Number of the derivative's kernel; −1 without one. */
  readonly kind: number;
  /** Parameter of that kernel: a slope, an α or a width. */
  readonly slope: number;
  /** surrogate′(x) for compiled steps; gives the same bits as the kernel. */
  readonly derivative: Derivative;
  /** The smooth step, for layers with `spiking: false`. */
  readonly primitive: Primitive | null;
}

/** The smooth step whose derivative a surrogate is. */
export type Primitive = (x: Value, language: Language) => Value;

/** A user-defined surrogate: functions of x = u − θ, traced like the step of a neuron. */
export interface CustomSurrogate {
  /**
   * Derivative at x, from the methods of x and the functions of the second argument: `where`, `select`, `softplus`, `constant`, and `power`, a
   * fast 2ˣ for x ≤ 0.
   */
  derivative: Derivative;
  /** The smooth step whose derivative it is, from the same functions except `power`; required for `spiking: false`. */
  primitive?: Primitive;
}

/** A frozen surrogate, since kernels use its numbers unchecked. */
export const frozenSurrogate = (s: Surrogate): Surrogate => Object.freeze(Object.assign(new Made(), s));

/** Throws unless {@link frozenSurrogate} made the surrogate. */
export function checkSurrogate(where: string, s: Surrogate): void {
  if (!(s instanceof Made)) throw wrongType(where, "a surrogate such as surrogate.atan()", s);
}

class Made {}

/** Functions of a step on tensors, for `spike`; set by the first surrogate without a kernel. A live binding. */
export let language = undefined as unknown as typeof tensorLanguage;

export function useLanguage(functions: typeof tensorLanguage): void {
  language = functions;
}
