/**
 * How a traced step runs over time: the values that forward saves, and the values that a step passes to the next one.
 *
 * Forward passes states to the next step, backward passes gradients of states. A *carried* value is stored in an array
 * of one step, which is read and overwritten in place. A *found* value is recomputed from values that the previous step
 * writes anyway: a state from saved values, a state's gradient from the input's gradient. Of all
 * optimisations here, this one shortens steps most.
 */
import { minimumCut } from "./cut.ts";
import { gradientTerms, type Seed } from "./derive.ts";
import type { Root } from "./emit.ts";
import { once, remembered } from "./evaluation.ts";
import { COLUMN, ELEMENT, SCALAR } from "./layout.ts";
import { OPS } from "./operations.ts";
import type { Expression, Operation } from "./terms.ts";
import { ARRAY, constant, LEAF, reachable, rewriting, sharing, term } from "./terms.ts";
import { numberPlace, type Traced } from "./trace.ts";

/** Gradients that backward should compute. */
export interface WantedGradients {
  /** For each derived parameter, whether its gradient is needed. */
  readonly parameters: readonly boolean[];
  /** Outputs that may have a gradient. */
  readonly outputs: readonly string[];
}

/** Arrays that sweeps read. `prev`: saved values of the previous step; `next`: gradients of the next step. */
type Read = "input" | "shared" | "list" | "parameter" | "number" | "from" | "prev" | "gradient" | "next" | "dLast";
/** Arrays that sweeps write. `temp` holds one step, `piece` one piece of a step, between two sweeps. */
type Written = "to" | "saved" | "output" | "dInput" | "dState" | "dParameter" | "temp" | "piece";
export type Kind = Read | Written;

/**
 * How backward writes an input's gradient: overwrites, adds, or for leaves overwrites with gradient + 0, which is never
 * −0. 0: no gradient.
 */
const WRITTEN = 1;
export const ADDED = 2;
export const SUMMED = 3;

/** For each state, the gradient of its next value as a term, or null. */
export type Carried = readonly (Expression | null)[];

/** Terms of the gradients of inputs, states and parameters; 0 for none. */
interface Gradients {
  readonly inputs: readonly Expression[];
  readonly states: readonly Expression[];
  /** Whether the state has a gradient. A gradient of 0 may become NaN; a missing one cannot. */
  readonly reaches: readonly boolean[];
  readonly parameters: readonly Expression[];
}

/**
 * A step of backward: its gradients, and the state gradients that it receives from the next step and passes to the
 * previous one.
 */
export interface StepBack extends Gradients {
  readonly key: string;
  readonly modes: readonly number[];
  readonly incoming: Carried;
  readonly carried: Carried;
  /** Whether the sweep computes states from the saved values of the previous step. */
  readonly readsStates: boolean;
}

/** Read operations of some kinds of arrays; most others are read as `ARRAY.stream`. */
const OWN: { readonly [kind in Kind]?: Operation } = { piece: ARRAY.piece, number: ARRAY.number, shared: ARRAY.shared };

/** Most operations that recompute a state; with more, it is carried. */
const FEW = 8;

export class Plan {
  readonly traced: Traced;
  readonly wanted: WantedGradients;
  /** Values that forward saves, [T, rows, n] each: numbers first, then booleans, as bits. */
  readonly saved: readonly Expression[];
  /** How many of them are numbers. */
  readonly savedNumbers: number;
  /** Whether backward reads an input again. */
  readonly reads: readonly boolean[];
  /** States that forward recomputes. */
  readonly found: readonly boolean[];
  /** Output names by index. */
  readonly names: readonly string[];
  readonly outputs: readonly Expression[];
  /** Outputs that are stored as bits. */
  readonly packed: readonly string[];
  readonly next: readonly Expression[];
  /** Places of arrays in a descriptor, by kind and index. */
  readonly places = new Map<Kind, number[]>();
  /** Number of places. */
  size = 0;
  /** Whether parameters have columns. */
  readonly hasColumns: boolean;
  readonly share: (x: Expression) => Expression;
  private readonly streams = new Map<string, Expression>();
  private readonly derived = new Map<string, Gradients>();
  private readonly back = new Map<string, StepBack>();
  private readonly foundIn: (x: Expression) => Expression;

