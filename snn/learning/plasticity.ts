/**
 * User-defined rules for synapses, from equations.
 *
 * @module
 */
import {
  choiceOf,
  functionOf,
  isPlain,
  joined,
  listed,
  NUMBER,
  numberOf,
  objectOf,
  POSITIVE,
  type Range,
  show,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import type { Value } from "../../engine/fuse/index.ts";
import { noGrad, type Tensor } from "../../engine/index.ts";
import { IN_FLOAT32 } from "../layer/checks.ts";
import type { Chosen, NeuronChoices, NoChoices } from "../neuron/definition.ts";
import {
  boundsOf,
  checkChoices,
  checkName,
  classNameOf,
  needsOf,
  parametersOf,
  presetsOf,
  returnedValue,
} from "../neuron/definition.ts";
import { optionsOf, ReadOptions, type Schema } from "../neuron/options.ts";
import type { Change, Order, RuleDefinition, RuleOptions, SynapseDefinition, TraceDefinition } from "./rule-types.ts";

/** A rule of a class that {@link plasticity} made, for {@link Plastic}; its parameters are properties. */
export type RuleOf<Parameter extends string> = Rule & { readonly [name in Parameter]: Tensor };

/** A class that {@link plasticity} makes. */
export type RuleClass<
  Parameter extends string,
  Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
> = new (options?: RuleOptions<Parameter, Choices, Preset>) => RuleOf<Parameter>;

/**
 * Makes a class of synaptic rules from equations: traces of the spikes of pre- and postsynaptic neurons, and changes of the weight at a spike of
 * either, in each step, and at a reward.
 *
 * The functions of the definition are traced like the step of a {@link neuron}. They return the change of the weight, or of the weight and of states
 * of the synapse by name. {@link Plastic} compiles them to sweeps over the synapses of the neurons that spike, so silent synapses cost nothing unless
 * the rule has `onStep`.
 *
 * All functions read the weight from before the step. Order of a step: the reward, if `rewardAfter` is "nothing"; decay of synaptic states and
 * traces; spikes are added to traces; changes at spikes, by `order`; changes of `onStep`; the reward, otherwise. A parameter may be a tensor [out]
 * with a value for each postsynaptic neuron; parameters of traces are numbers.
 *
 * @throws TypeError for a definition with reserved or unknown names, values that are not numbers, or members that are not functions; RangeError for
 *   members without effect, such as `explains` without `onStep`. The constructor of the class throws TypeError for an unknown option or a value of
 *   the wrong type, and RangeError for values outside float32 or their bounds, time constants that are not positive, and options without effect on
 *   this rule and its choices.
 *
 * @example
 * ```ts
 * import { Linear, Plastic, plasticity, tensor } from "jarvis-snn";
 *
 * const PairSTDP = plasticity({
 *   name: "PairSTDP",
 *   traces: { x: { of: "pre", tau: "tauPlus" }, y: { of: "post", tau: "tauMinus" } },
 *   parameters: { aPlus: 0.01, aMinus: 0.012, tauPlus: 20, tauMinus: 20 },
 *   onPre: ({ y, aMinus }) => y.mul(aMinus).neg(),
 *   onPost: ({ x, aPlus }) => x.mul(aPlus),
 * });
 * const layer = new Linear(2, 1, { bias: false });
 * layer.weight.copyFrom([0.5, 0.5]);
 * const plastic = new Plastic(layer, new PairSTDP({ aPlus: 0.1 }), { bounds: [0, 1] });
 * const state = plastic.step(tensor([[1, 0]]), tensor([[0]]), plastic.initialState(1)); // the first input fires,
 * plastic.step(tensor([[0, 0]]), tensor([[1]]), state); // then the output
 * console.log(`${layer.weight}`); // Tensor([1, 2], [0.59512, 0.5], requiresGrad)
 * ```
 */
export function plasticity<
  Trace extends string,
  Parameter extends string,
  Synapse extends string = never,
  const Choices extends NeuronChoices = NoChoices,
  Preset extends string = never,
>(definition: RuleDefinition<Trace, Synapse, Parameter, Choices, Preset>): RuleClass<Parameter, Choices, Preset> {
  const form = formOf(definition as unknown as Definition);
  return rulesOf(form.name, () => form) as never;
}

/** `plasticity` for the rules of the package: reads and checks the definition when the first rule is made, as {@link lazyNeuron} does. */
export const lazyRule: typeof plasticity = /* @__NO_SIDE_EFFECTS__ */ (definition) => {
  let form: RuleForm | null = null;
  const formNow = (): RuleForm => {
    form ??= formOf(definition as unknown as Definition);
    return form;
  };
  return rulesOf(definition.name, formNow) as never;
};

/** The class of rules of this name; the first rule calls `formNow` for the checked definition. */
function rulesOf(name: string, formNow: () => RuleForm): new (options?: object) => Rule {
  const made = class extends Rule {
    constructor(options: object = {}) {
      super(formNow(), options);
    }
  };
  Object.defineProperty(made, "name", { value: name });
  return made;
}

type Definition = RuleDefinition<string, string, string, NeuronChoices, string>;

/** Argument of the functions of a rule. */
export type Argument = Readonly<Record<string, Value>>;
type Handler = (argument: never, choices: never) => Change<string>;
/** Events at which a rule may change weights. */
const EVENTS = ["onPre", "onPost", "onStep", "onReward"] as const;
export type Event = (typeof EVENTS)[number];

interface RuleForm extends Schema {
  readonly traces: Readonly<Record<string, unknown>>;
  readonly synapse: Readonly<Record<string, unknown>>;
  readonly order: Order;
  readonly explains: unknown;
  readonly handlers: Readonly<Partial<Record<Event, Handler>>>;
}

/**
 * Members of a definition, of a trace and of a synaptic state. The code that reads a member has its check and its
 * default.
 */
const DEFINITION = {
  name: undefined,
  traces: undefined,
  synapse: undefined,
  parameters: undefined,
  choices: undefined,
  needs: undefined,
  constrain: undefined,
  order: undefined,
  numerics: undefined,
  explains: undefined,
  onPre: undefined,
  onPost: undefined,
  onStep: undefined,
  onReward: undefined,
} satisfies Record<keyof Definition, undefined>;

const TRACE = {
  of: undefined,
  tau: undefined,
  amount: undefined,
  set: undefined,
  average: undefined,
  input: undefined,
} satisfies Record<keyof TraceDefinition<string>, undefined>;

const STATE = { tau: undefined } satisfies Record<keyof SynapseDefinition<string>, undefined>;

/** Options that a preset may set besides parameters and choices. */
const SETTINGS = {
  dt: 1,
  decay: "exp" as "exp" | "euler",
  order: "before" as Order,
  rewardAfter: "events" as "events" | "nothing",
};

const OPTIONS = joined({ numerics: undefined as string | undefined }, SETTINGS);

const ORDERS = ["before", "after", "preFirst", "postFirst"] as const;

/** Names that a rule reserves for other values. */
const RESERVED =
  /* @__PURE__ */ "w pre post reward dt low high explained sum where select spike softplus constant scale name chosen form".split(
    " ",
  );

function formOf(given: Definition): RuleForm {
  const members = withDefaults<object>("plasticity", DEFINITION, objectOf("plasticity", "a definition", given));
  const definition = members as Definition;
  const { traces, synapse = {}, parameters, choices = {}, needs = {}, constrain = {}, numerics = {} } = definition;
  const name = classNameOf("plasticity", definition.name);
  const usual = parametersOf(name, parameters);
  const chosen = checkChoices(name, choices);
  const parameterNames = Object.keys(usual);
  const ofTraces = formsOf(name, "traces by name", traces, (key, x) => traceForm(name, key, x, parameterNames));
  const ofSynapse = formsOf(name, "synapse, states by name", synapse, (key, x) =>
    stateForm(name, key, x, parameterNames),
  );
  const options = [...parameterNames, ...Object.keys(chosen)];
  const names = [...options, ...Object.keys(ofTraces), ...Object.keys(ofSynapse)];
  for (const [i, key] of names.entries()) {
    checkName(name, key);
    const isTaken = RESERVED.includes(key) || (i < options.length && key in OPTIONS) || names.indexOf(key) !== i;
    if (isTaken || key in Rule.prototype)
      throw new TypeError(`${name}: ${key} is a name that is taken; choose another`);
  }
  const handlers: Partial<Record<Event, Handler>> = {};
  for (const event of EVENTS) {
    const handler = definition[event];
    if (handler !== undefined) handlers[event] = functionOf(name, event, handler) as unknown as Handler;
  }
  if (Object.keys(handlers).length === 0) throw wrongType(name, `one of ${EVENTS.join(", ")} as a function`, undefined);
  const explains =
    typeof definition.explains === "function" ? definition.explains : explainsOf(name, definition.explains);
  if (explains !== null && handlers.onStep === undefined) {
    throw wrongValue(name, "onStep with explains", Object.keys(handlers).join(", "));
  }
  const schema: Schema = {
    name,
    parameters: usual,
    choices: chosen,
    needs: needsOf(name, options, Object.keys(chosen), needs, parameterNames),
    constrain: boundsOf(name, parameterNames, constrain),
  };
  return {
    ...schema,
    traces: ofTraces,
    synapse: ofSynapse,
    numerics: presetsOf(name, { ...optionsOf(schema), ...SETTINGS }, numerics),
    order: choiceOf<Order>(name, "order", definition.order ?? OPTIONS.order, ORDERS),
    explains,
    handlers,
  };
}

/** Checks a member of a definition that is an object of named entries. An entry that is a function of the choices is checked when a rule is made. */
function formsOf(
  name: string,
  expected: string,
  given: unknown,
  form: (key: string, x: unknown) => object,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(objectOf(name, expected, given)).map(([key, x]) => [
      key,
      typeof x === "function" ? x : form(key, x),
    ]),
  );
}

