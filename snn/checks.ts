import { alive, formatShape, type Shape, sameShape } from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";

/** When a neuron fires: u ≥ θ or u > θ. */
export type Fire = "ge" | "gt";

export function checkFire(where: string, fire: Fire): void {
  if (fire !== "ge" && fire !== "gt")
    throw new RangeError(`${where}: expected fire "ge" or "gt", got ${JSON.stringify(fire)}`);
}

/** Throws unless the current has a time axis. */
export function checkCurrent(where: string, current: Tensor): void {
  alive(current, where);
  if (current.ndim < 1)
    throw new RangeError(`${where}: expected a current [T, B, …], got ${formatShape(current.shape)}`);
}

/** Throws unless the state has the shape of one time step. */
export function checkState(where: string, name: string, state: Tensor, shape: Shape): void {
  alive(state, where);
  if (sameShape(state.shape, shape)) return;
  throw new RangeError(
    `${where}: expected a state ${name} of shape ${formatShape(shape)}, got ${formatShape(state.shape)}`,
  );
}
