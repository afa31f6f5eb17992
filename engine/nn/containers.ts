/** Modules made of modules, and `Flatten`, which connects convolutions to linear layers. */
import { INTEGER, numberOf } from "../arguments.ts";
import { composed } from "../core/tape.ts";
import type { Tensor } from "../core/tensor.ts";
import { flatten } from "../ops/view.ts";
import { locate, Module, moduleOf, traitsOf } from "./module.ts";

/**
 * Runs modules in sequence; parameters are named by position: `0.weight`.
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
  /** The modules in order. */
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
   * @throws errors of the modules; the message begins with position and class of the module: `at 0 (Linear): `.
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
        // Nothing else reads the output of a pure layer, so the next layer may overwrite it, unless it is a view.
        isAlone = module.isPure && z.base === null;
      }
    } catch (error) {
      throw locate(error, `${i}`, modules[i] as Module);
    }
    return z;
  }
}

const OF_SEQUENTIAL = traitsOf(Sequential, "written");

/**
 * Joins the axes startAxis … endAxis, by default all but the first: [B, ...] → [B, n]; see {@link flatten}. For [T, B,
 * ...], set startAxis to 2.
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
  /** First axis to join; default 1. */
  readonly startAxis: number;
  /** Last axis to join; default −1. */
  readonly endAxis: number;

  constructor(startAxis = 1, endAxis = -1) {
    super(OF_FLATTEN);
    this.startAxis = numberOf("Flatten", "startAxis", startAxis, INTEGER);
    this.endAxis = numberOf("Flatten", "endAxis", endAxis, INTEGER);
  }

  /**
   * Joins these axes of x; the result is a view of x.
   *
   * @throws RangeError unless x has these axes, in this order.
   */
  forward(x: Tensor): Tensor {
    return flatten(x, this.startAxis, this.endAxis);
  }
}

const OF_FLATTEN = traitsOf(Flatten, "pure");
