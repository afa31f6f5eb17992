/** The chart of docs/online-learning.md: an adaptive neuron, and the traces of one of its synapses. */
import { AdaptiveLIF, EProp, LeakyIntegrator, Linear, mseLoss, ones, Sequential, tensor } from "jarvis-snn";
import { tracePlot } from "jarvis-snn/plot";

/** Presynaptic spikes arrive for twenty steps; the traces of the synapse continue after them. */
export async function onlineCharts() {
  const neurons = new AdaptiveLIF({ beta: 0.9, rho: 0.98, kappa: 0.4 });
  const model = new Sequential(
    new Linear(1, 1, { bias: false }),
    neurons,
    new Linear(1, 1, { bias: false }),
    new LeakyIntegrator({ beta: 0.8 }),
  );
  const [fc1, , fc2] = model.modules;
  fc1.weight.copyFrom(ones([1, 1]).mul(0.5));
  fc2.weight.copyFrom(ones([1, 1]));
  const rule = new EProp(model, { loss: mseLoss });
  const kept = { "membrane v": [], "threshold a": [], "ε of v": [], "ε of a": [], "ē of the readout": [] };
  const names = ["v", "a", "ε v", "ε a", "ē v"];
  let state;
  for (let t = 0; t < 120; t++) {
    ({ state } = rule.step(tensor([[t < 20 && t % 2 === 0 ? 1 : 0]]), null, state));
    for (const [i, list] of Object.values(kept).entries()) list.push(state.layers[0][names[i]].item());
  }
  const panels = Object.entries(kept).map(([name, list]) => [name, tensor(list, { shape: [list.length, 1, 1] })]);
  return {
    "online-eligibility.svg": await tracePlot(Object.fromEntries(panels), {
      title: "What a synapse keeps of its spikes",
    }),
  };
}
