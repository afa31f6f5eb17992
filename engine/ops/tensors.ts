/** Tensors among the arguments of ops, and how many channels they have. */
import { numbersOf, wrongType, wrongValue } from "../arguments.ts";
import { formatShape, type Shape, sameShape } from "../shape.ts";
import { alive, Tensor, valuesIn } from "../tensor.ts";

/** Throws unless an argument that may be null is that or a tensor, which is alive. */
export function checkOptional(where: string, name: string, t: Tensor | null): void {
  if (t === null) return;
  if (!(t instanceof Tensor)) throw wrongType(where, `${name} as a tensor`, t);
  alive(t, where);
}

/** Throws also where it is a tensor of another shape. */
export function checkOptionalShape(where: string, name: string, t: Tensor | null, shape: Shape): void {
  checkOptional(where, name, t);
  if (t === null || sameShape(t.sizes, shape)) return;
  throw wrongValue(where, `${name} ${formatShape(shape)}`, formatShape(t.sizes));
}

/** A copy of a list of tensors, one at least, which are alive. */
export function tensorList(where: string, list: readonly Tensor[]): [Tensor, ...Tensor[]] {
  if (!Array.isArray(list)) throw wrongType(where, "a list of tensors", list);
  const n = list.length;
  if (n === 0) throw wrongValue(where, "at least one tensor", "none");
  const tensors: Tensor[] = [];
  for (let i = 0; i < n; i++) {
    const t = list[i] as Tensor;
    alive(t, where);
    tensors.push(t);
  }
  return tensors as [Tensor, ...Tensor[]];
}

/**
 * Targets of the rows of x [..., K], one each, as an array that nobody changes until the next allocation.
 *
 * @throws TypeError for anything but numbers in a row or a tensor; RangeError for another number of them.
 */
export function targetsOf(where: string, x: Tensor, target: unknown): ArrayLike<number> {
  const targets = numbersOf(where, "an array or a tensor of targets", valuesIn(where, target));
  const rows = x.size / (x.sizes[x.ndim - 1] as number);
  const n = targets.length;
  if (n === rows) return targets;
  const hint = Number.isInteger(rows / n)
    ? `; does ${formatShape(x.sizes)} have a time axis? take a readout over time first, or repeat the targets`
    : "";
  throw wrongValue(where, `${rows} targets`, `${n}${hint}`);
}

/** Throws unless the channels make `numGroups` equal groups. */
export function checkGroups(where: string, numGroups: number, channels: number): void {
  if (typeof numGroups !== "number") throw wrongType(where, "numGroups as a number", numGroups);
  if (Number.isInteger(channels / numGroups) && Number.isInteger(numGroups) && numGroups > 0) return;
  throw wrongValue(where, `numGroups to divide ${channels} channels`, numGroups);
}
