/** Cases of products, convolutions and pools. */
import {
  adaptiveAvgPool2d,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  expand,
  linear,
  matmul,
  maxPool2d,
} from "../../../engine/index.ts";
import { type Cases, chained, row } from "./row.ts";

export const PRODUCTS = {
  matmul: [
    row("matrices", "[3, 4] [4, 5] → [3, 5]", matmul),
    row("one row and one column", "[1, 4] [4, 1] → [1, 1]", matmul),
    row("1-D and 1-D", "[5] [5] → []", matmul),
    row("1-D on the left", "[4] [4, 3] → [3]", matmul),
    row("1-D on the right", "[3, 4] [4] → [3]", matmul),
    row("1-D with batches", "[4] [2, 4, 3] → [2, 3]", matmul),
    row("batches with 1-D", "[2, 3, 4] [4] → [2, 3]", matmul),
    row("batches", "[2, 3, 4] [2, 4, 2] → [2, 3, 2]", matmul),
    row("batches with one matrix", "[2, 3, 4] [4, 2] → [2, 3, 2]", matmul),
    row("one matrix with batches", "[3, 4] [2, 4, 2] → [2, 3, 2]", matmul),
    row("broadcast batches", "[2, 1, 2, 3] [3, 3, 2] → [2, 3, 2, 2]", matmul),
    row("with itself", "[3, 3] → [3, 3]", (x) => matmul(x, x)),
    row("sizes beyond one tile", "[5, 7] [7, 21] → [5, 21]", matmul),
  ],
  linear: [
    row("a bias", "[4, 3] [5, 3] [5] → [4, 5]", linear),
    row("no bias", "[4, 3] [5, 3] → [4, 5]", (x, w) => linear(x, w)),
    row("one row", "[3] [5, 3] [5] → [5]", linear),
    row("time and batch", "[2, 3, 4] [2, 4] [2] → [2, 3, 2]", linear),
    row("one output", "[4, 3] [1, 3] [1] → [4, 1]", linear),
    row("sizes beyond one tile", "[6, 7] [21, 7] [21] → [6, 21]", linear),
    chained("a constant over time", "[2, 3] [4, 3] [4] → [5, 2, 4]", (x, w, b) => linear(expand(x, [5, 2, 3]), w, b)),
    row("the input as weight", "[3, 3] → [3, 3]", (x) => linear(x, x)),
  ],
  conv1d: [
    row("a bias", "[2, 3, 7] [4, 3, 3] [4] → [2, 4, 5]", (x, w, b) => conv1d(x, w, b)),
    row("no bias, one signal", "[3, 7] [4, 3, 3] → [4, 5]", (x, w) => conv1d(x, w)),
    row("every option, time and batch", "[2, 2, 4, 11] [6, 2, 3] [6] → [2, 2, 6, 7]", (x, w, b) =>
      conv1d(x, w, b, { stride: 2, padding: 3, dilation: 2, groups: 2 }),
    ),
    row("a long signal", "[1, 1, 300] [1, 1, 2] [1] → [1, 1, 299]", (x, w, b) => conv1d(x, w, b)),
  ],
  conv2d: [
    row("a bias", "[2, 3, 5, 6] [4, 3, 3, 2] [4] → [2, 4, 3, 5]", (x, w, b) => conv2d(x, w, b)),
    row("no bias, one image", "[2, 4, 5] [3, 2, 2, 2] → [3, 3, 4]", (x, w) => conv2d(x, w)),
    row("every option", "[2, 4, 6, 7] [6, 2, 2, 3] [6] → [2, 6, 4, 7]", (x, w, b) =>
      conv2d(x, w, b, { stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2 }),
    ),
    row("depthwise", "[2, 3, 4, 4] [3, 1, 3, 3] [3] → [2, 3, 4, 4]", (x, w, b) =>
      conv2d(x, w, b, { padding: 1, groups: 3 }),
    ),
    row("1 × 1", "[2, 3, 2, 3] [5, 3, 1, 1] [5] → [2, 5, 2, 3]", (x, w, b) => conv2d(x, w, b)),
    row("one place", "[3, 2, 2, 3] [4, 2, 2, 3] [4] → [3, 4, 1, 1]", (x, w, b) => conv2d(x, w, b)),
    row("time and batch", "[2, 2, 1, 4, 4] [2, 1, 3, 3] [2] → [2, 2, 2, 4, 4]", (x, w, b) =>
      conv2d(x, w, b, { padding: 1 }),
    ),
    chained("a constant over time", "[2, 1, 4, 4] [2, 1, 3, 3] [2] → [5, 2, 2, 2, 2]", (x, w, b) =>
      conv2d(expand(x, [5, 2, 1, 4, 4]), w, b),
    ),
    chained("a constant over channels", "[4, 4] [2, 3, 3, 3] [2] → [2, 2, 2]", (x, w, b) =>
      conv2d(expand(x, [3, 4, 4]), w, b),
    ),
    row("the input as weight", "[3, 3, 2, 2] → [3, 3, 3, 3]", (x) => conv2d(x, x, null, { padding: 1 })),
  ],
  convTranspose2d: [
    row("a bias", "[2, 3, 3, 4] [3, 2, 3, 2] [2] → [2, 2, 5, 5]", (x, w, b) => convTranspose2d(x, w, b)),
    row("no bias, one image", "[2, 3, 3] [2, 3, 2, 2] → [3, 4, 4]", (x, w) => convTranspose2d(x, w)),
    row("every option", "[2, 4, 3, 3] [4, 2, 2, 3] [4] → [2, 4, 5, 3]", (x, w, b) =>
      convTranspose2d(x, w, b, {
        stride: [2, 1],
        padding: [1, 2],
        dilation: [1, 2],
        groups: 2,
        outputPadding: [1, 0],
      }),
    ),
    chained("a constant over time", "[2, 1, 2, 2] [1, 2, 3, 3] [2] → [3, 2, 2, 5, 5]", (x, w, b) =>
      convTranspose2d(expand(x, [3, 2, 1, 2, 2]), w, b, { stride: 2 }),
    ),
    row("used beside another", "[2, 2, 3, 3] [2, 2, 2, 2] → [2, 2, 4, 4] [2, 2, 2, 2]", (x, w) => [
      convTranspose2d(x, w),
      conv2d(x, w),
    ]),
  ],
  maxPool2d: [
    row("2 × 2", "[2, 2, 4, 6] → [2, 2, 2, 3]", (x) => maxPool2d(x, 2)),
    row("an odd rest", "[2, 5, 7] → [2, 2, 2]", (x) => maxPool2d(x, [2, 3])),
    row("every option", "[1, 2, 7, 9] → [1, 2, 7, 4]", (x) =>
      maxPool2d(x, 2, { stride: [1, 3], padding: 1, dilation: [2, 1], ceilMode: true }),
    ),
    row("windows that overlap, time and batch", "[2, 1, 2, 5, 9] → [2, 1, 2, 3, 7]", (x) =>
      maxPool2d(x, 3, { stride: 1 }),
    ),
    chained("a constant over time", "[2, 1, 4, 4] → [3, 2, 1, 2, 2]", (x) => maxPool2d(expand(x, [3, 2, 1, 4, 4]), 2)),
    row("many planes", "[3, 7, 2, 2] → [3, 7, 1, 1]", (x) => maxPool2d(x, 2)),
  ],
  avgPool2d: [
    row("2 × 2", "[2, 2, 4, 6] → [2, 2, 2, 3]", (x) => avgPool2d(x, 2)),
    row("padding that counts", "[2, 6, 7] → [2, 4, 7]", (x) =>
      avgPool2d(x, [2, 3], { stride: [2, 1], padding: 1, ceilMode: true }),
    ),
    row("padding that does not", "[2, 6, 7] → [2, 4, 7]", (x) =>
      avgPool2d(x, [2, 3], { stride: [2, 1], padding: 1, ceilMode: true, countIncludePad: false }),
    ),
    chained("a constant over time", "[2, 1, 4, 4] → [3, 2, 1, 2, 2]", (x) => avgPool2d(expand(x, [3, 2, 1, 4, 4]), 2)),
  ],
  adaptiveAvgPool2d: [
    row("one value", "[2, 3, 4, 5] → [2, 3, 1, 1]", (x) => adaptiveAvgPool2d(x, 1)),
    row("uneven windows", "[2, 5, 7] → [2, 3, 4]", (x) => adaptiveAvgPool2d(x, [3, 4])),
    row("more than there are", "[1, 2, 3] → [1, 5, 3]", (x) => adaptiveAvgPool2d(x, [5, 3])),
  ],
} satisfies Cases;
