/** The chart of docs/conversion.md: rates of a neuron for constant currents, beside the rectified linear unit. */
import { constantEncode, meanOverTime, tensor } from "jarvis-snn";
import { curvePlot } from "jarvis-snn/plot";
import { SpikingReLU } from "jarvis-snn/quantize";

export async function conversionCharts() {
  const x = Array.from({ length: 281 }, (_, i) => -0.2 + i / 200);
  const currents = tensor(x);
  const rates = (timesteps, initial) => {
    const spikes = new SpikingReLU({ initial }).forward(constantEncode(currents, { timesteps }));
    return { x, y: meanOverTime(spikes).toFloat32Array() };
  };
  const curves = {
    "relu(I), at most 1": { x, y: x.map((current) => Math.min(Math.max(current, 0), 1)) },
    "from θ/2, T = 4": rates(4, 0.5),
    "from 0, T = 4": rates(4, 0),
    "from θ/2, T = 16": rates(16, 0.5),
  };
  const options = { title: "Spikes per step for a constant current", xLabel: "current I / θ", yLabel: "rate" };
  return { "conversion-rates.svg": await curvePlot(curves, options) };
}
