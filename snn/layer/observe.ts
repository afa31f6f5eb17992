/** How layers written by hand show their tensors to `record`. */
import { objectOf } from "../../engine/arguments.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import { layerTap, moduleOf } from "../../engine/protocol.ts";
import { checkSequence } from "./checks.ts";

/** Tensors of a run that a user's layer can show, all [T, B, …]. */
export interface Seen {
  /** I, the input of the neurons. */
  readonly current?: Tensor;
  /** s. */
  readonly spikes?: Tensor;
  /** u, before the reset. */
  readonly membrane?: Tensor;
}

/**
 * Shows {@link record} the spikes, membranes and currents that a layer written by hand computes, for instance by `spike` in a loop over
 * time. `layer` is the module whose name the tensors get, usually `this`. Outside `record` the call does nothing.
 *
 * Shapes: [T, B, …]. `record` reads the gradients of these tensors, so the layer must continue with the tensors themselves, not with parts
 * of them.
 *
 * @throws TypeError unless the layer is a module and all others are tensors; RangeError for a tensor without a time axis; Error for a freed
 *   one.
 *
 * @example
 * ```ts
 * import { Module, observe, record, spike, stack, type Tensor, zeros } from "jarvis-snn";
 *
 * class ByHand extends Module {
 *   forward(current: Tensor): Tensor {
 *     let v: Tensor = zeros(current.shape.slice(1));
 *     const steps = current.unbind(0).map((now) => {
 *       v = v.mul(0.5).add(now);
 *       const s = spike(v);
 *       v = v.sub(s.detach());
 *       return s;
 *     });
 *     const spikes = stack(steps);
 *     observe(this, { current, spikes });
 *     return spikes;
 *   }
 * }
 * console.log(Object.keys(record(new ByHand(), zeros([6, 1, 2])).layers)); // [ 'ByHand' ]
 * ```
 */
export function observe(layer: Module, seen: Seen): void {
  const { current, spikes, membrane } = objectOf("observe", "tensors by name", seen) as Seen;
  const all = { current, spikes, membrane };
  for (const [name, t] of Object.entries(all)) if (t !== undefined) checkSequence("observe", name, t);
  moduleOf("observe", layer);
  layerTap?.see(layer, all);
}
