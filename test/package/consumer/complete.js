/** The complete entry alone, by names and as a namespace. */
import { LeakyIntegrator, LIF, tensor } from "jarvis-snn";
import * as snn from "jarvis-snn/snn";
import { spikesOf } from "./refractory.js";

const integrator = new LeakyIntegrator({ learnBeta: true });
export const result = {
  spikes: spikesOf(LIF, tensor),
  named: spikesOf(snn.LIF, tensor),
  membrane: [...integrator.forward(tensor([[[1]], [[0]]])).toFloat32Array()].map((v) => v.toFixed(2)),
};
