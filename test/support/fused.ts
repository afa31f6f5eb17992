/** A step function run both ways: compiled, and on tensors with the gradients of a tape. */
import { expect } from "vitest";
import { wasmHeap } from "../../engine/core/memory.ts";
import type { Tensor } from "../../engine/core/tensor.ts";
import { coreKernels } from "../../engine/core/wasm.ts";
import {
  type BoundRun,
  derive,
  type Fused,
  Program,
  runOnTensors,
  type StepArgument,
  type StepDefinition,
} from "../../engine/fuse/index.ts";
import { OPS } from "../../engine/fuse/operations.ts";
import type { Value } from "../../engine/fuse/terms.ts";
import { tape, tensor } from "../../engine/index.ts";

/** A definition whose names the step knows. */
export const stepOf = <I extends string, S extends string, P extends string>(
  definition: Omit<StepDefinition<I | S | P>, "inputs" | "states" | "parameters"> & {
    readonly inputs: readonly I[];
    readonly states: readonly S[];
    readonly parameters: Readonly<Record<P, "scalar" | "column">>;
    step(argument: StepArgument<I | S | P>): ReturnType<StepDefinition["step"]>;
  },
): StepDefinition => definition;

/** The methods of a value of a step that take no argument: of the rows of the table those with one argument and no further number. */
export const UNARY = Object.values(OPS).flatMap(({ name, arity, isFunction, takesAttr }) =>
  arity === undefined && !isFunction && !takesAttr ? [name as UnaryMethod] : [],
);

type UnaryMethod = { [Name in keyof Value]: Parameters<Value[Name]> extends [] ? Name : never }[keyof Value];

/** An array over time: its address, and the values from one step to the next, 0 where all steps share one. */
interface Stream {
  readonly at: number;
  readonly step: number;
}

/** Addresses of a run; 0 where there is no such array. */
interface Run {
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  readonly inputs: readonly Stream[];
  readonly parameters: readonly number[];
  readonly from: readonly number[];
  readonly saved: readonly number[];
}

const maskOf = <X>(list: readonly X[], holds: (x: X) => boolean): number =>
  list.reduce((mask, x, i) => mask | (Number(holds(x)) << i), 0);
const isThere = (p: number): boolean => p !== 0;

function note(bound: BoundRun, { inputs, parameters, saved }: Run): void {
  bound.begin();
  parameters.forEach((ptr, i) => bound.parameter(i, { ptr } as Tensor));
  inputs.forEach(({ at, step }, i) => bound.input(i, at, step));
  saved.forEach((at, i) => bound.saved(i, at));
}

/** Runs a compiled step forward, with the states after the last step to `to`, and outputs by their names. */
export function runForward(
  code: Fused,
  run: Run & { readonly to: readonly number[]; readonly outputs: Readonly<Record<string, number>> },
): void {
  const { T, rows, n, from, to, outputs } = run;
  const names = [...code.traced.outputs.keys()];
  const mask = maskOf(names, (name) => outputs[name] !== undefined);
  const bound = code.forward(T, rows, n, mask, maskOf(from, isThere), maskOf(to, isThere));
  note(bound, run);
  from.forEach((at, i) => bound.state(i, at, to[i] as number));
  names.forEach((name, i) => outputs[name] !== undefined && bound.output(i, outputs[name]));
  bound.run();
  bound.end();
}

/** Runs a compiled step backward. Null in `dInputs`: no gradient of this input. */
export function runBackward(
  code: Fused,
  run: Run & {
    readonly gradients: Readonly<Record<string, Stream>>;
    readonly dInputs: readonly (Stream | null)[];
    readonly dLast: readonly number[];
    readonly dFirst: readonly number[];
    readonly dParameters: readonly number[];
  },
): void {
  const { T, rows, n, from, gradients, dInputs, dLast, dFirst, dParameters } = run;
  const names = [...code.traced.outputs.keys()];
  const mask = maskOf(names, (name) => gradients[name] !== undefined);
  const modes = dInputs.reduce((all, x, i) => all + 4 ** i * (x === null ? 0 : x.step === 0 ? 2 : 3), 0);
  const [given, first, last] = [from, dFirst, dLast].map((list) => maskOf(list, isThere)) as [number, number, number];
  const bound = code.backward(T, rows, n, mask, given, first, last, modes);
  note(bound, run);
  from.forEach((at, i) => bound.stateBack(i, at, dLast[i] as number, dFirst[i] as number));
  names.forEach((name, i) => {
    const d = gradients[name];
    if (d !== undefined) bound.gradient(i, d.at, d.step);
  });
  dInputs.forEach((d, i) => d && bound.inputGradient(i, d.at, d.step));
  bound.run(null, dParameters);
  bound.end();
}

/** Numbers by the names of what they belong to. */
type Values = Record<string, Float32Array>;

