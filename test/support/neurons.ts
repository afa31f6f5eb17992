/** Neurons, written as a user would. */
import { neuron } from "../../snn/index.ts";

/** A spike raises the threshold, which comes back slowly. */
export const AdaptiveLIF = neuron({
  name: "AdaptiveLIF",
  state: { v: 0, a: 0 },
  parameters: { beta: 0.95, rho: 0.97, threshold: 1, kappa: 1.8 },
  step({ current, v, a, beta, rho, threshold, kappa, spike }) {
    const u = v.mul(beta).add(current);
    const s = spike(u.sub(threshold).sub(a.mul(kappa)));
    return { spikes: s, membrane: u, v: u.sub(s.detach().mul(threshold)), a: a.mul(rho).add(s) };
  },
});

/** LIF with its default reset. */
export const Resetting = neuron({
  name: "Resetting",
  state: { v: 0 },
  parameters: { beta: 0.95, threshold: 1 },
  step({ current, v, beta, threshold, spike, where }) {
    const u = v.mul(beta).add(current);
    const s = spike(u.sub(threshold));
    return { spikes: s, membrane: u, v: where(s.detach(), 0, u) };
  },
});

/** LIF that takes the threshold off. */
export const Subtracting = neuron({
  name: "Subtracting",
  state: { v: 0 },
  parameters: { beta: 0.95, threshold: 1 },
  step({ current, v, beta, threshold, spike, where }) {
    const u = v.mul(beta).add(current);
    const s = spike(u.sub(threshold));
    return { spikes: s, membrane: u, v: u.sub(where(s.detach(), threshold, 0)) };
  },
});

/** A state that starts from a parameter and another from a number, and a decay that is learned as a raw value. */
export const Resting = neuron({
  name: "Resting",
  state: { v: ({ rest }) => rest.mul(0.5), trace: 0.25 },
  parameters: { rest: -0.5, raw: 2, threshold: 0.4 },
  step({ current, v, trace, rest, raw, threshold, spike, select }) {
    const u = v.sub(rest).mul(raw.sigmoid()).add(rest).add(current);
    const s = spike(u.sub(threshold));
    return { spikes: s, v: select(s, rest, u), trace: trace.mul(0.5).add(s) };
  },
});
