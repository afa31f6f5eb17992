/** The spikes of a layer as a tensor [T, B, N], and cuts through it, in which some indices are fixed. */
import { LIF, Linear, noGrad, tensor } from "jarvis-snn";

export const STEPS = 20;
export const NEURONS = 12;

/** Samples of the batch: their names, and the input of each in a step. */
const SAMPLES: readonly (readonly [string, (t: number) => number])[] = [
  ["strong", () => 1],
  ["weak", () => 0.45],
  ["early", (t) => (t < 8 ? 0.9 : 0)],
  ["late", (t) => (t >= 11 ? 0.9 : 0)],
];
export const BATCH = SAMPLES.length;
export const sampleName = (b: number): string => (SAMPLES[b] as (typeof SAMPLES)[number])[0];

/** Spikes [T, B, N], row by row, of one input and twelve neurons whose weights grow. */
export function makeSpikes(): Float32Array {
  return noGrad(() => {
    const x = Array.from({ length: STEPS }, (_, t) => SAMPLES.map(([, input]) => [input(t)]));
    const fc = new Linear(1, NEURONS, { bias: false });
    fc.weight.copyFrom(Float32Array.from({ length: NEURONS }, (_, n) => 0.12 + 0.05 * n));
    return new LIF({ beta: 0.9 }).forward(fc.forward(tensor(x))).toFloat32Array();
  });
}

/** The axes that a cut fixes; a train is the spikes of one neuron in one sample. */
export const CUTS = { step: "t", sample: "b", neuron: "n", train: "bn" } as const;
export type Cut = keyof typeof CUTS;

/** An index of each axis. */
export type Place = Readonly<Record<Axis, number>>;
export type Axis = "t" | "b" | "n";

export const SIZES: Place = { t: STEPS, b: BATCH, n: NEURONS };
const AXES: readonly Axis[] = ["t", "b", "n"];

export const isFixed = (cut: Cut, axis: Axis): boolean => (CUTS[cut] as string).includes(axis);
const freeAxes = (cut: Cut): Axis[] => AXES.filter((axis) => !isFixed(cut, axis));

/** Whether an element of the tensor belongs to the cut at a place. */
export const isInside = (cut: Cut, at: Place, t: number, b: number, n: number): boolean =>
  (!isFixed(cut, "t") || t === at.t) && (!isFixed(cut, "b") || b === at.b) && (!isFixed(cut, "n") || n === at.n);

/** The cut as it is written with an index or a colon for each axis. */
export const shortForm = (cut: Cut, at: Place): string =>
  `spikes[${AXES.map((axis) => (isFixed(cut, axis) ? at[axis] : ":")).join(", ")}]`;

/** The cut as an expression of the package, which gives a tensor of the shape. */
export function expressionOf(cut: Cut, at: Place): string {
  const calls = AXES.flatMap((axis, i) => (isFixed(cut, axis) ? [`.slice(${i}, ${at[axis]}, ${at[axis] + 1})`] : []));
  return `spikes${calls.join("")}.reshape([${shapeOf(cut).join(", ")}])`;
}

export const shapeOf = (cut: Cut): number[] => freeAxes(cut).map((axis) => SIZES[axis]);
export const namesOf = (cut: Cut): string =>
  `[${freeAxes(cut)
    .map((axis) => axis.toUpperCase())
    .join(", ")}]`;

/** The cut as a picture: the time runs to the right where it is free, otherwise the neurons do. */
export interface Picture {
  readonly right: Axis;
  readonly down: Axis | null;
  readonly columns: number;
  readonly rows: number;
  /** Row by row. */
  readonly values: Float32Array;
}

export function pictureOf(spikes: Float32Array, cut: Cut, at: Place): Picture {
  const [first, second] = freeAxes(cut) as [Axis, Axis | undefined];
  const right = first === "t" ? first : (second as Axis);
  const down = first === "t" ? (second ?? null) : first;
  const columns = SIZES[right];
  const rows = down === null ? 1 : SIZES[down];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => {
    const place = { ...at, [right]: i % columns, ...(down === null ? {} : { [down]: Math.floor(i / columns) }) };
    return spikes[indexOf(place)] as number;
  });
  return { right, down, columns, rows, values };
}

/** The place of an element in memory. */
const indexOf = ({ t, b, n }: Place): number => (t * BATCH + b) * NEURONS + n;

/** A sentence on the spikes of the cut. */
export function sentenceOf(spikes: Float32Array, cut: Cut, at: Place): string {
  const count = pictureOf(spikes, cut, at).values.reduce((sum, value) => sum + value, 0);
  const told = `${count} ${count === 1 ? "spike" : "spikes"}`;
  const sample = `sample ${at.b} (${sampleName(at.b)})`;
  if (cut === "step") return `Step ${at.t} of all samples and neurons: ${told}.`;
  if (cut === "sample") return `All steps and neurons of ${sample}: ${told}.`;
  if (cut === "neuron") return `All steps of neuron ${at.n} in all samples: ${told}.`;
  return `All steps of neuron ${at.n} in ${sample}: ${told}.`;
}
