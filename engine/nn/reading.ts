/**
 * The way in which a layer reads its weight: the parameter itself, or functions of the parameter, such as a mask or a grid of few values.
 *
 * The parameter keeps its name, its values and its place in optimizers and files; `forward` computes with the weight that the
 * functions make of the parameter, and the tape carries the gradient through them. A layer without such functions computes with
 * the parameter itself.
 */
import { composed } from "../composed.ts";
import type { Tensor } from "../tensor.ts";
import { type Loading, locate, type Module, traitOf } from "./module.ts";

/**
 * The weight that `forward` computes with, made of the parameter by tensor ops, in the same shape. The ops may take further parameters
 * and buffers of the layer. A stream computes the weight again where any of these was written.
 */
export type Reading = (weight: Tensor) => Tensor;

/** Functions through which a layer reads its weight, each in its place, in the order in which they run. */
export interface Readings {
  /** Leaves out connections that the layer never has, and changes a loaded weight into such a one. */
  readonly connections?: (Reading & Loading) | undefined;
  /** Runs before the grid, since 0 stays 0 on a grid. */
  readonly mask?: (Reading & { readonly mask?: Tensor }) | undefined;
  readonly grid?: Reading | undefined;
}

/** A layer whose `forward` reads its weight through {@link weightOf}, as its traits say. */
export interface Weighted extends Module {
  readonly weight: Tensor;
  /** The functions that make the weight of the parameter, as one, null without; `setReading` of readings.ts writes the field. */
  reading: (Reading & Readings) | null;
}

/** Whether the layer can read its weight through functions: not where a subclass has another `forward`. */
export function isWeighted(layer: Module): layer is Weighted {
  const trait = traitOf(layer);
  return trait === "product" || trait === "weighted";
}

/** The weight that the layer computes with. */
export const weightOf = ({ weight, reading }: Pick<Weighted, "weight" | "reading">): Tensor =>
  reading === null ? weight : reading(weight);

interface Product extends Module, Pick<Weighted, "weight" | "reading"> {
  readonly bias: Tensor | null;
}

type Multiply<Layer> = (x: Tensor, weight: Tensor, bias: Tensor | null, layer: Layer) => Tensor;

const run = <Layer extends Product>(multiply: Multiply<Layer>, layer: Layer, x: Tensor): Tensor =>
  multiply(x, weightOf(layer), layer.bias, layer);

/** A product of x with the weight that the layer computes with, which is freed where no tape records. */
export function multiplied<Layer extends Product>(multiply: Multiply<Layer>, layer: Layer, x: Tensor): Tensor {
  try {
    return layer.reading === null ? run(multiply, layer, x) : composed(run<Layer>, multiply, layer, x);
  } catch (error) {
    throw locate(error, "", layer);
  }
}
