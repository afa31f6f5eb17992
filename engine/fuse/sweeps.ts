/**
 * The calls of each step of a run, compiled on first use. The first and last steps differ from the others: the first
 * reads states from outside, the last returns states and gets no gradient from a later step.
 *
 * A step is one sweep, unless the kernel `formula` computes some operations; then sweeps and formulas alternate over
 * the whole step. A sweep writes operands of formulas to temporary arrays; the next sweep recomputes everything else.
 */
import { simd } from "../core/backend.ts";
import { followMemory, instantiate } from "../core/wasm.ts";
import { emit, NO_PLACE, type Root, type SweepFunction } from "./emit.ts";
import { remembered } from "./evaluation.ts";
import { lowering } from "./lanes.ts";
import { COLUMN, ELEMENT } from "./layout.ts";
import { ADDED, type Carried, type Kind, type Plan, type StepBack, SUMMED } from "./plan.ts";
import { constant, type Expression, isZero, reachable, rewriting, workOf } from "./terms.ts";
import { type Code, encodeModule } from "./wasm.ts";

/** A compiled sweep over a step, followed by formulas over temporary arrays. */
export interface SweepCall {
  run: SweepFunction;
  /**
   * Whether the sweep is two loops with temporary arrays between them; pieces of a step must then fit into the
   * first-level cache.
   */
  readonly isSplit: boolean;
  /** Whether it writes streams of bits. */
  readonly marks: boolean;
  readonly formulas: readonly FormulaCall[];
}

/** z ← f(z), or if there are further operands z += dz·f(x), on temporary arrays by index; p and q are constants. */
interface FormulaCall {
  readonly f: number;
  readonly p: number;
  readonly q: number;
  readonly z: number;
  readonly others: readonly [dz: number, x: number] | null;
}

/** The calls of each step of a run. */
export type Calls = readonly (readonly SweepCall[])[];

