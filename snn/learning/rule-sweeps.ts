/**
 * The sweeps of a rule over the synapses of a layer, as steps for the compiler.
 *
 * Weights are a matrix [out, in]; a row has the synapses of one postsynaptic neuron. The row of a neuron that spikes is
 * swept as a whole, with the changes at its spike and at presynaptic spikes. The other rows are swept only at listed
 * columns, those of presynaptic neurons that spike. The values of these neurons are gathered first. If many neurons
 * spike, whole rows are swept instead, and if few do, single columns over all rows.
 */
import type { StepArgument, StepDefinition, Value } from "../../engine/fuse/index.ts";
import { returnedValue } from "../neuron/definition.ts";
import type { Argument, Event, Rule, Trace } from "./plasticity.ts";

/** Path of a sweep: all columns of a row, the listed columns of a row, or a column over all rows. */
export type SweepPath = "row" | "listed" | "column";

/** Target of changes: the weights themselves, or sums that are applied later. */
export type Target = "weight" | "sum";

/** The rule and the settings that all sweeps of a layer share. */
export interface RuleLayout {
  readonly rule: Rule;
  /** Bounds to which changed weights are clamped; infinite for none. */
  readonly bounds: readonly [low: number, high: number];
  /** Parameters with a value for each postsynaptic neuron. */
  readonly perNeuron: readonly string[];
}

/** Name of a trace after the spikes of the step were added. */
export const traceAfter = (trace: string): string => `${trace}+`;
/** Name of a synaptic state's scale, by which its values are multiplied: decays accumulate in it until it becomes too small. */
export const scaleName = (state: string): string => `scale of ${state}`;
export const inverseOf = (state: string): string => `1/scale of ${state}`;
/** Values of pre- or postsynaptic neurons: spikes, and traces before and after them. */
export function neuronValues(rule: Rule, of: "pre" | "post"): string[] {
  const traces = rule.traces.filter((trace) => trace.of === of).map(({ name }) => name);
  return [of, ...traces, ...traces.map(traceAfter)];
}

/** Values that all synapses share. */
export function scalarsOf({ rule, perNeuron }: RuleLayout): string[] {
  const shared = rule.parameterNames.filter((name) => !perNeuron.includes(name));
  const states = rule.synapse.map(({ name }) => name);
  return [...shared, "dt", "low", "high", "reward", RATE, ...states.map(scaleName), ...states.map(inverseOf)];
}

/** Further inputs and outputs of sweeps; rules cannot use these names. */
export const SUM_OF_CHANGES = "sum of changes";
export const RATE = "rate of changes";
export const FACTOR = "factor of the row";
export const SPIKES_OF_STEP = "spikes of the step";
export const FINITE_CHECK = "x - x";

type Step = (argument: StepArgument<string>) => Record<string, Value | number>;

/** A sweep over these matrices. */
function sweep(layout: RuleLayout, matrices: readonly string[], path: SweepPath, step: Step): StepDefinition {
  const { rule, perNeuron } = layout;
  const before = neuronValues(rule, "pre");
  const behind = [...neuronValues(rule, "post"), ...perNeuron];
  const [lanes, own] = path === "column" ? [behind, before] : [before, behind];
  const shared = [...own, ...scalarsOf(layout)];
  return {
    name: rule.name,
    inputs: [...matrices, ...lanes, ...shared],
    states: [],
    parameters: {},
    shared,
    summed: [FINITE_CHECK],
    ...(path === "row" ? {} : { listed: matrices }),
    step,
  } as StepDefinition;
}

/** Whether a change at an event reads a trace that includes the spikes of its step. */
function sees({ order }: Rule, event: Event, { of }: Trace): boolean {
  if (event === "onReward" || order === "after") return true;
  if (order === "before") return false;
  if (event === "onStep") return true;
  return order === "preFirst" ? event === "onPost" && of === "pre" : event === "onPre" && of === "post";
}

/** Functions that a rule may call. */
const FUNCTIONS = /* @__PURE__ */ "where select spike softplus constant".split(" ");

/** Argument of a rule at an event, restricted to the rule's own names. */
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

/** Changes of a rule at an event, computed from the argument of a sweep. */
function changesOf(rule: Rule, event: Event, argument: StepArgument<string>): Readonly<Record<string, Value>> {
  const own: PropertyDescriptorMap = {};
  for (const trace of rule.traces) {
    if (sees(rule, event, trace)) own[trace.name] = { get: () => argument[traceAfter(trace.name)] };
  }
  for (const { name } of rule.synapse) {
    own[name] = { get: () => (argument[name] as Value).mul(argument[scaleName(name)] as Value) };
  }
  return rule.changes(event, guarded(rule, event, Object.create(argument, own)));
}

