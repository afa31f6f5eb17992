/** Gradients of one time step: what the rules of this kind have in common. */
import { functionOf, wrongType } from "../../engine/arguments.ts";
import { type Module, noGrad, type Tensor, tape } from "../../engine/index.ts";
import { formatShape } from "../../engine/shape.ts";
import { alive } from "../../engine/tensor.ts";
import { isStepping } from "../layers.ts";
import {
  forwardOf,
  type Layer,
  type LayerState,
  lossOf,
  mapped,
  maskOf,
  type NetworkState,
  networkOf,
  sharesTime,
  startOf,
  statesOf,
  tensorsOf,
} from "./network.ts";

/** The loss of one time step: the output [B, …] and the target that `step` was given, to one number. */
export type StepLoss<Target> = (output: Tensor, target: Target) => Tensor;

/** What a time step of an online rule gives. */
export interface OnlineStep {
  /** The output of the network, [B, …]; a tensor of its own, no part of the state. */
  readonly output: Tensor;
  /** The state after the step. */
  readonly state: NetworkState;
}

/** The output of a layer and its next state. */
export type Passed = readonly [z: Tensor, state: LayerState];

/** A rule that adds the gradient of each time step to `grad` within the step, so that nothing of it is kept for later. */
export abstract class OnlineRule<Target> {
  /** The network that learns. */
  readonly model: Module;
  protected readonly layers: readonly Layer[];
  private readonly loss: StepLoss<Target>;

  constructor(where: string, model: Module, loss: StepLoss<Target> | undefined) {
    this.layers = networkOf(where, model);
    this.loss = functionOf(where, "loss", loss) as StepLoss<Target>;
    this.model = model;
  }

  /** The name of the rule in errors. */
  protected abstract get where(): string;

  /**
   * One time step: the input x [B, …] → the output [B, …] and the next state. The gradient of the loss of this step is added to `grad` of
   * the parameters; with target null the step has no loss, and `grad` stays as it is. Without a state the sequence starts.
   *
   * The state is a value: the given one stays as it is. It belongs to whoever calls, as that of `lif.step`; `disposeState` frees it.
   *
   * @throws TypeError for an x or a loss that is no tensor, a target that is undefined, or what is no state; RangeError for a loss of
   *   more than one number, a state of another model or batch, and what the layers and the loss throw, for a target of the wrong shape
   *   for instance. `grad` is as before then.
   */
  step(x: Tensor, target: Target | null, state?: NetworkState): OnlineStep {
    const { where, layers } = this;
    alive(x, where);
    if (x.ndim === 0) throw new RangeError(`${where}: expected an input [B, …], got ${formatShape(x.sizes)}`);
    if (target === undefined) throw wrongType(where, "a target, or null in a step without a loss", target);
    const before = statesOf(where, layers, state);
    const isNew = state === undefined;
    if (target === null) return noGrad(() => this.advance(x, before, isNew));
    return tape(() => {
      const next = this.advance(x, before, isNew);
      lossOf(where, this.loss(next.output, target)).backward();
      return next;
    });
  }

  private advance(x: Tensor, before: readonly LayerState[], isNew: boolean): OnlineStep {
    let z = x;
    const states = this.layers.map((layer, i) => {
      const [output, state] = this.passed(layer, i, z, before[i] ?? null, isNew);
      z = output;
      return state;
    });
    // Whoever frees a state, or the output, frees nothing of what else there is.
    const known = new Set([x, z, ...before.flatMap(tensorsOf)]);
    const layers = states.map((state) => mapped(state, (t) => (known.has(t) ? t.clone() : t)));
    return { output: z === x ? z.clone() : z, state: { layers } };
  }

  /** A time step of a layer, which computes as in a sequence of one step. */
  protected passed(layer: Layer, _index: number, x: Tensor, state: LayerState, isNew: boolean): Passed {
    const { where } = this;
    const { module } = layer;
    if (isStepping(module)) {
      const [z, next] = module.step(x, startOf(where, layer, module, x.sizes, state, isNew) as never);
      alive(z, where);
      return [z, next as LayerState];
    }
    if (sharesTime(module, x.ndim + 1)) {
      const mask = maskOf(where, layer, x.sizes, state);
      return [mask === null ? x : x.mul(mask.squeeze(0)), mask === null ? state : { mask }];
    }
    const z = forwardOf(where, layer, x.unsqueeze(0));
    return [z.reshape(z.sizes.slice(1)), null];
  }
}
