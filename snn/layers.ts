/** The layers of a network that runs one time step after the other: their list, and which of them have steps of their own. */
import { wrongType } from "../engine/arguments.ts";
import { Module, Sequential, type Tensor } from "../engine/index.ts";
import { forwardOf } from "../engine/nn/module.ts";
import type { Shape } from "../engine/shape.ts";

/** A layer with a step of its own, as neurons have it. */
export interface Stepping extends Module {
  step(x: Tensor, state: never): readonly [output: Tensor, state: unknown];
  initialState(shape: Shape): unknown;
}

export function isStepping(layer: Module): layer is Stepping {
  const { step, initialState } = layer as Module & { step?: unknown; initialState?: unknown };
  return typeof step === "function" && typeof initialState === "function";
}

/** More layers than any network has; a list that holds itself has no end. */
const MOST = 2 ** 16;

/** The layers in their order, out of lists and out of `Sequential`. `paths` gets the path to each, "" to a layer alone. */
export function layersOf(where: string, network: unknown, paths: string[] = []): Module[] {
  const layers: Module[] = [];
  const rest: [network: unknown, path: string][] = [[network, ""]];
  for (let read = 0; rest.length > 0; read++) {
    const [next, path] = rest.pop() as [unknown, string];
    // A subclass may do more with its modules than to pass their outputs on.
    const list = next instanceof Sequential && next.forward === ofSequential ? next.modules : next;
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

const ofSequential = /* @__PURE__ */ forwardOf(Sequential);