/** What a step is run with. All gradients are wanted, of each output that has weights. */
export interface Setting {
  readonly T: number;
  readonly rows: number;
  readonly n: number;
  /** [T, rows, n], or [rows, n] for one that is constant over time. */
  readonly inputs: Values;
  /** [rows, n] */
  readonly states: Values;
  /** [1] or [n] */
  readonly parameters: Values;
  /** ∂L/∂output, [T, rows, n] or, the same in all steps, [rows, n], and ∂L/∂state after the last step, [rows, n]. */
  readonly weights: Values;
  readonly stateWeights: Values;
}

export interface Result {
  readonly outputs: Values;
  readonly states: Values;
  readonly dInputs: Values;
  readonly dStates: Values;
  readonly dParameters: Readonly<Record<string, ArrayLike<number>>>;
}

/** On tensors a parameter is one value for each element, and its gradient is added up in float64, as are the magnitudes. */
export interface Reference extends Result {
  /** Inputs that are constant over time: their gradients are sums. */
  readonly constant: readonly string[];
  readonly magnitudes: Readonly<Record<string, Float64Array>>;
}

const map = <X, Y>(values: Readonly<Record<string, X>>, f: (x: X, name: string) => Y): Record<string, Y> =>
  Object.fromEntries(Object.entries(values).map(([name, x]) => [name, f(x, name)]));

/** On tensors, one op after the other. */
export function composed(definition: StepDefinition, setting: Setting): Reference {
  const { T, rows, n } = setting;
  const leaf = (shape: number[]) => (values: Float32Array) => tensor(values, { shape, requiresGrad: true });
  const all: Tensor[] = [];
  const kept = (made: Record<string, Tensor>) => {
    all.push(...Object.values(made));
    return made;
  };
  const steps = kept(map(setting.inputs, (x) => leaf(x.length === T * rows * n ? [T, rows, n] : [1, rows, n])(x)));
  const states = kept(map(setting.states, leaf([rows, n])));
  const parameters = kept(map(setting.parameters, (x) => leaf([rows, n])(repeated(x, rows * n))));
  const result = tape(() => {
    const inputs = map(steps, (x) => x.expand([T, rows, n]));
    const run = runOnTensors(definition, { inputs, states, parameters });
    let loss = tensor(0).add(0);
    for (const [name, w] of Object.entries(setting.weights)) {
      loss = loss.add((run.outputs[name] as Tensor).mul(tensor(w, { shape: [T, rows, n] })).sum());
    }
    for (const [name, w] of Object.entries(setting.stateWeights)) {
      loss = loss.add((run.states[name] as Tensor).mul(tensor(w, { shape: [rows, n] })).sum());
    }
    if (loss.requiresGrad) loss.backward();
    const numbers = (t: Tensor) => t.toFloat32Array();
    return { outputs: map(run.outputs, numbers), states: map(run.states, numbers) };
  });
  const gradients = (from: Record<string, Tensor>) =>
    map(from, (t) => t.grad?.toFloat32Array() ?? new Float32Array(t.size));
  const elements = gradients(parameters);
  const summed = (f: (x: number) => number) =>
    map(elements, (values, name) => {
      const sums = new Float64Array((setting.parameters[name] as Float32Array).length);
      for (let i = 0; i < values.length; i++) (sums[i % sums.length] as number) += f(values[i] as number);
      return sums;
    });
  const found = {
    ...result,
    constant: Object.keys(steps).filter((name) => steps[name]?.shape[0] === 1 && T > 1),
    dInputs: gradients(steps),
    dStates: gradients(states),
    dParameters: summed((x) => x),
    magnitudes: summed(Math.abs),
  };
  for (const t of all) t.dispose();
  return found;
}

const repeated = (x: Float32Array, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => x[i % x.length] as number);

