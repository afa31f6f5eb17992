/**
 * Compares analytic gradients with central differences. The whole engine then runs on the float64 reference kernels.
 */

import { reference } from "../kernels/reference/index.ts";
import { BASE, bindWasmMemory, reserve, view } from "../kernels/reference/memory.ts";
import { functionOf, NOT_NEGATIVE, numberOf, POSITIVE, withDefaults, wrongType } from "./arguments.ts";
import { type Backend, inReference, simd, useBackend } from "./core/backend.ts";
import { Heap } from "./core/memory.ts";
import { root } from "./core/scope.ts";
import { tape } from "./core/tape.ts";
import { alive, emptyLike, peek, Tensor } from "./core/tensor.ts";
import { memory } from "./core/wasm.ts";
import { useOnTensors } from "./fuse/in-reference.ts";
import { runTraced } from "./fuse/tensors.ts";
import { sum } from "./ops/reduce.ts";
import { formatShape } from "./shape.ts";

/** Options of {@link gradcheck}. */
export interface GradcheckOptions {
  /** ε, the step of the differences; finite and > 0, default 1e-6. */
  eps?: number;
  /** Absolute tolerance, ≥ 0; default 1e-7 (PyTorch: 1e-5). */
  atol?: number;
  /** Relative tolerance, ≥ 0; default 1e-5 (PyTorch: 1e-3). */
  rtol?: number;
}

const DEFAULTS: Required<GradcheckOptions> = { eps: 1e-6, atol: 1e-7, rtol: 1e-5 };

function referenceBackend(): Backend {
  let end = BASE;
  const heap = new Heap({
    start: BASE + 64,
    limit: 0,
    reserve(to) {
      reserve(to);
      end = to;
      return true;
    },
    view,
    reserved: () => 2 * (end - BASE),
  });
  return { kernels: reference, heap };
}

/** Runs fn on the float64 reference kernels. fn may read tensors of linear memory, as constants. */
export function withReference<R>(fn: () => R): R {
  if (inReference()) return tape(fn);
  bindWasmMemory(() => new Float32Array(memory.buffer));
  useBackend(referenceBackend());
  useOnTensors(runTraced);
  // Persistent tensors that fn makes have addresses of the reference and are freed at its end.
  const { region } = root;
  root.region = { open: true, scope: root };
  try {
    return tape(fn);
  } finally {
    root.region.open = false;
    root.region = region;
    useBackend(simd);
  }
}

/**
 * Compares gradients with (f(x + ε) − f(x − ε)) / 2ε in float64, for every element x of every input. f is the sum of
 * all tensors that fn returns, weighted so that errors do not cancel. Spikes are step functions, so use layers with
 * `spiking: false`. fn receives copies of the inputs. To check a layer's parameter, replace it by its copy:
 * `Object.assign(layer, { beta: copy })`. Copies, parameters and layers of fn are freed at the end, so such a layer
 * cannot be used afterwards.
 *
 *   |analytic − numeric| ≤ atol + rtol·|numeric|
 *
 * @throws Error with input and element if the two differ, and for an input that is a parameter without influence on the outputs, or with a
 *   gradient of 0 in all elements; RangeError for options out of range, or without an output; TypeError unless fn returns tensors.
 *
 * @example
 * ```ts
 * import { gradcheck, LIF, tensor } from "jarvis-snn";
 *
 * const lif = new LIF({ spiking: false }); // the smooth step takes the place of the spike
 * const current = tensor([0.3, 0.5, 0.9], { shape: [3, 1, 1] });
 * gradcheck((x) => lif.forward(x), [current]); // throws if a gradient is wrong
 * ```
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: GradcheckOptions = DEFAULTS,
): void {
  functionOf("gradcheck", "fn", fn);
  if (!Array.isArray(inputs)) throw wrongType("gradcheck", "a list of input tensors", inputs);
  const { eps, atol, rtol } = withDefaults("gradcheck", DEFAULTS, options);
  numberOf("gradcheck", "eps", eps, POSITIVE);
  for (const [name, tolerance] of Object.entries({ atol, rtol })) numberOf("gradcheck", name, tolerance, NOT_NEGATIVE);
  const tensors: readonly Tensor[] = [...inputs];
  for (const t of tensors) alive(t, "gradcheck");
  const values = tensors.map((t) => Float64Array.from(peek(t)));
  withReference(() => {
    const analytic = gradients(fn, tensors, values);
    values.forEach((x, which) => {
      let isRead = !(tensors[which] as Tensor).isParameter;
      for (let i = 0; i < x.length; i++) {
        const centre = x[i] as number;
        x[i] = centre + eps;
        const above = tape(() => objective(fn, place(tensors, values)).item());
        x[i] = centre - eps;
        const below = tape(() => objective(fn, place(tensors, values)).item());
        x[i] = centre;
        const numeric = (above - below) / (2 * eps);
        const got = (analytic[which] as Float64Array)[i] as number;
        isRead ||= numeric !== 0 || got !== 0;
        if (!(Math.abs(got - numeric) <= atol + rtol * Math.abs(numeric))) {
          throw new Error(
            `gradcheck: input ${which} of shape ${formatShape((tensors[which] as Tensor).sizes)}, element ${i}: ` +
              `expected the difference quotient ${numeric}, got the gradient ${got}${numeric === 0 ? SPIKES : ""}`,
          );
        }
      }
      if (!isRead) {
        throw new Error(
          `gradcheck: input ${which} is a parameter without influence, which checks nothing, or its gradient is 0 for these inputs; ` +
            "fn gets a copy, which takes the place of the parameter by Object.assign(layer, { beta: copy })",
        );
      }
    });
  });
}

const SPIKES = "; does fn have steps, such as spikes? layers with spiking: false are smooth";

function place(inputs: readonly Tensor[], values: readonly Float64Array[]): Tensor[] {
  return inputs.map((t, i) => {
    const copy = emptyLike(t);
    peek(copy).set(values[i] as Float64Array);
    copy.requiresGrad = true;
    return copy;
  });
}

/** Σ w·z over outputs and elements, with weights w that differ between elements. */
function objective(fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[], inputs: Tensor[]): Tensor {
  const result = fn(...inputs);
  const outputs = Array.isArray(result) ? (result as readonly Tensor[]) : [result as Tensor];
  let total: Tensor | null = null;
  for (const z of outputs) {
    if (!(z instanceof Tensor)) throw wrongType("gradcheck", "fn to return tensors", z);
    const weights = emptyLike(z);
    const { data } = weights;
    for (let i = 0; i < data.length; i++) data[i] = 0.5 + ((i * 7) % 11) / 11;
    const part = sum(z.mul(weights));
    total = total === null ? part : total.add(part);
  }
  if (total === null) throw new RangeError("gradcheck: expected fn to return a tensor, got none");
  return total;
}

function gradients(
  fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  values: readonly Float64Array[],
): Float64Array[] {
  return tape(() => {
    const placed = place(inputs, values);
    objective(fn, placed).backward();
    return placed.map((t) => (t.grad === null ? new Float64Array(t.size) : Float64Array.from(t.grad.data)));
  });
}
