/**
 * The sweeps of a rule over the synapses of a layer, as steps that the compiler takes.
 *
 * Weights are a matrix [out, in], whose rows are the synapses of a neuron behind. A row whose neuron spikes is swept as a whole, with
 * the changes at its spike and at those before. The other rows are swept at the columns of the neurons before that spike, which a list
 * names; the values of these neurons lie side by side for that. Many columns are swept as whole rows too, and few of them one by
 * one, over all rows.
 */
import type { StepArgument, StepDefinition, Value } from "../../engine/fuse/index.ts";
import { returnedValue } from "../definition.ts";
import type { Argument, Event, Rule, Trace } from "./plasticity.ts";

/** The path of a sweep: all columns of a row, the columns of a row that a list names, or a column over all rows. */
export type Path = "row" | "listed" | "column";

/** Whether changes go to the weights themselves, or to sums that are applied later. */
export type Target = "weight" | "sum";

/** The rule and the settings that all sweeps of a layer share. */
export interface Layout {
  readonly rule: Rule;
  /** Bounds that changed weights are clamped to, infinite for none. */
  readonly bounds: readonly [low: number, high: number];
  /** The parameters that neurons behind have a value of their own of. */
  readonly perNeuron: readonly string[];
}

/** The trace as it is when the spikes of the step have been added. */
export const after = (trace: string): string => `${trace}+`;
/** The factor that gives the value of a state of a synapse, and its reciprocal: decay gathers in these until it is much. */
export const scaleOf = (state: string): string => `scale of ${state}`;
export const inverseOf = (state: string): string => `1/scale of ${state}`;
/** Values of the neurons on a side: their spikes, and their traces before and after these. */
export function valuesOf(rule: Rule, of: "pre" | "post"): string[] {
  const traces = rule.traces.filter((trace) => trace.of === of).map(({ name }) => name);
  return [of, ...traces, ...traces.map(after)];
}

/** Values that all synapses share. */
export function scalarsOf({ rule, perNeuron }: Layout): string[] {
  const shared = rule.parameterNames.filter((name) => !perNeuron.includes(name));
  const states = rule.synapse.map(({ name }) => name);
  return [...shared, "dt", "low", "high", "reward", RATE, ...states.map(scaleOf), ...states.map(inverseOf)];
}

/** Inputs and outputs of sweeps besides: no name that a rule may give. */
export const SUM = "sum of changes";
export const RATE = "rate of changes";
export const FACTOR = "factor of the row";
export const SPIKES = "spikes of the step";
export const FINITE = "x - x";

type Step = (argument: StepArgument<string>) => Record<string, Value | number>;

/** A sweep over these matrices. */
function sweep(layout: Layout, matrices: readonly string[], path: Path, step: Step): StepDefinition {
  const { rule, perNeuron } = layout;
  const before = valuesOf(rule, "pre");
  const behind = [...valuesOf(rule, "post"), ...perNeuron];
  const [lanes, own] = path === "column" ? [behind, before] : [before, behind];
  const shared = [...own, ...scalarsOf(layout)];
  return {
    name: rule.name,
    inputs: [...matrices, ...lanes, ...shared],
    states: [],
    parameters: {},
    shared,
    summed: [FINITE],
    ...(path === "row" ? {} : { listed: matrices }),
    step,
  } as StepDefinition;
}

/** Whether a change at an event sees a trace with the spikes of its step. */
function sees({ order }: Rule, event: Event, { of }: Trace): boolean {
  if (event === "onReward" || order === "after") return true;
  if (order === "before") return false;
  if (event === "onStep") return true;
  return order === "preFirst" ? event === "onPost" && of === "pre" : event === "onPre" && of === "post";
}

/** The functions that a rule may call. */
const FUNCTIONS = /* @__PURE__ */ "where select spike softplus constant".split(" ");

/** The argument of a rule at an event: its own names alone, without those that sweeps have besides. */
function guarded({ name, traces, synapse, parameterNames, explains }: Rule, event: Event, argument: object): Argument {
  const named = [...traces, ...synapse].map((x) => x.name);
  const explained = event === "onStep" && explains !== null ? ["explained"] : [];
  const values = ["w", "pre", "post", "reward", "dt", "low", "high", ...explained, ...named, ...parameterNames];
  return new Proxy(argument as Argument, {
    get(target, key) {
      const isKnown = typeof key === "symbol" || values.includes(key) || FUNCTIONS.includes(key);
      if (isKnown) return target[key as string];
      const expected = `${values.join(", ")}, or ${FUNCTIONS.join(", ")}`;
      throw new TypeError(`${name}: ${event} asks for ${key}; expected ${expected}`);
    },
  });
}