/** Compiled. */
export function fused(definition: StepDefinition, setting: Setting): Result {
  const { T, rows, n, weights } = setting;
  const [step, size] = [rows * n, T * rows * n];
  const blocks: [number, number][] = [];
  const take = (values: number, from?: Float32Array): number => {
    // As a stream of bits an array may be read one word behind its end.
    const p = wasmHeap.allocate(4 * values + 4);
    blocks.push([p, 4 * values + 4]);
    const view = wasmHeap.view(p, values);
    if (from === undefined) view.fill(Number.NaN);
    else view.set(from);
    return p;
  };
  const zeros = (values: number): number => take(values, new Float32Array(values));
  const read = (p: number, values: number): Float32Array => new Float32Array(wasmHeap.view(p, values));
  const program = new Program(definition);
  const { derived } = program.traced;
  const wanted = { parameters: derived.map(() => true), outputs: Object.keys(weights) };
  const code = program.compile(wanted);
  const tensors = map(setting.parameters, (x) => tensor(x, { shape: x.length === 1 ? [] : [n], requiresGrad: true }));
  const streams = definition.inputs.map((name) => {
    const x = setting.inputs[name] as Float32Array;
    return { at: take(x.length, x), step: x.length === size ? step : 0 };
  });
  const names = [...program.traced.outputs.keys()];
  const packed = (name: string) => definition.packed?.includes(name);
  const result = tape(() => {
    const values = derive(program.traced, tensors);
    const run = {
      T,
      rows,
      n,
      inputs: streams,
      parameters: values.map((t) => take(t.size, t.toFloat32Array())),
      from: definition.states.map((name) => {
        const v = setting.states[name] as Float32Array;
        return v.every((x) => Object.is(x, 0)) ? 0 : take(step, v);
      }),
      saved: Array.from({ length: code.savedArrays }, (_, i) => take(code.savedBytes(i, size) / 4)),
    };
    const to = definition.states.map(() => take(step));
    const outputs = Object.fromEntries(names.map((name) => [name, take(size)]));
    runForward(code, { ...run, to, outputs });
    for (const name of names) {
      if (!packed(name)) continue;
      const p = take(size);
      coreKernels.unpackBits(p, outputs[name] as number, size);
      outputs[name] = p;
    }
    const dInputs = streams.map((x) => ({ at: x.step === 0 ? zeros(step) : take(size), step: x.step }));
    const dLast = definition.states.map((name) => {
      const w = setting.stateWeights[name];
      return w === undefined ? 0 : take(step, w);
    });
    // Over that of the last state, where there is one.
    const dStates = dLast.map((p) => p || take(step));
    const dParameters = values.map((t) => zeros(t.size));
    const gradients = map(weights, (w) => ({ at: take(w.length, w), step: w.length === size ? step : 0 }));
    runBackward(code, { ...run, gradients, dInputs, dLast, dFirst: dStates, dParameters });
    // What the loop gives for its parameters goes on to those of the step.
    let loss = tensor(0).add(0);
    values.forEach((t, k) => {
      const upstream = read(dParameters[k] as number, t.size);
      if (upstream.some((d) => d !== 0)) loss = loss.add(t.mul(tensor(upstream, { shape: [...t.shape] })).sum());
    });
    if (loss.requiresGrad) loss.backward();
    return {
      outputs: map(outputs, (p) => read(p, size)),
      states: Object.fromEntries(definition.states.map((name, i) => [name, read(to[i] as number, step)])),
      dInputs: Object.fromEntries(
        definition.inputs.map((name, i) => [
          name,
          read(dInputs[i]?.at as number, dInputs[i]?.step === 0 ? step : size),
        ]),
      ),
      dStates: Object.fromEntries(definition.states.map((name, i) => [name, read(dStates[i] as number, step)])),
    };
  });
  const dParameters = map(tensors, (t) => t.grad?.toFloat32Array() ?? new Float32Array(t.size));
  for (const [p, bytes] of blocks) wasmHeap.release(p, bytes);
  for (const t of Object.values(tensors)) t.dispose();
  return { ...result, dParameters };
}

/**
 * What a sum may be off by, as a part of the largest sum of magnitudes. Terms may have cancelled before, over time or among the
 * uses of a parameter; so many gradients of the size of 1 leave about so much.
 */
const ROUNDING = 1e-5;
const cancelled = ({ outputs }: Result): number =>
  Math.sqrt(Math.max(0, ...Object.values(outputs).map((z) => z.length)));

/** Where two results differ: values and gradients to the bit, sums up to their roundings. */
export function difference(got: Result, want: Reference): string | null {
  for (const kind of ["outputs", "states", "dInputs", "dStates"] as const) {
    for (const [name, values] of Object.entries(want[kind])) {
      const found = got[kind][name] as Float32Array;
      for (let i = 0; i < values.length; i++) {
        const [x, y] = [found[i] as number, values[i] as number];
        if (Object.is(x, y)) continue;
        if (kind === "dInputs" && want.constant.includes(name)) {
          if (!(Math.abs(x - y) > ROUNDING * (Math.max(...values.map(Math.abs)) + cancelled(got)))) continue;
        }
        return `${kind} ${name}[${i}]: got ${x}, on tensors ${y}`;
      }
    }
  }
  for (const [name, values] of Object.entries(want.magnitudes)) {
    const size = Math.max(...values);
    for (let i = 0; i < values.length; i++) {
      const [x, y] = [got.dParameters[name]?.[i] as number, want.dParameters[name]?.[i] as number];
      if (Math.abs(x - y) <= ROUNDING * (size + cancelled(got)) || !Number.isFinite(size)) continue;
      return `dParameters ${name}[${i}]: got ${x}, on tensors ${y}, a sum of magnitudes ${size}`;
    }
  }
  return null;
}

/** Expects both ways to agree; returns what the compiled step gave. */
export function expectSame(definition: StepDefinition, setting: Setting): Result {
  const got = fused(definition, setting);
  expect(difference(got, composed(definition, setting))).toBeNull();
  return got;
}
