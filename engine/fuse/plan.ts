/**
 * How a traced step runs over time: the values that forward saves, and the values that a step leaves to the next one.
 *
 * Forward leaves states, backward leaves gradients of states. Either is *carried* in an array of one step, read and overwritten
 * in place, or *found* again from values that the step before has written anyway: the state from saved values, the
 * gradient of the state from the gradient of the input. Recomputing such values instead of storing them saved more time
 * than any other optimisation.
 */
import { minimumCut } from "./cut.ts";
import { gradientTerms, type Seed } from "./derive.ts";
import type { Root } from "./emit.ts";
import { once, remembered } from "./evaluation.ts";
import { COLUMN, ELEMENT, SCALAR } from "./layout.ts";
import { OPS } from "./operations.ts";
import type { Expression, Operation } from "./terms.ts";
import { ARRAY, constant, isZero, LEAF, reachable, rewriting, sharing, term } from "./terms.ts";
import { numberPlace, type Traced } from "./trace.ts";

/** The gradients that backward is to give. */
export interface Wanted {
  /** For each derived parameter, whether its gradient is wanted. */
  readonly parameters: readonly boolean[];
  /** The outputs that a gradient may come from. */
  readonly outputs: readonly string[];
}

/**
 * Arrays of a run that sweeps read; `prev` reads an array of saved values one step back, `next` an array of gradients
 * one step ahead.
 */
type Read = "input" | "shared" | "list" | "parameter" | "number" | "from" | "prev" | "gradient" | "next" | "dLast";
/** Arrays that sweeps write; `temp` holds one step, `piece` one piece of a step, between two sweeps. */
type Written = "to" | "saved" | "output" | "support" | "dInput" | "dState" | "dParameter" | "temp" | "piece";
export type Kind = Read | Written;

/** The gradient of an input is written by backward, or added to; 0 stands for neither. */
const WRITTEN = 1;
export const ADDED = 2;

/** The gradient of each next value of a state as a term, null where there is none. */
export type Carried = readonly (Expression | null)[];

/** Terms of the gradients that backward gives, of inputs, states and parameters, 0 where there is none. */
interface Gradients {
  readonly inputs: readonly Expression[];
  readonly states: readonly Expression[];
  /** Whether a gradient reaches the state: one that is 0 may become NaN on its way on, and none stays none. */
  readonly reaches: readonly boolean[];
  readonly parameters: readonly Expression[];
}

/**
 * A step of backward: its gradients, and the gradients of states that it takes from the step after and leaves to the
 * step before.
 */
export interface StepBack extends Gradients {
  readonly key: string;
  readonly modes: readonly number[];
  readonly incoming: Carried;
  readonly carried: Carried;
  /** Whether the sweep computes states from the saved values of the step before. */
  readonly readsStates: boolean;
}

/** Kinds of arrays that sweeps read in ways of their own. */
const OWN: { readonly [kind in Kind]?: Operation } = { piece: ARRAY.piece, number: ARRAY.number, shared: ARRAY.shared };

/** A state that is computed again from more operations than these is carried. */
const FEW = 8;

export class Plan {
  readonly traced: Traced;
  readonly wanted: Wanted;
  /** The values that forward saves, [T, rows, n] each: numbers first, then zeros and ones, as bits. */
  readonly saved: readonly Expression[];
  /** How many of them are numbers. */
  readonly savedNumbers: number;
  /** Whether backward reads an input again. */
  readonly reads: readonly boolean[];
  /** States that are found again in forward. */
  readonly found: readonly boolean[];
  /** Outputs by their numbers. */
  readonly names: readonly string[];
  readonly outputs: readonly Expression[];
  /** The outputs that are stored as bits. */
  readonly packed: readonly string[];
  readonly next: readonly Expression[];
  /** The derivative that the gradient of the packed output is multiplied by, where it may be 0; else null. */
  readonly support: Expression | null;
  /** Where sweeps find arrays in a descriptor: of each kind by their numbers. */
  readonly places = new Map<Kind, number[]>();
  /** How many there are. */
  size = 0;
  /** Whether parameters have columns. */
  readonly hasColumns: boolean;
  readonly share: (x: Expression) => Expression;
  private readonly streams = new Map<string, Expression>();
  private readonly derived = new Map<string, Gradients>();
  private readonly back = new Map<string, StepBack>();
  private readonly foundIn: (x: Expression) => Expression;

