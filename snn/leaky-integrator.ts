import {
  alive,
  apply,
  checkShape,
  composed,
  constantSource,
  gradOf,
  k,
  type Op,
  passGradient,
  recycle,
  SAVES_B,
  SAVES_C,
  SAVES_OUTPUT,
  type Shape,
  scope,
  withDefaults,
} from "../engine/extend.ts";
import { full, Module, type Tensor } from "../engine/index.ts";
import { checkSequence, checkState } from "./checks.ts";
import { clamped, DECAY, type DecayOptions, decayTensor } from "./decay.ts";
import { itself, lazy } from "./lazy.ts";
import { checkPerNeuron, passToParameter, zeroBuffer } from "./per-neuron.ts";

/** A current [T, rows, n], or one that is the same in all T steps, [rows, n]. */
interface Integration {
  readonly shape: Shape;
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly constant: boolean;
}

/** v[t] = β·v[t−1] + I[t]. Inputs: I, β, v[−1] or none. */
const integrateOp: Op<Integration> = {
  name: "LeakyIntegrator",
  saves: SAVES_B | SAVES_C | SAVES_OUTPUT,
  forward(z, current, beta, v0, { T, rows, n, constant }) {
    const initial = v0 === null ? 0 : v0.ptr;
    k.leakyForward(z.ptr, current.ptr, initial, beta.ptr, T, rows, n, constant ? 0 : rows * n, beta.size === 1 ? 0 : 1);
  },
  backward(z, current, beta, v0, { T, rows, n, constant }) {
    const size = rows * n;
    const carry = zeroBuffer(size);
    const dBeta = beta.requiresGrad ? zeroBuffer(size) : 0;
    const initial = v0 === null ? 0 : v0.ptr;
    const dv0 = v0 === null ? 0 : gradOf(v0);
    const total = constant ? gradOf(current) : 0;
    const step = beta.size === 1 ? 0 : 1;
    k.leakyBackward(z.gradPtr, z.ptr, initial, beta.ptr, carry, total, dBeta, dv0, T, rows, n, step);
    passToParameter(beta, dBeta, rows, n);
    recycle(carry, 4 * size, scope.region);
    if (!constant) passGradient(z, current);
  },
};

/** v [T, B, …] from a current of that shape. */
export function integrate(current: Tensor, beta: Tensor | number, v0: Tensor | null = null): Tensor {
  return composed(integrated, current, beta, v0);
}

function integrated(current: Tensor, beta: Tensor | number, v0: Tensor | null): Tensor {
  checkSequence("LeakyIntegrator", "a current", current);
  const b = typeof beta === "number" ? full([], beta) : beta;
  checkPerNeuron("LeakyIntegrator", "beta", b, current.sizes);
  const T = current.sizes[0] as number;
  const size = current.size / T;
  const n = b.size === 1 ? size : b.size;
  const source = constantSource(current);
  const constant = source !== null && source.size === size;
  const attrs = { shape: current.sizes, T, rows: size / n, n, constant };
  return apply(integrateOp, attrs, constant ? source : current, b, v0 as Tensor);
}

/** Integration with a β that was learned, stored raw, or fixed. */
function decayed(beta: Tensor, current: Tensor, v0: Tensor | null): Tensor {
  return integrate(current, clamped(beta), v0);
}

function stepped(beta: Tensor, current: Tensor, v0: Tensor): Tensor {
  alive(current, "LeakyIntegrator");
  checkState("LeakyIntegrator", "v", v0, current.sizes);
  return decayed(beta, current.unsqueeze(0), v0).reshape(current.sizes);
}

/** Options of {@link LeakyIntegrator}. */
export interface LeakyIntegratorOptions extends DecayOptions {
  /** Learns beta: stored raw, clamped to [0, 1] in the forward pass, zero gradient outside. Default false. */
  learnBeta?: boolean;
}

/** What {@link LeakyIntegrator.unroll} gives. */
export interface LeakyIntegratorRecord {
  /** v, [T, B, …]. */
  readonly membrane: Tensor;
  /** The state after the last step, [B, …]. */
  readonly state: Tensor;
}

/**
 * Leaky integration without spikes, the readout of a spiking network.
 *
 *   v[t] = β·v[t−1] + I[t]
 *
 * Shapes: current [T, B, …] → membrane [T, B, …]. Starts from v = 0. Default β = 0.95, per step.
 *
 * @throws RangeError if a fixed β lies outside [0, 1] (a learned one is clamped instead) or is not finite, for tau or dt
 *   that is not finite and > 0, both beta and tau, or an unknown decay; TypeError for an option of another name or kind.
 * @see Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep Learning, Proc. IEEE 111(9).
 */
export class LeakyIntegrator extends Module {
  /** β, [] or [N]; a parameter if it is learned, raw then. */
  readonly beta: Tensor;

  constructor(options: LeakyIntegratorOptions = {}) {
    super();
    this.beta = decayTensor("LeakyIntegrator", withDefaults("LeakyIntegrator", DECAY, options));
  }

  /**
   * The membrane [T, B, …] of a current [T, B, …], from v = 0.
   *
   * @throws RangeError unless the current has a time axis and fits the neurons of beta.
   */
  forward(current: Tensor): Tensor {
    return composed(decayed, this.beta, current, null);
  }

  /**
   * The membrane [T, B, …] from a given state [B, …] on, by default 0, and the state after the last step.
   *
   * @throws RangeError as `forward`, or unless the state has the shape of one step.
   */
  unroll(current: Tensor, state?: Tensor): LeakyIntegratorRecord {
    checkSequence("LeakyIntegrator", "a current", current);
    if (state !== undefined) checkState("LeakyIntegrator", "v", state, current.sizes.slice(1));
    const membrane = composed(decayed, this.beta, current, state ?? null);
    const last = lazy(membrane, () => membrane.select(0, -1), itself);
    return {
      membrane,
      get state() {
        return last();
      },
    };
  }

  /**
   * One time step: current [B, …] → the membrane [B, …], which is also the next state; the same bits as `forward`.
   *
   * @throws RangeError as `unroll`.
   */
  step(current: Tensor, state: Tensor): [membrane: Tensor, state: Tensor] {
    const membrane = composed(stepped, this.beta, current, state);
    return [membrane, membrane];
  }

  /**
   * The zero state for currents of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: readonly number[]): Tensor {
    return full(checkShape("LeakyIntegrator", shape), 0);
  }
}
