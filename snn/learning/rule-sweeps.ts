/**
 * The sweeps of a rule over the synapses of a layer, as steps that the compiler takes.
 *
 * Weights are a matrix [out, in], and once more [in, out]: the synapses of a neuron behind lie side by side in the first, those of
 * a neuron before in the second. A spike before is a sweep over its row of the second matrix, whose lanes are the neurons behind; a
 * spike behind is a sweep over its row of the first. Either writes the other matrix too, at the places of a list. Where both neurons of a
 * synapse spike, the first sweep makes both changes, and the second leaves the synapse as it is.
 */
import type { StepArgument, StepDefinition, Value } from "../../engine/fuse/index.ts";
import type { Argument, Event, Rule, Trace } from "./plasticity.ts";

/** Which neurons lie side by side in a sweep: those behind, for a spike before, or those before. */
export type Side = "columns" | "rows";

/** Whether changes go to the weights themselves, or to sums that are applied later. */
export type Target = "weight" | "sum";

/** What sweeps of a layer have in common. */
export interface Layout {
  readonly rule: Rule;
  /** Bounds that changed weights are clamped to, infinite for none. */
  readonly bounds: readonly [low: number, high: number];
  /** The parameters that neurons behind have a value of their own of. */
  readonly perNeuron: readonly string[];
}

/** The trace as it is when the spikes of the step have been added. */
export const after = (trace: string): string => `${trace}+`;
/** What a state of a synapse is multiplied by to give its value, and the reciprocal: decay is kept in these until it is much. */
export const scaleOf = (state: string): string => `scale of ${state}`;
export const inverseOf = (state: string): string => `1/scale of ${state}`;
/** The same matrix in the other order. */
export const twinOf = (matrix: string): string => `${matrix} twin`;

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
export const OTHER_SUM = "sum in the other order";
export const TOUCHED = "row is touched";
export const RATE = "rate of changes";
export const FACTOR = "factor of the row";
export const SPIKES = "spikes of the step";
export const FINITE = "x - x";

type Step = (argument: StepArgument<string>) => Record<string, Value | number>;

/** A definition with the inputs and outputs of these matrices; the other inputs are those of the neurons and numbers. */
function sweep(layout: Layout, side: Side, matrices: readonly string[], step: Step, more: object = {}): StepDefinition {
  const { rule, perNeuron } = layout;
  const [lanes, own] = side === "columns" ? (["post", "pre"] as const) : (["pre", "post"] as const);
  const shared = [...valuesOf(rule, own), ...scalarsOf(layout), ...(side === "rows" ? perNeuron : [])];
  const columns = [...valuesOf(rule, lanes), ...(side === "columns" ? perNeuron : [])];
  return {
    name: rule.name,
    inputs: [...matrices, ...columns, ...shared],
    states: [],
    parameters: {},
    shared,
    summed: [FINITE],
    listed: [],
    step,
    ...more,
  } as StepDefinition;
}

/** Whether a change at an event sees a trace with the spikes of its step. */
function sees({ order }: Rule, event: Event, { of }: Trace): boolean {
  if (event === "onReward" || order === "after") return true;
  if (order === "before") return false;
  if (event === "onStep") return true;
  return order === "preFirst" ? event === "onPost" && of === "pre" : event === "onPre" && of === "post";
}

/** The changes of a rule at an event, from the argument of a sweep. */
function changesOf(rule: Rule, event: Event, argument: StepArgument<string>): Record<string, Value> {
  const own: PropertyDescriptorMap = {};
  for (const trace of rule.traces) {
    if (sees(rule, event, trace)) own[trace.name] = { get: () => argument[after(trace.name)] };
  }
  for (const { name } of rule.synapse) {
    own[name] = { get: () => (argument[name] as Value).mul(argument[scaleOf(name)] as Value) };
  }
  const changes = rule.changes(event, Object.create(argument, own) as Argument);
  return Object.fromEntries(
    Object.entries(changes).map(([key, x]) => [key, typeof x === "number" ? argument.constant(x) : x]),
  );
}

/** A sweep that makes changes: of the weight or of its sum, and of states of the synapse. */
function changing(
  layout: Layout,
  side: Side,
  target: Target,
  changes: (argument: StepArgument<string>) => Record<string, Value>,
  hasTwins: boolean,
  keep: (argument: StepArgument<string>, z: Value, old: Value) => Value = (_, z) => z,
  more: object = {},
): StepDefinition {
  const { rule, bounds } = layout;
  const states = rule.synapse.map(({ name }) => name);
  const twins = hasTwins ? ["w", ...states].map(twinOf) : [];
  const step: Step = (argument) => {
    const { w: dw, ...others } = changes(argument);
    const outputs: Record<string, Value> = {};
    const write = (name: string, z: Value) => {
      outputs[name] = keep(argument, z, argument[name] as Value);
      if (hasTwins && name !== SUM) outputs[twinOf(name)] = outputs[name];
    };
    if (dw !== undefined && target === "sum") write(SUM, (argument[SUM] as Value).add(dw));
    if (dw !== undefined && target === "weight") {
      write("w", clamped((argument.w as Value).add(dw), bounds));
      outputs[FINITE] = differenceOf(outputs.w as Value);
    }
    for (const [name, change] of Object.entries(others)) {
      write(name, (argument[name] as Value).add(change.mul(argument[inverseOf(name)] as Value)));
    }
    return outputs;
  };
  return sweep(layout, side, ["w", SUM, ...states], step, { listed: twins, ...more });
}

