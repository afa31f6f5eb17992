/** One neuron under a current, the credit of its past at one step, and the slope that is lent to its spikes. */
import { type Surrogate, spike, surrogate, tape, tensor } from "jarvis-snn";
import { parse } from "../equation/language.ts";
import { type Run, TypedNeuron } from "../equation/model.ts";

export const STEPS = 72;
export const THRESHOLD = 1;

/** The neuron; no detach stands around s, so that a gradient also passes through the reset. */
const EQUATIONS = `β = 0.9
θ = ${THRESHOLD}
u = β·v + I
s = [u ≥ θ]
v′ = 0 if s else u`;

/** Widths that the slider has; width 0 is the step as it is. */
export const WIDTHS = { most: 1.5, by: 0.05 } as const;

/** A strong current, one with which the membrane comes near to the threshold and never reaches it, and a strong one again. */
const makeCurrent = (): Float32Array =>
  Float32Array.from({ length: STEPS }, (_, t) => {
    if (t < 3 || t >= 66) return 0;
    if (t < 26) return 0.2;
    return t < 44 ? 0.092 : 0.17;
  });

/** The triangle of a width, whose area is 1; of width 0 a slope that is 0 everywhere, as that of the step is beside its jump. */
export const lentBy = (width: number): Surrogate =>
  width === 0 ? surrogate.scaled(surrogate.triangular(), 0) : surrogate.triangular({ width });

/** The lent slope at distances u − θ, as the package computes it in backward. */
export function slopesAt(width: number, distances: Float32Array): Float32Array {
  return tape(() => {
    const x = tensor(distances, { requiresGrad: true });
    spike(x, { threshold: 0, surrogate: lentBy(width) })
      .sum()
      .backward();
    return (x.grad as NonNullable<typeof x.grad>).toFloat32Array();
  });
}

/** All values that the pictures show. */
export interface Scene {
  readonly width: number;
  /** The step that is asked. */
  readonly at: number;
  readonly current: Float32Array;
  readonly membrane: Float32Array;
  readonly spikes: Float32Array;
  /** ∂u[at]/∂I[t] of all steps t. */
  readonly ofMembrane: Float32Array;
  /** ∂s[at]/∂I[t] = the lent slope at u[at] − θ times ∂u[at]/∂I[t]. */
  readonly ofSpike: Float32Array;
  /** The lent slope at u[at] − θ. */
  readonly slope: number;
}

/** Neurons by the widths of their slopes: a width is compiled once. */
export class Credits {
  readonly current = makeCurrent();
  private readonly neurons = new Map<number, TypedNeuron>();

  at(width: number, at: number): Scene {
    const { current } = this;
    let neuron = this.neurons.get(width);
    if (neuron === undefined) {
      neuron = new TypedNeuron(parse(EQUATIONS), lentBy(width));
      this.neurons.set(width, neuron);
    }
    const { membrane, spikes } = neuron.run(current) as Run & { spikes: Float32Array };
    const ofMembrane = neuron.credit(current, at).current;
    const [slope] = slopesAt(width, Float32Array.of((membrane[at] as number) - THRESHOLD)) as unknown as [number];
    return { width, at, current, membrane, spikes, ofMembrane, ofSpike: ofMembrane.map((c) => slope * c), slope };
  }
}

/** How many steps before `at` the earliest one lies whose credit is at least a hundredth of the largest. */
export function reachOf(credit: Float32Array, at: number): number {
  const most = credit.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (most === 0) return 0;
  return at - credit.findIndex((value) => Math.abs(value) >= most / 100);
}

const rounded = (value: number): string => String(Number(value.toFixed(2))).replace("-", "−");

/** The picture in two sentences. */
export function sentenceOf({ width, at, membrane, slope, ofMembrane, ofSpike, spikes }: Scene): string {
  const distance = rounded((membrane[at] as number) - THRESHOLD);
  const reach = reachOf(ofMembrane, at);
  const before = spikes.subarray(at - reach, at).reduce((sum, value) => sum + value, 0);
  const past =
    before === 0
      ? `The credit of u[${at}] ends at the last spike, ${reach} steps back.`
      : `The credit of u[${at}] passes ${before === 1 ? "a spike" : `${before} spikes`}, and ends ${reach} steps back.`;
  if (width === 0)
    return `Width 0, the step as it is: its slope is 0, so no input has any credit for s[${at}]. ${past}`;
  const share = ofSpike.some((value) => value !== 0)
    ? `at u − θ = ${distance} the lent slope is ${rounded(slope)}, so the inputs have credit for s[${at}].`
    : `u − θ = ${distance} is beyond the lent slope, so no input has credit for s[${at}].`;
  return `Width ${rounded(width)}: ${share} ${past}`;
}
