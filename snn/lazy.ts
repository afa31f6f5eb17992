import type { Tensor } from "../engine/index.ts";

/**
 * What `make` gives, made when it is first asked for. It is made again where the one before ended with an inner tape, or has no
 * record, having been read under noGrad, though the spikes have one; `tensorOf` is what tells.
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