const explainsOf = (name: string, explains: unknown): "all" | "below" | null =>
  explains === undefined || explains === null
    ? null
    : choiceOf<"all" | "below">(name, "explains", explains as "all", ["all", "below"]);

/** A checked trace, with parameters by name. */
function traceForm(name: string, key: string, given: unknown, parameterNames: readonly string[]) {
  const what = `the trace ${key} as { of, tau }`;
  const members = withDefaults<object>(`${name}: the trace ${key}`, TRACE, objectOf(name, what, given));
  const { of, tau, amount = 1, set = false, average = false, input } = members as TraceDefinition<string>;
  for (const [option, value] of Object.entries({ set, average })) {
    if (typeof value !== "boolean") throw wrongType(name, `${option} of the trace ${key} as true or false`, value);
  }
  if (set === true && input !== undefined) {
    throw wrongValue(name, `the trace ${key} with set: true or with input, which adds to it`, "both");
  }
  return {
    of: choiceOf(name, `the trace ${key} of`, of, ["pre", "post"]),
    tau: numberOrName(name, `the tau of ${key}`, tau, POSITIVE, parameterNames),
    amount: numberOrName(name, `the amount of ${key}`, amount, IN_FLOAT32, parameterNames),
    set,
    average,
    input: input === undefined ? undefined : functionOf(name, `the input of ${key}`, input),
  };
}

