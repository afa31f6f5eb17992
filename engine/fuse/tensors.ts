/**
 * The step on tensors: the same function, whose ops are recorded on the tape one by one. A compiled step has the same
 * bits; `gradcheck` runs the step on tensors, with the float64 kernels.
 */
import { inReference, k } from "../core/backend.ts";
import { gradientAt } from "../core/gradient.ts";
import { applyOp, type Op, ready, SAVES } from "../core/op.ts";
import { allocateInScope, recycle } from "../core/scope.ts";
import { noGrad } from "../core/tape.ts";
import type { Tensor } from "../core/tensor.ts";
import { full, zeros } from "../create.ts";
import { constantSource } from "../forms/values.ts";
import { asTensor } from "../ops/arithmetic.ts";
import { softplus } from "../ops/formula.ts";
import { stack } from "../ops/layout.ts";
import { broadcastTo } from "../ops/view.ts";
import { where, whereOp } from "../ops/where.ts";
import { broadcastShapes, type Shape } from "../shape.ts";
import { evaluation, type Functions, POWER_LOWEST, POWER_TERMS } from "./evaluation.ts";
import type { Derivative, DerivativeLanguage, Language, Value } from "./terms.ts";
import type { StepDefinition, Traced } from "./trace.ts";

/** z = x if the spike is not 0, else y.  ∂L/∂spike = ∂L/∂z ⊙ (x − y). */
const selectOp: Op<null> = {
  name: "select",
  saves: SAVES.a | SAVES.b | SAVES.c,
  forward: (z, spike, x, y, attrs) => whereOp.forward(z, spike, x, y, attrs),
  backward(z, spike, x, y) {
    const ds = gradientAt(spike);
    if (ds !== 0) {
      const difference = allocateInScope(4 * z.size);
      k.sub(difference, x.ptr, y.ptr, z.size);
      k.mulGrad(ds, z.gradPtr, difference, z.size);
      recycle(difference, 4 * z.size);
    }
    whereOp.backward(z, spike, x, y, null);
  },
};

/** z = 1 if x ≥ 0 (strict: > 0), else 0.  ∂L/∂x = ∂L/∂z ⊙ derivative(x). */
const spikeOp: Op<{ derivative: (x: Tensor) => Value | number; strict: boolean }> = {
  name: "spike",
  saves: SAVES.a,
  forward: (z, x, _y, _w, { strict }) => k.spike(z.ptr, x.ptr, z.size, strict ? 1 : 0),
  backward(z, x, _y, _w, { derivative }) {
    const dx = gradientAt(x);
    if (dx === 0) return;
    noGrad(() => {
      const d = broadcastTo(asTensor("derivative", derivative(x) as Tensor | number), x.sizes);
      ready("derivative", d);
      k.mulGrad(dx, z.gradPtr, d.ptr, z.size);
    });
  },
};

function select(spike: Tensor, x: Tensor | number, y: Tensor | number): Tensor {
  const operands = [spike, x, y].map((t) => asTensor("select", t)) as [Tensor, Tensor, Tensor];
  const shape = operands.reduce<readonly number[]>((all, t) => broadcastShapes("select", all, t.sizes), []);
  const [a, b, c] = operands.map((t) => broadcastTo(t, shape)) as [Tensor, Tensor, Tensor];
  return applyOp(selectOp, null, a, b, c);
}

/** 2ˣ by the polynomial of kernels/derivative.ts; exact in float64. */
function power(x: Tensor): Tensor {
  if (inReference()) return x.mul(Math.LN2).exp();
  const [p0, p1, p2, p3, p4] = POWER_TERMS;
  const clamped = x.maximum(POWER_LOWEST);
  const whole = clamped.round();
  const f = clamped.sub(whole);
  const high = f.mul(p4).add(p3).mul(f).add(p2);
  const p = high.mul(f.mul(f)).add(f.mul(p1).add(p0));
  return p.mul(full([], 2).pow(whole));
}

/** Functions of a step, on tensors. */
export const tensorLanguage = {
  where,
  select,
  spike: (x: Tensor, derivative: Derivative, strict = false) =>
    applyOp(spikeOp, { derivative: (at) => derivative(at, tensorLanguage), strict }, x),
  softplus,
  constant: (c: number) => full([], c),
  power,
} as unknown as DerivativeLanguage;