  /** Without `wanted` nothing is saved, and there is no backward. */
  constructor(traced: Traced, wanted: Wanted | null) {
    this.traced = traced;
    this.wanted = wanted ?? { parameters: [], outputs: [] };
    this.share = sharing((x) => traced.leaves.get(x) ?? this.asValue(x));
    this.packed = (traced.definition.packed ?? []).filter((name) => traced.outputs.has(name));
    this.hasColumns = traced.derived.some((x) => x.level === COLUMN);
    this.names = [...traced.outputs.keys()];
    this.outputs = [...traced.outputs.values()].map(this.share);
    this.next = traced.definition.states.map((name) => this.outputs[this.names.indexOf(name)] as Expression);
    const known = wanted === null ? [] : [...this.cut()];
    const saved = known.filter((x) => x.op !== LEAF.input);
    this.saved = [...saved.filter((x) => !x.isBoolean), ...saved.filter((x) => x.isBoolean)];
    this.savedNumbers = saved.filter((x) => !x.isBoolean).length;
    this.reads = traced.inputs.map((x) => known.includes(x));
    this.foundIn = rewriting((x) => {
      const k = this.saved.indexOf(x);
      return k < 0 ? this.leafOf(x) : this.stream("prev", k, ELEMENT);
    });
    this.found = this.next.map((x) => wanted !== null && isFound(x, this.saved));
    const support = this.derivativeOf(this.packed.find((name) => this.wanted.outputs.includes(name)));
    this.support = support && this.share(support);
  }

  /** The derivative of the one spike that an output is made of, if there are elements where it is 0. */
  private derivativeOf(output: string | undefined): Expression | null {
    if (output === undefined) return null;
    const terms = reachable([this.traced.outputs.get(output) as Expression], (x) => x.op === OPS.spike);
    const [first, ...more] = terms.filter((x) => x.op === OPS.spike);
    const derivative = first?.args[1];
    return derivative !== undefined && more.length === 0 && vanishes(derivative) ? derivative : null;
  }

  /** Gradients are terms by now: a value needs no `detach`, and no derivative of a spike. */
  private asValue({ owner, op, args, attr }: Expression): Expression | undefined {
    if (op === OPS.detach) return this.share(args[0] as Expression);
    return op === OPS.spike ? term(owner, op, [this.share(args[0] as Expression)], attr) : undefined;
  }

  /** The array as a leaf of the terms of a sweep. */
  stream(kind: Kind, index: number, level: Expression["level"]): Expression {
    return once(this.streams, `${kind} ${index}`, () => {
      const isFlags = (kind === "saved" || kind === "prev") && index >= this.savedNumbers;
      const op = isFlags ? ARRAY.flags : this.isListed(kind, index) ? ARRAY.listed : (OWN[kind] ?? ARRAY.stream);
      return term(this.traced.owner, op, [], this.place(kind, index), level);
    });
  }

  place(kind: Kind, index: number): number {
    const places = once(this.places, kind, (): number[] => []);
    places[index] ??= this.size++;
    return places[index];
  }

  /** Whether a list of places names the columns of an input or output. */
  private isListed(kind: Kind, index: number): boolean {
    const { inputs, listed = [] } = this.traced.definition;
    return listed.length > 0 && kind === "input" && listed.includes(inputs[index] as string);
  }

  /** How an output is written. */
  howOf(name: string): Root["how"] {
    const { listed, summed } = this.traced.definition;
    if (this.packed.includes(name)) return "bits";
    return summed?.includes(name) ? "sum" : listed?.includes(name) ? "listed" : "element";
  }

  /** The term that stands for an input, a parameter or a number. */
  private leafOf(x: Expression): Expression | undefined {
    const { inputs, numbers, definition } = this.traced;
    if (x.op === LEAF.input) {
      const isShared = definition.shared?.includes(String(x.attr));
      return isShared
        ? this.stream("shared", inputs.indexOf(x), SCALAR)
        : this.stream("input", inputs.indexOf(x), ELEMENT);
    }
    if (x.op === LEAF.parameter) return this.stream("parameter", Number(x.attr), x.level);
    if (x.op !== LEAF.constant) return undefined;
    const place = numberPlace(x, numbers as number[]);
    return place < 0 ? x : this.stream("number", place, SCALAR);
  }