export class SweepSteps {
  readonly plan: Plan;
  /** The calls of whole runs and of single steps, by direction, number of steps and required gradients. */
  private readonly runs = new Map<string, Calls>();
  private readonly known = new Map<string, readonly SweepCall[]>();
  /** Sweeps that will be compiled into one module, since each module takes a third of a millisecond, at any size. */
  private calls: SweepCall[] = [];
  /** Functions that bind the calls again after memory has moved. */
  private readonly binders: (() => void)[] = [];
  private functions: Code[] = [];
  private exported: number[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /**
   * Calls of T forward steps, with the outputs in this mask. `zeros`: all states start at 0. `leaves`: a found state is
   * requested at the end.
   */
  forward(T: number, outputs: number, zeros: boolean, leaves: boolean): Calls {
    return this.compiled(`forward ${T} ${outputs} ${zeros} ${leaves}`, () => {
      const start = this.plan.found.includes(true) ? (zeros ? "zeros" : "from") : "found";
      const calls = [this.step(outputs, start, leaves && T === 1)];
      for (let t = 1; t < T; t++) calls.push(this.step(outputs, "found", leaves && t === T - 1));
      return calls;
    });
  }

  private step(outputs: number, start: "found" | "from" | "zeros", leaves: boolean): readonly SweepCall[] {
    return remembered(this.known, `forward ${outputs} ${start} ${leaves}`, () => {
      const { plan } = this;
      const terms = plan.forwardTerms(start);
      const roots: Root[] = [];
      const write = (x: Expression, kind: Kind, i: number, how: Root["how"] = "element") =>
        roots.push({ value: terms(x), place: plan.place(kind, i), how });
      plan.saved.forEach((x, i) => write(x, "saved", i, i < plan.savedNumbers ? "element" : "bits"));
      plan.next.forEach((x, i) => {
        if (!plan.found[i] || leaves) write(x, "to", i);
      });
      plan.outputs.forEach((x, i) => {
        const name = plan.names[i] as string;
        if ((outputs >> i) & 1) write(x, "output", i, plan.howOf(name));
      });
      return this.add(roots);
    });
  }

  /**
   * Calls of T backward steps, from the outputs and last states in these masks to the requested gradients of first
   * states.
   */
  backward(T: number, outputs: number, modes: readonly number[], given: number, wanted: number): Calls {
    const key = `backward ${T} ${outputs} ${modes} ${given} ${wanted}`;
    return this.compiled(key, () => this.backwardCalls(T, outputs, modes, given, wanted));
  }

  private backwardCalls(T: number, outputs: number, modes: readonly number[], given: number, wanted: number) {
    const { plan } = this;
    const calls: (readonly SweepCall[])[] = new Array(T);
    let carried: Carried = plan.next.map((_, i) => ((given >> i) & 1 ? plan.stream("dLast", i, ELEMENT) : null));
    for (let t = T - 1; t >= 0; t--) {
      const step = plan.stepBack(outputs, modes, carried);
      const isSettled = carried.every((x, i) => x === step.carried[i]);
      calls[t] = this.stepBack(step, t === 0 ? wanted : -1);
      carried = step.carried;
      // All remaining steps except the first are equal.
      for (; isSettled && t > 1; t--) calls[t - 1] = calls[t] as readonly SweepCall[];
    }
    return calls;
  }

  /**
   * A backward step that computes state gradients for the previous step; if it is the first step, those in `wanted`.
   * `wanted` is −1 for other steps.
   */
  private stepBack(step: StepBack, wanted: number): readonly SweepCall[] {
    const { plan } = this;
    const { key, modes, inputs, states, parameters, carried, readsStates, incoming } = step;
    const isFirst = wanted >= 0 && readsStates;
    const leaves = wanted > 0;
    const written = states.map((_, i) =>
      wanted < 0 ? carried[i] === plan.stream("dState", i, ELEMENT) : ((wanted >> i) & 1) === 1,
    );
    return remembered(this.known, `backward ${key} ${written} ${isFirst} ${leaves}`, () => {
      const terms = plan.backwardTerms(isFirst, (i) => incoming[i] as Expression);
      const roots: Root[] = [];
      const zero = constant(plan.traced.owner, 0);
      const write = (x: Expression, kind: Kind, i: number, how: Root["how"], sum: Expression | null) => {
        const value = terms(x);
        roots.push({ value: sum === null ? value : (sum.add(value) as Expression), place: plan.place(kind, i), how });
      };
      inputs.forEach((x, k) => {
        const mode = modes[k];
        const sum = mode === ADDED ? plan.stream("dInput", k, ELEMENT) : mode === SUMMED ? zero : null;
        if (mode !== 0) write(x, "dInput", k, "element", sum);
      });
      // States before the first step may be leaves.
      states.forEach((x, i) => {
        if (written[i]) write(x, "dState", i, "element", leaves ? zero : null);
      });
      parameters.forEach((x, k) => {
        const isColumn = plan.traced.derived[k]?.level === COLUMN;
        const sum = isColumn ? plan.stream("dParameter", k, COLUMN) : null;
        if (!isZero(x)) write(x, "dParameter", k, isColumn ? "column" : "sum", sum);
      });
      return this.add(roots);
    });
  }

  /** Calls that compute these roots; they can run after `finish`. */
  private add(roots: readonly Root[]): SweepCall[] {
    const { plan } = this;
    const calls: SweepCall[] = [];
    let left = roots;
    let temps = 0;
    for (;;) {
      const terms = termsOf(left);
      const inner = innermost(terms);
      if (inner.length === 0) return [...calls, this.sweep(left, terms, [])];
      const operands: Root[] = [];
      const formulas: FormulaCall[] = [];
      const results = new Map<Expression, Expression>();
      for (const x of inner) {
        const first = temps;
        for (const value of x.args) operands.push({ value, place: plan.place("temp", temps++), how: "element" });
        const others = x.args.length === 1 ? null : ([first + 1, first + 2] as const);
        const { formula, takesAttr } = x.op.of ?? x.op;
        const [f, p, q] = formula as readonly [number, number, number];
        formulas.push({ f: others === null ? f : f + 1, p: takesAttr ? (x.attr as number) : p, q, z: first, others });
        results.set(x, plan.stream("temp", first, ELEMENT));
      }
      calls.push(this.sweep(operands, termsOf(operands), formulas));
      const rewrite = rewriting((x) => results.get(x));
      left = left.map((root) => ({ ...root, value: rewrite(root.value) }));
    }
  }

  private sweep(roots: readonly Root[], terms: Iterable<Expression>, formulas: readonly FormulaCall[]): SweepCall {
    const parts = this.split(roots, terms).map((part) => {
      const { value, mask } = lowering(isRead);
      return part.map((root) => ({ ...root, value: (root.how === "bits" ? mask : value)(root.value) }));
    });
    const { plan } = this;
    const list = plan.traced.definition.listed === undefined ? NO_PLACE : plan.place("list", 0);
    this.functions.push(...emit(parts, plan.hasColumns, this.functions.length, list));
    const marks = roots.some(({ how }) => how === "bits");
    const call: SweepCall = { run: undefined as unknown as SweepFunction, isSplit: parts.length > 1, marks, formulas };
    this.calls.push(call);
    this.exported.push(this.functions.length - 1);
    return call;
  }

  /**
   * Moves exponentials and similar functions to a separate loop before the others, if their operands need few
   * operations. Otherwise the chain of operations exceeds a processor's look-ahead, and constants exceed the registers.
   */
  private split(roots: readonly Root[], terms: Iterable<Expression>): (readonly Root[])[] {
    const { plan } = this;
    const results = new Map<Expression, Expression>();
    const first: Root[] = [];
    for (const x of terms) {
      if (x.level < ELEMENT || !x.op.isLong || workOf(x, isRead) > FEW) continue;
      results.set(x, plan.stream("piece", first.length, ELEMENT));
      first.push({ value: x, place: plan.place("piece", first.length), how: "piece" });
    }
    if (first.length === 0) return [roots];
    const rewrite = rewriting((x) => results.get(x));
    return [first, roots.map((root) => ({ ...root, value: rewrite(root.value) }))];
  }

  /** The calls of this run; the sweeps that `make` adds are compiled into one module. */
  private compiled(key: string, make: () => Calls): Calls {
    return remembered(this.runs, key, () => {
      const calls = make();
      if (this.calls.length > 0) this.finish();
      return calls;
    });
  }

  private finish(): void {
    const { calls, exported } = this;
    const bytes = encodeModule(this.functions, exported);
    const bind = (): void => {
      const exports = instantiate<Readonly<Record<number, SweepFunction>>>(bytes);
      calls.forEach((call, i) => {
        call.run = exports[exported[i] as number] as SweepFunction;
      });
    };
    bind();
    this.binders.push(bind);
    followMemory(new WeakRef(bind));
    this.plan.traced.owner.lanes.clear();
    this.calls = [];
    this.functions = [];
    this.exported = [];
  }
}

/** Most operations that may be computed twice. */
const FEW = 9;

const isRead = ({ op }: Expression): boolean => op.isRead === true;

/** Evaluates formulas over temporary arrays of `size` values. */
export function evaluateFormulas(formulas: readonly FormulaCall[], temps: readonly number[], size: number): void {
  const at = (temp: number) => temps[temp] as number;
  for (const { f, p, q, z, others } of formulas) {
    if (others === null) simd.kernels.formula(f, at(z), at(z), 0, size, p, q);
    else simd.kernels.formulaGrad(f, at(z), at(others[0]), at(others[1]), 0, size, p, q);
  }
}

const termsOf = (roots: readonly Root[]): Expression[] => reachable(roots.map(({ value }) => value));

/** Formulas that are not part of other formulas. */
function innermost(terms: Iterable<Expression>): Expression[] {
  const outer = new Set<Expression>();
  const found: Expression[] = [];
  for (const x of terms) {
    const isFormula = (x.op.of ?? x.op).formula !== undefined;
    if (x.args.some((y) => outer.has(y))) outer.add(x);
    else if (isFormula) {
      found.push(x);
      outer.add(x);
    }
  }
  return found;
}