function stateForm(name: string, key: string, given: unknown, parameterNames: readonly string[]) {
  const state = objectOf(name, `the state ${key} with tau`, given);
  const { tau } = withDefaults<object>(`${name}: the state ${key}`, STATE, state) as typeof STATE;
  return { tau: numberOrName(name, `the tau of ${key}`, tau, TAU, parameterNames) };
}

/** A number in the range, or the name of a parameter. */
function numberOrName(
  name: string,
  what: string,
  x: unknown,
  range: Range,
  parameterNames: readonly string[],
): number | string {
  if (typeof x === "number") return numberOf(name, what, x, range);
  if (parameterNames.includes(x as string)) return x as string;
  throw wrongType(name, `${what} as a number or a parameter, ${listed(parameterNames)}`, x);
}

/** A trace whose parameters are numbers. */
export interface Trace {
  readonly name: string;
  readonly of: "pre" | "post";
  readonly tau: number;
  readonly amount: number;
  readonly set: boolean;
  readonly average: boolean;
  readonly input: ((x: Value) => Value) | null;
}

/** A synaptic state whose parameters are numbers. */
export interface SynapseState {
  readonly name: string;
  readonly tau: number;
}

/**
 * A synaptic rule with its options, for {@link Plastic}; an instance of a class that {@link plasticity} makes.
 *
 * @example
 * ```ts
 * import { type Rule, STDP } from "jarvis-snn";
 *
 * const rule: Rule = new STDP({ tauPlus: 10 });
 * console.log(rule.name, rule.traces.map(({ name, of, tau }) => `${name} of ${of}: ${tau}`));
 * // STDP [ 'x of pre: 10', 'y of post: 20' ]
 * ```
 */
export class Rule {
  /** The name of its class. */
  readonly name: string;
  /** The length of a step. */
  readonly dt: number;
  /** How traces decay. */
  readonly decay: "exp" | "euler";
  /** Whether the traces that a change reads include the spikes of the step. */
  readonly order: Order;
  /** Part of the step after which the reward is applied. */
  readonly rewardAfter: "events" | "nothing";
  /** @internal */
  readonly traces: readonly Trace[];
  /** @internal */
  readonly synapse: readonly SynapseState[];
  /** @internal */
  readonly explains: "all" | "below" | null;
  /** @internal */
  readonly parameterNames: readonly string[];
  private readonly form: RuleForm;
  private readonly chosen: Chosen<NeuronChoices>;

