/** The layers of a network that runs one time step after the other: their list, and which of them have steps of their own. */
import { wrongType } from "../../engine/arguments.ts";
import { Module, Sequential, type Tensor } from "../../engine/index.ts";
import { traitOf } from "../../engine/protocol.ts";
import type { Shape } from "../../engine/shape.ts";
import { isReplaced } from "./temporal.ts";

/** A layer with a step of its own, as neurons have it. */
export interface Stepping extends Module {
  step(x: Tensor, state: never): readonly [output: Tensor, state: unknown];
  initialState(shape: Shape): unknown;
}

export function isStepping(layer: Module): layer is Stepping {
  const { step, initialState } = layer as Module & { step?: unknown; initialState?: unknown };
  return typeof step === "function" && typeof initialState === "function";
}

/** The first layer with a step among a module and the modules in its fields, with its path; undefined without. */
export const steppingIn = (module: Module): [path: string, layer: Module] | undefined =>
  module.namedModules().find(([, inner]) => isStepping(inner));

/** Whether a user's class says that its `forward` computes each step by itself. */
export function saysStateless(layer: Module): boolean {
  const kind = layer.constructor as typeof Module;
  const declaring = ownerOf(kind, "stateless") as typeof Module | null;
  return kind.stateless === true && declaring !== null && isFrom(declaring.prototype, ownerOf(layer, "forward"));
}

/** Whether a class says so, but `forward` is a property of the layer itself: the claim is about methods of classes. */
export const saysOfNoMethod = (layer: Module): boolean =>
  (layer.constructor as typeof Module).stateless === true && ownerOf(layer, "forward") === layer;

/** True if `forward` was overridden or replaced without a matching `step`. */
export function isStepStale(layer: Stepping): boolean {
  const owner = ownerOf(layer, "forward") as object;
  return isReplaced(owner) || !isFrom(ownerOf(layer, "step") as object, owner);
}

/** The object that holds a property itself: a prototype, a class, or `object`. */
function ownerOf(object: object, name: string): object | null {
  let owner: object | null = object;
  while (owner !== null && Object.getOwnPropertyDescriptor(owner, name) === undefined) {
    owner = Object.getPrototypeOf(owner);
  }
  return owner;
}

/** Whether `object` inherits from `base`, or is `base`. */
const isFrom = (object: object, base: object | null): boolean =>
  object === base || (base !== null && Object.prototype.isPrototypeOf.call(base, object));

/** More layers than any network has; a list that holds itself has no end. */
const MOST = 2 ** 16;

/** The layers in their order, out of lists and out of `Sequential`. `paths` gets the path to each, "" to a layer alone. */
export function layersOf(where: string, network: unknown, paths: string[] = []): Module[] {
  const layers: Module[] = [];
  const rest: [network: unknown, path: string][] = [[network, ""]];
  for (let read = 0; rest.length > 0; read++) {
    const [next, path] = rest.pop() as [unknown, string];
    // A subclass may do more with its modules than to pass their outputs on.
    const list = next instanceof Sequential && traitOf(next) !== null ? next.modules : next;
    if (list instanceof Module) {
      layers.push(list);
      paths.push(path);
    } else if (!Array.isArray(list)) throw wrongType(where, "modules", list);
    else {
      const { length } = list;
      if (read + rest.length + length > MOST) {
        throw new RangeError(`${where}: expected at most ${MOST} modules; does a list hold itself?`);
      }
      for (let i = length - 1; i >= 0; i--) rest.push([list[i], path === "" ? `${i}` : `${path}.${i}`]);
    }
  }
  return layers;
}
