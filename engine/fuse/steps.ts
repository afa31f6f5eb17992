/**
 * The calls of each step of a run, compiled when a run first needs them. The first and the last step differ from the others:
 * states come from outside or leave, and no gradient comes from a step that was not.
 */
import type { Root } from "./emit.ts";
import { remembered } from "./evaluation.ts";
import type { Gradients, Plan } from "./plan.ts";
import { SweepBatch, type SweepCall } from "./sweeps.ts";
import { COLUMN, ELEMENT, type Expression, isZero } from "./terms.ts";

/** What backward does with the gradient of an input. */
export type Mode = "none" | "write" | "add";

/** The gradient of each next value of a state as a term, null where there is none. */
type Carried = readonly (Expression | null)[];

export class SweepSteps {
  readonly plan: Plan;
  /** The calls of whole runs, of single steps, and the gradients of steps, by what they depend on. */
  private readonly runs = new Map<string, readonly (readonly SweepCall[])[]>();
  private readonly known = new Map<string, readonly SweepCall[]>();
  private readonly producers = new Map<string, Producer>();

  private readonly batch: SweepBatch;

  constructor(plan: Plan) {
    this.plan = plan;
    this.batch = new SweepBatch(plan);
  }

  /**
   * The calls of T steps forward, to the outputs in this mask. `zeros`: all states start from 0; `leaves`: a state that is found is
   * wanted at the end.
   */
  forward(T: number, outputs: number, zeros: boolean, leaves: boolean): readonly (readonly SweepCall[])[] {
    return remembered(this.runs, `forward ${T} ${outputs} ${zeros} ${leaves}`, () => {
      const start = this.plan.found.includes(true) ? (zeros ? "zeros" : "from") : "found";
      const calls = [this.step(outputs, start, leaves && T === 1)];
      for (let t = 1; t < T; t++) calls.push(this.step(outputs, "found", leaves && t === T - 1));
      this.batch.finish();
      return calls;
    });
  }

  private step(outputs: number, start: "found" | "from" | "zeros", leaves: boolean): readonly SweepCall[] {
    return remembered(this.known, `forward ${outputs} ${start} ${leaves}`, () => {
      const { plan } = this;
      const terms = plan.forwardTerms(start);
      const roots: Root[] = [];
      const write = (x: Expression, kind: "saved" | "to" | "output", i: number, how: Root["how"] = "element") =>
        roots.push({ value: terms(x), place: plan.place(kind, i), how });
      plan.saved.forEach((x, i) => write(x, "saved", i, i < plan.savedNumbers ? "element" : "bits"));
      plan.next.forEach((x, i) => {
        if (!plan.found[i] || leaves) write(x, "to", i);
      });
      plan.outputs.forEach((x, i) => {
        const name = plan.names[i] as string;
        if ((outputs >> i) & 1) write(x, "output", i, plan.howOf(name));
      });
      return this.batch.add(roots);
    });
  }

  /**
   * The calls of T steps backward, from the outputs and the gradients of the last states in these masks to the wanted ones of the
   * first states.
   */
  backward(
    T: number,
    outputs: number,
    modes: readonly Mode[],
    given: number,
    wanted: number,
  ): readonly (readonly SweepCall[])[] {
    return remembered(this.runs, `backward ${T} ${outputs} ${modes} ${given} ${wanted}`, () => {
      const calls = this.backwardCalls(T, outputs, modes, given, wanted);
      this.batch.finish();
      return calls;
    });
  }

  /** The calls of T steps that mark where the derivative of the plan is not 0, from what forward has saved. */
  support(T: number): readonly (readonly SweepCall[])[] {
    return remembered(this.runs, `support ${T}`, () => {
      const { plan } = this;
      const derivative = plan.support as Expression;
      const readsStates = plan.readsStates([derivative]);
      const none = () => derivative;
      const call = (isFirst: boolean) =>
        remembered(this.known, `support ${isFirst}`, () => {
          const value = plan.backwardTerms(isFirst, none)(derivative);
          return this.batch.add([{ value, place: plan.place("support", 0), how: "bits" }]);
        });
      const calls = Array.from({ length: T }, (_, t) => call(t === 0 && readsStates));
      this.batch.finish();
      return calls;
    });
  }

