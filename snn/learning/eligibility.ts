/**
 * Eligibility traces of the weights of a layer.
 *
 * The traces of each sample's synapses are matrices [out, in]. A compiled step runs over their rows. In row j, all
 * columns read the values of neuron j; all rows read the same arrays of inputs.
 */
import type { StepDefinition, Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Named } from "../neuron/parameters.ts";
import { CURRENT, type Derived } from "./derived.ts";
import { RuleSweep } from "./sweep.ts";
import type { Workspace } from "./workspace.ts";

/** Name of the trace ∂x/∂w of a state x. */
export const eligibilityName = (state: string): string => `ε ${state}`;
/** Name of the trace of a state of the readout. */
const filteredOf = (state: string): string => `ē ${state}`;
/** Name of a derivative of the readout in a sweep over synapses. */
const ofReadout = (derivative: string): string => `readout ${derivative}`;
const PRE = "pre";
const SIGNAL = "signal";
const GRADIENT = "gradient";
const EFFECT = "effect";

/** An array of a sweep: its address, and the bytes between samples. */
interface SweepArray {
  readonly at: number;
  readonly apart: number;
}

/** A sweep over the rows of each sample. */
class SampleSweep {
  private readonly sweep: RuleSweep;
  /** For each input: its index among the arrays of a run, and the number of values between rows. */
  private readonly inputs: readonly (readonly [place: number, index: number, stride: number])[];

  /** `strides`: the number of values between rows, for all inputs and outputs. */
  constructor(definition: StepDefinition, strides: Readonly<Record<string, number>>, widest: number, owner: Workspace) {
    this.sweep = new RuleSweep(definition, Math.max(1, widest), owner.take);
    const { rows } = this.sweep;
    this.inputs = Object.entries(strides).flatMap(([name, stride], i) =>
      [rows.inputPlace(name), rows.outputPlace(name)].filter((p) => p >= 0).map((p) => [p, i, stride] as const),
    );
  }

  /** Runs over `count` rows of n columns for each sample; arrays are in the order of the strides. */
  run(places: readonly SweepArray[], samples: number, count: number, n: number): void {
    const { rows } = this.sweep;
    for (let b = 0; b < samples; b++) {
      for (let i = 0; i < this.inputs.length; i++) {
        const [place, index, stride] = this.inputs[i] as readonly [number, number, number];
        const { at, apart } = places[index] as SweepArray;
        rows.note(place, at + b * apart, stride);
      }
      rows.run(0, count, n);
    }
  }
}

/** An array [B, …] with a part for each sample. */
const ofSamples = (t: Tensor): SweepArray => ({ at: t.ptr, apart: (4 * t.size) / (t.sizes[0] as number) });

/** An array that all samples share. */
const ofAll = (t: Tensor): SweepArray => ({ at: t.ptr, apart: 0 });

/** Values by name, as a step receives them. */
const valuesOf =
  (argument: unknown) =>
  (name: string): Value =>
    (argument as Readonly<Record<string, Value>>)[name] as Value;

/** ∂x/∂w: ∂x/∂y times the trace of each state y, plus ∂x/∂I times the input; 0 if both are absent. */
function carried(
  of: Derived,
  x: string,
  trace: (state: string) => Value,
  input: Value | number,
  derivative: (name: string) => Value,
): Value | number {
  const products: Value[] = [];
  for (const y of of.states) {
    const name = of.of(x, y);
    if (name !== null) products.push(trace(y).mul(derivative(name)));
  }
  const name = of.of(x, CURRENT);
  if (name !== null && typeof input !== "number") products.push(input.mul(derivative(name)));
  const [first, ...others] = products;
  return first === undefined ? 0 : others.reduce((sum, y) => sum.add(y), first);
}

const alike = (names: readonly string[], stride: number): Record<string, number> =>
  Object.fromEntries(names.map((name) => [name, stride]));

/**
 * The sweep over the synapses of a layer, [out, in] for each sample. With x the states of a neuron and y the states of the readout:
 *
 *   ε_x[t] = ∂x/∂x·ε_x[t−1] + ∂x/∂I·pre          e = ∂s/∂x·ε_x[t−1] + ∂s/∂I·pre
 *   ē_y[t] = ∂y/∂y·ē_y[t−1] + ∂y/∂I·e            gradient += signal·(∂z/∂y·ē_y[t−1] + ∂z/∂I·e)
 *
 * If ε_x of a state is the same in all rows, it is an array [in], which the sweep only reads.
 */
export class Eligibility {
  /** Names of the traces of each synapse: for states of the neurons, then of the readout. */
  readonly traces: readonly string[];
  private readonly inputs: number;
  private readonly neurons: Derived;
  private readonly readout: Derived | null;
  /** Sweeps without and with a learning signal. */
  private readonly going: SampleSweep;
  private readonly learning: SampleSweep;

