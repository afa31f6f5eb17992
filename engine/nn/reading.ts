/**
 * Reparametrization: `forward` may compute with a function of a layer's weight, such as a mask or a grid of few values.
 *
 * The parameter keeps its name, its values and its place in optimizers and files. The tape propagates gradients through
 * the functions. Without functions, `forward` uses the parameter itself.
 */
import { composed } from "../core/tape.ts";
import type { Tensor } from "../core/tensor.ts";
import { type Loading, locate, type Module, traitOf } from "./module.ts";

/**
 * Computes the weight that `forward` uses from the parameter, by tensor ops and in the same shape. The ops may use
 * further parameters and buffers of the layer; after a write to any of these, a stream recomputes the weight.
 */
export type Reading = (weight: Tensor) => Tensor;

/** Functions of a layer's weight by place (connections, mask, grid), in the order in which they run. */
export interface Readings {
  /** Sets weights of missing connections to 0, also when a weight is loaded. */
  readonly connections?: (Reading & Loading) | undefined;
  /** Runs before the grid, since a grid maps 0 to 0. */
  readonly mask?: (Reading & { readonly mask?: Tensor }) | undefined;
  readonly grid?: Reading | undefined;
}

/** A layer whose `forward` computes with {@link weightOf}. */
export interface Weighted extends Module {
  readonly weight: Tensor;
  /** All functions of the weight as one function; null if there are none. Assigned by `setReading` of readings.ts. */
  reading: (Reading & Readings) | null;
}

/** Whether the layer's weight can have functions; false if a subclass overrides `forward`. */
export function isWeighted(layer: Module): layer is Weighted {
  const trait = traitOf(layer);
  return trait === "product" || trait === "weighted";
}

/** The weight that `forward` computes with. */
export const weightOf = ({ weight, reading }: Pick<Weighted, "weight" | "reading">): Tensor =>
  reading === null ? weight : reading(weight);

interface Product extends Module, Pick<Weighted, "weight" | "reading"> {
  readonly bias: Tensor | null;
}

type Multiply<Layer> = (x: Tensor, weight: Tensor, bias: Tensor | null, layer: Layer) => Tensor;

const run = <Layer extends Product>(multiply: Multiply<Layer>, layer: Layer, x: Tensor): Tensor =>
  multiply(x, weightOf(layer), layer.bias, layer);

/** Multiplies x by `weightOf(layer)`. If functions made that weight and no tape records, it is freed afterwards. */
export function multiplied<Layer extends Product>(multiply: Multiply<Layer>, layer: Layer, x: Tensor): Tensor {
  try {
    return layer.reading === null ? run(multiply, layer, x) : composed(run<Layer>, multiply, layer, x);
  } catch (error) {
    throw locate(error, "", layer);
  }
}
