/** The result of `unroll` of every layer: outputs over time are computed at their first read. */
import type { Tensor } from "../../engine/index.ts";

/** Computes the output over time with this index among the names of all outputs. */
export interface OutputSource {
  output(index: number): Tensor;
}

/** The key of {@link Later} in a result. */
const LATER = /* @__PURE__ */ Symbol("outputs");

/** The outputs of a result that are computed when they are first read. */
interface Later {
  readonly z: Tensor;
  readonly source: OutputSource;
  /** The outputs computed so far, by index. */
  made: (Tensor | undefined)[] | null;
}

interface Result {
  readonly [LATER]: Later;
}

/** Properties of results, by the names of their outputs: results with the same names share getters and hidden class. */
const properties = /* @__PURE__ */ new WeakMap<readonly string[], Map<string, PropertyDescriptorMap>>();

function propertiesOf(main: string, names: readonly string[]): PropertyDescriptorMap {
  let all = properties.get(names);
  if (all === undefined) {
    all = new Map();
    properties.set(names, all);
  }
  let found = all.get(main);
  if (found === undefined) {
    found = { [LATER]: { value: null, writable: true } };
    for (const [index, name] of names.entries()) if (name !== main && name !== "state") found[name] = lazily(index);
    all.set(main, found);
  }
  return found;
}

const lazily = (index: number): PropertyDescriptor => ({
  enumerable: true,
  get(this: Result): Tensor {
    const later = this[LATER];
    const { z } = later;
    later.made ??= [];
    let made = later.made[index];
    if (!made?.region.open || (z.requiresGrad && !made.requiresGrad)) {
      made = later.source.output(index);
      later.made[index] = made;
    }
    return made;
  },
});

/**
 * The result of `unroll`: the main output z by its name, the state after the last step, and further outputs, which the source computes at
 * their first read. An output is recomputed if its tensor was freed with an inner tape, or if it was first read under noGrad and lacks the
 * gradient that z has. `names` are the names of the source's outputs, which may include the main output; all results of a kind share one
 * list.
 */
export function resultOf(
  main: string,
  z: Tensor,
  state: unknown,
  names: readonly string[],
  source: OutputSource,
): Readonly<Record<string, unknown>> {
  // A layer that needs the whole sequence has no state.
  const all: Record<string | symbol, unknown> = state === undefined ? { [main]: z } : { [main]: z, state };
  Object.defineProperties(all, propertiesOf(main, names));
  const later: Later = { z, source, made: null };
  all[LATER] = later;
  return all;
}