  /** Replaces leaves by arrays, for forward; states that are found come from outside in the first step, or are 0. */
  forwardTerms(start: "found" | "from" | "zeros"): (x: Expression) => Expression {
    const { states } = this.traced;
    return rewriting((x) => {
      const i = states.indexOf(x);
      if (i < 0) return this.leafOf(x);
      if (!this.found[i]) return this.stream("to", i, ELEMENT);
      if (start === "found") return this.foundIn(this.next[i] as Expression);
      return start === "zeros" ? constant(x.owner, 0) : this.stream("from", i, ELEMENT);
    });
  }

  /** The same for backward; `carried` gives the gradient of the next value of a state. */
  backwardTerms(initial: boolean, carried: (state: number) => Expression): (x: Expression) => Expression {
    const { states } = this.traced;
    return rewriting((x) => {
      const k = this.saved.indexOf(x);
      if (k >= 0) return this.stream("saved", k, ELEMENT);
      if (x.op === LEAF.gradient) return this.stream("gradient", Number(x.attr), ELEMENT);
      if (x.op === LEAF.carry) return carried(Number(x.attr));
      const i = states.indexOf(x);
      if (i < 0) return this.leafOf(x);
      return initial ? this.stream("from", i, ELEMENT) : this.foundIn(this.next[i] as Expression);
    });
  }

  /** Whether terms are computed from states that backward finds in the step before. */
  readsStates(values: readonly Expression[]): boolean {
    const terms = reachable(values, (x) => this.saved.includes(x));
    return this.traced.states.some((x) => terms.includes(x) && !this.saved.includes(x));
  }

  /** The step of backward with the gradients of the outputs in this mask, and of next values of states. */
  stepBack(outputs: number, modes: readonly number[], incoming: Carried): StepBack {
    const key = `${outputs} ${modes} ${incoming.map((x) => x?.id ?? 0)}`;
    return remembered(this.back, key, () => {
      const gradients = this.gradients(
        outputs,
        incoming.map((x) => x !== null),
      );
      const { inputs, states, parameters, reaches } = gradients;
      const carried = states.map((x, i) => (reaches[i] ? this.carried(x, i, inputs, modes) : null));
      const readsStates = this.readsStates([...inputs, ...states, ...parameters]);
      return { ...gradients, key, modes, incoming, carried, readsStates };
    });
  }

  /**
   * The gradient of the state as the step before gets it: found in the gradient of an input, which is written anyway,
   * or carried in an array.
   */
  private carried(x: Expression, state: number, inputs: readonly Expression[], modes: readonly number[]): Expression {
    const known = inputs.filter((y, k) => modes[k] === WRITTEN && y.level === ELEMENT);
    if (!isFound(x, known)) return this.stream("dState", state, ELEMENT);
    const rewrite = rewriting((y) =>
      known.includes(y) ? this.stream("next", inputs.indexOf(y), ELEMENT) : this.leafOf(y),
    );
    return this.share(rewrite(x));
  }

  /** Gradients of one step, where they come from the outputs in this mask, and from next values of the states marked. */
  private gradients(outputs: number, carried: readonly boolean[]): Gradients {
    return remembered(this.derived, `${outputs} ${carried}`, () => this.derive(outputs, carried));
  }

  private derive(outputs: number, carried: readonly boolean[]): Gradients {
    const { traced, names, share } = this;
    const leaf = (op: Operation, at: number) => term(traced.owner, op, [], at, ELEMENT);
    const seeds: Seed[] = [];
    names.forEach((name, at) => {
      if ((outputs >> at) & 1) seeds.push([traced.outputs.get(name) as Expression, leaf(LEAF.gradient, at)]);
    });
    const { states } = traced.definition;
    const carries = states
      .map((name, i): Seed => [traced.outputs.get(name) as Expression, leaf(LEAF.carry, i)])
      .filter((_, i) => carried[i]);
    // The newest record first, as on a tape that stacks the outputs at the end.
    const all = gradientTerms([...seeds.reverse(), ...carries.reverse()]);
    const zero = share(constant(traced.owner, 0));
    const of = (x: Expression): Expression => share(all.get(x) ?? zero);
    const parameters = traced.derived.map(() => zero);
    for (const [x, leaf] of traced.leaves) {
      const k = Number(leaf.attr);
      const gradient = of(x);
      if (gradient === zero || !this.wanted.parameters[k]) continue;
      const sum = parameters[k] as Expression;
      parameters[k] = sum === zero ? gradient : share(sum.add(gradient) as Expression);
    }
    const reaches = traced.states.map((x) => all.has(x));
    return { inputs: traced.inputs.map(of), states: traced.states.map(of), reaches, parameters };
  }