  /** Without `wanted`, nothing is saved and there is no backward. */
  constructor(traced: Traced, wanted: WantedGradients | null) {
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
  }

  /** Simplifies a value: once gradients are terms, it needs neither `detach` nor a spike's derivative. */
  private asValue({ owner, op, args, attr }: Expression): Expression | undefined {
    if (op === OPS.detach) return this.share(args[0] as Expression);
    return op === OPS.spike ? term(owner, op, [this.share(args[0] as Expression)], attr) : undefined;
  }

  /** An array as a leaf of the terms of a sweep. */
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

  /** Whether a list of places selects the columns of an input or output. */
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

  /** The leaf for an input, a parameter or a number. */
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
    const place = numberPlace(x, numbers);
    return place < 0 ? x : this.stream("number", place, SCALAR);
  }

  /** Replaces leaves by arrays, for forward. In the first step, found states are given or 0. */
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

  /** Replaces leaves by arrays, for backward. `carried` returns the gradient of a state's next value. */
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

  /** Whether terms depend on states that backward recomputes from the previous step. */
  readsStates(values: readonly Expression[]): boolean {
    const terms = reachable(values, (x) => this.saved.includes(x));
    return this.traced.states.some((x) => terms.includes(x) && !this.saved.includes(x));
  }

  /**
   * The step of backward. Gradients exist for the outputs in this mask, and for the next values of states with
   * `incoming`.
   */
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
   * The state's gradient for the previous step: recomputed from an input's gradient, which is written anyway, or
   * carried in an array.
   */
  private carried(x: Expression, state: number, inputs: readonly Expression[], modes: readonly number[]): Expression {
    const known = inputs.filter((y, k) => (modes[k] === WRITTEN || modes[k] === SUMMED) && y.level === ELEMENT);
    if (!isFound(x, known)) return this.stream("dState", state, ELEMENT);
    const rewrite = rewriting((y) =>
      known.includes(y) ? this.stream("next", inputs.indexOf(y), ELEMENT) : this.leafOf(y),
    );
    return this.share(rewrite(x));
  }

  /** Gradients of one step, from gradients of the outputs in this mask and of the marked states' next values. */
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
    // Newest record first, as on a tape whose last records stack the outputs.
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
    // A state before the step is found if it is a function of values that the previous step saved. The plan tries which
    // states to find.
    for (const known of choicesOf(candidates)) {
      const next = known.map((x) => this.next[this.traced.states.indexOf(x)] as Expression);
      // Inputs of the previous step are not read again.
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

/** Up to this many states, all 2ⁿ subsets are tried. */
const TRIED = 4;

/** All subsets of a list; for a long list only the empty one, the whole list, each single element, and all but each element. */
function choicesOf<X>(list: readonly X[]): (readonly X[])[] {
  if (list.length > TRIED) return [[], list, ...list.map((x) => [x]), ...list.map((x) => list.filter((y) => y !== x))];
  return Array.from({ length: 1 << list.length }, (_, choice) => list.filter((_, i) => (choice >> i) & 1));
}

/** More than the cost of any set of values. */
const UNKNOWN = 1000;

function total(values: Iterable<Expression>, costOf: (x: Expression) => number): number {
  let sum = 0;
  for (const x of values) sum += costOf(x);
  return sum;
}

/**
 * Cost of saving a value. Inputs are stored already. A state before the step would be stored twice. A boolean costs a
 * bit; 0.1 estimates packing and unpacking.
 */
const costOf = (x: Expression): number =>
  x.op === LEAF.input ? 0.5 : x.op === LEAF.state ? 1.25 : x.isBoolean ? 0.1 : 1;

/**
 * The values from which these gradients are computed, other than gradients. The gradient of a formula counts as a
 * gradient, even if it is added to 0.
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

/** Whether x can be computed from these values and parameters with few operations. */
function isFound(x: Expression, from: readonly Expression[]): boolean {
  const isGiven = (y: Expression) => y.level < ELEMENT || from.includes(y);
  let work = 0;
  for (const y of reachable([x], isGiven)) {
    if (isGiven(y)) continue;
    if (y.args.length === 0 || ++work > FEW) return false;
  }
  return true;
}
