/** A long sequence in blocks: the whole gradient in the memory of a block. */
import { COUNT, numberOf, withDefaults, wrongType } from "../../engine/arguments.ts";
import { alive, composed, constantSource, ready } from "../../engine/extend.ts";
import { type Module, Tensor } from "../../engine/index.ts";
import { layerTap, moduleOf } from "../../engine/protocol.ts";
import { checkSequence } from "../layer/checks.ts";
import { isStepping, isStepStale } from "../layer/stepping.ts";
import { Blocks } from "./blocks.ts";
import { type NetworkLayer, networkOf } from "./network.ts";

/** Options of {@link inBlocks}. */
export interface BlockOptions {
  /** K, the number of steps of a block, a positive integer; the last block may be shorter. √T needs the least memory. */
  steps: number;
}

const DEFAULTS = { steps: Number.NaN } satisfies Record<keyof BlockOptions, unknown>;

const WHERE = "inBlocks";

/**
 * `module.forward(x)` with the memory of a block of K steps for `backward`: forward keeps x, the output and the state S before each block, and backward
 * runs one block after the other again, from the last to the first.
 *
 *   z_p, S_p = module(x_p, S_p₋₁)      ∂L/∂(x_p, S_p₋₁), ∂L/∂θ += backward of block p from ∂L/∂z_p, ∂L/∂S_p
 *
 * Shapes: x [T, B, …] → z [T, B, …]. Memory beside x and z: K·M + ⌈T/K⌉·|S|, where M is the memory that one step keeps for backward. Time:
 * a second forward.
 *
 * Spikes, losses, and gradients of x and of states have the bits of the whole run. A gradient of weights adds up from the last block to the
 * first, in an order that depends on K alone, so its roundings differ from those of the whole run; so do those of all gradients below a
 * layer that adds several steps into one sum (`Recurrent` with all connections, `DelayedLinear`, `PSN`). With K ≥ T, and while {@link
 * record} observes the module, the call is `module.forward(x)`. A layer that draws random numbers draws them block by block, so they differ
 * from those of the whole run; backward draws the same ones again.
 *
 * With K < T the module must be a layer, or layers in `Sequential`, nested or not: neurons, `Recurrent`, readouts, delays and other layers with `step(x,
 * state)` and `initialState(shape)`, and layers without a state, each with one output per time step. The `forward` of a user's layer runs again in
 * backward, so it should change nothing.
 *
 * @throws RangeError unless steps is a positive integer, for an x without a time axis, layers whose state cannot be carried from block to block, and batch
 *   statistics, which span all steps; TypeError for anything but a module, a tensor, and layers that return a tensor; Error for a module that reads
 *   outputs of ops outside of it, and in backward after x, a parameter or the mode of the module has changed.
 * @see Chen et al. (2016), Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174.
 *
 * @example
 * ```ts
 * import { inBlocks, LIF, Linear, meanOverTime, memoryStats, rand, resetPeak, Sequential, tape } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(16, 32), new LIF(), new Linear(32, 4));
 * const x = rand([2500, 2, 16]);
 * const step = (steps: number) => {
 *   resetPeak();
 *   const before = memoryStats().live;
 *   tape(() => meanOverTime(inBlocks(network, x, { steps })).square().sum().backward());
 *   return memoryStats().peak - before;
 * };
 * console.log(step(2500) > 2 * step(50)); // true
 * ```
 */
export function inBlocks(module: Module, x: Tensor, options: BlockOptions): Tensor {
  moduleOf(WHERE, module);
  checkSequence(WHERE, "x", x);
  const steps = numberOf(WHERE, "steps", withDefaults(WHERE, DEFAULTS, options).steps, COUNT);
  if (steps >= (x.sizes[0] as number) || layerTap !== null) return checked(module.forward(x));
  const layers = networkOf(WHERE, module);
  for (const layer of layers) checkLayer(layer);
  // Bits remain bits, and a step that repeats remains one step.
  if (constantSource(x) === null) ready(WHERE, x, true);
  return composed(run, layers, x, steps);
}

const run = (layers: readonly NetworkLayer[], x: Tensor, steps: number): Tensor =>
  new Blocks(layers, x, steps).forward();

function checked(z: Tensor): Tensor {
  if (!(z instanceof Tensor)) throw wrongType(WHERE, "a module that returns a tensor", z);
  alive(z, WHERE);
  return z;
}

/** Throws for a layer whose values in blocks differ from those over the whole sequence. */
function checkLayer({ module, name }: NetworkLayer): void {
  if (isStepping(module) && isStepStale(module)) {
    throw new RangeError(
      `${WHERE}: expected a step(x, state) that goes with forward, got ${name} with another forward; give it a step of its own`,
    );
  }
  for (const [path, inner] of module.namedModules()) {
    if (inner.mixesSteps === undefined || !(inner.training || inner.mixesSteps())) continue;
    throw new RangeError(
      `${WHERE}: expected layers that compute each step by itself, got ${path === "" ? name : `${name} with "${path}"`}, whose batch ` +
        "statistics span all steps; module.eval(), or a LayerNorm?",
    );
  }
}