/** A sweep with changes of the weight or of its sum, and of synaptic states. */
function changing(
  layout: RuleLayout,
  path: SweepPath,
  target: Target,
  changes: (argument: StepArgument<string>) => Record<string, Value>,
): StepDefinition {
  const { rule, bounds } = layout;
  // Separate sweeps cover rows whose neurons spike.
  const isApart = path === "column" && rule.has("onPost");
  const step: Step = (argument) => {
    const { w: dw, ...others } = changes(argument);
    const outputs: Record<string, Value> = {};
    const write = (name: string, z: Value) => {
      const old = argument[name] as Value;
      outputs[name] = isApart ? argument.where((argument.post as Value).eq(0), z, old) : z;
    };
    if (dw !== undefined && target === "sum") write(SUM_OF_CHANGES, (argument[SUM_OF_CHANGES] as Value).add(dw));
    if (dw !== undefined && target === "weight") {
      write("w", clamped((argument.w as Value).add(dw), bounds));
    }
    for (const [name, change] of Object.entries(others)) {
      write(name, (argument[name] as Value).add(change.mul(argument[inverseOf(name)] as Value)));
    }
    const lasting = Object.entries(outputs).filter(([name]) => name !== SUM_OF_CHANGES);
    if (lasting.length > 0)
      outputs[FINITE_CHECK] = lasting.map(([, z]) => differenceOf(z)).reduce((sum, x) => sum.add(x));
    return outputs;
  };
  return sweep(layout, ["w", SUM_OF_CHANGES, ...rule.synapse.map(({ name }) => name)], path, step);
}

/** x − x: 0, or NaN if x is not finite, so that the sum shows whether all are finite. */
const differenceOf = (x: Value): Value => x.sub(x);

const clamped = (x: Value, [low, high]: RuleLayout["bounds"]): Value =>
  low === -Infinity && high === Infinity ? x : x.clamp(low, high);

/** Changes at spikes: pre- and postsynaptic in whole rows, presynaptic at listed columns or in a column. */
export function eventSweep(layout: RuleLayout, path: SweepPath, target: Target): StepDefinition {
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

/** Sweep over all synapses, row by row, for `onStep` or `onReward`. */
export function denseSweep(layout: RuleLayout, event: "onStep" | "onReward", target: Target): StepDefinition {
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
  // The sum over earlier rows passes from row to row.
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

/** Sums `explained`, w·post, over all rows. */
export function explainSweep(layout: RuleLayout): StepDefinition {
  const step: Step = (argument) => ({ explained: (argument.explained as Value).add(explainedBy(argument)) });
  return { ...sweep(layout, ["w"], "row", step), states: ["explained"] };
}

/** w + rate·Σ changes. */
export function applySweep(layout: RuleLayout, path: SweepPath): StepDefinition {
  const step: Step = (argument) => {
    const change = (argument[SUM_OF_CHANGES] as Value).mul(argument[RATE] as Value);
    const z = clamped((argument.w as Value).add(change), layout.bounds);
    return { w: z, [SUM_OF_CHANGES]: argument.constant(0), [FINITE_CHECK]: differenceOf(z) };
  };
  return sweep(layout, ["w", SUM_OF_CHANGES], path, step);
}

/** Multiplies a matrix by a number, with or without clamping. */
export const scaleSweep = (layout: RuleLayout, matrix: string, isClamped: boolean): StepDefinition =>
  sweep(layout, [matrix], "row", (argument) => {
    const z = (argument[matrix] as Value).mul(argument[RATE] as Value);
    return { [matrix]: isClamped ? clamped(z, layout.bounds) : z };
  });

/** Multiplies weights by the factor of their row. Sums up how far they exceed the bounds. */
export function normalizeSweep(layout: RuleLayout): StepDefinition {
  const definition = sweep(layout, ["w"], "row", (argument) => {
    const w = (argument.w as Value).mul(argument[FACTOR] as Value);
    return { w, [FINITE_CHECK]: w.sub(clamped(w, layout.bounds)).abs() };
  });
  const { inputs, shared = [] } = definition;
  return { ...definition, inputs: [...inputs, FACTOR], shared: [...shared, FACTOR] } as StepDefinition;
}

/** Sums up how far weights exceed the bounds; NaN if one is not finite. */
export const checkSweep = (layout: RuleLayout): StepDefinition =>
  sweep(layout, ["w"], "row", (argument) => {
    const w = argument.w as Value;
    return { [FINITE_CHECK]: w.sub(clamped(w, layout.bounds)).abs().add(differenceOf(w)) };
  });

/** Σ |w| over a row. */
export const normSweep = (layout: RuleLayout): StepDefinition =>
  sweep(layout, ["w"], "row", (argument) => ({ [FINITE_CHECK]: (argument.w as Value).abs() }));

/** Pre- or postsynaptic traces before and after the spikes of a step. */
export function traceSweep(rule: Rule, of: "pre" | "post"): StepDefinition | null {
  const traces = rule.traces.filter((trace) => trace.of === of);
  if (traces.length === 0) return null;
  const names = traces.map(({ name }) => name);
  const shared = names.map(decayName);
  const step: Step = (argument) => {
    const outputs: Record<string, Value> = {};
    for (const { name, amount, set, average, input } of traces) {
      const spike = argument[SPIKES_OF_STEP] as Value;
      const decay = argument[decayName(name)] as Value;
      const before = (argument[name] as Value).mul(decay);
      const traced = input === null ? spike : returnedValue(rule.name, `the input of ${name} to return`, input(spike));
      const added = average ? argument.constant(1).sub(decay).mul(amount) : argument.constant(amount);
      outputs[name] = before;
      outputs[traceAfter(name)] = set ? argument.where(spike.eq(0), before, added) : before.add(traced.mul(added));
    }
    return outputs;
  };
  return {
    name: rule.name,
    inputs: [SPIKES_OF_STEP, ...names, ...shared],
    states: [],
    parameters: {},
    shared,
    step,
  } as StepDefinition;
}

/** Name of a trace's ρ. */
export const decayName = (trace: string): string => `decay of ${trace}`;
