/** A typed neuron: over time, over currents, over its states, and backward. All methods free what they make. */
import {
  Adam,
  full,
  type Module,
  neuron,
  noGrad,
  type Surrogate,
  type Tensor,
  tape,
  tensor,
  type Value,
} from "jarvis-snn";
import { surrogate } from "jarvis-snn/core";
import { type Cause, causeOf } from "./cause.ts";
import { type Equations, type Functions, firstOf, valuesOf } from "./language.ts";
import { LanguageError } from "./reader.ts";

/** A layer whose names are known when it runs. */
interface Layer extends Module {
  unroll(current: Tensor): Readonly<Record<string, Tensor>>;
  step(current: Tensor, state: Readonly<Record<string, Tensor>>): [Tensor, Readonly<Record<string, Tensor>>];
  initialState(shape: readonly number[]): Readonly<Record<string, Tensor>>;
}

type LayerClass = new (options: object) => Layer & Readonly<Record<string, Tensor>>;

/** The name of the neuron in errors and in its printed equations. */
const NAME = "Typed";

/** The run of a neuron under a current, step by step. */
export interface Run {
  /** 1 at a spike; null for a neuron without spikes. */
  readonly spikes: Float32Array | null;
  readonly membrane: Float32Array;
  /** States after each step, by their names. */
  readonly states: ReadonlyMap<string, Float32Array>;
  /** The first step at which a value is not finite, −1 for none, and why. */
  readonly lost: number;
  readonly cause: Cause | null;
}

/** Derivatives of the membrane at one step. */
export interface Credit {
  /** By the current of each step. */
  readonly current: Float32Array;
  /** By each parameter. */
  readonly parameters: ReadonlyMap<string, number>;
}

/** A range of values. */
export type Range = readonly [low: number, high: number];

/** How far states move in one step without a spike, on a grid of side × side places, row by row from low to high. */
export interface Field {
  readonly side: number;
  readonly dx: Float32Array;
  readonly dy: Float32Array;
  /** How far the membrane is above the threshold; null for a neuron without spikes. */
  readonly above: Float32Array | null;
}

/** The next value of a state over its value, and whether a spike lies between. */
export interface Successor {
  readonly from: Float32Array;
  readonly to: Float32Array;
  readonly fires: Float32Array | null;
}

/** A turn of learning. */
interface Turn {
  /** The spikes before it. */
  readonly made: number;
  /** The numbers that it has moved, by names; none where the spikes were reached, or where no gradient reaches a number. */
  readonly moved: ReadonlyMap<string, number>;
}

/** Copies of the neuron in a curve, and the steps for which each has its current. Rates count from the step SETTLED on. */
const COPIES = 64;
const CURVE_STEPS = 800;
const SETTLED = 200;

export class TypedNeuron {
  /** The equations with the numbers of now. */
  equations: Equations;
  /** The step and its gradient, as the package prints them. */
  readonly printed: string;
  private readonly layer: Layer & Readonly<Record<string, Tensor>>;
  /** The same neuron with spikes that do nothing, for the field of its states. */
  private quiet: (Layer & Readonly<Record<string, Tensor>>) | null = null;

  /**
   * @param lent the surrogate, by default a triangle of width 1.
   * @throws LanguageError where the package refuses the equations.
   */
  constructor(equations: Equations, lent: Surrogate = surrogate.triangular()) {
    this.equations = equations;
    try {
      this.layer = layerOf(equations, lent);
    } catch (error) {
      throw placed(error, equations);
    }
    this.printed = String(this.layer);
  }

  /** Goes on with equations of the same structure and other numbers; nothing is traced or compiled again. */
  take(equations: Equations): void {
    this.equations = equations;
    for (const layer of [this.layer, this.quiet]) {
      for (const [name, { value }] of equations.parameters) layer?.[name]?.copyFrom([value]);
    }
  }

  /** The neuron under a current. */
  run(current: Float32Array): Run {
    const { spike, membrane, states } = this.equations;
    return noGrad(() => {
      const out = this.layer.unroll(column(current));
      const over = (name: string): Float32Array => (out[name] as Tensor).toFloat32Array();
      const traces = new Map(states.map((name) => [name, over(name)]));
      const trace = traces.get(membrane) ?? over(this.shown);
      const all = [trace, ...traces.values()];
      const lost = trace.findIndex((_, t) => all.some((values) => !Number.isFinite(values[t])));
      return {
        spikes: spike === null ? null : over("spikes"),
        membrane: trace,
        states: traces,
        lost,
        cause: lost < 0 ? null : this.cause(current, traces, lost),
      };
    });
  }

