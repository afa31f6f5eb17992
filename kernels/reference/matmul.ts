import type { Kernels } from "../build/types.ts";
import * as layout from "../product-layout.ts";
import { at, put } from "./memory.ts";

/** C[i, j] ← init[i, j] + Σₚ A[i, p]·B[p, j] */
export const gemm: Kernels["gemm"] = (d) => {
  const [m, n, k] = [at(d, layout.m), at(d, layout.n), at(d, layout.k)];
  const [a, b, c, init] = [at(d, layout.a), at(d, layout.b), at(d, layout.c), at(d, layout.init)];
  const [aRow, aCol] = [at(d, layout.aRow), at(d, layout.aCol)];
  const [bRow, bCol, cRow] = [at(d, layout.bRow), at(d, layout.bCol), at(d, layout.cRow)];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init === 0 ? 0 : at(init, init === c ? i * cRow + j : j);
      for (let p = 0; p < k; p++) sum += at(a, i * aRow + p * aCol) * at(b, p * bRow + j * bCol);
      put(c, i * cRow + j, sum);
    }
  }
};
