/**
 * Layers of the package's neurons with random options: `forward`, `unroll` and `step` to the bit, and values and gradients as of
 * their step on tensors. What a neuron takes is read from its definition, so that a new one needs no row.
 */
import { type Tensor, tensor } from "../../engine/index.ts";
import * as snn from "../../snn/index.ts";
import { Neurons } from "../../snn/neuron/neuron.ts";
import {
  expectAsOnTensors,
  expectSameBits,
  type Layer,
  type NeuronName,
  resultsOf,
  statesOf,
} from "../support/layers.ts";
import { NEURON_ROWS } from "../support/neuron-rows.ts";
import { random as randomTensor } from "../support/tensors.ts";
import { type Slope, SURROGATE_NAMES, surrogateOf } from "./calls.ts";
import { firstDiffering } from "./differing.ts";
import { Random } from "./random.ts";

type Value = number | boolean | string | readonly string[] | readonly number[];

/** A layer as data: values of parameters are numbers, or one for each neuron. */
export interface Drawn {
  readonly seed: number;
  readonly name: string;
  readonly options: Readonly<Record<string, Value>>;
  readonly surrogate: Slope;
  readonly shape: readonly number[];
  /** Currents lie in ± this. */
  readonly scale: number;
}

interface Form {
  readonly parameters: Readonly<Record<string, number>>;
  readonly choices?: Readonly<Record<string, readonly string[] | boolean | number>>;
  readonly numerics?: Readonly<Record<string, object>>;
  readonly needs?: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
}

type Class = new (options?: object) => Layer & { readonly form: Form; readonly compiled: { readonly main: string } };

/** The classes that compile a step and need no options, by name. */
const CLASSES: Readonly<Record<string, Class>> = Object.fromEntries(
  Object.entries(snn).filter(([, made]) => {
    const prototype = (made as { prototype?: unknown }).prototype;
    return prototype instanceof Neurons && made !== (snn.LeakyIntegrator as unknown);
  }),
) as never;

export const NEURONS = Object.keys(CLASSES);

export function generate(seed: number): Drawn {
  const g = new Random(seed);
  const name = g.pick(NEURONS);
  const Class = CLASSES[name] as Class;
  const { form, compiled } = new Class();
  const shape = [g.int(1, 6), ...g.pick([[], [g.int(1, 3)], [2, 2]]), g.pick([1, 3, 4, 17, g.int(2, 40)])];
  const n = shape[shape.length - 1] as number;
  const options: Record<string, Value> = {};
  const presets = Object.keys(form.numerics ?? {});
  if (presets.length > 0 && g.chance(0.4)) options.numerics = g.pick(presets);
  for (const [key, usual] of Object.entries(form.choices ?? {})) {
    if (!g.chance(0.4)) continue;
    options[key] = Array.isArray(usual)
      ? g.pick(usual)
      : typeof usual === "boolean"
        ? g.chance(0.5)
        : (usual as number);
  }
  const names = Object.keys(form.parameters);
  for (const [key, usual] of Object.entries(form.parameters)) {
    // Near the default: a parameter beyond its bounds is an error, and another order of two may be one.
    const near = () => Math.fround(usual * g.number(0.95, 1));
    if (g.chance(0.2)) options[key] = g.chance(0.5) ? near() : Array.from({ length: n }, near);
  }
  if (g.chance(0.5)) options.learn = g.some(names, 0.4);
  dropUnused(options, form);
  if (compiled.main === "spikes" && g.chance(0.3)) options.refractorySteps = g.int(1, 3);
  if (g.chance(0.3)) options.fire = g.pick(["ge", "gt"]);
  const scale = (NEURON_ROWS[name as NeuronName].scale ?? 3) * g.pick([0.5, 1, 2]);
  return { seed, name, options, surrogate: [g.pick(SURROGATE_NAMES), g.pick([0.5, 1, 2, 5])], shape, scale };
}

/** Without the options that the choices leave without effect, which are errors. */
function dropUnused(options: Record<string, Value>, { needs = {}, choices = {}, numerics = {} }: Form): void {
  const preset = numerics[options.numerics as string] ?? {};
  const usual = Object.entries(choices).map(([key, value]) => [key, Array.isArray(value) ? value[0] : value]);
  const chosen: Record<string, unknown> = { ...Object.fromEntries(usual), ...preset, ...options };
  for (const [name, others] of Object.entries(needs)) {
    if (Object.entries(others).every(([choice, fits]) => fits.includes(chosen[choice]))) continue;
    delete options[name];
    if (options.learn !== undefined) options.learn = (options.learn as string[]).filter((key) => key !== name);
  }
}

function layerOf({ name, options, surrogate, shape }: Drawn): Layer {
  const given = Object.entries(options).map(([key, value]) => {
    const isColumn = Array.isArray(value) && typeof value[0] === "number";
    return [key, isColumn ? tensor(value as number[], { shape: [shape[shape.length - 1] as number] }) : value];
  });
  return new (CLASSES[name] as Class)({ ...Object.fromEntries(given), surrogate: surrogateOf(surrogate) });
}

/** Calls fn with a layer, a current and states, which are disposed of behind it. */
function run<R>(drawn: Drawn, fn: (layer: Layer, x: Tensor, start: Readonly<Record<string, Tensor>>) => R): R {
  const { seed, shape, scale } = drawn;
  const made: Tensor[] = [];
  try {
    const layer = layerOf(drawn);
    const x = randomTensor(shape, seed, { low: -0.5 * scale, high: scale, requiresGrad: true });
    made.push(x, ...Object.values(layer).filter((value): value is Tensor => value instanceof x.constructor));
    const start = statesOf(layer, shape.slice(1), 0.25);
    made.push(...Object.values(start));
    return fn(layer, x, start);
  } finally {
    for (const t of made) t.dispose();
  }
}

/** Where a layer and its step on tensors differ, or two ways to run it; null where they do not. */
function compare(drawn: Drawn): string | null {
  try {
    run(drawn, (layer, x, start) => {
      expectSameBits(layer, x).dispose();
      expectAsOnTensors(layer, x, start, drawn.seed % 1000);
    });
    return null;
  } catch (error) {
    return String((error as Error).stack);
  }
}

/** A batch of which each thread has a part. */
const WIDE = 64;

/** Outputs of the layer for the batch, and its gradients. */
function values(drawn: Drawn): [string, readonly number[]][] {
  const [T, ...shape] = drawn.shape as [number, ...number[]];
  const wide = { ...drawn, shape: [T, WIDE, shape[shape.length - 1] as number] };
  const results = run(wide, (layer, x, start) => resultsOf(layer, x, start, true, drawn.seed % 1000));
  return Object.entries(results).flatMap(([kind, all]) =>
    (all as readonly (readonly number[])[]).map((values, i): [string, readonly number[]] => [`${kind} ${i}`, values]),
  );
}

/** The layer without one of its options. */
function* smallerThan(drawn: Drawn): Generator<Drawn> {
  for (const key of Object.keys(drawn.options)) {
    const { [key]: _, ...options } = drawn.options;
    yield { ...drawn, options };
  }
}

export const print = (drawn: Drawn): string => JSON.stringify(drawn);

/** Runs layers from a seed on. The first that differs, cut down, or null. */
export const fuzzNeurons = (seed: number, count: number, every?: number): string | null =>
  firstDiffering({ part: "neurons", generate, compare, values, smallerThan, print }, seed, count, every);
