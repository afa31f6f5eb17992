/** A network as a list of layers with a state between time steps, for rules that process a sequence in parts. */
import { isPlain, show, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { Dropout, type Module, ones, Tensor } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import { isStepping, layersOf, steppingIn } from "../layer/stepping.ts";

/** State of a layer between time steps: tensors by name, or null for a layer without a state. */
export type LayerState = Tensor | { readonly [name: string]: LayerState } | null;

/** State of a network between time steps. */
export interface NetworkState {
  /** States of the layers in order; nested `Sequential`s are flattened. */
  readonly layers: readonly LayerState[];
}

export interface NetworkLayer {
  readonly module: Module;
  /** Index of the layer in the network. */
  readonly index: number;
  /** Name of the rule, for errors. */
  readonly where: string;
  /** Path and class of the layer, `"0.1" (LIF)`, for errors. */
  readonly name: string;
}

/**
 * Lists the layers of a model.
 *
 * @throws TypeError for anything but a module; RangeError for a module whose `forward` hides a layer with a state.
 */
export function networkOf(where: string, model: Module): NetworkLayer[] {
  moduleOf(where, model);
  const paths = new Map(model.namedModules().map(([path, module]) => [module, path]));
  return layersOf(where, model).map((module, index) => {
    const path = paths.get(module) ?? "";
    const kind = module.constructor.name;
    const layer = { module, index, where, name: path === "" ? kind : `"${path}" (${kind})` };
    if (!isStepping(module)) checkNoInnerStep(layer);
    return layer;
  });
}

/**
 * Throws if a layer without steps contains a layer with steps, whose state `forward` would reset in each step. Online rules train a caller's
 * modules with `forward`, so they require only this; a Stream requires modules that declare to be stateless.
 */
function checkNoInnerStep({ module, where, name }: NetworkLayer): void {
  const [path] = steppingIn(module) ?? [];
  if (path === undefined) return;
  throw new RangeError(
    `${where}: expected layers with step(x, state) and initialState(shape), or without a state, got ${name}, whose forward ` +
      `keeps the state of ${show(path)}; put its layers into a Sequential, or give it both methods`,
  );
}

/**
 * States of the layers; undefined for each at the start.
 *
 * @throws TypeError for anything but a state; RangeError for a state with a wrong number of layers.
 */
export function layerStates(
  where: string,
  layers: readonly NetworkLayer[],
  state: NetworkState | undefined,
): readonly (LayerState | undefined)[] {
  if (state === undefined) return layers.map(() => undefined);
  const given: unknown = Object(state).layers;
  if (!Array.isArray(given)) throw wrongType(where, "a state as step returns it, { layers }", state);
  if (given.length !== layers.length) {
    throw wrongValue(where, `a state of ${layers.length} layers`, `${given.length}; is it that of another model?`);
  }
  return layers.map((_, i) => (given[i] as LayerState | undefined) ?? null);
}

/** State that a layer with steps starts from: the given state, detached, or the initial state. */
export function layerStart(layer: NetworkLayer, shape: Shape, state: LayerState | undefined): LayerState {
  const { module } = layer;
  if (state === undefined && isStepping(module)) return module.initialState(shape) as LayerState;
  return mapped(givenState(layer, state), constant);
}

/** A tensor of this name in the state of a layer, detached; null at the start. */
export function heldIn(layer: NetworkLayer, key: string, state: LayerState | undefined, shape: Shape): Tensor | null {
  if (state === undefined) return null;
  const t = (givenState(layer, state) as { readonly [name: string]: Tensor })[key] as Tensor;
  checkState(`${layer.where}: ${layer.name}`, key, t, shape);
  return constant(t);
}

function givenState({ where, name }: NetworkLayer, state: LayerState | undefined): object {
  if (typeof state === "object" && state !== null) return state;
  throw wrongValue(where, `a state of ${name}`, `${show(state)}; is it that of another model?`);
}

/** Throws if a layer without a state is given one. */
function checkNoState({ where, name }: NetworkLayer, state: LayerState | undefined): void {
  if (state === undefined || state === null) return;
  throw wrongValue(where, `no state of ${name}`, `${show(state)}; is it that of another model?`);
}

const constant = (t: Tensor): Tensor => (t.requiresGrad ? t.detach() : t);

/** Tensors of a state, in lists and plain objects. */
export function tensorsOfState(state: unknown): Tensor[] {
  const found = new Set<unknown>([state]);
  // The set grows in the loop, so that a list that contains itself is read once.
  for (const value of found) {
    if (Array.isArray(value) || isPlain(value)) for (const part of Object.values(value)) found.add(part);
  }
  return [...found].filter((value) => value instanceof Tensor);
}

/** A state of the same structure with other tensors. */
export function mapped(state: unknown, fn: (t: Tensor) => Tensor): LayerState {
  if (state instanceof Tensor) return fn(state);
  if (typeof state !== "object" || state === null) return state as LayerState;
  if (Array.isArray(state)) return state.map((part) => mapped(part, fn)) as unknown as LayerState;
  return Object.fromEntries(Object.entries(state).map(([name, part]) => [name, mapped(part, fn)]));
}

/** The state after a step. Tensors that belong to `others` are copied, so that `others` can be freed. */
export function ownState(states: readonly LayerState[], others: readonly Tensor[]): NetworkState {
  const known = new Set(others);
  return { layers: states.map((state) => mapped(state, (t) => (known.has(t) ? t.clone() : t))) };
}

/**
 * Frees the tensors of a state between time steps, or of several states in lists and objects. Tensors that are already freed are ignored.
 *
 * Outside of tapes, a state belongs to the caller, like the state of `lif.step`. A loop that does not return to the event loop should free the states
 * that it has used, since the garbage collector does not run in between. Inside of a tape, the call frees before the tape ends.
 *
 * @throws TypeError for anything but tensors, lists, plain objects, null and undefined.
 *
 * @example
 * ```ts
 * import { crossEntropy, disposeState, LIF, Linear, rand, Sequential, SLTT } from "jarvis-snn";
 *
 * const rule = new SLTT(new Sequential(new Linear(4, 8), new LIF(), new Linear(8, 2)), { loss: crossEntropy });
 * let { state } = rule.step(rand([1, 4]), [0]);
 * for (let t = 0; t < 10; t++) {
 *   const next = rule.step(rand([1, 4]), [0], state).state;
 *   disposeState(state); // at once, not when the garbage collector comes
 *   state = next;
 * }
 * ```
 */
export function disposeState(state: unknown): void {
  const isState = state instanceof Tensor || Array.isArray(state) || isPlain(state);
  if (!isState && state !== undefined && state !== null) throw wrongType("disposeState", "a state of tensors", state);
  for (const t of tensorsOfState(state)) t.dispose();
}

/** Output of a layer and its next state. */
export type Passed = readonly [z: Tensor, state: LayerState];

/** Runs a layer without steps over x, [T, B, …]; its state is the mask of a dropout that is shared over time, if any. */
export function passedWhole(layer: NetworkLayer, x: Tensor, state: LayerState | undefined): Passed {
  if (sharesTime(layer.module, x.ndim)) return masked(layer, x, state);
  checkNoState(layer, state);
  return [outputOf(layer, x), null];
}

/** Whether a layer drops the same values in all time steps of x, [T, B, …], with this number of axes. */
const sharesTime = (layer: Module, ndim: number): boolean =>
  layer instanceof Dropout && layer.isPure && layer.sharedAxes.some((axis) => axis === 0 || axis === -ndim);

/** Runs a dropout whose factors are drawn in the first step of a sequence in training. */
function masked(layer: NetworkLayer, x: Tensor, state: LayerState | undefined): Passed {
  const { module } = layer;
  const shape = [1, ...x.sizes.slice(1)];
  const held = heldIn(layer, "mask", state ?? undefined, shape);
  if (!module.training) return [x, held && { mask: held }];
  const mask = held ?? module.forward(ones(shape));
  return [x.mul(mask), { mask }];
}

function outputOf({ module, where, name }: NetworkLayer, x: Tensor): Tensor {
  const z = module.forward(x);
  if (!(z instanceof Tensor)) throw wrongType(where, `a tensor from ${name}`, z);
  alive(z, where);
  // With two axes, the second one may be features.
  const lead = x.sizes.slice(0, x.ndim > 2 ? 2 : 1);
  if (lead.every((n, axis) => z.sizes[axis] === n)) return z;
  throw wrongValue(where, `${name} to give [${lead.join(", ")}, …] for ${formatShape(x.sizes)}`, formatShape(z.sizes));
}

/**
 * Checks the loss, which must be one number.
 *
 * @throws TypeError for anything but a tensor; RangeError unless it has one element.
 */
export function lossOf(where: string, loss: unknown): Tensor {
  if (!(loss instanceof Tensor)) throw wrongType(where, "a loss that returns a tensor", loss);
  alive(loss, where);
  if (loss.size !== 1) throw wrongValue(where, "a loss of one number", formatShape(loss.sizes));
  return loss;
}