/** The changes of a rule at an event, from the argument of a sweep. */
function changesOf(rule: Rule, event: Event, argument: StepArgument<string>): Readonly<Record<string, Value>> {
  const own: PropertyDescriptorMap = {};
  for (const trace of rule.traces) {
    if (sees(rule, event, trace)) own[trace.name] = { get: () => argument[after(trace.name)] };
  }
  for (const { name } of rule.synapse) {
    own[name] = { get: () => (argument[name] as Value).mul(argument[scaleOf(name)] as Value) };
  }
  return rule.changes(event, guarded(rule, event, Object.create(argument, own)));
}

/** A sweep that makes changes: of the weight or of its sum, and of states of the synapse. */
function changing(
  layout: Layout,
  path: Path,
  target: Target,
  changes: (argument: StepArgument<string>) => Record<string, Value>,
): StepDefinition {
  const { rule, bounds } = layout;
  // Rows whose neurons spike are swept on their own.
  const isApart = path === "column" && rule.has("onPost");
  const step: Step = (argument) => {
    const { w: dw, ...others } = changes(argument);
    const outputs: Record<string, Value> = {};
    const write = (name: string, z: Value) => {
      const old = argument[name] as Value;
      outputs[name] = isApart ? argument.where((argument.post as Value).eq(0), z, old) : z;
    };
    if (dw !== undefined && target === "sum") write(SUM, (argument[SUM] as Value).add(dw));
    if (dw !== undefined && target === "weight") {
      write("w", clamped((argument.w as Value).add(dw), bounds));
    }
    for (const [name, change] of Object.entries(others)) {
      write(name, (argument[name] as Value).add(change.mul(argument[inverseOf(name)] as Value)));
    }
    const lasting = Object.entries(outputs).filter(([name]) => name !== SUM);
    if (lasting.length > 0) outputs[FINITE] = lasting.map(([, z]) => differenceOf(z)).reduce((sum, x) => sum.add(x));
    return outputs;
  };
  return sweep(layout, ["w", SUM, ...rule.synapse.map(({ name }) => name)], path, step);
}

/** x − x: 0, or NaN where x is not finite, so that a sum of these tells whether all are. */
const differenceOf = (x: Value): Value => x.sub(x);

const clamped = (x: Value, [low, high]: Layout["bounds"]): Value =>
  low === -Infinity && high === Infinity ? x : x.clamp(low, high);

/** The changes at spikes: on both sides in whole rows, those before at listed columns or in a column. */
export function eventSweep(layout: Layout, path: Path, target: Target): StepDefinition {
  const { rule } = layout;
  if (path !== "row") return changing(layout, path, target, (argument) => changesOf(rule, "onPre", argument));
  const sides = [["onPre", "pre"] as const, ["onPost", "post"] as const].filter(([event]) => rule.has(event));
  return changing(layout, path, target, (argument) => {
    const all: Record<string, Value> = {};
    for (const [event, spike] of sides) {
      const isSilent = (argument[spike] as Value).eq(0);
      for (const [key, change] of Object.entries(changesOf(rule, event, argument))) {
        const part = argument.where(isSilent, 0, change);
        all[key] = all[key] === undefined ? part : all[key].add(part);
      }
    }
    return all;
  });
}