/** x − x: 0, or NaN where x is not finite, so that a sum of these tells whether all are. */
const differenceOf = (x: Value): Value => x.sub(x);

const clamped = (x: Value, [low, high]: Layout["bounds"]): Value =>
  low === -Infinity && high === Infinity ? x : x.clamp(low, high);

/** The sweep for a spike of a neuron before ("columns") or behind ("rows"). */
export function eventSweep(layout: Layout, side: Side, target: Target): StepDefinition {
  const { rule } = layout;
  if (side === "rows") {
    const isAlone = !rule.has("onPre");
    return changing(
      layout,
      side,
      target,
      (argument) => changesOf(rule, "onPost", argument),
      true,
      isAlone ? undefined : ({ where, pre }, z, old) => where((pre as Value).eq(0), z, old),
    );
  }
  const changes = (argument: StepArgument<string>) => {
    const all = changesOf(rule, "onPre", argument);
    if (!rule.has("onPost")) return all;
    const { where, post } = argument;
    for (const [key, change] of Object.entries(changesOf(rule, "onPost", argument))) {
      const part = where((post as Value).eq(0), 0, change);
      all[key] = all[key] === undefined ? part : all[key].add(part);
    }
    return all;
  };
  return changing(layout, side, target, changes, true);
}

/** The sweep over all synapses, row by row, for each step or a reward. */
export function denseSweep(layout: Layout, event: "onStep" | "onReward", target: Target): StepDefinition {
  const { rule } = layout;
  const { explains } = rule;
  if (event === "onReward" || explains === null) {
    return changing(layout, "rows", target, (argument) => changesOf(rule, event, argument), false);
  }
  const explained = (argument: StepArgument<string>): Value => argument.explained as Value;
  if (explains === "all") {
    const definition = changing(layout, "rows", target, (argument) => changesOf(rule, event, argument), false);
    return { ...definition, inputs: ["explained", ...definition.inputs] };
  }
  // From row to row goes what the rows before explain.
  const withOwn = (argument: StepArgument<string>): StepArgument<string> =>
    Object.create(argument, { explained: { value: explained(argument).add(explainedBy(argument)) } });
  const definition = changing(layout, "rows", target, (argument) => changesOf(rule, event, withOwn(argument)), false);
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
export const explainSweep = (layout: Layout): StepDefinition =>
  sweep(
    layout,
    "rows",
    ["w"],
    (argument) => ({ explained: (argument.explained as Value).add(explainedBy(argument)) }),
    {
      states: ["explained"],
    },
  );

/**
 * The sweep that applies sums. Row by row: those of the row and, with `hasOther`, those of events before, which lie in the other
 * order. By columns: those of events before alone, of neurons behind that are not `touched`, which rows have seen to.
 */
export function applySweep(layout: Layout, side: Side, hasOther: boolean, hasTwin: boolean): StepDefinition {
  const others = hasOther ? [OTHER_SUM] : [];
  const matrices = ["w", SUM, ...others, ...(side === "columns" ? [TOUCHED] : [])];
  const step: Step = (argument) => {
    const valueOf = (name: string): Value => argument[name] as unknown as Value;
    const [w, sum, rate] = [valueOf("w"), valueOf(SUM), valueOf(RATE)];
    const other = hasOther ? valueOf(OTHER_SUM) : null;
    const all = other === null ? sum : other.add(sum);
    const z = clamped(w.add(all.mul(rate)), layout.bounds);
    const kept = side === "columns" ? argument.where((argument[TOUCHED] as Value).eq(0), z, w) : z;
    return { w: kept, [FINITE]: differenceOf(kept), ...(hasTwin ? { [twinOf("w")]: kept } : {}) };
  };
  return sweep(layout, side, matrices, step, { listed: hasTwin ? [...others, twinOf("w")] : others });
}

/** The matrix times a number, or, within the bounds, times that of its row. */
export function scaleSweep(layout: Layout, matrix: string, by: typeof RATE | typeof FACTOR, isClamped: boolean) {
  const step: Step = (argument) => {
    const z = (argument[matrix] as Value).mul(argument[by] as Value);
    return { [matrix]: isClamped ? clamped(z, layout.bounds) : z };
  };
  const definition = sweep(layout, "rows", [matrix], step);
  if (by === RATE) return definition;
  const { inputs, shared = [] } = definition;
  return { ...definition, inputs: [...inputs, FACTOR], shared: [...shared, FACTOR] };
}

/** Σ |w| over a row. */
export const normSweep = (layout: Layout): StepDefinition =>
  sweep(layout, "rows", ["w"], (argument) => ({ [FINITE]: (argument.w as Value).abs() }));

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
      const traced = input === null ? spike : input(spike);
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
