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
  const given = Array.from({ length: 9 }, (_, i) => at(numbers, i));
  const [shrink = 1, decay = 0, keep1 = 0, take1 = 1, keep2 = 0, take2 = 1, rate = 0, scale = 1, eps = 0] = given;
  for (let i = 0; i < n; i++) {
    put(w, i, shrink * at(w, i));
    const g = at(dw, i) + decay * at(w, i);
    put(m, i, keep1 * at(m, i) + take1 * g);
    put(v, i, keep2 * at(v, i) + take2 * g * g);
    if (vmax !== 0) put(vmax, i, Math.max(at(vmax, i), at(v, i)));
    const square = vmax !== 0 ? at(vmax, i) : at(v, i);
    put(w, i, at(w, i) - (rate * at(m, i)) / (Math.sqrt(square) * scale + eps));
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