/** The sweep over all synapses, row by row, for each step or a reward. */
export function denseSweep(layout: Layout, event: "onStep" | "onReward", target: Target): StepDefinition {
  const { rule } = layout;
  const { explains } = rule;
  if (event === "onReward" || explains === null) {
    return changing(layout, "row", target, (argument) => changesOf(rule, event, argument));
  }
  const explained = (argument: StepArgument<string>): Value => argument.explained as Value;
  if (explains === "all") {
    const definition = changing(layout, "row", target, (argument) => changesOf(rule, event, argument));
    return { ...definition, inputs: ["explained", ...definition.inputs] };
  }
  // The sum over the rows before passes from row to row.
  const withOwn = (argument: StepArgument<string>): StepArgument<string> =>
    Object.create(argument, { explained: { value: explained(argument).add(explainedBy(argument)) } });
  const definition = changing(layout, "row", target, (argument) => changesOf(rule, event, withOwn(argument)));
  const { step } = definition;
  return {
    ...definition,
    states: ["explained"],
    step: (argument: StepArgument<string>) => ({
      ...step(argument as never),
      explained: explained(argument).add(explainedBy(argument)),
    }),
  } as StepDefinition;
}

const explainedBy = ({ w, post }: StepArgument<string>): Value => (w as Value).mul(post as Value);

/** The sum that all rows explain, row by row. */
export function explainSweep(layout: Layout): StepDefinition {
  const step: Step = (argument) => ({ explained: (argument.explained as Value).add(explainedBy(argument)) });
  return { ...sweep(layout, ["w"], "row", step), states: ["explained"] };
}

/** w + rate·Σ changes. */
export function applySweep(layout: Layout, path: Path): StepDefinition {
  const step: Step = (argument) => {
    const change = (argument[SUM] as Value).mul(argument[RATE] as Value);
    const z = clamped((argument.w as Value).add(change), layout.bounds);
    return { w: z, [SUM]: argument.constant(0), [FINITE]: differenceOf(z) };
  };
  return sweep(layout, ["w", SUM], path, step);
}

/** The matrix times a number, within the bounds or not. */
export const scaleSweep = (layout: Layout, matrix: string, isClamped: boolean): StepDefinition =>
  sweep(layout, [matrix], "row", (argument) => {
    const z = (argument[matrix] as Value).mul(argument[RATE] as Value);
    return { [matrix]: isClamped ? clamped(z, layout.bounds) : z };
  });

/** Weights times the factor of their row. Adds up how far they are beyond the bounds. */
export function normalizeSweep(layout: Layout): StepDefinition {
  const definition = sweep(layout, ["w"], "row", (argument) => {
    const w = (argument.w as Value).mul(argument[FACTOR] as Value);
    return { w, [FINITE]: w.sub(clamped(w, layout.bounds)).abs() };
  });
  const { inputs, shared = [] } = definition;
  return { ...definition, inputs: [...inputs, FACTOR], shared: [...shared, FACTOR] } as StepDefinition;
}

/** Adds up how far weights are beyond the bounds: NaN where one is not finite. */
export const checkSweep = (layout: Layout): StepDefinition =>
  sweep(layout, ["w"], "row", (argument) => {
    const w = argument.w as Value;
    return { [FINITE]: w.sub(clamped(w, layout.bounds)).abs().add(differenceOf(w)) };
  });

/** Σ |w| over a row. */
export const normSweep = (layout: Layout): StepDefinition =>
  sweep(layout, ["w"], "row", (argument) => ({ [FINITE]: (argument.w as Value).abs() }));

/** Traces of the neurons on a side, before and after the spikes of a step. */
export function traceSweep(rule: Rule, of: "pre" | "post"): StepDefinition | null {
  const traces = rule.traces.filter((trace) => trace.of === of);
  if (traces.length === 0) return null;
  const names = traces.map(({ name }) => name);
  const shared = names.map(decayOf);
  const step: Step = (argument) => {
    const outputs: Record<string, Value> = {};
    for (const { name, amount, set, average, input } of traces) {
      const spike = argument[SPIKES] as Value;
      const decay = argument[decayOf(name)] as Value;
      const before = (argument[name] as Value).mul(decay);
      const traced = input === null ? spike : returnedValue(rule.name, `the input of ${name} to return`, input(spike));
      const added = average ? argument.constant(1).sub(decay).mul(amount) : argument.constant(amount);
      outputs[name] = before;
      outputs[after(name)] = set ? argument.where(spike.eq(0), before, added) : before.add(traced.mul(added));
    }
    return outputs;
  };
  return {
    name: rule.name,
    inputs: [SPIKES, ...names, ...shared],
    states: [],
    parameters: {},
    shared,
    step,
  } as StepDefinition;
}

/** ρ of a trace. */
export const decayOf = (trace: string): string => `decay of ${trace}`;
