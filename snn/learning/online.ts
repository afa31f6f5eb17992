/** Base class of rules that compute the gradient of each time step within the step. */
import { functionOf, wrongType, wrongValue } from "../../engine/arguments.ts";
import { alive } from "../../engine/extend.ts";
import { type Module, noGrad, type Tensor, tape } from "../../engine/index.ts";
import { formatShape } from "../../engine/shape.ts";
import { isStepping } from "../layer/stepping.ts";
import type { LayerState, NetworkLayer, NetworkState, Passed } from "./network.ts";
import { layerStart, layerStates, lossOf, networkOf, ownState, passedWhole, tensorsOfState } from "./network.ts";

/** Loss of one time step, one number, for the output [B, …] and the target of `step`. */
export type StepLoss<Target> = (output: Tensor, target: Target) => Tensor;

/** Result of a time step of an online rule. */
export interface OnlineStep {
  /** Output of the network, [B, …]; not part of the state. */
  readonly output: Tensor;
  /** The state after the step. */
  readonly state: NetworkState;
}

/** A rule that adds the gradient of each time step to `grad` within the step, and keeps only the state of the step. */
export abstract class OnlineRule<Target> {
  /** The network that learns. */
  readonly model: Module;
  protected readonly layers: readonly NetworkLayer[];
  private readonly loss: StepLoss<Target>;
  /** Name of the rule in errors. */
  protected readonly where: string;

  constructor(where: string, model: Module, loss: StepLoss<Target> | undefined) {
    this.layers = networkOf(where, model);
    this.loss = functionOf(where, "loss", loss) as StepLoss<Target>;
    this.model = model;
    this.where = where;
  }

  /**
   * One time step: the input x [B, …] → the output [B, …] and the next state. Adds the gradient of this step's loss to `grad` of the parameters; with
   * target null, the step has no loss and `grad` does not change. Without a state, a new sequence starts.
   *
   * The given state does not change. Output and state belong to the caller, as after `lif.step`; {@link disposeState} frees them.
   *
   * @throws TypeError for an x or a loss that is not a tensor, an undefined target, or anything but a state; RangeError for a loss of more than one
   *   number, a state of a different model or batch size, and errors of the layers and the loss, for example for a target of the wrong shape. After
   *   an error `grad` is as before.
   */
  step(x: Tensor, target: Target | null, state?: NetworkState): OnlineStep {
    const { where } = this;
    alive(x, where);
    if (x.ndim === 0) throw wrongValue(where, "an input [B, …]", formatShape(x.sizes));
    if (target === undefined) throw wrongType(where, "a target, or null in a step without a loss", target);
    const before = layerStates(where, this.layers, state);
    if (target === null) return noGrad(() => this.advance(x, before));
    return tape(() => {
      const next = this.advance(x, before);
      lossOf(where, this.loss(next.output, target)).backward();
      return next;
    });
  }

  private advance(x: Tensor, before: readonly (LayerState | undefined)[]): OnlineStep {
    let z = x;
    const states = this.layers.map((layer) => {
      const [output, state] = this.passed(layer, z, before[layer.index]);
      z = output;
      return state;
    });
    return { output: z === x ? z.clone() : z, state: ownState(states, [x, z, ...tensorsOfState(before)]) };
  }

  /** Runs a time step of a layer from its state, undefined at the start; layers without steps process a sequence of one. */
  protected passed(layer: NetworkLayer, x: Tensor, state: LayerState | undefined): Passed {
    const { module } = layer;
    if (isStepping(module)) {
      const [z, next] = module.step(x, layerStart(layer, x.sizes, state) as never);
      alive(z, this.where);
      return [z, next as LayerState];
    }
    const [z, next] = passedWhole(layer, x.unsqueeze(0), state);
    return [z.squeeze(0), next];
  }
}
