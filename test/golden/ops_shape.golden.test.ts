/** Shapes changed by looking or moving, against PyTorch. */
import {
  concat,
  embedding,
  expand,
  flatten,
  flip,
  full,
  gather,
  indexSelect,
  pad,
  permute,
  reshape,
  scatterAdd,
  select,
  slice,
  split,
  squeeze,
  stack,
  type Tensor,
  tile,
  transpose,
  tril,
  unbind,
  unsqueeze,
} from "jarvis-snn";
import { EXACT, present } from "../support/close.ts";
import { type Inputs, numberOf, type OpAttrs, type OpCase, type OpEntry, opSuite } from "./op-suite.ts";

/** start, stop and step, as in Python's x[start:stop:step]. */
type Range = readonly [start: number | null, stop: number | null, step: number | null];

/** x[ranges[0], ranges[1], …] */
const sliceAll = (x: Tensor, ranges: readonly Range[]): Tensor =>
  ranges.reduce((z, [start, stop, step], axis) => slice(z, axis, start ?? 0, stop ?? Infinity, step ?? 1), x);

/** x where the mask is 0, else the value: a choice between two layers. */
function masked(x: Tensor, mask: Tensor, value: number): Tensor {
  const choice = unsqueeze(expand(mask, x.shape), 0);
  return squeeze(gather(stack([x, full(x.shape, value)]), 0, choice), 0);
}

/** Several results under the names that the entry gives them. */
const named = (parts: readonly Tensor[], { outputs }: OpEntry): Inputs =>
  Object.fromEntries(Object.keys(outputs).map((name, i) => [name, parts[i] as Tensor]));

const a = (inputs: Inputs): Tensor => present(inputs, "a");
const index = (inputs: Inputs): Tensor => present(inputs, "i");
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
  index_select: (inputs, attrs) => indexSelect(a(inputs), maybe(attrs, "dim"), index(inputs)),
  gather: (inputs, attrs) => gather(a(inputs), maybe(attrs, "dim"), index(inputs)),
  scatter_add: (inputs, attrs) => scatterAdd(a(inputs), maybe(attrs, "dim"), index(inputs), present(inputs, "s")),
  concat: (inputs, attrs) => concat(Object.values(inputs), maybe(attrs, "dim")),
  stack: (inputs, attrs) => stack(Object.values(inputs), maybe(attrs, "dim")),
  split: (inputs, attrs, entry) => named(split(a(inputs), sizes(attrs, "sizes"), maybe(attrs, "dim")), entry),
  unbind: (inputs, attrs, entry) => named(unbind(a(inputs), maybe(attrs, "dim")), entry),
  expand: (inputs, attrs) => expand(a(inputs), sizes(attrs, "shape")),
  squeeze_unsqueeze: (inputs, attrs) =>
    squeeze(unsqueeze(a(inputs), maybe(attrs, "unsqueeze")), maybe(attrs, "squeeze")),
  squeeze: (inputs, attrs) => ("dim" in attrs ? squeeze(a(inputs), maybe(attrs, "dim")) : squeeze(a(inputs))),
  unsqueeze: (inputs, attrs) => unsqueeze(a(inputs), maybe(attrs, "dim")),
  flip: (inputs, attrs) => flip(a(inputs), sizes(attrs, "dims")),
  pad: (inputs, attrs) => pad(a(inputs), sizes(attrs, "pad"), Number(attrs.value ?? 0)),
  tile: (inputs, attrs) => tile(a(inputs), sizes(attrs, "reps")),
  masked_fill: (inputs, attrs) => masked(a(inputs), present(inputs, "m"), Number(attrs.value)),
  tril: (inputs, attrs) => tril(a(inputs), maybe(attrs, "diagonal")),
  embedding: (inputs, attrs) =>
    embedding(index(inputs), present(inputs, "w"), { paddingIdx: (attrs.padding_idx ?? null) as number | null }),
};

/** The gradient is a sum, which PyTorch may take in another order. */
const summing = { forward: EXACT, gradient: { absolute: 5e-6, relative: 1e-6 } };

opSuite({
  file: "torch/ops_shape",
  cases,
  leftOut: {},
  // Values are moved, not changed.
  tolerance: { forward: EXACT, gradient: EXACT },
  exceptions: {
    expand: summing,
    tile: summing,
    gather: summing,
    index_select: summing,
    embedding: summing,
    scatter_add: { forward: { absolute: 1e-6, relative: 1e-6 }, gradient: EXACT },
  },
});
