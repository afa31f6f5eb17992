/** The entry without the compiler beside the graphs of NIR. */
import { LIF, tensor } from "jarvis-snn/core";
import { fromNIR, toNIR } from "jarvis-snn/nir";
import { spikesOf } from "./refractory.js";

const { graph } = toNIR(new LIF({ numerics: "nir" }), { dt: 1e-3, inputShape: [1] });
export const result = {
  spikes: spikesOf(LIF, tensor),
  fromGraph: [
    ...fromNIR(graph, { dt: 1e-3 })
      .forward(tensor([[[30]], [[0]]]))
      .toFloat32Array(),
  ],
};
