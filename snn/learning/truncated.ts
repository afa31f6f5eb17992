/** Truncated backpropagation through time: memory for one piece of a sequence; gradients stop at its start. */
import { COUNT, functionOf, numberOf, withDefaults } from "../../engine/arguments.ts";
import { type Module, type Tensor, tape } from "../../engine/index.ts";
import { moduleOf } from "../../engine/protocol.ts";
import { checkSequence } from "../layer/checks.ts";
import { disposeState, lossOf, type NetworkLayer, type NetworkState, networkOf } from "./network.ts";
import { forwardFrom } from "./pieces.ts";

/** Options of {@link truncatedBackward}. */
export interface TruncatedOptions {
  /** K, the number of steps of a piece, a positive integer; the last piece may be shorter. With K ≥ T there is one piece. */
  steps: number;
}

const DEFAULTS = { steps: Number.NaN } satisfies Record<keyof TruncatedOptions, unknown>;

/**
 * Loss of a piece, one number, for the output [to − from, B, …] of the time steps from … to − 1; null for steps without a loss.
 */
export type PieceLoss = (output: Tensor, from: number, to: number) => Tensor | null;

const WHERE = "truncatedBackward";

/**
 * Truncated backpropagation through time in pieces of K steps: runs each piece forward and backward, and starts the next from its final state, as a
 * constant. Gradients accumulate in `grad` of the parameters. Returns the sum of the losses.
 *
 *   L = Σ_p loss(output[p·K … p·K + K − 1])      ∂L/∂θ ≈ Σ_p ∂loss_p/∂θ with the state before piece p fixed
 *
 * Shapes: x [T, B, …]; `loss(output, from, to)` is called once for each piece, in order, with the output [to − from, B, …] of the steps from … to −
 * 1. For a mean over all steps, divide the sum over the piece by T, as in the example.
 *
 * With K ≥ T the call is `loss(model.forward(x), 0, T).backward()`, bit for bit, for any module. With more pieces, the model must be a layer, or
 * layers in `Sequential`, nested or not: neurons, `Recurrent`, readouts, delays and other layers with `step(x, state)` and `initialState(shape)`, and
 * layers without a state, each with one output per time step. Batch statistics are computed within a piece; a `Dropout` whose mask is shared over
 * time keeps its mask. Memory use is that of one piece, for any T.
 *
 * @throws RangeError unless steps is a positive integer, for an x without a time axis, a loss of more than one number, and for layers whose state
 *   cannot be carried from piece to piece: modules whose `forward` hides a state, `PSN` of a kind that needs the whole sequence, layers that join
 *   time steps; TypeError for a model that is not a module, an x that is not a tensor or a loss that is not a function; Error for an x that was
 *   recorded before, which the first piece would consume. If the loss throws in a later piece, the gradients of the earlier pieces remain.
 * @see Williams and Peng (1990), An Efficient Gradient-Based Algorithm for On-Line Training of Recurrent Network Trajectories, Neural
 *   Computation 2(4).
 *
 * @example
 * ```ts
 * import { LIF, Linear, rand, Sequential, type Tensor, truncatedBackward } from "jarvis-snn";
 *
 * const network = new Sequential(new Linear(4, 8), new LIF(), new Linear(8, 1));
 * const [x, target] = [rand([100, 2, 4]), rand([100, 2, 1])];
 * const error = (z: Tensor, from: number, to: number) => z.sub(target.slice(0, from, to)).square().sum();
 * // The mean over all steps and samples, in pieces of 20 steps.
 * const loss = truncatedBackward(network, x, (...piece) => error(...piece).div(200), { steps: 20 });
 * console.log(loss > 0, network.parameters()[0]?.grad?.shape); // true [ 8, 4 ]
 * ```
 */
export function truncatedBackward(model: Module, x: Tensor, loss: PieceLoss, options: TruncatedOptions): number {
  moduleOf(WHERE, model);
  checkSequence(WHERE, "x", x);
  functionOf(WHERE, "loss", loss);
  const steps = numberOf(WHERE, "steps", withDefaults(WHERE, DEFAULTS, options).steps, COUNT);
  const T = x.sizes[0] as number;
  if (steps >= T) return tape(() => learned(loss, model.forward(x), 0, T));
  if (x.requiresGrad && x.op !== null) {
    throw new Error(
      `${WHERE}: expected x as a leaf or a constant, got one that was recorded, which the backward of the first of ` +
        `${Math.ceil(T / steps)} pieces would consume; x.detach()?`,
    );
  }
  return inPieces(networkOf(WHERE, model), x, loss, steps);
}

function inPieces(layers: readonly NetworkLayer[], x: Tensor, loss: PieceLoss, steps: number): number {
  const T = x.sizes[0] as number;
  let sum = 0;
  let state: NetworkState | undefined;
  try {
    for (let from = 0; from < T; from += steps) {
      const to = Math.min(from + steps, T);
      const before: NetworkState | undefined = state;
      const piece = tape(() => {
        const [output, next] = forwardFrom(layers, x.slice(0, from, to), before);
        return { loss: learned(loss, output, from, to), next };
      });
      disposeState(before);
      state = piece.next;
      sum += piece.loss;
    }
  } finally {
    disposeState(state);
  }
  return sum;
}

/** Runs backward from the loss of a piece and returns its value. */
function learned(loss: PieceLoss, output: Tensor, from: number, to: number): number {
  const result = loss(output, from, to);
  if (result === null) return 0;
  const value = lossOf(WHERE, result);
  value.backward();
  return value.item();
}
