/** One equation under a constant current, for each value of a parameter that drifts. */
import { Izhikevich, noGrad, tensor } from "jarvis-snn";

/** The run of one neuron. */
export interface Trace {
  /** The parameter. */
  readonly c: number;
  /** The membrane before the reset, a value for each step. */
  readonly membrane: Float32Array;
  /** Steps with a spike. */
  readonly spikes: readonly number[];
}

/** Values of c in mV, from single spikes to bursts, and how many there are. */
const FROM = -65;
const TO = -48;
export const VALUES = 69;

const CURRENT = 10;
const DT = 0.5;
const STEPS = 480;

/** All values at once, a neuron for each. */
export function traces(): Trace[] {
  const c = Array.from({ length: VALUES }, (_, i) => FROM + (i / (VALUES - 1)) * (TO - FROM));
  return noGrad(() => {
    const layer = new Izhikevich({ c: tensor(c), d: 2, dt: DT });
    const current = tensor(new Float32Array(STEPS * VALUES).fill(CURRENT), { shape: [STEPS, VALUES] });
    const out = layer.unroll(current);
    const [membrane, spikes] = [out.membrane.toFloat32Array(), out.spikes.toFloat32Array()];
    for (const parameter of [layer.a, layer.b, layer.c, layer.d]) parameter.dispose();
    return c.map((value, n) => ({
      c: value,
      membrane: Float32Array.from({ length: STEPS }, (_, t) => membrane[t * VALUES + n] as number),
      spikes: Array.from({ length: STEPS }, (_, t) => t).filter((t) => spikes[t * VALUES + n] === 1),
    }));
  });
}
