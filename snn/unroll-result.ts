import type { Tensor } from "../engine/index.ts";

/**
 * The result of `unroll`: the main output z by its name, the state after the last step, and further outputs, of which `make`
 * computes each at its first read. An output is computed again if its tensor was freed with an inner tape, or was first read under
 * noGrad and so has no gradient though z has one. `index` is the place of the name among `names`, where the main output may stand
 * too.
 */
export function resultOf(
  main: string,
  z: Tensor,
  state: object,
  names: readonly string[],
  make: (name: string, index: number) => Tensor,
): Readonly<Record<string, unknown>> {
  const all = { [main]: z, state };
  names.forEach((name, index) => {
    if (name in all) return;
    let made: Tensor | null = null;
    const get = (): Tensor => {
      if (!made?.region.open || (z.requiresGrad && !made.requiresGrad)) made = make(name, index);
      return made;
    };
    Object.defineProperty(all, name, { enumerable: true, get });
  });
  return all;
}
