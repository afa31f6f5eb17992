/** The op `spike`: a step function with a surrogate derivative, for neurons made of tensor ops. */
import { withDefaults } from "../../engine/arguments.ts";
import { alive, composed, k, type Op, rare, recycle } from "../../engine/extend.ts";
import type { Tensor } from "../../engine/index.ts";
import { allocateInScope, applyOp, gradientAt, SAVES } from "../../engine/unchecked.ts";
import { type Fire, IN_FLOAT32, strictOf } from "../layer/checks.ts";
import { checkValue } from "../layer/per-neuron.ts";
import { sigmoid } from "./known.ts";
import { checkSurrogate, language, type Surrogate } from "./surrogate.ts";

interface Spike {
  readonly surrogate: Surrogate;
  readonly strict: number;
}

/** z = fire(x) for x = u − θ.  ∂L/∂x = ∂L/∂z · surrogate′(x). */
const spikeOp: Op<Spike> = {
  name: "spike",
  saves: SAVES.a,
  forward: (z, x, _y, _w, { strict }) => k.spike(z.ptr, x.ptr, z.size, strict),
  backward(z, x, _y, _w, { surrogate }) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    const { kind, slope } = surrogate;
    const bytes = 4 * z.size;
    const d = allocateInScope(bytes);
    const zero = allocateInScope(4);
    k.fill(zero, 1, 0);
    rare().surrogate(d, x.ptr, zero, 0, z.size, kind, slope);
    k.mulGrad(dx, z.gradPtr, d, z.size);
    recycle(zero, 4);
    recycle(d, bytes);
  },
};

/** Options of {@link spike}. */
export interface SpikeOptions {
  /** θ, broadcast against v; default 1. */
  threshold?: number | Tensor;
  /** Surrogate derivative of the spike; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /** Fires at v ≥ θ ("ge", the default) or v > θ ("gt"). */
  fire?: Fire;
}

const DEFAULTS = {
  threshold: undefined as number | Tensor | undefined,
  surrogate: undefined as Surrogate | undefined,
  fire: "ge" as Fire,
} satisfies Record<keyof SpikeOptions, unknown>;

let made: Surrogate | null = null;

/** The default surrogate, created on first use. */
function usual(): Surrogate {
  made ??= sigmoid();
  return made;
}

/**
 * s = 1 if v reaches the threshold, else 0: the elementary op for neurons written with tensor ops.
 *
 *   s = 1 if v ≥ θ else 0     ∂L/∂v = ∂L/∂s ⊙ surrogate′(v − θ)
 *
 * Shapes: v [...], θ [...] → s, in their broadcast shape. θ gets the gradient −∂L/∂v.
 *
 * @throws RangeError if threshold and v do not broadcast, for a threshold that is not finite or beyond float32, or a `fire` other than "ge" and "gt";
 *   TypeError for an unknown option or a value of the wrong type.
 * @see Neftci, Mostafa and Zenke (2019), Surrogate Gradient Learning in Spiking Neural Networks, IEEE Signal Processing
 *   Magazine 36(6).
 *
 * @example
 * ```ts
 * import { spike, surrogate, tape, tensor } from "jarvis-snn";
 *
 * const v = tensor([0.5, 1, 1.25], { requiresGrad: true });
 * tape(() => spike(v, { threshold: 1, surrogate: surrogate.triangular() }).sum().backward());
 * console.log(spike(v).toArray(), v.grad?.toArray()); // [ 0, 1, 1 ] [ 0.5, 1, 0.75 ]
 * ```
 */
export function spike(v: Tensor, options?: SpikeOptions): Tensor {
  const given = options === undefined ? DEFAULTS : withDefaults("spike", DEFAULTS, options);
  const { threshold = 1, surrogate = usual(), fire } = given;
  const strict = strictOf("spike", fire);
  checkSurrogate("spike", surrogate);
  checkValue("spike", "threshold", threshold, IN_FLOAT32);
  alive(v, "spike");
  return composed(fired, v, threshold, { surrogate, strict });
}

function fired(v: Tensor, threshold: number | Tensor, attrs: Spike): Tensor {
  const { surrogate, strict } = attrs;
  const x = v.sub(threshold);
  if (surrogate.kind >= 0) return applyOp(spikeOp, attrs, x);
  return language.spike(x, surrogate.derivative, strict === 1) as Tensor;
}
