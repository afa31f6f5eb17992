/** The entry without the compiler beside the one that gives neurons levels. */
import { LIF, tensor } from "jarvis-snn/core";
import { quantize } from "jarvis-snn/quantize";
import { spikesOf } from "./refractory.js";

const lif = quantize(new LIF({ reset: "subtract" }), { state: { bits: 4 } });
export const result = {
  spikes: spikesOf(LIF, tensor),
  quantized: [...lif.forward(tensor([[[0.5]], [[0.75]]])).toFloat32Array()],
};
