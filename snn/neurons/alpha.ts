import { wrongValue } from "../../engine/arguments.ts";
import { peek } from "../../engine/extend.ts";
import type { Value } from "../../engine/fuse/index.ts";
import { lazyNeuron } from "../neuron/define.ts";
import { united } from "../neuron/definition.ts";
import type { Neurons } from "../neuron/neuron.ts";
import { RESET, RESET_INPUT_NEEDS } from "../neuron/reset.ts";
import { atan } from "../surrogates/known.ts";

const AlphaNeuron = lazyNeuron({
  name: "Alpha",
  state: { exc: 0, inh: 0, v: 0 },
  parameters: {
    /** α, the decay of the slow exponential per step, in [0, 1] and above β. Default 0.9. */
    alpha: 0.9,
    /** β, the decay of the fast exponential per step, in [0, 1] and above 0. Default 0.8. */
    beta: 0.8,
    /** θ, in the unit of v. Default 1. */
    threshold: 1,
  },
  constrain: { alpha: [0, 1], beta: [0, 1] },
  choices: united(RESET, {
    /**
     * State from which a reset to "subtract" subtracts θ: the membrane, or, as in snnTorch, the excitatory current; then the inhibitory current is
     * set to 0 and its previous value added to the membrane. Default "membrane".
     */
    subtractFrom: ["membrane", "excitation"],
  }),
  needs: { resetInput: RESET_INPUT_NEEDS, subtractFrom: { reset: ["subtract"], resetDelay: [true] } },
  numerics: {
    snntorch: {
      fire: "gt",
      reset: "zero",
      resetDelay: true,
      resetInput: true,
      subtractFrom: "excitation",
      surrogate: /* @__PURE__ */ atan(),
    },
  },
  step(
    { current, exc, inh, v, alpha, beta, threshold, spike, late, select },
    { reset, resetDelay, resetInput, detachReset, subtractFrom },
  ) {
    const scale = alpha.log().div(beta.log().sub(alpha.log())).add(1);
    const due = resetDelay && reset !== "none" ? late(v.sub(threshold)) : null;
    const before = due !== null && detachReset ? due.detach() : due;
    const isEmptied = before !== null && reset === "zero";
    const start = (x: Value) => (isEmptied && !resetInput ? select(before, 0, x) : x);
    const emptied = (x: Value) => (isEmptied && resetInput ? select(before, 0, x) : x);

    let e = emptied(start(exc).mul(alpha).add(current));
    let h = emptied(start(inh).mul(beta).sub(current));
    let u = scale.mul(e.add(h));
    if (before !== null && reset === "subtract") {
      if (subtractFrom === "excitation") {
        u = u.add(select(before, inh, 0));
        e = e.sub(select(before, threshold, 0));
        h = select(before, 0, h);
      } else {
        e = e.sub(select(before, threshold.div(scale), 0));
        u = scale.mul(e.add(h));
      }
    }

    const s = spike(u.sub(threshold));
    const seen = detachReset ? s.detach() : s;
    let after = u;
    if (!resetDelay && reset === "zero") {
      e = select(seen, 0, e);
      h = select(seen, 0, h);
      after = select(seen, 0, u);
    }
    if (!resetDelay && reset === "subtract") {
      e = e.sub(select(seen, threshold.div(scale), 0));
      after = u.sub(select(seen, threshold, 0));
    }
    const leaked = scale.mul(exc.mul(alpha).add(inh.mul(beta)));
    return { spikes: s, membrane: u, exc: e, inh: h, v: after, leaked };
  },
});

/**
 * Neuron whose membrane responds to each input spike with an alpha function: the difference of a slow and a fast exponential, which rises and falls.
 *
 *   e[t] = α·e[t−1] + I[t]      h[t] = β·h[t−1] − I[t]      u[t] = k·(e[t] + h[t])      k = ln α / (ln β − ln α) + 1
 *   s[t] = 1 if u[t] ≥ θ else 0      v[t] = reset of u[t]
 *
 * A reset to "zero" sets e and h to 0; "subtract" subtracts θ/k from e, and thus θ from u. With resetDelay, the next step does this if v has reached
 * θ. `numerics: "snntorch"` with "subtract" implies `subtractFrom: "excitation"`: θ is subtracted from e, h becomes 0, and h[t−1] is added to u,
 * which was computed before.
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; α, β and θ [] or [N]. α = exp(−dt/τ_slow) and β = exp(−dt/τ_fast) are dimensionless, with
 * 0 < β < α ≤ 1; defaults α = 0.9, β = 0.8, θ = 1. For α = β, k is infinite, and the layer does not keep learned α and β apart: use `constrain`. The
 * states e and h are named `exc` and `inh` and start from zeros.
 *
 * @throws RangeError unless 0 < β < α ≤ 1 when the layer is made, or as any neuron does.
 * @see Rall (1967), Distinguishing theoretical synaptic potentials computed for different soma-dendritic distributions of synaptic
 *   input, Journal of Neurophysiology 30(5); Eshraghian et al. (2023), Training Spiking Neural Networks Using Lessons From Deep
 *   Learning, Proc. IEEE 111(9).
 *
 * @example
 * ```ts
 * import { Alpha, tensor } from "jarvis-snn";
 *
 * const spike = tensor([1, 0, 0, 0, 0, 0, 0, 0], { shape: [8, 1, 1] });
 * const { membrane } = new Alpha({ alpha: 0.8, beta: 0.6, threshold: 10 }).unroll(spike);
 * console.log(`${membrane.flatten()}`);
 * // Tensor([8], [0, 0.35513, 0.49718, 0.5256, 0.49718, 0.44377, 0.38263, 0.32268])
 * console.log(membrane.flatten().argmax().item(), "steps to the peak"); // 3 steps to the peak
 * ```
 */
export class Alpha extends AlphaNeuron {
  constructor(options: ConstructorParameters<typeof AlphaNeuron>[0] = {}) {
    super(options);
    const { alpha, beta } = this;
    const wrong = firstWrong(peek(alpha), peek(beta));
    if (wrong === null) return;
    for (const t of (this as unknown as Neurons).givenParameters()) t.dispose();
    throw wrongValue("Alpha", "0 < beta < alpha ≤ 1", wrong);
  }
}

/** The first pair of decays that violates 0 < β < α ≤ 1, as text, or null. */
function firstWrong(alpha: Float32Array, beta: Float32Array): string | null {
  for (let i = 0; i < Math.max(alpha.length, beta.length); i++) {
    const [a, b] = [alpha[i % alpha.length] as number, beta[i % beta.length] as number];
    if (!(0 < b && b < a && a <= 1)) return `alpha ${a}, beta ${b}`;
  }
  return null;
}
