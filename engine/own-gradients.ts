/** Gradients beside those that a training has. */
import { checkOwn, type Tensor } from "./tensor.ts";

/**
 * fn() with gradients of their own for these leaves, null at first. Afterwards each leaf has the gradient and the buffer that it had
 * before, and the memory of those that began in fn is given back. Returns the result of fn.
 */
export function withOwnGradients<R>(leaves: readonly Tensor[], fn: () => R): R {
  for (const x of leaves) checkOwn("record", x);
  const before = leaves.map(({ gradPtr, gradBuffer, gradTensor }) => ({ gradPtr, gradBuffer, gradTensor }));
  for (const x of leaves) {
    x.gradTensor = null;
    x.gradPtr = 0;
    x.gradBuffer = 0;
  }
  try {
    return fn();
  } finally {
    for (const [i, x] of leaves.entries()) {
      x.releaseGrad();
      Object.assign(x, before[i]);
      // A leaf that fn has disposed of has given back all blocks but this one.
      if (!x.region.open) x.releaseGrad();
    }
  }
}
