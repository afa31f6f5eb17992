import { type FiringCurve, firingCurve, full, type Generator, noGrad, randn, type Tensor } from "jarvis-snn";
import type { Specimen } from "./catalogue.ts";

/** The membrane, spikes and f–I curve of one neuron. */
export interface Response {
  /** The membrane under the step of current, [T, 1, 1]. */
  readonly membrane: Tensor;
  readonly spikes: Tensor;
  /** Spikes during the step. */
  readonly count: number;
  readonly curve: FiringCurve;
  /** The smallest current of the curve at which it fires; NaN where it does not. */
  readonly rheobase: number;
}

/** Time before the step and behind it, as parts of the whole. */
const [ONSET, END] = [0.1, 0.9];
const POINTS = 41;

/** The response to a step of current with noise of this standard deviation, a part of the step, and the f–I curve. */
export function measure(specimen: Specimen, noise: number, generator: Generator): Response {
  const { make, step, most, timesteps: T = 200 } = specimen;
  const layer = make();
  const [onset, end] = [Math.round(ONSET * T), Math.round(END * T)];
  const { membrane, spikes } = noGrad(() => {
    const current = full([T, 1, 1], 0);
    const values = randn([T], { generator })
      .toFloat32Array()
      .map((x, t) => (t < onset || t >= end ? 0 : step * (1 + noise * x)));
    const { membrane, spikes } = layer.unroll(current.copyFrom(values));
    return { membrane, spikes };
  });
  const currents = Float64Array.from({ length: POINTS }, (_, i) => (most * i) / (POINTS - 1));
  const curve = firingCurve(layer, currents, { timesteps: 2 * T });
  const count = spikes.toFloat32Array().reduce((total, s) => total + s, 0);
  return { membrane, spikes, count, curve, rheobase: currents[curve.rates.findIndex((f) => f > 0)] ?? Number.NaN };
}
