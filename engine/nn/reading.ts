/**
 * The way in which a layer reads its weight: the parameter itself, or functions of the parameter, such as a mask or a grid of few values.
 *
 * The parameter keeps its name, its values and its place in optimizers and files; `forward` computes with the weight that the
 * functions make of the parameter, and the tape carries the gradient through them. A layer without such functions computes with
 * the parameter itself.
 */
import { composed } from "../composed.ts";
import type { Tensor } from "../tensor.ts";
import { locate, type Module } from "./module.ts";

/**
 * The weight that `forward` computes with, made of the parameter by tensor ops, in the same shape. The ops may take further parameters
 * and buffers of the layer. A stream computes the weight again where any of these was written.
 */
export type Reading = (weight: Tensor) => Tensor;

/** A layer whose `forward` reads its weight through {@link weightOf}, and says so by {@link readsWeight}. */
export interface Weighted extends Module {
  readonly weight: Tensor;
  /** The function that makes the weight of the parameter, null without; `setReading` of readings.ts writes the field. */
  reading: Reading | null;
}

/** The functions of `forward` that compute with {@link weightOf}. */
const readers = new WeakSet<Module["forward"]>();

/** Says that this `forward` of a layer computes with {@link weightOf}. Returns the reading of a new layer: none. */
export function readsWeight(forward: Module["forward"]): null {
  readers.add(forward);
  return null;
}

/**
 * Whether the layer can read its weight through functions: not where a subclass has another `forward`, nor where a layer that has a base class
 * in common with it has no weight to read.
 */
export const isWeighted = (layer: Module): layer is Weighted => "reading" in layer && readers.has(layer.forward);

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
