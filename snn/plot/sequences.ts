/** Tensors over time as plain numbers, read before any await, since a tape may end meanwhile. */
import { objectOf, wrongValue } from "../../engine/arguments.ts";
import { Tensor } from "../../engine/index.ts";
import { type Sample, sampleOf } from "../probes/sample.ts";

/** A sample with its name, which is empty for a single tensor. */
export interface NamedSample extends Sample {
  readonly name: string;
}

/**
 * A sequence [T, B, …], or several by name; null for those that a layer does not have. Unlike an object, a Map preserves its order even for
 * names like "1".
 */
export type Sequences = Tensor | ReadonlyMap<string, Tensor | null> | { readonly [name: string]: Tensor | null };

/** A sample of each sequence. */
export function sequencesOf(where: string, what: string, given: Sequences, sample: number): NamedSample[] {
  const named: [string, Tensor | null][] =
    given instanceof Tensor
      ? [["", given]]
      : given instanceof Map
        ? [...given]
        : (Object.entries(objectOf(where, `${what} as a tensor or tensors by name`, given)) as [
            string,
            Tensor | null,
          ][]);
  const all = named.flatMap(([name, x]) => (x === null ? [] : [{ name, ...sampleOf(where, x, sample) }]));
  if (all.length === 0) throw wrongValue(where, `at least one tensor of ${what}`, "none");
  return all;
}

/** Label of the time axis, and the length of a step on it. */
export const timeOf = (dtMs: number): { label: string; unit: number } =>
  dtMs > 0 ? { label: "time (ms)", unit: dtMs } : { label: "time step", unit: 1 };
