/** Arguments for classes that `plasticity` has made, drawn from their definitions: a new rule needs no row of its own. */
import { full, type Tensor } from "../../../engine/index.ts";
import * as snn from "../../../snn/index.ts";
import type { RuleName } from "../calls.ts";
import { choice, either, type Kind, num, oneOf, options, record, type Spec, spare, t } from "./kinds.ts";

interface Made {
  readonly parameterNames: readonly string[];
  readonly form: {
    readonly parameters: Readonly<Record<string, number>>;
    readonly choices: Readonly<Record<string, readonly string[] | boolean | number>>;
    readonly numerics: object;
    readonly needs: object;
    readonly handlers: object;
    readonly traces: object;
  };
}

type Make = new (given?: object) => Made;

const CLASSES = Object.entries(snn).filter(
  ([, value]) => typeof value === "function" && value.prototype instanceof snn.Rule,
) as unknown as [string, Make][];

/** Options of a class of rules. */
function optionsOf(Class: Make): Kind {
  const rule = new Class();
  disposeOf(rule);
  const { parameters, choices, numerics, needs, handlers, traces } = rule.form;
  const rewardAfter = choice("events", "nothing");
  // Some choices leave all traces out, and with them both options of traces.
  const ofTraces = Object.values(traces).every((trace) => typeof trace === "function") ? spare : (kind: Kind) => kind;
  const values = Object.entries(parameters).map(([key, usual]): [string, Kind] => {
    const column = { ...t(2), draw: () => `full([2], ${usual})` };
    return [key, isPerNeuron(Class, key, usual) ? either(num(usual), column) : num(usual)];
  });
  const chosen = Object.entries(choices).map(([key, usual]): [string, Kind] => {
    if (typeof usual === "boolean") return [key, oneOf(["true", "false"], ["boolean"])];
    return [key, typeof usual === "number" ? num(usual) : choice(...usual)];
  });
  const presets = Object.keys(numerics);
  return options({
    // An option that needs others is refused beside most of them.
    ...Object.fromEntries([...values, ...chosen].map(([key, kind]) => [key, key in needs ? spare(kind) : kind])),
    numerics: spare(presets.length === 0 ? oneOf(["undefined"]) : choice(...presets)),
    dt: num(1, 0.5),
    decay: ofTraces(choice("exp", "euler")),
    order: ofTraces(choice("before", "after", "preFirst", "postFirst")),
    rewardAfter: "onReward" in handlers ? rewardAfter : spare(rewardAfter),
  });
}

/** Whether a parameter may be a tensor; time constants are numbers. */
function isPerNeuron(Class: Make, key: string, usual: number): boolean {
  const column = full([2], usual);
  try {
    disposeOf(new Class({ [key]: column }));
    return true;
  } catch {
    return false;
  } finally {
    column.dispose();
  }
}

function disposeOf(rule: Made): void {
  for (const key of rule.parameterNames) ((rule as unknown as Record<string, Tensor>)[key] as Tensor).dispose();
}

/** Rules of the package: how to make one. They have no methods. */
export const RULES = Object.fromEntries(
  CLASSES.map(([name, Class]) => [name, { new: [optionsOf(Class)], call: {} }]),
) as unknown as {
  readonly [Name in Exclude<RuleName, "Rule">]: {
    readonly new: readonly [Kind];
    readonly call: Readonly<Record<string, readonly Spec[]>>;
  };
};

/** A connection of three neurons before and two behind, a rule of pairs and rewards, and the state of two samples of it. */
export const layer = oneOf(["new Linear(3, 2)", "new Linear(3, 2, { bias: false })"]);
export const rule = oneOf(['new RewardSTDP({ order: "after" })', 'new RewardSTDP({ dependence: "weight", dt: 0.5 })']);
export const state = (batch: number): Kind =>
  record({
    traces: record({ x: t(batch, 3), y: t(batch, 2) }),
    synapses: record({ e: t(batch, 2, 3) }),
    scales: record({ e: num(1, 0.5) }),
    time: num(0),
    last: oneOf(["null"], ["null"]),
  });
