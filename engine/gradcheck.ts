/** Analytic gradients against central differences, the whole engine running on the float64 reference kernels. */

import { reference } from "../kernels/reference/index.ts";
import { BASE, bindWasmMemory, reserve, view } from "../kernels/reference/memory.ts";
import { functionOf, NOT_NEGATIVE, numberOf, POSITIVE, withDefaults, wrongType } from "./arguments.ts";
import { type Backend, inReference, simd, useBackend } from "./backend.ts";
import { useOnTensors } from "./fuse/in-reference.ts";
import { runTraced } from "./fuse/tensors.ts";
import { Heap } from "./memory.ts";
import { sum } from "./ops/reduce.ts";
import { root } from "./scope.ts";
import { formatShape } from "./shape.ts";
import { tape } from "./tape.ts";
import { alive, emptyLike, peek, Tensor } from "./tensor.ts";
import { memory } from "./wasm.ts";

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

/** Runs fn on the float64 reference kernels. Tensors of linear memory may be read inside, as constants. */
export function withReference<R>(fn: () => R): R {
  if (inReference()) return tape(fn);
  bindWasmMemory(() => new Float32Array(memory.buffer));
  useBackend(referenceBackend());
  useOnTensors(runTraced);
  // Persistent tensors that are made inside have addresses of the reference, and end with it.
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
 * Compares the gradient of Σ fn(inputs) (of every tensor that fn returns, weighted so that errors do not cancel) towards every
 * element of every input with (f(x + ε) − f(x − ε)) / 2ε, all in float64. Spikes are steps: use layers with `spiking: false`.
 * Parameters and layers that fn makes are freed when the check ends. fn gets copies of the inputs: the copy of a layer's parameter
 * takes its place by `Object.assign(layer, { beta: copy })`; the copies are freed at the end, so the layer cannot be used
 * afterwards.
 *
 *   |analytic − numeric| ≤ atol + rtol·|numeric|
 *
 * @throws Error naming input and element where they differ, and for an input that is a parameter and has no influence, or the
 *   gradient 0 in all elements; RangeError for options out of range, or no output; TypeError where fn returns something else than
 *   tensors.
 *
 * @example
 * ```ts
 * import { gradcheck, LIF, tensor } from "jarvis-snn";
 *
 * const lif = new LIF({ spiking: false }); // the smooth step takes the place of the spike
 * const current = tensor([0.3, 0.5, 0.9], { shape: [3, 1, 1] });
 * gradcheck((x) => lif.forward(x), [current]); // throws where a gradient is wrong
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

/** Σ over outputs and elements of w·z with weights w that differ from element to element. */
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