  /** @internal */
  constructor(form: RuleForm, options: object) {
    const { name } = form;
    const read = new ReadOptions(form, { ...OPTIONS, order: form.order }, options);
    const { asked, given, chosen } = read;
    if (asked.rewardAfter === "nothing" && form.handlers.onReward === undefined) {
      throw wrongValue(name, 'rewardAfter "events" of a rule without onReward', show(asked.rewardAfter));
    }
    this.name = name;
    this.form = form;
    this.chosen = chosen;
    this.dt = numberOf(name, "dt", given.dt, POSITIVE);
    this.decay = choiceOf(name, "decay", given.decay, ["exp", "euler"]);
    this.order = choiceOf(name, "order", given.order, ORDERS);
    this.rewardAfter = choiceOf(name, "rewardAfter", given.rewardAfter, ["events", "nothing"]);
    this.parameterNames = Object.keys(form.parameters);
    const own = this as unknown as Record<string, Tensor>;
    try {
      noGrad(() => {
        for (const key of this.parameterNames) own[key] = read.tensor(key);
      });
      this.traces = Object.entries(form.traces).flatMap(([key, trace]) => {
        const definition = this.resolved(trace);
        return definition === null ? [] : [this.traceOf(key, definition)];
      });
      if (this.traces.length === 0) {
        for (const [key, usual] of Object.entries({ decay: OPTIONS.decay, order: form.order })) {
          if (asked[key] === undefined || asked[key] === usual) continue;
          throw wrongValue(name, `${key} ${show(usual)} of a rule without traces`, show(asked[key]));
        }
      }
      this.synapse = Object.entries(form.synapse).map(([key, state]) => this.stateOf(key, this.resolved(state)));
      this.explains = explainsOf(name, this.resolved(form.explains));
    } catch (error) {
      for (const key of this.parameterNames) own[key]?.dispose();
      throw error;
    }
  }

  /** The result of x for the options of this rule if x is a function, else x itself. */
  private resolved(x: unknown): unknown {
    return typeof x === "function" ? x(this.chosen) : x;
  }

  private stateOf(key: string, definition: unknown): SynapseState {
    const { tau } = stateForm(this.name, key, definition, this.parameterNames);
    // A parameter may be a divisor.
    return { name: key, tau: typeof tau === "number" ? tau : this.numberAt(`the tau of ${key}`, tau, POSITIVE) };
  }

  private traceOf(key: string, definition: unknown): Trace {
    const form = traceForm(this.name, key, definition, this.parameterNames);
    const { of, set, average, input = null } = form;
    const [tau, amount] = [["tau", POSITIVE] as const, ["amount", IN_FLOAT32] as const].map(([option, range]) => {
      const x = form[option];
      return typeof x === "number" ? x : this.numberAt(`the ${option} of ${key}`, x, range);
    }) as [number, number];
    if (this.decay === "euler" && this.dt > tau) {
      throw wrongValue(this.name, `dt ≤ the tau of ${key}, ${tau}`, this.dt);
    }
    return { name: key, of, tau, amount, set, average, input };
  }

  /** The parameter of this name, which must be one number. */
  private numberAt(what: string, name: string, range: Range): number {
    const t = this.parameter(name);
    if (t.size !== 1) throw wrongValue(this.name, `${name}, ${what}, as one number`, show(t.sizes));
    return numberOf(this.name, name, t.item(), range);
  }

  /**
   * A parameter by its name.
   *
   * @internal
   */
  parameter(name: string): Tensor {
    return (this as unknown as Readonly<Record<string, Tensor>>)[name] as Tensor;
  }

  /**
   * Whether the rule handles an event.
   *
   * @internal
   */
  has(event: Event): boolean {
    return this.form.handlers[event] !== undefined;
  }

  /**
   * Changes at an event: of the weight as `w`, of synaptic states by name.
   *
   * @internal
   */
  changes(event: Event, argument: Argument): Readonly<Record<string, Value>> {
    const handler = this.form.handlers[event] as Handler;
    const change = handler(argument as never, this.chosen as never) as unknown;
    const all = isPlain(change) ? change : { w: change };
    for (const [key, value] of Object.entries(all)) {
      if (key === "w" || this.synapse.some(({ name }) => name === key)) {
        returnedValue(this.name, `${event} to return the change of ${key}`, value);
        continue;
      }
      const known = ["w", ...this.synapse.map(({ name }) => name)].join(", ");
      throw new TypeError(`${this.name}: expected ${event} to return changes of ${known}, got ${key}`);
    }
    return all as Readonly<Record<string, Value>>;
  }
}

const TAU: Range = { expected: "finite and ≥ 0", fits: (x) => NUMBER.fits(x) && x >= 0 && x < Infinity };
