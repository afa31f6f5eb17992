/** Cases of ops that move values, pick them, or give them another shape. */

import {
  argmax,
  concat,
  detach,
  embedding,
  expand,
  flatten,
  flip,
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
  tape,
  tensor,
  tile,
  transpose,
  tril,
  unbind,
  unsqueeze,
} from "../../../engine/index.ts";
import { numbers } from "../sides.ts";
import { type Cases, chained, row } from "./row.ts";

/** Whole numbers below 3, some of them more than once. */
const picks = (...shape: number[]): Tensor =>
  tensor(
    numbers(
      shape.reduce((product, n) => product * n, 1),
      3,
      0,
      3,
    ).map(Math.floor),
    { shape },
  );

export const LAYOUT = {
  reshape: [
    row("other axes", "[2, 6] → [3, 4]", (x) => reshape(x, [3, 4])),
    row("an inferred size", "[2, 6] → [3, 2, 2]", (x) => reshape(x, [3, -1, 2])),
    chained("to and from a scalar", "[1] → [1, 1]", (x) => reshape(reshape(x, []), [1, 1])),
    row("one axis", "[2, 3] → [6]", (x) => reshape(x, [-1])),
    chained("a constant over time", "[4] → [3, 2, 2]", (x) => reshape(expand(x, [3, 4]), [3, 2, 2])),
    chained("a constant across time", "[4] → [6, 2]", (x) => reshape(expand(x, [3, 4]), [6, 2])),
  ],
  flatten: [
    row("all axes", "[2, 3, 2] → [12]", (x) => flatten(x)),
    row("some axes", "[2, 3, 2, 2] → [2, 6, 2]", (x) => flatten(x, 1, -2)),
    row("a scalar", "[] → [1]", (x) => flatten(x)),
    row("all but the first", "[2, 3, 2] → [2, 6]", (x) => flatten(x, 1)),
  ],
  squeeze: [
    row("all axes", "[1, 3, 1] → [3]", (x) => squeeze(x)),
    row("one axis", "[1, 3, 1] → [1, 3]", (x) => squeeze(x, -1)),
    row("an axis of another size", "[1, 3] → [1, 3]", (x) => squeeze(x, 1)),
    row("to a scalar", "[1, 1] → []", (x) => squeeze(x)),
  ],
  unsqueeze: [
    row("the first axis", "[3] → [1, 3]", (x) => unsqueeze(x, 0)),
    row("the last axis", "[2, 3] → [2, 3, 1]", (x) => unsqueeze(x, -1)),
    row("a middle axis", "[2, 3] → [2, 1, 3]", (x) => unsqueeze(x, 1)),
    row("a scalar", "[] → [1]", (x) => unsqueeze(x, 0)),
  ],
  transpose: [
    row("a matrix", "[3, 4] → [4, 3]", (x) => transpose(x)),
    row("the outer axes", "[2, 3, 4] → [4, 3, 2]", (x) => transpose(x, 0, -1)),
    row("neighbours", "[2, 3, 4] → [3, 2, 4]", (x) => transpose(x, 1, 0)),
    row("an axis with itself", "[2, 3] → [2, 3]", (x) => transpose(x, 1, 1)),
  ],
  permute: [
    row("a rotation", "[2, 3, 4] → [4, 2, 3]", (x) => permute(x, [2, 0, 1])),
    row("four axes", "[2, 3, 2, 3] → [3, 3, 2, 2]", (x) => permute(x, [3, 1, -2, 0])),
    row("nothing", "[2, 3] → [2, 3]", (x) => permute(x, [0, 1])),
    row("axes of size 1", "[1, 3, 1, 2] → [2, 1, 3, 1]", (x) => permute(x, [3, 2, 1, 0])),
    row("five axes in reverse", "[2, 1, 3, 2, 2, 2] → [2, 2, 2, 3, 1, 2]", (x) => permute(x, [5, 4, 3, 2, 1, 0])),
  ],
  expand: [
    row("over time", "[2, 3] → [4, 2, 3]", (x) => expand(x, [4, 2, 3])),
    row("an axis inside", "[2, 1, 3] → [2, 4, 3]", (x) => expand(x, [2, 4, 3])),
    row("a kept size", "[3, 1] → [2, 3, 4]", (x) => expand(x, [2, -1, 4])),
    row("axes apart", "[1, 2, 1, 3] → [2, 2, 2, 3]", (x) => expand(x, [2, 2, 2, 3])),
    row("a scalar", "[] → [2, 3]", (x) => expand(x, [2, 3])),
    row("nothing", "[2, 3] → [2, 3]", (x) => expand(x, [2, 3])),
    chained("a constant again", "[3] → [4, 2, 3]", (x) => expand(expand(x, [2, 3]), [4, 2, 3])),
  ],
  slice: [
    row("rows", "[5, 2] → [3, 2]", (x) => slice(x, 0, 1, 4)),
    row("columns", "[2, 5] → [2, 2]", (x) => slice(x, -1, 1, 3)),
    row("a middle axis", "[2, 4, 3] → [2, 2, 3]", (x) => slice(x, 1, 2)),
    row("negative bounds", "[6] → [3]", (x) => slice(x, 0, -4, -1)),
    row("bounds beyond the ends", "[2, 3] → [2, 3]", (x) => slice(x, 1, -9, 9)),
    row("every second row", "[5, 2] → [3, 2]", (x) => slice(x, 0, 0, 5, 2)),
    row("every third column", "[2, 8] → [2, 2]", (x) => slice(x, 1, 1, -1, 3)),
    row("a step beyond the end", "[2, 4, 3] → [2, 1, 3]", (x) => slice(x, 1, 2, 4, 7)),
    row("wide rows", "[2, 3, 19] → [2, 2, 19]", (x) => slice(x, 1, 1)),
    row("overlapping ones", "[4, 2] → [3, 2] [3, 2]", (x) => [slice(x, 0, 0, 3), slice(x, 0, 1)]),
  ],
  select: [
    row("a row", "[3, 4] → [4]", (x) => select(x, 0, 1)),
    row("the last column", "[3, 4] → [3]", (x) => select(x, -1, -1)),
    row("a middle axis", "[2, 3, 4] → [2, 4]", (x) => select(x, 1, 0)),
    row("one value", "[3] → []", (x) => select(x, 0, 2)),
  ],
  indexSelect: [
    row("rows", "[4, 3] → [2, 3]", (x) => indexSelect(x, 0, [3, 1])),
    row("repeated columns", "[2, 3] → [2, 4]", (x) => indexSelect(x, -1, [2, 0, 2, 2])),
    chained("a middle axis", "[2, 3, 5] → [2, 4, 5]", (x) => indexSelect(x, 1, picks(4))),
    chained("one index", "[2, 3] → [2, 1]", (x) => indexSelect(x, 1, tensor(2))),
    chained("the largest", "[4] → [1]", (x) => indexSelect(x, 0, argmax(x))),
    row("wide rows", "[3, 19] → [3, 19]", (x) => indexSelect(x, 0, [1, 1, 0])),
    chained("a constant over time", "[3] → [2, 3]", (x) => indexSelect(expand(x, [4, 3]), 0, [3, 3])),
  ],
  gather: [
    chained("the last axis", "[2, 3] → [2, 4]", (x) => gather(x, -1, picks(2, 4))),
    chained("the first axis", "[3, 4] → [5, 4]", (x) => gather(x, 0, picks(5, 4))),
    chained("a middle axis", "[2, 3, 4] → [2, 6, 4]", (x) => gather(x, 1, picks(2, 6, 4))),
    chained("a part of the others", "[3, 3, 4] → [2, 5, 3]", (x) => gather(x, 1, picks(2, 5, 3))),
    row("an array", "[3] → [4]", (x) => gather(x, 0, [2, 2, 1, 2])),
    chained("the largest of each row", "[3, 4] → [3, 1]", (x) => gather(x, 1, argmax(x, { axis: 1, keepdim: true }))),
  ],
  scatterAdd: [
    chained("the last axis", "[2, 3] [2, 5] → [2, 3]", (x, source) => scatterAdd(x, -1, picks(2, 5), source)),
    chained("a middle axis", "[2, 3, 4] [2, 6, 4] → [2, 3, 4]", (x, source) =>
      scatterAdd(x, 1, picks(2, 6, 4), source),
    ),
    chained("a part of the source and of the others", "[3, 3, 4] [4, 5, 4] → [3, 3, 4]", (x, source) =>
      scatterAdd(x, 1, picks(2, 4, 3), source),
    ),
    row("an array", "[3] [4] → [3]", (x, source) => scatterAdd(x, 0, [2, 2, 0, 2], source)),
    row("to itself", "[3] → [3]", (x) => scatterAdd(x, 0, [2, 2, 0], x)),
    chained("what is read again", "[3] [3] → [3] [3]", (x, source) => {
      const part = source.exp();
      return [scatterAdd(x.exp(), 0, [1, 1, 0], part), part];
    }),
  ],
  split: [
    row("parts of one size and a rest", "[5, 2] → [2, 2] [2, 2] [1, 2]", (x) => split(x, 2)),
    row("sizes", "[2, 6] → [2, 1] [2, 3] [2, 2]", (x) => split(x, [1, 3, 2], -1)),
    row("one part", "[2, 3] → [2, 3]", (x) => split(x, 7, 1)),
  ],
  flip: [
    row("the first axis", "[3, 2] → [3, 2]", (x) => flip(x, 0)),
    row("the last axis", "[2, 5] → [2, 5]", (x) => flip(x, [-1])),
    row("a middle axis", "[2, 3, 4] → [2, 3, 4]", (x) => flip(x, 1)),
    row("axes apart", "[2, 3, 4] → [2, 3, 4]", (x) => flip(x, [2, 0])),
    row("all axes", "[2, 2, 1, 2, 3] → [2, 2, 1, 2, 3]", (x) => flip(x)),
    row("no axis", "[2, 3] → [2, 3]", (x) => flip(x, [])),
  ],
  tile: [
    row("both axes", "[2, 3] → [4, 9]", (x) => tile(x, [2, 3])),
    row("the last axis", "[2, 3] → [2, 6]", (x) => tile(x, [2])),
    row("new first axes", "[3] → [2, 1, 6]", (x) => tile(x, [2, 1, 2])),
    row("once", "[2, 3] → [2, 3]", (x) => tile(x, [1, 1])),
    row("a scalar", "[] → [3]", (x) => tile(x, [3])),
  ],
  tril: [
    row("a square", "[3, 3] → [3, 3]", (x) => tril(x)),
    row("a wide matrix, below", "[3, 5] → [3, 5]", (x) => tril(x, -1)),
    row("tall matrices, above", "[2, 4, 3] → [2, 4, 3]", (x) => tril(x, 1)),
    row("everything", "[2, 3] → [2, 3]", (x) => tril(x, 9)),
  ],
  pad: [
    row("the last axis", "[2, 3] → [2, 6]", (x) => pad(x, [1, 2], 0.5)),
    row("two axes", "[2, 3, 2] → [2, 5, 3]", (x) => pad(x, [0, 1, 2, 0])),
    row("the first axis", "[2, 3] → [4, 3]", (x) => pad(x, [0, 0, 1, 1])),
    row("cutting off", "[3, 4] → [2, 5]", (x) => pad(x, [-1, 2, 1, -2])),
    row("nothing", "[2, 3] → [2, 3]", (x) => pad(x, [0, 0])),
  ],
  embedding: [
    row("an array", "[4, 3] → [3, 3]", (w) => embedding([1, 3, 1], w)),
    chained("time and batch", "[3, 5] → [2, 4, 5]", (w) => embedding(picks(2, 4), w)),
    chained("one index", "[3, 2] → [2]", (w) => embedding(tensor(2), w)),
    row("padding that is not named", "[3, 2] → [2, 2]", (w) => embedding([2, 1], w, { paddingIdx: 0 })),
  ],
  unbind: [
    row("the first axis", "[3, 2] → [2] [2] [2]", (x) => unbind(x)),
    row("the last axis", "[3, 2] → [3] [3]", (x) => unbind(x, -1)),
  ],
  concat: [
    row("the first axis", "[2, 3] [1, 3] [3, 3] → [6, 3]", (...x) => concat(x)),
    row("the last axis", "[2, 3] [2, 1] → [2, 4]", (...x) => concat(x, -1)),
    row("a middle axis", "[2, 1, 2] [2, 3, 2] → [2, 4, 2]", (...x) => concat(x, 1)),
    row("one tensor", "[2, 2] → [2, 2]", (x) => concat([x])),
    row("the same tensor twice", "[2, 2] → [2, 4]", (x) => concat([x, x], 1)),
  ],
  stack: [
    row("a new first axis", "[2, 3] [2, 3] → [2, 2, 3]", (...x) => stack(x)),
    row("a new last axis", "[2, 3] [2, 3] → [2, 3, 2]", (...x) => stack(x, -1)),
    row("a new middle axis", "[2, 3] [2, 3] [2, 3] → [2, 3, 3]", (...x) => stack(x, 1)),
    row("scalars", "[] [] → [2]", (...x) => stack(x)),
  ],
  detach: [row("any tensor", "[3] → [3]", detach, { differentiable: false })],
  backward: [
    chained(
      "a square inside, for its gradient",
      "→ [3]",
      () => {
        const x = tensor([1, 2, 3], { requiresGrad: true });
        tape(() => x.square().sum().backward());
        return (x.grad as Tensor).clone();
      },
      { differentiable: false },
    ),
  ],
} satisfies Cases;
