/**
 * The calls of each step of a run, compiled when a run first needs them. The first and the last step differ from the others:
 * states come from outside or leave, and no step behind the last one gives a gradient.
 *
 * A step is a sweep, or sweeps and between them the kernel `formula` for operations that it computes, over whole steps. A sweep writes the
 * operands of formulas to temporary arrays; the next sweep computes everything else again.
 */
import { simd } from "../backend.ts";
import { followMemory, instantiate } from "../wasm.ts";
import { emit, NO_PLACE, type Root, type SweepFunction } from "./emit.ts";
import { remembered } from "./evaluation.ts";
import { lowering } from "./lanes.ts";
import { COLUMN, ELEMENT } from "./layout.ts";
import { ADDED, type Carried, type Kind, type Plan, type StepBack } from "./plan.ts";
import { type Expression, isZero, reachable, rewriting, workOf } from "./terms.ts";
import { type Code, encodeModule } from "./wasm.ts";

/** A sweep over a step, compiled with its batch, and after it formulas over temporary arrays. */
export interface SweepCall {
  run: SweepFunction;
  /**
   * Whether the sweep is two loops, with temporary arrays between them: pieces of a step have to stay in the first
   * cache.
   */
  readonly isSplit: boolean;
  /** Whether it writes streams of bits. */
  readonly marks: boolean;
  readonly formulas: readonly FormulaCall[];
}

/** Temporary arrays by their numbers: z ← f(z), or with others z += dz·f(x), with the numbers p and q. */
interface FormulaCall {
  readonly f: number;
  readonly p: number;
  readonly q: number;
  readonly z: number;
  readonly others: readonly [dz: number, x: number] | null;
}

/** Of each step of a run. */
export type Calls = readonly (readonly SweepCall[])[];

export class SweepSteps {
  readonly plan: Plan;
  /** The calls of whole runs, and of single steps, by direction, number of steps and wanted gradients. */
  private readonly runs = new Map<string, Calls>();
  private readonly known = new Map<string, readonly SweepCall[]>();
  /** Sweeps that become one module together: a module takes a third of a millisecond, whatever is in it. */
  private calls: SweepCall[] = [];
  /** They give the calls their functions again where the memory has moved. */
  private readonly binders: (() => void)[] = [];
  private functions: Code[] = [];
  private exported: number[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /**
   * The calls of T steps forward, to the outputs in this mask. `zeros`: all states start from 0; `leaves`: a state that is found is
   * wanted at the end.
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
   * The calls of T steps backward, from the outputs and the gradients of the last states in these masks to the wanted ones of the
   * first states.
   */
  backward(T: number, outputs: number, modes: readonly number[], given: number, wanted: number): Calls {
    const key = `backward ${T} ${outputs} ${modes} ${given} ${wanted}`;
    return this.compiled(key, () => this.backwardCalls(T, outputs, modes, given, wanted));
  }

  /** The calls of T steps that mark where the derivative of the plan is not 0, from saved values. */
  support(T: number): Calls {
    return this.compiled(`support ${T}`, () => {
      const { plan } = this;
      const derivative = plan.support as Expression;
      const readsStates = plan.readsStates([derivative]);
      const none = () => derivative;
      const call = (isFirst: boolean) =>
        remembered(this.known, `support ${isFirst}`, () => {
          const value = plan.backwardTerms(isFirst, none)(derivative);
          return this.add([{ value, place: plan.place("support", 0), how: "bits" }]);
        });
      return Array.from({ length: T }, (_, t) => call(t === 0 && readsStates));
    });
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
      // From here on to the first step all are alike.
      for (; isSettled && t > 1; t--) calls[t - 1] = calls[t] as readonly SweepCall[];
    }
    return calls;
  }

  /** A step that makes gradients of states for the step before, or, as the first step, those that are wanted; else −1. */
  private stepBack(step: StepBack, wanted: number): readonly SweepCall[] {
    const { plan } = this;
    const { key, modes, inputs, states, parameters, carried, readsStates, incoming } = step;
    const isFirst = wanted >= 0 && readsStates;
    const written = states.map((_, i) =>
      wanted < 0 ? carried[i] === plan.stream("dState", i, ELEMENT) : ((wanted >> i) & 1) === 1,
    );
    return remembered(this.known, `backward ${key} ${written} ${isFirst}`, () => {
      const terms = plan.backwardTerms(isFirst, (i) => incoming[i] as Expression);
      const roots: Root[] = [];
      const write = (x: Expression, kind: Kind, i: number, how: Root["how"], adds: boolean) => {
        const value = terms(x);
        const old = plan.stream(kind, i, how === "column" ? COLUMN : ELEMENT);
        roots.push({ value: adds ? (old.add(value) as Expression) : value, place: plan.place(kind, i), how });
      };
      inputs.forEach((x, k) => {
        if (modes[k] !== 0) write(x, "dInput", k, "element", modes[k] === ADDED);
      });
      states.forEach((x, i) => {
        if (written[i]) write(x, "dState", i, "element", false);
      });
      parameters.forEach((x, k) => {
        const isColumn = plan.traced.derived[k]?.level === COLUMN;
        if (!isZero(x)) write(x, "dParameter", k, isColumn ? "column" : "sum", isColumn);
      });
      return this.add(roots);
    });
  }

  /** The calls that compute these roots, which run after `finish`. */
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
   * Exponentials and the like get a loop of their own, before the others, where their operands are soon computed: the chain of
   * operations is longer than a processor looks ahead, and there are more constants than registers.
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

  /** The calls of this run; sweeps that `make` adds become a module. */
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

/** Operations that may be done twice. */
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

/** The formulas that no other formula is part of. */
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
