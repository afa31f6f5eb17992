/** Layers of neurons, whatever their equation: all ways to run one agree, and agree with its step on tensors. */
import { expect } from "vitest";
import { runOnTensors, type StepDefinition } from "../../engine/fuse/index.ts";
import { type Module, type Tensor, tape, tensor } from "../../engine/index.ts";
import type * as snn from "../../snn/index.ts";
import { Stream } from "../../snn/index.ts";
import { bits, expectNear, gradient, random } from "./tensors.ts";

/** A layer of whatever neuron, by the names of what it gives. */
export interface Layer extends Module {
  unroll(current: Tensor, state?: State): Readonly<Record<string, Tensor>> & { readonly state: State };
  step(current: Tensor, state: State): [Tensor, State];
  initialState(shape: readonly number[]): State;
}

export type State = Readonly<Record<string, Tensor>>;

/** Names of the classes that `neuron` has made, and of LIF. */
export type NeuronName = Exclude<
  {
    [Name in keyof typeof snn]: (typeof snn)[Name] extends new (
      options?: never,
    ) => infer Made
      ? Made extends {
          unroll(x: Tensor, state?: never): { state: object };
          initialState(shape: readonly number[]): object;
        }
        ? Name
        : never
      : never;
  }[keyof typeof snn],
  "LeakyIntegrator"
>;

interface Compiled {
  readonly compiled: { readonly main: string; readonly program: { traced: { definition: StepDefinition } } };
  readonly firing: { readonly hold: number };
  readonly making: { readonly bounds: Readonly<Record<string, [number, number]>> };
}

const inside = (layer: Layer) => layer as unknown as Compiled;

/** The spikes, or the membrane of a readout. */
export const mainOf = (layer: Layer): string => inside(layer).compiled.main;

/** Expects forward, unroll, step and, twice, Stream to give the same bits for a current [T, B, …]; returns the main output. */
export function expectSameBits(layer: Layer, x: Tensor): Tensor {
  const shape = x.shape.slice(1);
  const main = mainOf(layer);
  const all = layer.forward(x);
  const record = layer.unroll(x);
  expect(bits(record[main] as Tensor)).toEqual(bits(all));
  const stream = new Stream(layer, shape);
  for (let again = 0; again < 2; again++) {
    let state = layer.initialState(shape);
    for (const [t, now] of x.unbind(0).entries()) {
      const [z, next] = layer.step(now, state);
      expect(bits(z)).toEqual(bits(all.select(0, t)));
      expect(bits(stream.step(now.toFloat32Array()).slice())).toEqual(bits(z));
      state = next;
      for (const [name, value] of Object.entries(state)) {
        if (name in record) expect(bits(value)).toEqual(bits((record[name] as Tensor).select(0, t)));
      }
    }
    for (const [name, value] of Object.entries(state)) expect(bits(value)).toEqual(bits(record.state[name] as Tensor));
    stream.reset();
  }
  stream.dispose();
  return all;
}

/** Outputs of a layer, and the gradients of current, states and parameters. */
export interface LayerResults {
  readonly outputs: readonly (readonly number[])[];
  readonly leaves: readonly (readonly number[])[];
  readonly sums: readonly (readonly number[])[];
}

/**
 * Runs a layer from states [B, …], compiled or its step on tensors, and backward from a sum of all values with weights that `seed` draws.
 */
export function resultsOf(layer: Layer, x: Tensor, start: State, isCompiled: boolean, seed = 20): LayerResults {
  const { definition } = inside(layer).compiled.program.traced;
  const [T = 1, ...shape] = x.shape;
  const weighted = (z: Tensor, i: number, of: readonly number[]) => z.mul(weights(of, seed + i)).sum();
  const read = (outputs: Readonly<Record<string, Tensor>>, states: State) => {
    const terms = Object.entries(outputs)
      .filter(([name]) => name !== "state" && name !== "refractory")
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, z], i) => weighted(z, i, [T, ...shape]));
    for (const name of definition.states) {
      if (name !== "refractory") terms.push(weighted(states[name] as Tensor, 10, shape));
    }
    return terms.reduce((all, term) => all.add(term));
  };
  const learned = layer.parameters();
  const leaves = [x, ...Object.values(start).filter((t) => t.requiresGrad)];
  for (const t of [...leaves, ...learned]) t.zeroGrad();
  const outputs = tape(() => {
    const { state, ...others } = isCompiled ? layer.unroll(x, start) : onTensors(layer, definition, x, start);
    read(others as Record<string, Tensor>, state as State).backward();
    return Object.values(others).map((z) => bits(z as Tensor));
  });
  return { outputs, leaves: leaves.map(gradient), sums: learned.map(gradient) };
}

/** Random weights, a third of them 0 and −0 in turns. */
function weights(shape: readonly number[], seed: number): Tensor {
  const values = random(shape, seed, { low: -0.5, high: 1.5 }).toFloat32Array();
  return tensor(
    values.map((w, i) => (i % 3 > 0 ? w : i % 2 === 0 ? 0 : -0)),
    { shape },
  );
}

/**
 * Expects values and gradients of a layer, from states [B, …] that want gradients, to be those of its step on tensors: values and
 * gradients of the current and states to the bit, sums of parameters up to their roundings. `seed` draws the weights of the loss.
 */
export function expectAsOnTensors(layer: Layer, x: Tensor, start: State, seed = 20): void {
  const got = resultsOf(layer, x, start, true, seed);
  const want = resultsOf(layer, x, start, false, seed);
  expect(got.outputs).toEqual(want.outputs);
  expect(got.leaves).toEqual(want.leaves);
  // The terms of a sum are about as large as the gradients of the leaves, and may cancel out.
  const largest = want.leaves.flat().reduce((most, d) => Math.max(most, Math.abs(d)), 0);
  got.sums.forEach((sums, i) => {
    const wanted = want.sums[i] as readonly number[];
    const size = Math.max(1, largest / 10, ...wanted.map(Math.abs));
    expectNear(sums, wanted, `parameter ${i}`, { absolute: 3e-5 * size, relative: 1e-5 });
  });
}

/** The states of a layer for a step of this shape, with a random part of up to ±spread; counters as they are at some steps. */
export function statesOf(layer: Layer, shape: readonly number[], spread: number, requiresGrad = true): State {
  const size = shape.reduce((product, n) => product * n, 1);
  const { compiled, firing } = inside(layer);
  const { states } = compiled.program.traced.definition;
  const { hold } = firing;
  const start = layer.initialState(shape);
  const drawn = states.map((name, i): [string, Tensor] => {
    if (name === "refractory") {
      const left = Float32Array.from({ length: size }, (_, j) => j % (1 + Math.min(hold, 2)));
      return [name, tensor(left, { shape })];
    }
    const at = (start[name] as Tensor).add(random(shape, 10 + i, { low: -spread, high: spread }));
    return [name, tensor(at.toFloat32Array(), { shape, requiresGrad })];
  });
  return { ...start, ...Object.fromEntries(drawn) };
}

/** The step of a layer on tensors, one op after the other. */
function onTensors(layer: Layer, definition: StepDefinition, x: Tensor, start: State) {
  const { bounds } = inside(layer).making;
  const parameters = Object.fromEntries(
    Object.keys(definition.parameters).map((name) => {
      const t = (layer as unknown as Record<string, Tensor>)[name] as Tensor;
      const pair = bounds[name];
      return [name, pair === undefined ? t : t.clamp(...pair)];
    }),
  );
  const { outputs, states } = runOnTensors(definition, { inputs: { current: x }, states: start, parameters });
  const { refractory: _, ...all } = outputs;
  return { ...all, state: states };
}