  private backwardCalls(T: number, outputs: number, modes: readonly Mode[], given: number, wanted: number) {
    const { plan } = this;
    const calls: (readonly SweepCall[])[] = new Array(T);
    let carried: Carried = plan.next.map((_, i) => ((given >> i) & 1 ? plan.stream("dLast", i, ELEMENT) : null));
    for (let t = T - 1; t >= 0; t--) {
      const producer = this.producer(outputs, modes, carried);
      const isSettled = carried.every((x, i) => x === producer.carried[i]);
      calls[t] = this.stepBack(producer, t === 0 ? wanted : -1);
      carried = producer.carried;
      // From here on to the first step all are alike.
      for (; isSettled && t > 1; t--) calls[t - 1] = calls[t] as readonly SweepCall[];
    }
    return calls;
  }

  private producer(outputs: number, modes: readonly Mode[], carried: Carried): Producer {
    const key = `${outputs} ${modes} ${carried.map((x) => x?.id ?? 0)}`;
    return remembered(this.producers, key, () => producerOf(this.plan, key, outputs, modes, carried));
  }

  /** A step that makes gradients of states for the step before, or, as the first step, those that are wanted; else −1. */
  private stepBack(producer: Producer, wanted: number): readonly SweepCall[] {
    const { plan } = this;
    const { key, modes, inputs, states, parameters, carried, readsStates } = producer;
    const isFirst = wanted >= 0 && readsStates;
    const written = states.map((_, i) =>
      wanted < 0 ? carried[i] === plan.stream("dState", i, ELEMENT) : ((wanted >> i) & 1) === 1,
    );
    return remembered(this.known, `backward ${key} ${written} ${isFirst}`, () => {
      const terms = plan.backwardTerms(isFirst, (i) => producer.incoming[i] as Expression);
      const roots: Root[] = [];
      const write = (
        x: Expression,
        kind: "dInput" | "dState" | "dParameter",
        i: number,
        how: Root["how"],
        adds: boolean,
      ) => {
        const value = terms(x);
        const old = plan.stream(kind, i, how === "column" ? COLUMN : ELEMENT);
        roots.push({ value: adds ? (old.add(value) as Expression) : value, place: plan.place(kind, i), how });
      };
      inputs.forEach((x, k) => {
        if (modes[k] !== "none") write(x, "dInput", k, "element", modes[k] === "add");
      });
      states.forEach((x, i) => {
        if (written[i]) write(x, "dState", i, "element", false);
      });
      parameters.forEach((x, k) => {
        const isColumn = plan.traced.derived[k]?.level === COLUMN;
        if (!isZero(x)) write(x, "dParameter", k, isColumn ? "column" : "sum", isColumn);
      });
      return this.batch.add(roots);
    });
  }
}

/** A step of backward that makes gradients of states: what it is given of them, and what it leaves. */
interface Producer extends Gradients {
  readonly key: string;
  readonly modes: readonly Mode[];
  readonly incoming: Carried;
  readonly carried: Carried;
  readonly readsStates: boolean;
}

function producerOf(plan: Plan, key: string, outputs: number, modes: readonly Mode[], incoming: Carried): Producer {
  const gradients = plan.gradients(
    outputs,
    incoming.map((x) => x !== null),
  );
  const { inputs, states, parameters, reaches } = gradients;
  const written = modes.map((mode) => mode === "write");
  const carried = states.map((_, i) =>
    reaches[i] ? (plan.carryIn(gradients, i, written) ?? plan.stream("dState", i, ELEMENT)) : null,
  );
  const readsStates = plan.readsStates([...inputs, ...states, ...parameters]);
  return { ...gradients, key, modes, incoming, carried, readsStates };
}
