/** Runs a function with temporary gradient buffers, so that `grad` of the caller stays untouched. */
import { heapOf } from "./backend.ts";
import { root } from "./scope.ts";
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
      giveBack(x);
      Object.assign(x, before[i]);
      // A leaf that fn has disposed of has given back all blocks but this one.
      if (!x.region.open) giveBack(x);
    }
  }
}

function giveBack(x: Tensor): void {
  const { gradBuffer, region } = x;
  x.zeroGrad();
  x.gradBuffer = 0;
  // The buffer of a leaf that belongs to a tape ends with that tape.
  if (gradBuffer === 0 || region.scope !== root) return;
  heapOf(gradBuffer).release(gradBuffer, 4 * x.size);
  x.held?.remove(gradBuffer);
}
