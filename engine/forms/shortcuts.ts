/** A table beside `Op`: the short forms of values and gradients that an op can read and write. */
import type { Op, Recorded, Tensor } from "../core/tensor.ts";

/** How values are stored: one float per element, packed spikes, or one step that repeats. */
export type Form = "floats" | "bits" | "repeats";

/** Short forms that an op reads; the engine writes out all others as floats. */
export interface Reads {
  /** Short forms of the first input that forward and backward read. For repeated steps, see `lifts`. */
  readonly a?: readonly ["bits"];
  /**
   * Short forms in which backward reads the gradient of the output.
   *
   * @internal
   */
  readonly gradient?: readonly GradientForm["kind"][];
}

export interface Shortcuts<Attrs> {
  readonly reads?: Reads | undefined;
  /**
   * Number of trailing axes that the op mixes; leading axes are a batch. If a repeats one step along its first axis,
   * the op runs once, for this step. Attributes may depend on the batch only in `shape`, whose first axis is that of a.
   */
  readonly lifts?: number | undefined;
  /** For packed a: whether forward writes packed spikes, into `emptySpikesOf`. If false, forward gets a as floats. */
  keepsBits?(attrs: Attrs): boolean;
  /** Attributes that make backward treat the first input as dense, for an op whose b are weights. */
  dense?(attrs: Attrs): object;
}

/** The record of an op with shortcuts. */
export interface ShortRecorded<Attrs> extends Recorded<Attrs> {
  readonly shortcuts: Shortcuts<Attrs>;
}

/** An op with shortcuts. */
export interface ShortOp<Attrs> extends Op<Attrs>, ShortRecorded<Attrs> {}

/** A short form of a gradient: the meaning of the numbers at its address, and how they expand. */
export type GradientForm = RepeatsForm | PlacesForm | ProductForm;

/** One step of a gradient that is equal in all `steps`. */
export interface RepeatsForm {
  readonly kind: "repeats";
  readonly steps: number;
}

/**
 * Gradient of a max pool over the last two axes: one value per window, and at `places` its integer index in the plane.
 */
export interface PlacesForm {
  readonly kind: "places";
  readonly places: number;
  readonly windows: number;
  /** `to` ← the gradient of x; writes every element. */
  writeOut(to: number, x: Tensor, form: PlacesForm): void;
}

/** The factor dz of a gradient dz·wᵀ; `w` is the address of the weights. */
export interface ProductForm {
  readonly kind: "product";
  readonly weights: number;
  readonly factors: Factors;
}

/** Sizes of a product x·w, and the strides of w over inputs and outputs. */
export interface Factors {
  readonly depth: number;
  readonly outputs: number;
  readonly stepIn: number;
  readonly stepOut: number;
}