  /** Why a value is not finite after a step, while all were before it. */
  private cause(current: Float32Array, traces: Run["states"], step: number): Cause | null {
    const first = this.layer.initialState([1]);
    const before = [...traces].map(([name, values]): [string, number] => [
      name,
      (step === 0 ? first[name]?.item() : values[step - 1]) as number,
    ]);
    return causeOf(this.equations, new Map([["I", current[step] as number], ...before]), step);
  }

  /** The derivative of the membrane at a step by the current of every step, and by each parameter. */
  credit(current: Float32Array, at: number): Credit {
    return tape(() => {
      const x = tensor(current, { shape: [current.length, 1], requiresGrad: true });
      this.layer.zeroGrad();
      const membrane = this.layer.unroll(x)[this.shown] as Tensor;
      membrane
        .slice(0, at, at + 1)
        .sum()
        .backward();
      const parameters = new Map([...this.equations.parameters.keys()].map((name) => [name, this.slope(name)]));
      return { current: x.grad?.toFloat32Array() ?? new Float32Array(current.length), parameters };
    });
  }

  /** The output of the layer that is the membrane. */
  private get shown(): string {
    const { membrane, states, spike } = this.equations;
    return spike === null && !states.includes(membrane) ? "membrane" : membrane;
  }

  /** The gradient of a parameter, 0 where none has reached it. */
  private slope(name: string): number {
    return (this.layer[name] as Tensor).grad?.item() ?? 0;
  }

  /** How far two states move under a constant current, over a grid of both. `others` holds the values of further states. */
  field(
    current: number,
    [x, y]: readonly [name: string, name: string],
    [across, up]: readonly [Range, Range],
    others: ReadonlyMap<string, number>,
    side = 40,
  ): Field {
    this.quiet ??= layerOf(this.equations, null);
    const quiet = this.quiet;
    const place = ([low, high]: Range, i: number): number => low + ((high - low) * i) / (side - 1);
    const fromX = Float32Array.from({ length: side * side }, (_, i) => place(across, i % side));
    const fromY = Float32Array.from({ length: side * side }, (_, i) => place(up, Math.floor(i / side)));
    return noGrad(() => {
      const n = side * side;
      const state: Record<string, Tensor> = { ...quiet.initialState([n]) };
      for (const [name, value] of others) state[name] = full([n], value);
      state[x] = tensor(fromX);
      state[y] = tensor(fromY);
      const [above, next] = quiet.step(full([n], current), state);
      const moved = (name: string, from: Float32Array): Float32Array =>
        (next[name] as Tensor).toFloat32Array().map((to, i) => to - (from[i] as number));
      return {
        side,
        dx: moved(x, fromX),
        dy: moved(y, fromY),
        above: this.equations.spike === null ? null : above.toFloat32Array(),
      };
    });
  }

  /** The next value of a state under a constant current, over a range of its values. */
  successor(current: number, name: string, [low, high]: Range, points = 256): Successor {
    const from = Float32Array.from({ length: points }, (_, i) => low + ((high - low) * i) / (points - 1));
    return noGrad(() => {
      const state = { ...this.layer.initialState([points]), [name]: tensor(from) };
      const [spikes, next] = this.layer.step(full([points], current), state);
      const fires = this.equations.spike === null ? null : spikes.toFloat32Array();
      return { from, to: (next[name] as Tensor).toFloat32Array(), fires };
    });
  }

  /** Spikes a step under constant currents: between the first and the last spike, after the beginning. */
  curve([low, high]: Range): { currents: Float32Array; rates: Float32Array } {
    const currents = Float32Array.from({ length: COPIES }, (_, i) => low + ((high - low) * i) / (COPIES - 1));
    const all = new Float32Array(CURVE_STEPS * COPIES);
    for (let t = 0; t < CURVE_STEPS; t++) all.set(currents, t * COPIES);
    const spikes = noGrad(() =>
      (this.layer.unroll(tensor(all, { shape: [CURVE_STEPS, COPIES] })).spikes as Tensor).toFloat32Array(),
    );
    const rates = new Float32Array(COPIES);
    for (let n = 0; n < COPIES; n++) rates[n] = rateOf(spikes, n);
    return { currents, rates };
  }

  /**
   * One turn towards so many spikes, by the gradient of (spikes − wanted)². The numbers of the layer have moved after it: the caller takes
   * them into the text, and the equations of this text with {@link take}. A turn that finds the spikes reached moves nothing.
   */
  turn(current: Float32Array, wanted: number, optimizers: ReadonlyMap<string, Adam>): Turn {
    const made = tape(() => {
      this.layer.zeroGrad();
      const total = (this.layer.unroll(column(current)).spikes as Tensor).sum();
      total.sub(wanted).square().backward();
      return total.item();
    });
    if (made === wanted) return { made, moved: new Map() };
    const moving = [...optimizers].filter(([name]) => Number.isFinite(this.slope(name)) && this.slope(name) !== 0);
    for (const [, optimizer] of moving) optimizer.step();
    return { made, moved: new Map(moving.map(([name]) => [name, (this.layer[name] as Tensor).item()])) };
  }

