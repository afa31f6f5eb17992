/** The observer of `record`: it sees each run of neurons, and the tensors that hand-written layers show. */
import { objectOf } from "../../engine/arguments.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { checkSequence } from "./checks.ts";

/** Tensors that a layer of one's own can show of its run, all [T, B, …]. */
export interface Seen {
  /** I, the input of the neurons. */
  readonly current?: Tensor;
  /** s. */
  readonly spikes?: Tensor;
  /** u, before the reset. */
  readonly membrane?: Tensor;
}

/** Sees layers run. */
export interface Observer {
  /**
   * Runs a layer by `run`, once, over a current [T, B, …]; `run` gives the outputs by name. `continues`: the run goes on from a
   * state that the caller has, as each time step does.
   */
  run<R extends object>(layer: Module, current: Tensor, continues: boolean, run: (current: Tensor) => R): R;
  /** Takes what a layer shows. */
  see(layer: Module, seen: Seen): void;
}

/** The observer of all layers that run now, null outside of `record`. */
export let observer: Observer | null = null;

/** fn() while `next` sees all layers, or with null none does. */
export function observedBy<R>(next: Observer | null, fn: () => R): R {
  const before = observer;
  observer = next;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

/**
 * Shows {@link record} the spikes, membranes and currents that a layer written by hand computes, for instance by `spike` in a loop
 * over time. `layer` is the module, mostly `this`, whose name they get. Outside of `record` the call does nothing.
 *
 *     forward(current: Tensor): Tensor {
 *       …
 *       const spikes = stack(steps);
 *       observe(this, { current, spikes });
 *       return spikes;
 *     }
 *
 * Shapes: [T, B, …]. Gradients are those of the tensors themselves, so the layer has to go on with these, not with parts of them.
 *
 * @throws TypeError unless the layer is a module and the tensors are such; RangeError for one without a time axis; Error
 *   for one that was freed.
 */
export function observe(layer: Module, seen: Seen): void {
  const { current, spikes, membrane } = objectOf("observe", "tensors by name", seen) as Seen;
  const all = { current, spikes, membrane };
  for (const [name, t] of Object.entries(all)) if (t !== undefined) checkSequence("observe", name, t);
  moduleOf("observe", layer);
  observer?.see(layer, all as Seen);
}
