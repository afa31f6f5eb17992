/** Shapes changed by looking or moving, against PyTorch. */
import {
  concat,
  expand,
  flatten,
  permute,
  reshape,
  select,
  slice,
  squeeze,
  stack,
  type Tensor,
  transpose,
  unbind,
  unsqueeze,
} from "jarvis-snn";
import { EXACT, present } from "../support/close.ts";
import { type Inputs, later, numberOf, type OpAttrs, type OpCase, opSuite } from "./op-suite.ts";

/** start, stop and step, as in Python's x[start:stop:step]. */
type Range = readonly [start: number | null, stop: number | null, step: number | null];

/** x[ranges[0], ranges[1], …]. A step is not an option of slice: it is written as the stack of every step-th element. */
function sliceAll(x: Tensor, ranges: readonly Range[]): Tensor {
  return ranges.reduce((z, [start, stop, step], axis) => {
    const part = slice(z, axis, start ?? 0, stop ?? Infinity);
    if ((step ?? 1) === 1) return part;
    return stack(
      unbind(part, axis).filter((_, i) => i % (step as number) === 0),
      axis,
    );
  }, x);
}

const a = (inputs: Inputs): Tensor => present(inputs, "a");
const sizes = (attrs: OpAttrs, name: string): number[] => attrs[name] as number[];
const maybe = (attrs: OpAttrs, name: string): number => numberOf(attrs, name, 0);

const cases: Record<string, OpCase> = {
  reshape: (inputs, attrs) => reshape(a(inputs), sizes(attrs, "shape")),
  flatten: (inputs, attrs) => flatten(a(inputs), maybe(attrs, "start_dim"), numberOf(attrs, "end_dim", -1)),
  transpose: (inputs, attrs) => transpose(a(inputs), maybe(attrs, "dim0"), numberOf(attrs, "dim1", 1)),
  permute: (inputs, attrs) => permute(a(inputs), sizes(attrs, "dims")),
  permute_reshape: (inputs, attrs) => reshape(permute(a(inputs), sizes(attrs, "dims")), sizes(attrs, "shape")),
  slice: (inputs, attrs) => sliceAll(a(inputs), attrs.slices as Range[]),
  select: (inputs, attrs) => select(a(inputs), maybe(attrs, "dim"), maybe(attrs, "index")),
  concat: (inputs, attrs) => concat(Object.values(inputs), maybe(attrs, "dim")),
  stack: (inputs, attrs) => stack(Object.values(inputs), maybe(attrs, "dim")),
  expand: (inputs, attrs) => expand(a(inputs), sizes(attrs, "shape")),
  squeeze_unsqueeze: (inputs, attrs) =>
    squeeze(unsqueeze(a(inputs), maybe(attrs, "unsqueeze")), maybe(attrs, "squeeze")),
  squeeze: (inputs, attrs) => ("dim" in attrs ? squeeze(a(inputs), maybe(attrs, "dim")) : squeeze(a(inputs))),
  unsqueeze: (inputs, attrs) => unsqueeze(a(inputs), maybe(attrs, "dim")),
};

opSuite({
  file: "torch/ops_shape",
  cases,
  leftOut: later(
    "gather",
    "index_select",
    "scatter_add",
    "split",
    "flip",
    "pad",
    "tile",
    "masked_fill",
    "tril",
    "embedding",
  ),
  // Values are moved, not changed.
  tolerance: { forward: EXACT, gradient: EXACT },
  // Its gradient is a sum, in another order.
  exceptions: { expand: { forward: EXACT, gradient: { absolute: 5e-6, relative: 1e-6 } } },
});
