/**
 * Eligibility traces of the weights of a layer.
 *
 * The traces of the synapses of each sample are matrices [out, in], over whose rows a compiled step runs: row j reads the values of neuron j as
 * numbers that its columns share, and the values of the inputs as arrays that all rows share.
 */
import type { StepDefinition, Value } from "../../engine/fuse/index.ts";
import type { Tensor } from "../../engine/index.ts";
import type { Named } from "../neuron/form.ts";
import { CURRENT, type Derived } from "./derived.ts";
import { RuleSweep } from "./sweep.ts";
import type { Workspace } from "./workspace.ts";

/** The name of ∂x/∂w of a state x. */
export const eligibilityName = (state: string): string => `ε ${state}`;
/** The same of a state of the readout. */
const filteredOf = (state: string): string => `ē ${state}`;
/** The name of a derivative of the readout in a sweep over synapses. */
const ofReadout = (derivative: string): string => `readout ${derivative}`;
const PRE = "pre";
const SIGNAL = "signal";
const GRADIENT = "gradient";
const EFFECT = "effect";

/** An array of a sweep by its name: where it lies, and the bytes from one sample to the next. */
interface SweepArray {
  readonly at: number;
  readonly apart: number;
}

/** A sweep over the rows of each sample. */
class SampleSweep {
  private readonly sweep: RuleSweep;
  /** Of each array its place among those that a run is given, and the values from a row to the next. */
  private readonly inputs: readonly (readonly [place: number, index: number, stride: number])[];

  /** `strides` are the values from a row to the next of all inputs and outputs. */
  constructor(definition: StepDefinition, strides: Readonly<Record<string, number>>, widest: number, owner: Workspace) {
    this.sweep = new RuleSweep(definition, Math.max(1, widest), owner.take);
    const { rows } = this.sweep;
    this.inputs = Object.entries(strides).flatMap(([name, stride], i) =>
      [rows.inputPlace(name), rows.outputPlace(name)].filter((p) => p >= 0).map((p) => [p, i, stride] as const),
    );
  }

  /** Runs over `count` rows of n columns, for each sample; the arrays stand in the order of the strides. */
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

/** An array [B, …] of a sweep over the samples. */
const ofSamples = (t: Tensor): SweepArray => ({ at: t.ptr, apart: (4 * t.size) / (t.sizes[0] as number) });

/** An array that all samples share. */
const ofAll = (t: Tensor): SweepArray => ({ at: t.ptr, apart: 0 });

/** Values by their names, as a step gets them. */
const valuesOf =
  (argument: unknown) =>
  (name: string): Value =>
    (argument as Readonly<Record<string, Value>>)[name] as Value;

/** ∂x/∂w: ∂x/∂y times the trace of each state y, and ∂x/∂I times the input; 0 where there is neither. */
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
 * The sweep over the synapses of a layer, [out, in] of each sample. With x the states of a neuron and y the states of
 * the readout:
 *
 *   ε_x[t] = ∂x/∂x·ε_x[t−1] + ∂x/∂I·pre          e = ∂s/∂x·ε_x[t−1] + ∂s/∂I·pre
 *   ē_y[t] = ∂y/∂y·ē_y[t−1] + ∂y/∂I·e            gradient += signal·(∂z/∂y·ē_y[t−1] + ∂z/∂I·e)
 *
 * States whose ε_x is the same in all rows are arrays [in], which the sweep reads and leaves as they are.
 */
export class Eligibility {
  /** The traces of each synapse: of states of the neurons, and of states of the readout. */
  readonly traces: readonly string[];
  private readonly inputs: number;
  private readonly neurons: Derived;
  private readonly readout: Derived | null;
  /** Steps without and with a signal. */
  private readonly going: SampleSweep;
  private readonly learning: SampleSweep;

  /** For layers of so many inputs. */
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
   * One time step for all samples. Writes the traces [B, out, in] in place and, where there is a signal [B, out], adds to the gradient
   * [out, in]. `columns` are the traces [B, in] of shared states, `pre` [B, in]; derivatives [B, out] belong to neurons
   * and readout.
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

/** Traces [B, in] of the shared states of a layer: all its neurons have the same. */
export class SharedTraces {
  private readonly inputs: number;
  private readonly of: Derived;
  /** Steps without and with the effect. */
  private readonly going: SampleSweep;
  private readonly learning: SampleSweep | null;

  /** For layers of so many inputs. */
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
   * One time step. Writes the traces [B, in] in place; of a layer whose main output z has no derivative of one neuron alone,
   * effect [B, in] ← ∂z/∂w.
   */
  advance(traces: readonly Tensor[], pre: Tensor, derivatives: Named, effect: Tensor | null): void {
    const constants = this.of.names.map((name) => derivatives[name] as Tensor);
    const places = [...traces, pre, ...constants].map(ofAll);
    places.push(effect ? ofAll(effect) : NOWHERE);
    const sweep = effect === null ? this.going : (this.learning as SampleSweep);
    sweep.run(places, 1, pre.sizes[0] as number, this.inputs);
  }
}