  /** Optimizers for {@link turn}, by the names of parameters: each moves its own by about one part in 200. The caller disposes of them. */
  optimizers(): ReadonlyMap<string, Adam> {
    const learned = [...this.equations.parameters].filter(([name]) => name !== "dt");
    return new Map(
      learned.map(([name, { value }]) => {
        const lr = Math.max(Math.abs(value), 0.02) / 200;
        return [name, new Adam([this.layer[name] as Tensor], { lr })];
      }),
    );
  }

  dispose(): void {
    this.layer.dispose();
    this.quiet?.dispose();
  }
}

/** A current as a sequence of one neuron. */
const column = (current: Float32Array): Tensor => tensor(current, { shape: [current.length, 1] });

/** A layer of neurons with these equations. Without a surrogate spikes are 0, and the output is their argument. */
function layerOf(equations: Equations, lent: Surrogate | null): Layer & Readonly<Record<string, Tensor>> {
  const { parameters, states, isStrict } = equations;
  const Typed = neuron({
    name: NAME,
    state: Object.fromEntries(states.map((name) => [name, firstOf(equations, name)])),
    parameters: Object.fromEntries([...parameters].map(([name, { value }]) => [name, value])),
    step: (argument: Argument) => outputsOf(equations, argument, lent === null),
  } as never) as unknown as LayerClass;
  if (lent === null) return new Typed({});
  return new Typed({ learn: [...parameters.keys()], surrogate: lent, fire: isStrict ? "gt" : "ge" });
}

/** The argument of a step, with states and parameters by their names. */
type Argument = Functions & { readonly current: Value } & Readonly<Record<string, Value>>;

function outputsOf(equations: Equations, argument: Argument, isQuiet: boolean): Record<string, Value> {
  const { parameters, states, spike, membrane } = equations;
  const { constant, select, softplus } = argument;
  let above: Value | null = null;
  const quiet = (x: Value): number => {
    above ??= x;
    return 0;
  };
  const functions: Functions = { constant, select, softplus, spike: isQuiet ? quiet : argument.spike };
  const names = [...parameters.keys(), ...states];
  const given = [["I", argument.current] as const, ...names.map((name) => [name, argument[name] as Value] as const)];
  const values = valuesOf(equations, given, functions);
  const valueAt = (name: string): Value => {
    const x = values.get(name) as Value | number;
    return typeof x === "number" ? constant(x) : x;
  };
  const outputs: Record<string, Value> = Object.fromEntries(states.map((name) => [name, valueAt(`${name}′`)]));
  if (isQuiet) return { membrane: above ?? constant(0), ...outputs };
  const last = states.includes(membrane) ? `${membrane}′` : membrane;
  if (spike === null) return { membrane: valueAt(last), ...outputs };
  const own = states.includes(membrane) ? {} : { [membrane]: valueAt(membrane) };
  return { spikes: valueAt(spike), ...own, ...outputs };
}

/** Spikes a step of neuron n: between its first and its last spike while it goes on firing, else of all steps that count. */
function rateOf(spikes: Float32Array, n: number): number {
  let [first, last, count, longest] = [-1, -1, 0, 0];
  for (let t = SETTLED; t < CURVE_STEPS; t++) {
    if (spikes[t * COPIES + n] === 0) continue;
    if (first < 0) first = t;
    else longest = Math.max(longest, t - last);
    last = t;
    count++;
  }
  const goesOn = count > 1 && CURVE_STEPS - last <= 1.5 * longest;
  return goesOn ? (count - 1) / (last - first) : count / (CURVE_STEPS - SETTLED);
}

/** An error of the package as a problem of the text, at the name that it is about. */
function placed(error: unknown, { text, places, spike }: Equations): unknown {
  if (error instanceof LanguageError || !(error instanceof Error)) return error;
  // The message may have names of the text in it, which are as long as a link says.
  const message = error.message.replace(`${NAME}: `, "").slice(0, 1000);
  const [, named] = /(?:^|returns )([\p{L}\p{Nd}_]+),?(?: which)? is a name/u.exec(message) ?? [];
  const place = places.get(named ?? (message.includes("spikes") ? (spike ?? "") : ""));
  return new LanguageError({ message, from: place?.from ?? 0, to: place?.to ?? text.length });
}
