/** Neurons of the field with the equations of the packages that they come from, against the same equations in eager PyTorch. */
import {
  AdaptiveLIF,
  AdEx,
  Alpha,
  ConductanceLIF,
  Izhikevich,
  type Module,
  ParametricLIF,
  parameter,
  rand,
  Synaptic,
  surrogate,
  tape,
  warmup,
} from "jarvis-snn";
import { race } from "./support/race.ts";
import { report } from "./support/report.ts";

const [T, B, N] = [25, 128, 1000];
const upstream = rand([B, N]);

/** Forward, and backward from the mean of the spikes over time towards the current, which is uniform in [shift, shift + scale). */
function pass(layer: Module, scale: number, shift = 0): { step: () => void; rounds: number } {
  const current = parameter(rand([T, B, N]).mul(scale).add(shift));
  const leaves = [current, ...layer.parameters()];
  const step = (): void => {
    for (const leaf of leaves) leaf.zeroGrad();
    tape(() => layer.forward(current).mean({ axis: 0 }).backward(upstream));
  };
  return { step, rounds: 7 };
}

warmup();
report(
  await race("models", {
    synaptic: pass(new Synaptic({ numerics: "snntorch", alpha: 0.9, beta: 0.95 }), 0.1),
    alpha: pass(new Alpha({ numerics: "snntorch", alpha: 0.9, beta: 0.8 }), 0.5),
    adaptive: pass(new AdaptiveLIF({ fire: "gt", surrogate: surrogate.superSpike() }), 0.25),
    adex: pass(new AdEx({ numerics: "norse" }), 1),
    izhikevich: pass(new Izhikevich({ numerics: "norse", d: 6 }), 20),
    conductance: pass(new ConductanceLIF({ numerics: "norse", capacitance: 2, alphaE: 0.98, alphaI: 0.98 }), 2, -0.5),
    plif: pass(new ParametricLIF({ numerics: "spikingjelly" }), 2),
  }),
);
