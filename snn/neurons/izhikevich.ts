import { lazyNeuron } from "../neuron/define.ts";
import { sigmoid, superSpike } from "../surrogates/known.ts";

/**
 * Izhikevich's neuron: a quadratic membrane with a recovery variable, which can produce twenty firing patterns.
 *
 *   h[t] = v + dt·(0.04·v² + 5·v + 140 − u + I[t])      s[t] = 1 if h[t] ≥ θ else 0      v[t] = c at a spike, else h[t]
 *   u[t] = u + dt·a·(b·(h[t] − recoveryRest) − recoveryLeak·u) + d·s[t]
 *
 * v and u without an index are v[t−1] and u[t−1].
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; parameters [] or [N]. v is in mV and time in ms. Defaults: a regular spiking cell,
 * a = 0.02, b = 0.2, c = −65, d = 8, dt = 0.5, θ = 30, `square` 0.04, `linear` 5, `bias` 140, `recoveryRest` 0, `recoveryLeak` 1;
 * v starts at v0 = −65 and u at b·v0, or with `start: "c"` v at c and u at 0. The output `membrane` is h.
 *
 * With `update: "simultaneous"` the equation of u uses the old v, as in Norse; Izhikevich's programs use the new one ("sequential"). `detachReset`
 * (the default) means no gradient through the reset. {@link izhikevichPattern} has the options of the twenty patterns of 2004. `numerics: "norse"` is
 * Norse's `IzhikevichCell` at a quarter of a millisecond; "spikingjelly" is `IzhikevichNode` with its own constants, in which `a` is dt/τ_w. With
 * `detach_reset`, SpikingJelly still has gradients of v_reset and b in the reset; here there are none.
 *
 * Without a reset, v² grows to ∞: keep θ finite, and currents small with `spiking: false`.
 *
 * @throws RangeError for an option that has no effect with the others, or as every class of {@link neuron} does.
 * @see Izhikevich (2003), Simple model of spiking neurons, IEEE Transactions on Neural Networks 14(6).
 *
 * @example
 * ```ts
 * import { full, Izhikevich } from "jarvis-snn";
 *
 * const current = full([1000, 1, 1], 10); // 500 ms
 * const regular = new Izhikevich();
 * const fast = new Izhikevich({ a: 0.1, d: 2 });
 * console.log(regular.forward(current).sum().item(), fast.forward(current).sum().item()); // 12 46
 * ```
 */
export const Izhikevich = lazyNeuron({
  name: "Izhikevich",
  state: {
    v: ({ v0, c }, { start }) => (start === "c" ? c : v0),
    u: ({ v0, b }, { start }) => (start === "c" ? 0 : v0.mul(b)),
  },
  parameters: {
    /** Rate of the recovery u per ms. Default 0.02. */
    a: 0.02,
    /** Recovery per mV of the membrane. Default 0.2. */
    b: 0.2,
    /** Value of v after a spike in mV. Default −65. */
    c: -65,
    /** Rise of u at a spike. Default 8. */
    d: 8,
    /** Duration of a step in ms. Default 0.5. */
    dt: 0.5,
    /** θ in mV, the level at which an upstroke counts as a spike. Default 30. */
    threshold: 30,
    /** Factor of v² per ms and mV. Default 0.04. */
    square: 0.04,
    /** Factor of v per ms. Default 5. */
    linear: 5,
    /** Constant drive in mV per ms. Default 140. */
    bias: 140,
    /** Value of v in mV at which the recovery is at rest. Default 0. */
    recoveryRest: 0,
    /** Leak of u, in units of a. Default 1. */
    recoveryLeak: 1,
    /** v before the first step in mV; an error with start "c". Default −65. */
    v0: -65,
  },
  choices: {
    /** Value of v in the equation of u: the new one ("sequential") or the old one ("simultaneous"). Default "sequential". */
    update: ["sequential", "simultaneous"],
    /** Start: v = v0 and u = b·v0 ("v0"), or v = c and u = 0 ("c"). Default "v0". */
    start: ["v0", "c"],
    /** Whether the gradient stops at the reset. Default true. */
    detachReset: true,
  },
  needs: { v0: { start: ["v0"] } },
  numerics: {
    norse: {
      dt: 0.25,
      fire: "gt",
      update: "simultaneous",
      detachReset: false,
      surrogate: /* @__PURE__ */ superSpike(),
    },
    spikingjelly: {
      ...{ a: 1, b: 0, c: 0, d: 0, dt: 0.5, threshold: 1, square: 1, linear: -0.7, bias: -0.08, recoveryRest: -0.1 },
      start: "c",
      detachReset: false,
      surrogate: /* @__PURE__ */ sigmoid({ slope: 4 }),
    },
  },
  step(argument, { update, detachReset }) {
    const { current, v, u, a, b, c, d, dt, spike, select } = argument;
    const drive = v.square().mul(argument.square).add(v.mul(argument.linear)).add(argument.bias).sub(u);
    const next = v.add(drive.add(current).mul(dt));
    const seen = update === "sequential" ? next : v;
    const recovery = seen.sub(argument.recoveryRest).mul(b).sub(u.mul(argument.recoveryLeak));
    const s = spike(next.sub(argument.threshold));
    const at = detachReset ? s.detach() : s;
    const after = u.add(recovery.mul(a.mul(dt))).add(select(at, d, 0));
    return { spikes: s, membrane: next, v: select(at, c, next), u: after, leaked: v.add(drive.mul(dt)) };
  },
});

/** A layer of {@link Izhikevich} neurons. */
export type Izhikevich = InstanceType<typeof Izhikevich>;
