/** The naive twins of optim.ts, in float64. */
import type { Kernels } from "../build/types.ts";
import { accumulate, at, put } from "./memory.ts";

export const sgd: Kernels["sgd"] = (w, dw, buf, n, lr, momentum, dampening, weightDecay, nesterov, first) => {
  for (let i = 0; i < n; i++) {
    let d = at(dw, i) + weightDecay * at(w, i);
    if (buf !== 0) {
      put(buf, i, first !== 0 ? d : momentum * at(buf, i) + (1 - dampening) * d);
      d = nesterov !== 0 ? d + momentum * at(buf, i) : at(buf, i);
    }
    put(w, i, at(w, i) - lr * d);
  }
};

export const adam: Kernels["adam"] = (w, dw, m, v, vmax, n, numbers) => {
  const number = (i: number): number => at(numbers, i);
  for (let i = 0; i < n; i++) {
    put(w, i, number(0) * at(w, i));
    const g = at(dw, i) + number(1) * at(w, i);
    put(m, i, number(2) * at(m, i) + number(3) * g);
    put(v, i, number(4) * at(v, i) + number(5) * g * g);
    if (vmax !== 0) put(vmax, i, Math.max(at(vmax, i), at(v, i)));
    const square = vmax !== 0 ? at(vmax, i) : at(v, i);
    put(w, i, at(w, i) - (number(6) * at(m, i)) / (Math.sqrt(square) * number(7) + number(8)));
  }
};

export const rmsprop: Kernels["rmsprop"] = (
  w,
  dw,
  square,
  mean,
  buf,
  n,
  lr,
  keep,
  take,
  eps,
  weightDecay,
  momentum,
) => {
  for (let i = 0; i < n; i++) {
    const g = at(dw, i) + weightDecay * at(w, i);
    put(square, i, keep * at(square, i) + take * g * g);
    let variance = at(square, i);
    if (mean !== 0) {
      accumulate(mean, i, take * (g - at(mean, i)));
      variance = Math.max(variance - at(mean, i) ** 2, 0);
    }
    let d = g / (Math.sqrt(variance) + eps);
    if (buf !== 0) {
      d += momentum * at(buf, i);
      put(buf, i, d);
    }
    put(w, i, at(w, i) - lr * d);
  }
};
