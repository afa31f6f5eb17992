/**
 * The work of one step as calls: sweeps, and between them the kernel `formula` for operations that it computes, over whole steps.
 * What a formula is taken of is written to a temporary array, and everything else is computed again behind it.
 */
import { simd } from "../backend.ts";
import { memory } from "../wasm.ts";
import { emit, NO_PLACE, type Root, type SweepFunction } from "./emit.ts";
import { type Code, encodeModule } from "./encode.ts";
import { lowering } from "./lanes.ts";
import type { Plan } from "./plan.ts";
import { ELEMENT, type Expression, reachable, rewriting, workOf } from "./terms.ts";

/** A sweep over a step, compiled with its batch, and after it formulas over temporary arrays. */
export interface SweepCall {
  run: SweepFunction;
  /** It is two loops, with temporary arrays between them: pieces of a step have to stay in the first cache. */
  readonly isSplit: boolean;
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

/** Sweeps that become one module together: a module takes a third of a millisecond, whatever is in it. */
export class SweepBatch {
  private readonly plan: Plan;
  private calls: SweepCall[] = [];
  private functions: Code[] = [];
  private exported: number[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** The calls that compute these roots, to be made after `finish`. */
  add(roots: readonly Root[]): SweepCall[] {
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
        const [f, p, q] = x.op.formula as readonly [number, number, number];
        formulas.push({ f, p: x.op.takesAttr ? (x.attr as number) : p, q, z: first, others });
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
    const call: SweepCall = { run: notCompiled, isSplit: parts.length > 1, formulas };
    this.calls.push(call);
    this.exported.push(this.functions.length - 1);
    return call;
  }

  /**
   * Exponentials and the like get a loop of their own, before the others, where their operands are soon computed: the chain of
   * operations is longer than what a processor looks ahead, and there are more constants than registers.
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

  /** Compiles what was added. */
  finish(): void {
    if (this.calls.length === 0) return;
    const module = new WebAssembly.Module(encodeModule(this.functions, this.exported));
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    this.calls.forEach((call, i) => {
      call.run = exports[this.exported[i] as number] as SweepFunction;
    });
    this.plan.traced.owner.lanes.clear();
    this.calls = [];
    this.functions = [];
    this.exported = [];
  }
}

/** Operations that may be done twice. */
const FEW = 9;

const isRead = ({ op }: Expression): boolean => op.isRead === true;

const notCompiled: SweepFunction = () => {
  throw new Error("fuse: the sweep was not compiled");
};

/** Evaluates formulas over temporary arrays of so many values. */
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
    const isFormula = x.op.formula !== undefined;
    if (x.args.some((y) => outer.has(y))) outer.add(x);
    else if (isFormula) {
      found.push(x);
      outer.add(x);
    }
  }
  return found;
}
