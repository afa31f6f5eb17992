import { eye, matmul, noGrad, type Tensor } from "jarvis-snn";

/**
 * The weights [N, N] of patterns of ±1 [P, N], each of which is stored once by a Hebbian rule: a weight grows by the product of the
 * bits of its two neurons, less the mean bit of the pattern on the side of the sender.
 *
 *   W_kj = Σ_p ξ_pk·(ξ_pj − ⟨ξ_p⟩) / N      W_kk = 0
 *
 * A silent neuron sends no spikes in the place of −1; without the mean the number of active neurons would drive all others.
 *
 * @see Hopfield (1982), Neural networks and physical systems with emergent collective computational abilities, PNAS 79(8); Sejnowski
 *   (1977), Storing covariance with nonlinearly interacting neurons, Journal of Mathematical Biology 4(4).
 */
export function stored(patterns: Tensor): Tensor {
  return noGrad(() => {
    const N = patterns.shape[1] as number;
    const senders = patterns.sub(patterns.mean({ axis: 1, keepdim: true }));
    return matmul(patterns.transpose(0, 1), senders).div(N).mul(eye(N).neg().add(1));
  });
}