  /** Makes the sweeps for a layer with `inputs` inputs. */
  constructor(neurons: Derived, readout: Derived | null, inputs: number, work: Workspace) {
    const { shared, main } = neurons;
    const single = neurons.states.filter((x) => !shared.includes(x));
    const sums = readout?.states ?? [];
    const constants = (readout?.names ?? []).map(ofReadout);
    this.inputs = inputs;
    this.neurons = neurons;
    this.readout = readout;
    this.traces = [...single.map(eligibilityName), ...sums.map(filteredOf)];
    const strides = {
      ...alike(this.traces, inputs),
      ...alike([...shared.map(eligibilityName), PRE], 0),
      ...alike(neurons.names, 1),
      ...alike(constants, 0),
      [SIGNAL]: 1,
      [GRADIENT]: inputs,
    };
    const definition = (learns: boolean): StepDefinition => ({
      name: "EProp",
      inputs: Object.keys(strides),
      shared: [...neurons.names, ...constants, SIGNAL],
      states: [],
      parameters: {},
      step(argument) {
        const value = valuesOf(argument);
        const ofNeuron = (x: string) => carried(neurons, x, (y) => value(eligibilityName(y)), value(PRE), value);
        const e = ofNeuron(main);
        const ofSum = (of: Derived, y: string) =>
          carried(
            of,
            y,
            (z) => value(filteredOf(z)),
            e,
            (name) => value(ofReadout(name)),
          );
        const total = readout === null ? e : ofSum(readout, readout.main);
        const gradient = value(GRADIENT);
        return {
          ...Object.fromEntries(single.map((x) => [eligibilityName(x), ofNeuron(x)])),
          ...Object.fromEntries(sums.map((y) => [filteredOf(y), ofSum(readout as Derived, y)])),
          ...(learns && { [GRADIENT]: typeof total === "number" ? gradient : gradient.add(total.mul(value(SIGNAL))) }),
        };
      },
    });
    this.going = new SampleSweep(definition(false), strides, inputs, work);
    this.learning = new SampleSweep(definition(true), strides, inputs, work);
  }

  /**
   * Advances one time step for all samples. Writes the traces [B, out, in] in place and, if there is a signal [B, out], adds to the gradient
   * [out, in]. `columns` are the traces [B, in] of shared states, `pre` is [B, in]; derivatives [B, out] belong to neurons and readout.
   */
  sweep(
    traces: readonly Tensor[],
    columns: readonly Tensor[],
    pre: Tensor,
    derivatives: { readonly neurons: Named; readonly readout: Named },
    to: { readonly signal: Tensor; readonly gradient: Tensor } | null,
  ): void {
    const { neurons, readout } = this;
    const factors = neurons.names.map((name) => derivatives.neurons[name] as Tensor);
    const constants = (readout?.names ?? []).map((name) => derivatives.readout[name] as Tensor);
    const places = [...traces, ...columns, pre, ...factors].map(ofSamples);
    places.push(...constants.map(ofAll), to ? ofSamples(to.signal) : NOWHERE, to ? ofAll(to.gradient) : NOWHERE);
    const [batch, out] = (factors[0] as Tensor).sizes as [number, number];
    (to === null ? this.going : this.learning).run(places, batch, out, this.inputs);
  }
}

const NOWHERE: SweepArray = { at: 0, apart: 0 };

/** Traces [B, in] of the shared states of a layer, which are equal for all its neurons. */
export class SharedTraces {
  private readonly inputs: number;
  private readonly of: Derived;
  /** Sweeps without and with the effect. */
  private readonly going: SampleSweep;
  private readonly learning: SampleSweep | null;

  /** Makes the sweeps for a layer with `inputs` inputs. */
  constructor(of: Derived, inputs: number, work: Workspace) {
    const { shared, main, names } = of;
    this.inputs = inputs;
    this.of = of;
    const strides = { ...alike([...shared.map(eligibilityName), PRE], inputs), ...alike(names, 0), [EFFECT]: inputs };
    const definition = (learns: boolean): StepDefinition => ({
      name: "EProp",
      inputs: Object.keys(strides),
      shared: names,
      states: [],
      parameters: {},
      step(argument) {
        const value = valuesOf(argument);
        const next = (x: string) => carried(of, x, (y) => value(eligibilityName(y)), value(PRE), value);
        return {
          ...Object.fromEntries(shared.map((x) => [eligibilityName(x), next(x)])),
          ...(learns && { [EFFECT]: next(main) }),
        };
      },
    });
    this.going = new SampleSweep(definition(false), strides, inputs, work);
    this.learning = of.isShared ? new SampleSweep(definition(true), strides, inputs, work) : null;
  }

  /**
   * Advances one time step. Writes the traces [B, in] in place. With `effect` [B, in], also computes effect ← ∂z/∂w, which is then the same for all
   * neurons of the layer.
   */
  advance(traces: readonly Tensor[], pre: Tensor, derivatives: Named, effect: Tensor | null): void {
    const constants = this.of.names.map((name) => derivatives[name] as Tensor);
    const places = [...traces, pre, ...constants].map(ofAll);
    places.push(effect ? ofAll(effect) : NOWHERE);
    const sweep = effect === null ? this.going : (this.learning as SampleSweep);
    sweep.run(places, 1, pre.sizes[0] as number, this.inputs);
  }
}
