import { formatShape, type Shape, sameShape } from "../engine/extend.ts";
import type { Tensor } from "../engine/index.ts";

/** When a neuron fires: u ≥ θ or u > θ. */
export type Fire = "ge" | "gt";

export function checkFire(where: string, fire: Fire): void {
  if (fire !== "ge" && fire !== "gt")
    throw new RangeError(`${where}: expected fire "ge" or "gt", got ${JSON.stringify(fire)}`);
}

/** Throws unless an option is one value, or a list of one for each neuron on the last axis of a current. */
export function checkPerNeuron(where: string, name: string, t: Tensor, shape: Shape): void {
  const features = shape.length > 1 ? shape[shape.length - 1] : 1;
  if (t.size === 1 || (t.ndim === 1 && t.size === features)) return;
  const got = `${formatShape(t.shape)} for a current ${formatShape(shape)}`;
  throw new RangeError(`${where}: expected ${name} to be one number or [${features}], got ${got}`);
}

/** Throws unless the current has a time axis. */
export function checkCurrent(where: string, current: Tensor): void {
  if (current.ndim < 1)
    throw new RangeError(`${where}: expected a current [T, B, …], got ${formatShape(current.shape)}`);
}

/** Throws unless the state has the shape of one time step. */
export function checkState(where: string, name: string, state: Tensor, shape: Shape): void {
  if (sameShape(state.shape, shape)) return;
  throw new RangeError(
    `${where}: expected a state ${name} of shape ${formatShape(shape)}, got ${formatShape(state.shape)}`,
  );
}
