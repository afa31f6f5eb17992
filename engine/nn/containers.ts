/** Modules made of modules, and `Flatten`, which stands between convolutions and linear layers. */
import { INTEGER, numberOf } from "../arguments.ts";
import { composed } from "../composed.ts";
import { flatten } from "../ops/view.ts";
import type { Tensor } from "../tensor.ts";
import { locate, Module, moduleOf, traitsOf } from "./module.ts";

/**
 * Modules one after the other; parameters are named by position: `0.weight`.
 *
 * @throws TypeError for anything but modules.
 *
 * @example
 * ```ts
 * import { LIF, Linear, rand, Sequential } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(784, 100), new LIF(), new Linear(100, 10), new LIF());
 * console.log(network.forward(rand([25, 4, 784])).shape); // [ 25, 4, 10 ]
 * console.log(network.namedParameters().map(([name]) => name)); // [ '0.weight', '0.bias', '2.weight', '2.bias' ]
 * ```
 */
export class Sequential extends Module {
  /** The modules in their order. */
  readonly modules: readonly Module[];

  constructor(...modules: Module[]) {
    super(OF_SEQUENTIAL);
    this.modules = modules.map((module, i) => moduleOf(`Sequential: at ${i}`, module));
  }

  protected override fields(): Iterable<[string, unknown]> {
    const modules = this.modules.map((module, i): [string, unknown] => [String(i), module]);
    return Object.entries(this).flatMap((field) => (field[1] === this.modules ? modules : [field]));
  }

  /**
   * Passes x through all modules in order and returns the last output; without modules, x.
   *
   * @throws errors of the modules; the message of an error begins with the place and the class of the module: `at 0
   *   (Linear): `.
   */
  forward(x: Tensor): Tensor {
    return composed(Sequential.run, this.modules, x);
  }

  private static run(modules: readonly Module[], x: Tensor): Tensor {
    let z = x;
    let isAlone = false;
    let i = 0;
    try {
      for (; i < modules.length; i++) {
        const module = modules[i] as Module;
        z = isAlone && module.forwardOver !== undefined ? module.forwardOver(z) : module.forward(z);
        // The output of a pure layer has no other reader, so the next layer may overwrite it; a view may not be
        // overwritten.
        isAlone = module.isPure && z.base === null;
      }
    } catch (error) {
      throw locate(error, `${i}`, modules[i] as Module);
    }
    return z;
  }
}

const OF_SEQUENTIAL = /* @__PURE__ */ traitsOf(Sequential, "written");

/**
 * Axes startAxis … endAxis as one, by default all but the first, see {@link flatten}: [B, ...] → [B, n]. With time in front,
 * [T, B, ...], startAxis is 2.
 *
 * @throws RangeError unless both are integers, TypeError for anything but a number.
 *
 * @example
 * ```ts
 * import { Flatten, zeros } from "jarvis-snn";
 *
 * const maps = zeros([25, 4, 8, 5, 5]); // [T, B, C, H, W]
 * console.log(new Flatten(2).forward(maps).shape); // [ 25, 4, 200 ]
 * ```
 */
export class Flatten extends Module {
  /** The first of the axes that become one; default 1. */
  readonly startAxis: number;
  /** The last of them; default −1. */
  readonly endAxis: number;

  constructor(startAxis = 1, endAxis = -1) {
    super(OF_FLATTEN);
    this.startAxis = numberOf("Flatten", "startAxis", startAxis, INTEGER);
    this.endAxis = numberOf("Flatten", "endAxis", endAxis, INTEGER);
  }

  /**
   * x with these axes as one; looks into x.
   *
   * @throws RangeError unless x has these axes, in this order.
   */
  forward(x: Tensor): Tensor {
    return flatten(x, this.startAxis, this.endAxis);
  }
}

const OF_FLATTEN = /* @__PURE__ */ traitsOf(Flatten, "pure");
