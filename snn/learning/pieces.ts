/** A network over a piece of a sequence, from the state after the previous piece. */
import { stack, type Tensor } from "../../engine/index.ts";
import { isStepping, type Stepping } from "../layer/stepping.ts";
import type { LayerState, NetworkLayer, NetworkState, Passed } from "./network.ts";
import { ownState, passedWhole, tensorsOfState } from "./network.ts";

/**
 * Runs a network over a piece of a sequence, from the given state (undefined at the start of the sequence). Returns the output and the
 * state after the piece, which shares no tensor with the given one.
 */
export function forwardFrom(
  layers: readonly NetworkLayer[],
  x: Tensor,
  before: NetworkState | undefined,
): [output: Tensor, state: NetworkState] {
  let z = x;
  const states = layers.map((layer) => {
    const state = before?.layers[layer.index];
    const [output, next] = isStepping(layer.module)
      ? overTime(layer.module, z, state ?? (layer.module.initialState(z.sizes.slice(1)) as LayerState))
      : passedWhole(layer, z, state);
    z = output;
    return next;
  });
  return [z, ownState(states, tensorsOfState(before))];
}

/** Runs a layer with steps over a piece: at once if it has `unroll`, else step by step. */
function overTime(layer: Stepping, x: Tensor, from: LayerState): Passed {
  const { unroll } = layer as Stepping & { unroll?: (x: Tensor, state: LayerState) => Unrolled };
  if (typeof unroll === "function") {
    const { spikes, membrane, state } = unroll.call(layer, x, from);
    const z = spikes ?? membrane;
    if (z !== undefined) return [z, state];
  }
  let state = from;
  const steps = x.unbind(0).map((now) => {
    const [z, next] = layer.step(now, state as never);
    state = next as LayerState;
    return z;
  });
  return [stack(steps), state];
}

interface Unrolled {
  readonly spikes?: Tensor;
  readonly membrane?: Tensor;
  readonly state: LayerState;
}
