/** A network as a list of layers with a state between time steps, for rules that see a part of a sequence at a time. */
import { isPlain, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import { Dropout, type Module, ones, Tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/nn/module.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { alive } from "../../engine/tensor.ts";
import { checkState } from "../checks.ts";
import { isStepping, layersOf, type Stepping } from "../layers.ts";

/** State of a layer between time steps: tensors by their names, or null for a layer without a state. */
export type LayerState = Tensor | { readonly [name: string]: LayerState } | null;

/** State of a network between time steps. */
export interface NetworkState {
  /** The states of the layers, in their order; those of nested `Sequential` stand in the same list. */
  readonly layers: readonly LayerState[];
}

/** A layer of a network, and its name in errors. */
export interface Layer {
  readonly module: Module;
  /** The path in the model and the class: `"0.1" (LIF)`. */
  readonly name: string;
}

/**
 * The layers of a model.
 *
 * @throws TypeError for what is no module; RangeError for a module whose `forward` hides a layer with a state.
 */
export function networkOf(where: string, model: Module): Layer[] {
  moduleOf(where, model);
  const paths = new Map(model.namedModules().map(([path, module]) => [module, path]));
  return layersOf(where, model).map((module) => {
    const path = paths.get(module) ?? "";
    const kind = module.constructor.name;
    const layer = { module, name: path === "" ? kind : `"${path}" (${kind})` };
    if (!isStepping(module)) checkStateless(where, layer);
    return layer;
  });
}

/** Throws for a layer without steps that has one with steps in it: its `forward` starts that from zeros. */
function checkStateless(where: string, { module, name }: Layer): void {
  const [path] = module.namedModules().find(([, inner]) => isStepping(inner)) ?? [];
  if (path === undefined) return;
  throw new RangeError(
    `${where}: expected layers with step(x, state) and initialState(shape), or without a state, got ${name}, whose forward ` +
      `keeps the state of ${show(path)}; put its layers into a Sequential, or give it both methods`,
  );
}

/**
 * The states of the layers; null for each at the start.
 *
 * @throws TypeError for what is no state; RangeError for that of another number of layers.
 */
export function statesOf(
  where: string,
  layers: readonly Layer[],
  state: NetworkState | undefined,
): readonly LayerState[] {
  if (state === undefined) return layers.map(() => null);
  const given: unknown = Object(state).layers;
  if (!Array.isArray(given)) throw wrongType(where, "a state as step returns it, { layers }", state);
  if (given.length !== layers.length) {
    throw wrongValue(where, `a state of ${layers.length} layers`, `${given.length}; is it that of another model?`);
  }
  return given as LayerState[];
}

/** The state of a layer with steps: the given one, or that before the first step. */
export function startOf(
  where: string,
  { name }: Layer,
  layer: Stepping,
  shape: Shape,
  state: LayerState,
  isNew: boolean,
) {
  if (isNew) return layer.initialState(shape) as LayerState;
  if (state !== null && typeof state === "object") return detached(state);
  throw wrongValue(where, `a state of ${name}`, `${show(state)}; is it that of another model?`);
}

/** A tensor of this name in the state of a layer of one's own, null at the start. */
export function heldIn(where: string, { name }: Layer, key: string, state: LayerState, shape: Shape): Tensor | null {
  if (state === null) return null;
  const t = (state as { readonly [name: string]: Tensor })[key] as Tensor;
  checkState(`${where}: ${name}`, key, t, shape);
  return t.requiresGrad ? t.detach() : t;
}

/** The tensors of a state, in lists and objects without a class. */
export function tensorsOf(state: unknown): Tensor[] {
  const found = new Set<unknown>([state]);
  // The set grows while it is read; a list that holds itself is read once.
  for (const value of found) {
    if (Array.isArray(value) || isPlain(value)) for (const part of Object.values(value)) found.add(part);
  }
  return [...found].filter((value) => value instanceof Tensor);
}

/** A state of the same form, with other tensors. */
export function mapped(state: LayerState, fn: (t: Tensor) => Tensor): LayerState {
  if (state instanceof Tensor) return fn(state);
  if (typeof state !== "object" || state === null) return state;
  if (Array.isArray(state)) return state.map((part: LayerState) => mapped(part, fn)) as unknown as LayerState;
  return Object.fromEntries(Object.entries(state).map(([name, part]) => [name, mapped(part, fn)]));
}

/** The same values without a gradient. */
const detached = (state: LayerState): LayerState => mapped(state, (t) => (t.requiresGrad ? t.detach() : t));

/**
 * Frees the tensors of a state between time steps, in whatever lists and objects; a tensor that was freed before is left alone.
 *
 *     const next = rule.step(x, target, state);
 *     disposeState(state);
 *
 * Outside of tapes a state belongs to the caller, as the state of `lif.step` does: a loop that does not return to the event loop
 * frees the states that it has used, or their memory waits for the garbage collector. Inside of a tape the call frees early.
 *
 * @throws TypeError for anything but tensors, lists, objects without a class, null and undefined.
 */
export function disposeState(state: unknown): void {
  const isState = state instanceof Tensor || Array.isArray(state) || isPlain(state);
  if (!isState && state !== undefined && state !== null) throw wrongType("disposeState", "a state of tensors", state);
  for (const t of tensorsOf(state)) t.dispose();
}

/** Whether a layer drops the same values in all time steps of x, [T, B, …] of this number of axes. */
export const sharesTime = (layer: Module, ndim: number): layer is Dropout =>
  layer instanceof Dropout && layer.isPure && layer.sharedAxes.some((axis) => axis === 0 || axis === -ndim);

/**
 * The factors of such a dropout for a step of this shape, [1, B, …]: drawn in the first step of a sequence, kept in the state after that;
 * null in evaluation mode.
 */
export function maskOf(where: string, layer: Layer, shape: Shape, state: LayerState): Tensor | null {
  const { module } = layer;
  const held = heldIn(where, layer, "mask", state, [1, ...shape]);
  return module.training ? (held ?? module.forward(ones([1, ...shape]))) : null;
}

/** What a layer without a state makes of x, [T, B, …], in as many steps. */
export function forwardOf(where: string, { module, name }: Layer, x: Tensor): Tensor {
  const z = module.forward(x);
  if (!(z instanceof Tensor)) throw wrongType(where, `a tensor from ${name}`, z);
  alive(z, where);
  // Of two axes the second one may be features.
  const lead = x.sizes.slice(0, x.ndim > 2 ? 2 : 1);
  if (lead.every((n, axis) => z.sizes[axis] === n)) return z;
  throw wrongValue(where, `${name} to give [${lead.join(", ")}, …] for ${formatShape(x.sizes)}`, formatShape(z.sizes));
}

/**
 * The loss, one number.
 *
 * @throws TypeError for what is no tensor; RangeError for a tensor of another size.
 */
export function lossOf(where: string, loss: unknown): Tensor {
  if (!(loss instanceof Tensor)) throw wrongType(where, "a loss that returns a tensor", loss);
  alive(loss, where);
  if (loss.size !== 1) throw wrongValue(where, "a loss of one number", formatShape(loss.sizes));
  return loss;
}
