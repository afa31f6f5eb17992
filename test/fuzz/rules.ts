/**
 * Random rules for synapses, compiled and on tensors: weights and traces to the bit, or up to roundings where states of synapses
 * keep their decay apart (`scales`). A rule is data, so that it can be cut down to what a difference needs, and printed.
 */
import type { Language, Value } from "../../engine/fuse/index.ts";
import { Conv1d, Conv2d, Linear, type Tensor, tensor, zeros } from "../../engine/index.ts";
import { Plastic, type PlasticOptions, type PlasticState, plasticity, type Rule } from "../../snn/index.ts";
import { patchesOf, perPlace } from "../support/patches.ts";
import { RuleOnTensors } from "../support/rule-on-tensors.ts";
import { firstDiffering, type Operation, withoutOne } from "./differing.ts";
import { Random } from "./random.ts";
import { apply, BINARY, CALM, UNARY } from "./steps.ts";

const EVENTS = ["onPre", "onPost", "onStep", "onReward"] as const;
type Event = (typeof EVENTS)[number];

/** The answer of a rule to an event: operations on the names of the drawn rule, and the results that are changes, by name. */
interface Answer {
  readonly event: Event;
  readonly operations: readonly Operation[];
  readonly changes: Readonly<Record<string, number>>;
}

interface DrawnTrace {
  readonly of: "pre" | "post";
  readonly tau: number;
  readonly amount: number;
  readonly set: boolean;
  readonly average: boolean;
}

