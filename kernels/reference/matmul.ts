import type { Kernels } from "../build/types.ts";
import { at, put } from "./memory.ts";

export const gemm: Kernels["gemm"] = (c, a, b, init, m, n, k, aRow, aCol, bRow, bCol, cRow) => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = init === 0 ? 0 : at(init, init === c ? i * cRow + j : j);
      for (let p = 0; p < k; p++) sum += at(a, i * aRow + p * aCol) * at(b, p * bRow + j * bCol);
      put(c, i * cRow + j, sum);
    }
  }
};