  private cut(): Set<Expression> {
    const outputs = this.names.reduce((mask, name, i) => mask | (Number(this.wanted.outputs.includes(name)) << i), 0);
    const { inputs, states, parameters } = this.gradients(
      outputs,
      this.next.map(() => true),
    );
    const needed = neededBy([...inputs, ...states, ...parameters]);
    const read = reachable(needed);
    const candidates = this.traced.states.filter((x) => read.includes(x));
    let best = new Set<Expression>();
    let least = UNKNOWN;
    // A state is known from the step before where its next value can be computed from saved values. The plan tries out
    // which states are to be known so.
    for (const known of choicesOf(candidates)) {
      const next = known.map((x) => this.next[this.traced.states.indexOf(x)] as Expression);
      // The input of the step before is not read again.
      const costBefore = (x: Expression) => (x.op === LEAF.input ? UNKNOWN : costOf(x));
      const before = minimumCut(next, () => false, costBefore);
      if (total(before, costBefore) >= least) continue;
      const isKnown = (x: Expression) => known.includes(x);
      const now = minimumCut(needed, isKnown, (x) => (before.has(x) ? 0 : costOf(x)));
      const both = new Set([...before, ...now]);
      const cost = total(both, costOf);
      if (cost >= least) continue;
      least = cost;
      best = both;
    }
    return best;
  }
}

/** Up to this many states all subsets are tried, 2ⁿ cuts. */
const TRIED = 4;

/** Subsets of the list; of a long list none, all, each alone, and all but one. */
function choicesOf<X>(list: readonly X[]): (readonly X[])[] {
  if (list.length > TRIED) return [[], list, ...list.map((x) => [x]), ...list.map((x) => list.filter((y) => y !== x))];
  return Array.from({ length: 1 << list.length }, (_, choice) => list.filter((_, i) => (choice >> i) & 1));
}

/** More than any set of values costs. */
const UNKNOWN = 1000;

function total(values: Iterable<Expression>, costOf: (x: Expression) => number): number {
  let sum = 0;
  for (const x of values) sum += costOf(x);
  return sum;
}

/**
 * An input is there already; a state before the step is not, and saved it would be there twice. A boolean costs a bit, and work to
 * pack and unpack, for which 0.1 is an estimate.
 */
const costOf = (x: Expression): number =>
  x.op === LEAF.input ? 0.5 : x.op === LEAF.state ? 1.25 : x.isBoolean ? 0.1 : 1;

/** Whether x, or a factor of it, is 0 when an argument lies beyond some bound. */
const vanishes = (x: Expression): boolean =>
  reachable([x], (y) => y.op !== OPS.mul).some(
    ({ op, args }) => op.vanishes && (args.length === 1 || args.some(isZero)),
  );

/**
 * The values, not gradients, that these gradients are made of. A formula's gradient is one even where it is added to 0.
 */
function neededBy(gradients: readonly Expression[]): Expression[] {
  const passing = new Set<Expression>();
  const needed = new Set<Expression>();
  const isValue = (x: Expression) => x.level === ELEMENT && !passing.has(x);
  for (const x of reachable(gradients)) {
    if (x.op.isGradient || x.args.some((y) => passing.has(y))) passing.add(x);
    if (passing.has(x)) for (const y of x.args) if (isValue(y)) needed.add(y);
  }
  for (const x of gradients) if (isValue(x)) needed.add(x);
  return [...needed];
}

/** Whether x can be computed from these and parameters, and soon. */
function isFound(x: Expression, from: readonly Expression[]): boolean {
  const isGiven = (y: Expression) => y.level < ELEMENT || from.includes(y);
  let work = 0;
  for (const y of reachable([x], isGiven)) {
    if (isGiven(y)) continue;
    if (y.args.length === 0 || ++work > FEW) return false;
  }
  return true;
}
