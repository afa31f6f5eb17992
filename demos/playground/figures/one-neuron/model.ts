/** The neuron of lesson 1: its response to a constant current, and its f–I curve. A step is a millisecond. */
import { firingCurve, LIF, noGrad, tensor } from "jarvis-snn";

export interface Setting {
  /** R·I, the limit of the membrane, in units of it. */
  readonly current: number;
  /** τ in ms. */
  readonly tau: number;
  readonly threshold: number;
}

/** Milliseconds that are shown. */
export const DURATION = 200;
/** The largest current of the curve. */
export const MOST = 2.5;

const CURRENTS = Float64Array.from({ length: 101 }, (_, i) => (MOST * i) / 100);
/** Milliseconds for which each of them flows. */
const CURVE_MS = 1000;

/** Uses the neuron of a setting once. */
function using<R>({ tau, threshold }: Setting, use: (neuron: LIF) => R): R {
  const neuron = new LIF({ tau, dt: 1, threshold, inputScale: "leak" });
  try {
    return use(neuron);
  } finally {
    neuron.dispose();
  }
}

/** u before the reset, and spikes, of each millisecond. */
export const respond = (setting: Setting): { membrane: Float32Array; spikes: Float32Array } =>
  using(setting, (neuron) =>
    noGrad(() => {
      const current = tensor(new Float32Array(DURATION).fill(setting.current), { shape: [DURATION, 1, 1] });
      const { spikes, membrane } = neuron.unroll(current);
      return { spikes: spikes.toFloat32Array(), membrane: membrane.toFloat32Array() };
    }),
  );

/** Spikes a second over the current. */
export function rateCurve(setting: Setting): { currents: Float32Array; rates: Float32Array } {
  const { currents, rates } = using(setting, (neuron) => firingCurve(neuron, CURRENTS, { timesteps: CURVE_MS }));
  return { currents: Float32Array.from(currents), rates: Float32Array.from(rates, (rate) => 1000 * rate) };
}
