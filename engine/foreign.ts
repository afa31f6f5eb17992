/** Errors for values that look like tensors of this package but are not. */
import { numbersOf, wrongType } from "./arguments.ts";
import { fillChecks, Tensor } from "./core/tensor.ts";
import { memory } from "./core/wasm.ts";

/** The error for a value that is not a tensor. */
export function noTensor(where: string, t: unknown, others = ""): TypeError {
  if (t instanceof Tensor) {
    return new TypeError(`${where}: expected a tensor${others}, got a proxy or copy of one; keep it raw (markRaw)`);
  }
  const has = (...names: string[]) => typeof t === "object" && t !== null && names.every((name) => name in t);
  // An address is valid only in its own memory. A second copy of the package and other threads have different memories.
  const expected = has("region", "ptr")
    ? "a tensor of this copy of jarvis-snn (one of another copy or thread has to come as its toFloat32Array())"
    : "a tensor";
  // A symbol of fuse/terms.ts has these fields.
  const hint = has("owner", "op", "args")
    ? ", a value of a step: write v.exp() for exp(v), v.mul(t) for t.mul(v), and take where and t from the argument of the step"
    : "";
  return wrongType(where, expected + others, t, hint);
}

/**
 * Values that remain valid when memory grows: views that `data` returned are copied. A frozen buffer is shared memory,
 * possibly from before a growth.
 */
export const steady = (values: ArrayLike<number>): ArrayLike<number> =>
  values instanceof Float32Array && (values.buffer === memory.buffer || Object.isFrozen(values.buffer))
    ? values.slice()
    : values;

fillChecks({
  numbersOf(where, expected, values, grows) {
    const numbers = numbersOf(where, expected, values);
    return grows ? steady(numbers) : numbers;
  },
  noTensor,
});
