import type { Tensor } from "../engine/index.ts";

/**
 * The value of `make`, computed at the first access and kept. It is computed again if its tensor was freed with an inner tape, or was
 * first read under noGrad and so has no gradient though the spikes have one. `tensorOf(made)` is the tensor to look at.
 */
export function lazy<T>(spikes: Tensor, make: () => T, tensorOf: (made: T) => Tensor): () => T {
  let made: T | null = null;
  return () => {
    const t = made && tensorOf(made);
    const serves = t?.region.open && (t.requiresGrad || !spikes.requiresGrad);
    if (!serves) made = make();
    return made as T;
  };
}

/** The tensor itself. */
export const itself = (t: Tensor): Tensor => t;