/** A convolution of images of these sizes: 1 or 2 axes, with numbers for each. */
interface DrawnConvolution {
  readonly channels: number;
  readonly sizes: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** A rule, its options and a run, as data. */
export interface Drawn {
  readonly seed: number;
  readonly traces: Readonly<Record<string, DrawnTrace>>;
  readonly synapse: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, number | readonly number[]>>;
  readonly explains: "all" | "below" | null;
  readonly answers: readonly Answer[];
  readonly options: { decay: "exp" | "euler"; order: Rule["order"]; rewardAfter: Rule["rewardAfter"]; dt: number };
  readonly bounds: readonly [number, number] | null;
  readonly mean: boolean;
  readonly outputs: number;
  readonly inputs: number;
  /** The layer is a convolution, or null for a linear one. */
  readonly convolution: DrawnConvolution | null;
  readonly batch: number;
  readonly rate: number;
  readonly steps: number;
}

/** A reward of a convolution reads no neurons: an image has those of all places. */
const namesOf = ({ traces, synapse, parameters, bounds, explains, convolution }: Drawn, event: Event): string[] => [
  ...["w", "reward", "dt"],
  ...(event === "onReward" && convolution !== null ? [] : ["pre", "post", ...Object.keys(traces)]),
  ...Object.keys(synapse),
  ...Object.keys(parameters),
  ...(bounds === null ? [] : ["low", "high"]),
  ...(event === "onStep" && explains !== null ? ["explained"] : []),
];

/** A scale and a state apart round otherwise than their product, and `explained` is a sum in another precision. */
const isRounded = ({ synapse, explains }: Drawn): boolean => Object.keys(synapse).length > 0 || explains !== null;

/** Operations without a jump, which roundings do not make larger. */
const SMOOTH = ["tanh", "sigmoid", "sin", "atan"];

export function generate(seed: number): Drawn {
  const random = new Random(seed);
  const outputs = random.pick([1, 2, 5, 17]);
  const states = random.chance(0.4) ? random.int(1, 2) : 0;
  const convolution = random.chance(0.5) ? convolutionOf(random) : null;
  const entries = <X>(letter: string, count: number, make: () => X) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${letter}${i}`, make()]));
  const drawn: Drawn = {
    seed,
    traces: entries("x", random.int(0, 3), () => ({
      of: random.pick(["pre", "post"] as const),
      tau: random.number(2, 30),
      amount: random.number(0.25, 2),
      set: random.chance(0.3),
      average: random.chance(0.3),
    })),
    synapse: entries("e", states, () => (random.chance(0.3) ? 0 : random.number(0.5, 40))),
    parameters: entries("p", random.int(0, 3), () =>
      random.chance(0.3) ? Array.from({ length: outputs }, () => random.number(-1, 1)) : random.number(-1, 1),
    ),
    explains: random.chance(0.2) ? random.pick(["all", "below"] as const) : null,
    answers: [],
    options: {
      decay: random.pick(["exp", "exp", "euler"] as const),
      order: random.pick(["before", "after", "preFirst", "postFirst"] as const),
      rewardAfter: random.pick(["events", "nothing"] as const),
      dt: random.pick([1, 1, 0.5]),
    },
    bounds: random.chance(0.6) ? [random.pick([0, -1]), 1] : null,
    mean: random.chance(0.3),
    outputs,
    inputs: convolution === null ? random.pick([1, 3, 8, 21, 40]) : convolution.channels * product(convolution.kernel),
    convolution,
    batch: random.pick([1, 1, 2, 3]),
    rate: random.pick([0.05, 0.2, 0.6]),
    steps: random.int(1, 8),
  };
  const events = random.some(EVENTS, 0.5);
  const answers = (events.length > 0 ? events : (["onPost"] as const)).map((event) => answer(random, drawn, event));
  // Both options are errors without the events that they are for.
  const answered = answers.map(({ event }) => event);
  const explains = answered.includes("onStep") ? drawn.explains : null;
  const { rewardAfter } = drawn.options;
  const options = { ...drawn.options, rewardAfter: answered.includes("onReward") ? rewardAfter : "events" } as const;
  return { ...drawn, answers, explains, options };
}

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

function convolutionOf(random: Random): DrawnConvolution {
  const axes = Array.from({ length: random.int(1, 2) }, () => {
    const [kernel, stride, padding, dilation] = [
      random.int(1, 3),
      random.int(1, 2),
      random.int(0, 1),
      random.int(1, 2),
    ];
    const least = Math.max(1, dilation * (kernel - 1) + 1 - 2 * padding);
    return { size: least + random.int(0, 3), kernel, stride, padding, dilation };
  });
  const [sizes, kernel] = [axes.map(({ size }) => size), axes.map((axis) => axis.kernel)];
  const [stride, padding] = [axes.map((axis) => axis.stride), axes.map((axis) => axis.padding)];
  return { channels: random.int(1, 2), sizes, kernel, stride, padding, dilation: axes.map((axis) => axis.dilation) };
}

function answer(random: Random, drawn: Drawn, event: Event): Answer {
  const names = namesOf(drawn, event);
  const operations: Operation[] = [];
  const isSmooth = isRounded(drawn);
  const value = () => random.int(0, names.length + operations.length - 1);
  const operand = (often = 0.25) => (random.chance(often) ? { number: random.number(-2, 2) } : value());
  const left = () => operand(0.15);
  // Most rules of the literature multiply by a trace.
  const traces = Object.keys(drawn.traces).filter((name) => names.includes(name));
  const isTraced = traces.length > 0 && random.chance(0.7);
  if (isTraced) operations.push({ op: "mul", args: [names.indexOf(random.pick(traces)), operand()] });
  for (let i = random.int(0, 6); i > 0; i--) {
    const kind = random.next();
    if (isSmooth) {
      if (kind < 0.6) operations.push({ op: random.pick(["add", "sub", "mul"]), args: [left(), operand()] });
      operations.push({ op: random.pick(SMOOTH), args: [names.length + operations.length - 1] });
    } else if (kind < 0.3) operations.push({ op: random.pick(UNARY), args: [left()] });
    else if (kind < 0.7) operations.push({ op: random.pick(BINARY), args: [left(), operand()] });
    else if (kind < 0.9) operations.push({ op: random.pick(CALM), args: [value()] });
    else operations.push({ op: "where", args: [value(), operand(), operand()] });
  }
  const changes: Record<string, number> = {};
  for (const name of random.some(["w", ...Object.keys(drawn.synapse)], 0.7))
    changes[name] = changed(operations, isTraced && random.chance(0.7) ? names.length : value());
  if (Object.keys(changes).length === 0) changes.w = changed(operations, value());
  return { event, operations, changes };

  /** A change is small, and 0 where it would be no number. */
  function changed(list: Operation[], at: number): number {
    const first = names.length + list.length;
    list.push({ op: "eq", args: [at, at] }, { op: "where", args: [first, at, { number: 0 }] });
    list.push({ op: "tanh", args: [first + 1] }, { op: "mul", args: [first + 2, { number: 0.1 }] });
    return first + 3;
  }
}

/** The values that changes are made of, where the first operation gives the one with the number `first`. */
function usedBy({ operations, changes }: Answer, first: number): Set<number> {
  const used = new Set(Object.values(changes));
  for (let i = operations.length - 1; i >= 0; i--) {
    if (used.has(first + i)) for (const x of operations[i]?.args ?? []) if (typeof x === "number") used.add(x);
  }
  return used;
}

/** Whether a change of the rule is made of a value. */
const reads = (drawn: Drawn, value: "reward" | "dt"): boolean =>
  drawn.answers.some((answer) => {
    const names = namesOf(drawn, answer.event);
    return usedBy(answer, names.length).has(names.indexOf(value));
  });

const readsReward = (drawn: Drawn): boolean =>
  drawn.answers.some(({ event }) => event === "onReward") || reads(drawn, "reward");

/** The options that have an effect; others are errors. */
function optionsOf(drawn: Drawn): Partial<Drawn["options"]> {
  const { traces, synapse, answers, options } = drawn;
  const { decay, order, dt, ...others } = options;
  const isTraced = Object.keys(traces).length > 0;
  const isTimed = isTraced || Object.keys(synapse).length > 0 || answers.some(({ event }) => event !== "onStep");
  return {
    ...others,
    ...(isTraced && { decay, order }),
    ...((isTimed || reads(drawn, "dt")) && { dt }),
  };
}

/** The rule of the drawn one. */
function ruleOf(drawn: Drawn): Rule {
  const handlers = Object.fromEntries(
    drawn.answers.map(({ event, operations, changes }) => [
      event,
      (argument: Language) => {
        const values = namesOf(drawn, event).map((name) => Reflect.get(argument, name) as Value);
        const first = values.length;
        const used = usedBy({ event, operations, changes }, first);
        operations.forEach((operation, i) => {
          values[first + i] = used.has(first + i) ? apply(operation, values, argument) : (values[0] as Value);
        });
        return Object.fromEntries(Object.entries(changes).map(([name, at]) => [name, values[at] as Value]));
      },
    ]),
  );
  const parameters = Object.fromEntries(Object.keys(drawn.parameters).map((name) => [name, 0]));
  const Drawn = plasticity({
    name: `rule ${drawn.seed}`,
    traces: drawn.traces as never,
    synapse: Object.fromEntries(Object.entries(drawn.synapse).map(([name, tau]) => [name, { tau }])),
    parameters,
    ...(drawn.explains === null ? {} : { explains: drawn.explains }),
    ...handlers,
  });
  const given = Object.entries(drawn.parameters).map(([name, x]) => [name, typeof x === "number" ? x : tensor([...x])]);
  return new Drawn({ ...optionsOf(drawn), ...Object.fromEntries(given) }) as Rule;
}

/** Where the rule compiled and the rule on tensors differ; null where they do not. */
function compare(drawn: Drawn): string | null {
  try {
    return difference(drawn);
  } catch (error) {
    return String((error as Error).stack);
  }
}

/** Weights and traces of the compiled rule after each step. */
function values(drawn: Drawn): Map<string, Float32Array> {
  const seen = new Map<string, Float32Array>();
  difference(drawn, (name, values) => seen.set(name, values));
  return seen;
}

/** `see` is shown what the compiled rule gives. */
function difference(drawn: Drawn, see: (name: string, values: Float32Array) => void = () => {}): string | null {
  const { outputs, inputs, batch, bounds, mean, rate, steps } = drawn;
  const random = new Random(drawn.seed + 1);
  const rule = ruleOf(drawn);
  const isRewarded = readsReward(drawn);
  const layer = layerOf(drawn);
  // Not −0: the sweep leaves a weight without a change as it is, tensors add 0 to it, and 1/√x tells the two zeros apart.
  const start = Float32Array.from({ length: outputs * inputs }, () => random.number(bounds?.[0] ?? -1, 1) + 0);
  layer.weight.copyFrom(start);
  const options: PlasticOptions = { reduction: mean ? "mean" : "sum", ...(bounds === null ? {} : { bounds }) };
  const plastic = new Plastic(layer, rule, options);
  const before = shapeBefore(drawn);
  const behind = shapeBehind(layer, before);
  const places = product(behind) / (batch * outputs);
  const reference = new RuleOnTensors({ rule, outputs, inputs, batch, places, bounds, mean }, start);
  let state: PlasticState = plastic.initialState(before);
  // Values of the neurons as samples, [B·places, in] and [B·places, out].
  const sampled = (of: "pre" | "post", t: Tensor): Float32Array =>
    layer instanceof Linear ? t.toFloat32Array() : of === "pre" ? patchesOf(layer, t) : perPlace(t);
  const tolerance = isRounded(drawn) ? 2e-5 : 0;
  const spikes = (n: number) =>
    Float32Array.from({ length: n }, () =>
      random.chance(rate) ? (random.chance(0.9) ? 1 : random.number(0.5, 2)) : 0,
    );
  for (let t = 0; t < steps; t++) {
    const given = [
      tensor(spikes(product(before)), { shape: before }),
      tensor(spikes(product(behind)), { shape: behind }),
    ] as const;
    const [pre, post] = [sampled("pre", given[0]), sampled("post", given[1])];
    const reward =
      isRewarded && random.chance(0.5) ? Array.from({ length: batch }, () => random.number(-1, 1)) : undefined;
    const applies = random.chance(0.85);
    state = plastic.step(...given, state, { reward, apply: applies });
    reference.step({ pre, post, applies, ...(reward === undefined ? {} : { reward }) });
    const weight = layer.weight.toFloat32Array();
    see(`step ${t}: weight`, weight);
    const found =
      differing(`step ${t}: weight`, weight, reference.weight, tolerance) ??
      (layer instanceof Linear
        ? differing(`step ${t}: copy of the weight`, forwardOf(layer), productOf(reference.weight, inputs), 1e-5)
        : null);
    if (found !== null) return found;
    for (const { name, of } of rule.traces) {
      const expected = Float32Array.from(reference.traces.flatMap((_, s) => [...reference.trace(name, s)]));
      const trace = sampled(of, state.traces[name] as Tensor);
      see(`step ${t}: ${name}`, trace);
      const wrong = differing(`step ${t}: ${name}`, trace, expected, 0);
      if (wrong !== null) return wrong;
    }
  }
  return null;
}

function layerOf({ outputs, inputs, convolution }: Drawn): Linear | Conv1d | Conv2d {
  if (convolution === null) return new Linear(inputs, outputs, { bias: false });
  const { channels, kernel, stride, padding, dilation } = convolution;
  if (kernel.length === 2) {
    const of = ([y = 0, x = 0]: readonly number[]): [number, number] => [y, x];
    const options = { stride: of(stride), padding: of(padding), dilation: of(dilation), bias: false };
    return new Conv2d(channels, outputs, of(kernel), options);
  }
  const [size = 0, s = 1, p = 0, d = 1] = [kernel, stride, padding, dilation].map(([first]) => first as number);
  return new Conv1d(channels, outputs, size, { stride: s, padding: p, dilation: d, bias: false });
}

const shapeBefore = ({ batch, inputs, convolution }: Drawn): number[] =>
  convolution === null ? [batch, inputs] : [batch, convolution.channels, ...convolution.sizes];

/** As `forward` gives it. */
function shapeBehind(layer: Linear | Conv1d | Conv2d, shape: readonly number[]): readonly number[] {
  const z = layer.forward(zeros(shape));
  const { shape: behind } = z;
  z.dispose();
  return behind;
}

/** The row sums of the weight, as `forward` computes them from one spike of each neuron before. */
function forwardOf(layer: Linear): Float32Array {
  const z = layer.forward(tensor(new Float32Array(layer.inFeatures).fill(1), { shape: [1, layer.inFeatures] }));
  const values = z.toFloat32Array();
  z.dispose();
  return values;
}

const productOf = (weight: Float32Array, inputs: number): Float32Array =>
  Float32Array.from({ length: weight.length / inputs }, (_, j) =>
    weight.subarray(j * inputs, (j + 1) * inputs).reduce((sum, w) => sum + w, 0),
  );

function differing(what: string, got: Float32Array, expected: Float32Array, tolerance: number): string | null {
  for (const [i, x] of expected.entries()) {
    const z = got[i] as number;
    if (z === x || (Number.isNaN(z) && Number.isNaN(x))) continue;
    if (Math.abs(z - x) <= tolerance * Math.max(1, Math.abs(x))) continue;
    return `${what}[${i}]: ${z} compiled, ${x} on tensors`;
  }
  return null;
}

function* smallerThan(drawn: Drawn): Generator<Drawn> {
  const { answers } = drawn;
  if (answers.length > 1) for (const a of answers) yield { ...drawn, answers: answers.filter((b) => b !== a) };
  for (const smaller of [{ steps: 1 }, { steps: 2 }, { batch: 1 }, { mean: false }]) {
    const [key, value] = Object.entries(smaller)[0] as ["steps", number];
    if (drawn[key] !== value && !(typeof value === "number" && drawn[key] < value)) yield { ...drawn, ...smaller };
  }
  const { convolution } = drawn;
  if (convolution !== null) {
    const { sizes, kernel } = convolution;
    const [ones, zero] = [kernel.map(() => 1), kernel.map(() => 0)];
    const changes = [
      { stride: ones },
      { dilation: ones },
      { padding: zero, sizes: kernel },
      { sizes: sizes.map((n) => n - 1) },
    ];
    for (const change of changes) {
      const smaller = { ...convolution, ...change };
      if (JSON.stringify(smaller) !== JSON.stringify(convolution) && fits(smaller)) {
        yield { ...drawn, convolution: smaller };
      }
    }
  }
  for (const [k, answer] of answers.entries()) {
    for (const { operations, renumber } of withoutOne(answer.operations, namesOf(drawn, answer.event).length)) {
      const changes = Object.fromEntries(Object.entries(answer.changes).map(([name, at]) => [name, renumber(at)]));
      yield { ...drawn, answers: answers.map((other, l) => (l === k ? { ...answer, operations, changes } : other)) };
    }
  }
}

/** Whether the window has a place. */
const fits = ({ sizes, kernel, padding, dilation }: DrawnConvolution): boolean =>
  sizes.every((size, i) => {
    const reach = (dilation[i] as number) * ((kernel[i] as number) - 1) + 1;
    return size > 0 && size + 2 * (padding[i] as number) >= reach;
  });

/** The rule as text. */
export function print(drawn: Drawn): string {
  const { answers, ...others } = drawn;
  const lines = [JSON.stringify(others)];
  for (const { event, operations, changes } of answers) {
    const names = namesOf(drawn, event);
    lines.push(`${event}:`);
    for (const { op, args } of operations) {
      const of = args.map((x) => (typeof x === "number" ? names[x] : x.number)).join(", ");
      names.push(`t${names.length}`);
      lines.push(`  ${names[names.length - 1]} = ${op}(${of})`);
    }
    for (const [name, at] of Object.entries(changes)) lines.push(`  Δ${name} = ${names[at]}`);
  }
  return lines.join("\n");
}

/** Runs rules from a seed on. The first that differs, cut down, or null. */
export const fuzzRules = (seed: number, count: number, every?: number): string | null =>
  firstDiffering({ part: "rules", generate, compare, values, smallerThan, print }, seed, count, every);
