/** The layers of a network that runs one time step at a time: their list, and which of them have their own steps. */
import { wrongType } from "../../engine/arguments.ts";
import { Module, Sequential, type Tensor } from "../../engine/index.ts";
import { traitOf } from "../../engine/protocol.ts";
import type { Shape } from "../../engine/shape.ts";
import { isReplaced } from "./temporal.ts";

/** A layer with its own `step`, as neurons have. */
export interface Stepping extends Module {
  step(x: Tensor, state: never): readonly [output: Tensor, state: unknown];
  initialState(shape: Shape): unknown;
}

export function isStepping(layer: Module): layer is Stepping {
  const { step, initialState } = layer as Module & { step?: unknown; initialState?: unknown };
  return typeof step === "function" && typeof initialState === "function";
}

/** The first layer with a step among a module and its descendants, with its path; undefined if there is none. */
export const steppingIn = (module: Module): [path: string, layer: Module] | undefined =>
  module.namedModules().find(([, inner]) => isStepping(inner));

/** Whether a user's class declares that its `forward` computes each step independently. */
export function saysStateless(layer: Module): boolean {
  const kind = layer.constructor as typeof Module;
  const declaring = ownerOf(kind, "stateless") as typeof Module | null;
  return kind.stateless === true && declaring !== null && isFrom(declaring.prototype, ownerOf(layer, "forward"));
}

/**
 * Whether a class declares `stateless` although `forward` is a property of the layer itself. The declaration covers
 * only methods of classes.
 */
export const saysOfNoMethod = (layer: Module): boolean =>
  (layer.constructor as typeof Module).stateless === true && ownerOf(layer, "forward") === layer;

/** True if `forward` was overridden or replaced without a matching `step`. */
export function isStepStale(layer: Stepping): boolean {
  const owner = ownerOf(layer, "forward") as object;
  return isReplaced(owner) || !isFrom(ownerOf(layer, "step") as object, owner);
}

/** The object on the prototype chain with the own property `name`, or null. */
function ownerOf(object: object, name: string): object | null {
  let owner: object | null = object;
  while (owner !== null && Object.getOwnPropertyDescriptor(owner, name) === undefined) {
    owner = Object.getPrototypeOf(owner);
  }
  return owner;
}

const isFrom = (object: object, base: object | null): boolean =>
  object === base || (base !== null && Object.prototype.isPrototypeOf.call(base, object));

/** More layers than any network has; ends the walk of a list that contains itself. */
const MOST = 2 ** 16;

/** The layers in order, from nested lists and `Sequential`s. Appends the path of each to `paths`; the path of a single layer is "". */
export function layersOf(where: string, network: unknown, paths: string[] = []): Module[] {
  const layers: Module[] = [];
  const rest: [network: unknown, path: string][] = [[network, ""]];
  for (let read = 0; rest.length > 0; read++) {
    const [next, path] = rest.pop() as [unknown, string];
    // A subclass may do more than pass the outputs of its modules on.
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
