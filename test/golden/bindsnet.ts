/**
 * BindsNET's LIF, adaptive and Diehl and Cook nodes in terms of this package.
 *
 * Two parts of its nodes lie between steps: theta is one value for all samples of a batch, which grows with the spikes of all of
 * them, and a floor under adaptive membranes. Both take the state that a step gives, before the next step gets it.
 */
import { AdaptiveLIF, add, full, LIF, maximum, mul, sub, sum, type Tensor, zeros } from "jarvis-snn";

/** Options of nodes by BindsNET's names. */
export interface NodeOptions {
  readonly rest: number;
  readonly reset: number;
  readonly thresh: number;
  /** In ms, as the time constants. */
  readonly refrac: number;
  readonly tc_decay: number;
  readonly lbound: number | null;
  readonly theta_plus?: number;
  readonly tc_theta_decay?: number;
  readonly one_spike?: boolean;
  readonly dt: number;
  readonly learning: boolean;
}

export type State = Readonly<Record<string, Tensor>>;

/** A layer that steps through a state. */
export interface Layer {
  step(current: Tensor, state: object): [Tensor, object];
}

/** Steps until a refractory count is no longer positive, which the peer lowers by dt in float32; 0.3 lasts four steps of 0.1. */
export function stepsOf(count: number, dt: number): number {
  let steps = 0;
  for (let left = Math.fround(count); left > 0; left = Math.fround(left - Math.fround(dt))) steps++;
  return steps;
}

export const decayOf = (dt: number, tau: number): number => Math.exp(-dt / tau);

/** Nodes of a class: adaptive ones, or LIF where nothing adapts, also since nothing learns. */
export class Nodes {
  private readonly layer: Layer;
  /** The decay of theta, null where nothing adapts. */
  private readonly rho: number | null;
  private readonly options: NodeOptions;

  constructor(name: string, options: NodeOptions) {
    const { rest, reset, thresh, refrac, tc_decay, lbound, theta_plus = 0, tc_theta_decay = 1, dt, learning } = options;
    const { one_spike = false } = options;
    const isAdaptive = name === "AdaptiveLIFNodes" || name === "DiehlAndCookNodes";
    if (!isAdaptive && name !== "LIFNodes") throw new Error(`no nodes for ${name}`);
    const common = {
      numerics: "bindsnet",
      beta: decayOf(dt, tc_decay),
      rest,
      resetValue: reset,
      threshold: thresh,
      refractorySteps: stepsOf(refrac, dt),
      // All that cross are reset and refractory, one of them is heard; the largest, where the peer draws.
      inhibition: one_spike && "output",
    } as const;
    const rho = decayOf(dt, tc_theta_decay);
    this.options = options;
    this.rho = isAdaptive && learning ? rho : null;
    const bound = lbound === null ? {} : { lowerBound: lbound };
    this.layer =
      this.rho === null ? new LIF({ ...common, ...bound }) : new AdaptiveLIF({ ...common, rho, kappa: theta_plus });
  }

  /** At rest, with this a = theta / theta_plus. */
  start(shape: readonly number[], a = zeros(shape)): State {
    return { v: full(shape, this.options.rest), refractory: zeros(shape), a };
  }

  step(current: Tensor, before: State): [Tensor, State] {
    const [s, next] = this.layer.step(current, before);
    const state = { ...before, ...(next as State) };
    if (this.rho === null) return [s, state];
    const left = mul(before.a as Tensor, this.rho);
    // Each sample's a grew by its own spikes, also by those that are not heard.
    const a = add(left, sum(sub(state.a as Tensor, left), { axis: 0, keepdim: true }));
    const { lbound } = this.options;
    const v = lbound === null ? (state.v as Tensor) : maximum(state.v as Tensor, full([], lbound));
    return [s, { ...state, a, v }];
  }

  /** One theta for all samples. */
  theta({ a }: State): Tensor {
    return mul((a as Tensor).slice(0, 0, 1).squeeze(0), this.options.theta_plus ?? 0);
  }
}