/** Tensors by name for a step on tensors: inputs [T, B, …], states [B, …], parameters [] or [N]. */
export interface Operands {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly states?: Readonly<Record<string, Tensor>>;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** Time steps of an input; if the input repeats one step, that step, as in compiled steps. */
export function inputSteps(x: Tensor): Tensor[] {
  const [T = 1, ...shape] = x.sizes;
  const source = constantSource(x);
  return source?.size === x.size / T ? new Array(T).fill(source.reshape(shape)) : x.unbind(0);
}

/** Makes further inputs of a step from its inputs and the states before it. */
export type Further = (inputs: Operands["inputs"], states: Operands["inputs"]) => Operands["inputs"];

/**
 * Runs the step over time. Returns all outputs by name, [T, B, …], and the states after the last step, [B, …].
 * `further` makes additional inputs in each step.
 */
export function runOnTensors(
  definition: StepDefinition,
  { inputs, states = {}, parameters }: Operands,
  further: Further | null = null,
): { outputs: Record<string, Tensor>; states: Record<string, Tensor> } {
  const steps = Object.fromEntries(Object.entries(inputs).map(([name, x]) => [name, inputSteps(x)]));
  const [first = []] = Object.values(steps);
  const shape = first[0]?.sizes ?? [];
  const state = Object.fromEntries(definition.states.map((name) => [name, states[name] ?? zeros(shape)]));
  const rows: Record<string, Tensor[]> = {};
  first.forEach((_, t) => {
    const now = Object.fromEntries(Object.entries(steps).map(([name, list]) => [name, list[t] as Tensor]));
    const more = further?.(now, state);
    const returned = definition.step({ ...tensorLanguage, ...parameters, ...state, ...now, ...more });
    for (const [name, value] of Object.entries(returned)) {
      const z = broadcastTo(asTensor(name, value as Tensor | number), shape);
      rows[name] ??= [];
      rows[name].push(z);
      // `reshape` adds a record that collects the next step's gradient first; a compiled step adds in this order too.
      if (definition.states.includes(name)) state[name] = z.reshape(shape);
    }
  });
  return {
    outputs: Object.fromEntries(Object.entries(rows).map(([name, list]) => [name, stack(list)])),
    states: state,
  };
}

/**
 * Runs a traced step with the input `current`: its terms one after the other, without calling the function again.
 *
 * Shapes: current [T, B, …] → outputs [T, B, …], or for a single step [B, …] → [B, …]; `shape` is the shape of a step,
 * and states are [B, …], null for zeros; parameters have one value or N.
 */
export function runTraced(
  { definition, outputs }: Traced,
  current: Tensor,
  shape: Shape,
  from: readonly (Tensor | null)[],
  parameters: Operands["parameters"],
  further: Further | null = null,
): { outputs: Record<string, Tensor>; states: readonly Tensor[] } {
  const isStep = current.ndim === shape.length;
  const step = (argument: Language) => {
    const resultOf = evaluation(argument as unknown as Record<string, unknown>, ofTerms);
    return Object.fromEntries([...outputs].map(([name, x]) => [name, resultOf(x) as Value]));
  };
  const mapped = (named: Operands["inputs"], change: (t: Tensor) => Tensor) =>
    Object.fromEntries(Object.entries(named).map(([name, t]) => [name, change(t)]));
  const run = runOnTensors(
    { ...definition, step },
    {
      inputs: { current: isStep ? current.unsqueeze(0) : current },
      states: Object.fromEntries(definition.states.map((name, i) => [name, from[i] ?? zeros(shape)])),
      // A single value gets the shape [], which broadcasts to any step, also to one without axes.
      parameters: mapped(parameters, (t) => (t.size === 1 ? t.reshape([]) : t)),
    },
    further,
  );
  return {
    outputs: isStep ? mapped(run.outputs, (z) => z.squeeze(0)) : run.outputs,
    states: definition.states.map((name) => run.states[name] as Tensor),
  };
}

/** Functions of a step for evaluating terms; a spike receives the value of its derivative. */
const ofTerms = /* @__PURE__ */ Object.assign({}, tensorLanguage, {
  spike: (x: Tensor, derivative: Value | number, fire: string) =>
    applyOp(spikeOp, { derivative: () => derivative, strict: fire === "gt" }, x),
}) as unknown as Functions;
