/** Options that are one value for all neurons, or a list with a value for each neuron on the last axis. */

import { numberOf, type Range, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive, k, persist } from "../../engine/extend.ts";
import { full, type Tensor } from "../../engine/index.ts";
import { emptyAtRoot } from "../../engine/lasting.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { axesHint } from "./checks.ts";

/** Throws unless an option is a number in the range or a tensor. */
export function checkValue(where: string, name: string, value: number | Tensor, range: Range): void {
  if (typeof value === "number") numberOf(where, name, value, range);
  else if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const hint = Array.isArray(value) ? `; one for each neuron is tensor(${show(value)})` : "";
    throw wrongType(where, `${name} as a number or a tensor`, value, hint);
  } else alive(value, `${where}: ${name}`);
}

/**
 * A new persistent tensor with the value, or with a value for each neuron; shape [] for a number.
 *
 * @throws RangeError for a value outside of the range, or values in more than one axis; TypeError for anything else.
 */
export function persistentCopy(where: string, name: string, value: number | Tensor, range: Range): Tensor {
  checkValue(where, name, value, range);
  if (typeof value === "number") {
    const t = emptyAtRoot([]);
    k.fill(t.ptr, 1, value);
    return t;
  }
  const { sizes: shape, size } = value;
  if (size > 1 && shape.length > 1) throw wrongValue(where, `${name} to be one number or [N]`, formatShape(shape));
  const values = value.toFloat32Array();
  for (const v of values) numberOf(where, name, v, range);
  return persist(full(shape, 0).copyFrom(values));
}

/** Throws unless an option has one value, or one for each neuron on the last axis of a current. */
export function checkPerNeuron(where: string, name: string, t: Tensor, shape: Shape): void {
  const features = shape.length > 1 ? shape[shape.length - 1] : 1;
  if (t.size === 1 || (t.ndim === 1 && t.size === features)) return;
  const got = `${formatShape(t.sizes)} for a current ${formatShape(shape)}${axesHint(shape, t.size)}`;
  throw wrongValue(where, `${name} to be one number or [${features}]`, got);
}
