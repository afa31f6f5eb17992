/** All that the pictures show of a neuron under a current, at a step of time. */
import type { Equations } from "./language.ts";
import type { Credit, Field, Range, Run, Successor, TypedNeuron } from "./model.ts";

/** Two states against each other. */
interface PlaneOfTwo {
  readonly kind: "field";
  readonly names: readonly [x: string, y: string];
  readonly ranges: readonly [x: Range, y: Range];
  readonly field: Field;
}

/** One state against itself a step later. */
interface PlaneOfOne {
  readonly kind: "successor";
  readonly name: string;
  readonly range: Range;
  readonly successor: Successor;
}

type Plane = PlaneOfTwo | PlaneOfOne;

interface Curve {
  readonly currents: Float32Array;
  /** Spikes in 100 steps. */
  readonly rates: Float32Array;
}

export interface Scene {
  readonly equations: Equations;
  readonly current: Float32Array;
  readonly run: Run;
  /** The step of the cursor. */
  readonly at: number;
  /** Derivatives of the membrane at that step. */
  readonly credit: Credit;
  readonly plane: Plane;
  /** Null for a neuron without spikes. */
  readonly curve: Curve | null;
}

/**
 * The largest cost of a scene: steps times operations. A function in float64 is called in each step and counts as `CALL` operations. A run of
 * this cost takes about ten milliseconds.
 */
const MOST_WORK = 600_000;
const CALL = 32;

/** How many steps of a current are shown. */
export const stepsOf = ({ cost }: Equations, current: Float32Array): number =>
  Math.min(current.length, Math.floor(MOST_WORK / (cost.operations + CALL * cost.doubles + 1)));

/** Everything anew, for another neuron or another current, of which no more steps are shown than the budget allows. */
export function sceneOf(neuron: TypedNeuron, given: Float32Array, cursor: number): Scene {
  const { equations } = neuron;
  const current = given.subarray(0, stepsOf(equations, given));
  const at = Math.min(cursor, current.length - 1);
  const run = neuron.run(current);
  return {
    equations,
    current,
    run,
    at,
    credit: neuron.credit(current, at),
    plane: planeOf(neuron, run, current, at),
    curve: equations.spike === null ? null : curveOf(neuron, current),
  };
}

/** The scene with the cursor at another step. */
export function sceneAt(neuron: TypedNeuron, scene: Scene, at: number): Scene {
  const { current, run, equations } = scene;
  // Further states of the plane are those of the step.
  const isSame = current[at] === current[scene.at] && equations.states.length < 3;
  const plane = isSame ? scene.plane : planeOf(neuron, run, current, at);
  return { ...scene, at, credit: neuron.credit(current, at), plane };
}

function planeOf(neuron: TypedNeuron, run: Run, current: Float32Array, at: number): Plane {
  const { states, body } = neuron.equations;
  const input = current[at] as number;
  const range = (name: string): Range => rangeOf(run.states.get(name) as Float32Array);
  const other = states.find((name) => name !== body);
  if (other === undefined) {
    const own = range(body);
    return { kind: "successor", name: body, range: own, successor: neuron.successor(input, body, own) };
  }
  const names = [body, other] as const;
  const ranges = [range(body), range(other)] as const;
  const further = states.filter((name) => name !== body && name !== other);
  const others = new Map(further.map((name) => [name, finite(run.states.get(name)?.[at])]));
  return { kind: "field", names, ranges, field: neuron.field(input, names, ranges, others) };
}

const finite = (x: number | undefined): number => (x !== undefined && Number.isFinite(x) ? x : 0);

/** A range around all values that are finite, and not wider than float32 can square. */
export function rangeOf(values: Float32Array): Range {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of values) {
    if (!(Math.abs(x) < 1e15)) continue;
    low = Math.min(low, x);
    high = Math.max(high, x);
  }
  if (low > high) return [-1, 1];
  const pad = Math.max(0.2 * (high - low), 0.05 * Math.max(Math.abs(low), Math.abs(high)), 0.01);
  return [low - pad, high + pad];
}

/** The range of the curve holds all currents, and 0. */
function curveOf(neuron: TypedNeuron, current: Float32Array): Curve {
  const low = Math.min(0, ...current);
  const high = Math.max(...current.map(Math.abs), 1e-3);
  const { currents, rates } = neuron.curve([1.5 * low, 1.5 * high]);
  return { currents, rates: rates.map((rate) => 100 * rate) };
}
