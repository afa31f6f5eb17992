/** Helpers of loops over the images of a convolution: parts of their work area, and products in it. */

import { word } from "./lanes";
import * as product from "./product-layout";

/** The address at which a part of the work area begins. */
export function areaOf(g: usize, work: usize, part: i32): usize {
  return work + <usize>word(g, part);
}

/** Describes C ← init + A·B at `p`, with A [m, k] without gaps, and rows of B and C at distances in elements. */
export function describe(
  p: usize,
  c: usize,
  init: usize,
  a: usize,
  b: usize,
  m: i32,
  n: i32,
  k: i32,
  bRow: i32,
  cRow: i32,
): void {
  store<usize>(p, c, product.c << 2);
  store<usize>(p, init, product.init << 2);
  store<i32>(p, m, product.m << 2);
  store<i32>(p, n, product.n << 2);
  store<i32>(p, k, product.k << 2);
  store<usize>(p, a, product.a << 2);
  store<i32>(p, k, product.aRow << 2);
  store<i32>(p, 1, product.aCol << 2);
  store<usize>(p, b, product.b << 2);
  store<i32>(p, bRow, product.bRow << 2);
  store<i32>(p, 1, product.bCol << 2);
  store<i32>(p, cRow, product.cRow << 2);
}
