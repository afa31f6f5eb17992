/**
 * Every encoder of the package, once: the examples of its tests, the arguments that the fuzzers draw. The compiler asks for a row of
 * each function whose name ends in Encode.
 */
import { Generator, type Tensor } from "../../engine/index.ts";
import * as snn from "../../snn/index.ts";
import { bool, list, must, num, oneOf, spare, t } from "../fuzz/attack/kinds.ts";
import { generator } from "../fuzz/attack/objects.ts";
import type { Rows } from "../fuzz/attack/typed.ts";
import type { Draw, Row } from "../fuzz/draw.ts";
import type { Arg, Ref } from "../fuzz/program.ts";

export type EncoderName = Extract<keyof typeof snn, `${string}Encode`>;

export interface EncoderRow<Name extends EncoderName> {
  /** A call whose values are bits without a gradient; null for an encoder that gives currents. */
  readonly example: ((x: Tensor) => Tensor) | null;
  /** The shape that the example gives for x [5, 3]; default [9, 5, 3]. */
  readonly shape?: readonly number[];
  /** Steps in which the example spikes for a value, after the equation of the paper, in float64. */
  readonly times?: (x: number) => readonly number[];
  /** Arguments of random programs. */
  readonly draw: Row;
  /** Distances of values from those where a rounding decides about a spike, for the same arguments. */
  readonly borders?: (x: Tensor, options: never) => number[];
  /** Arguments, for attacks. */
  readonly args: Rows<typeof snn>[Name];
}

export const timesteps = (g: Draw): number => g.int(1, 9);

/** Values to be coded. */
const rates = (g: Draw): Ref => g.tensor({ max: 3, size: 100, range: [-0.25, 1.25] });

/** Thresholds that float32 holds exactly: the time of a value near one is all in the difference. */
export const latency = (g: Draw): { readonly [name: string]: Arg } => ({
  timesteps: timesteps(g),
  bypass: true,
  threshold: g.pick([0.125, 0.25]),
  epsilon: 2 ** -10,
  ...g.maybe({
    tau: g.number(0.5, 3),
    normalize: g.chance(0.5),
    linear: g.chance(0.5),
    clip: g.chance(0.5),
    interpolate: g.chance(0.5),
    onTarget: g.number(1, 2),
    offTarget: g.number(-1, 0.5),
  }),
});

export const fields = (g: Draw): { readonly [name: string]: Arg } =>
  g.chance(0.3)
    ? { centers: [0, g.number(0.25, 0.75), 1], sigma: g.number(0.25, 1) }
    : { neurons: g.int(3, 5), ...g.maybe({ low: g.number(-1, 0), high: g.number(0.5, 2), beta: g.number(0.75, 2) }) };

export const latencyArgs = {
  timesteps: must(num(3, 5)),
  bypass: must(oneOf(["true"], ["boolean"])),
  tau: num(1, 2),
  threshold: num(0.01, 0.5),
  firstSpikeTime: num(0, 1),
  normalize: bool,
  linear: bool,
  clip: bool,
  interpolate: bool,
  onTarget: num(1, 2),
  offTarget: num(0, 0.5),
  epsilon: num(1e-7, 1e-3),
};
export const fieldArgs = {
  neurons: must(num(3)),
  low: num(0, -1),
  high: num(1, 2),
  beta: num(1, 1.5),
  // They take the place of low, high and beta.
  centers: spare(list(0, 0.5, 1)),
  sigma: must(num(0.5, 1)),
};

/** Of a border that is met exactly by short numbers, and so on both sides. */
const met = (distance: number): number => Math.abs(distance) || Infinity;
const half = (t: number): number => met(Math.abs(t - Math.floor(t) - 0.5));

export function latencyBorders(values: readonly number[], given: snn.LatencyOptions): number[] {
  const { timesteps = 1, tau = 1, threshold = 0.01, epsilon = 1e-7, normalize = false, linear = false } = given;
  if (linear) {
    const slope = normalize ? timesteps - 1 : tau;
    return values.map((v) => half(slope * (1 - Math.max(v, threshold))));
  }
  const times = values.map((v) => {
    const y = Math.max(v, threshold + epsilon);
    return tau * Math.log(y / (y - threshold));
  });
  const scale = normalize ? (timesteps - 1) / Math.max(...times) : 1;
  return times.map((t) => half(t * scale));
}

const steps = Array.from({ length: 9 }, (_, t) => t);
const unit = (x: number): number => Math.min(Math.max(x, 0), 1);

export const ENCODER_ROWS: { readonly [Name in EncoderName]: EncoderRow<Name> } = {
  constantEncode: {
    example: null,
    draw: (g) => [rates(g), { timesteps: timesteps(g) }],
    args: [t(2, 3), { timesteps: must(num(1, 3)) }],
  },
  poissonEncode: {
    example: (x) =>
      snn.poissonEncode(x, { timesteps: 9, gain: 0.5, offset: 0.25, firstSpikeTime: 4, generator: new Generator(1) }),
    draw: (g) => [
      rates(g),
      { timesteps: timesteps(g), seed: g.int(0, 1e6), ...g.maybe({ dt: g.number(0, 1), gain: g.pick([0.5, 2]) }) },
    ],
    args: [
      t(2, 3),
      {
        timesteps: must(num(1, 3)),
        dt: num(0.5, 1),
        gain: num(0.5, 2),
        offset: num(0, 0.25),
        firstSpikeTime: num(0),
        generator,
      },
    ],
  },
  ttfsEncode: {
    example: (x) => snn.ttfsEncode(x, { timesteps: 9 }),
    times: (x) => (x > 1e-6 ? [Math.round((1 - x) * 8)] : []),
    draw: (g) => [rates(g), { timesteps: timesteps(g), ...g.maybe({ eps: g.number(0, 0.5) }) }],
    args: [t(2, 3), { timesteps: must(num(1, 3)), eps: num(0, 0.1) }],
  },
  latencyEncode: {
    example: (x) => snn.latencyEncode(x, { timesteps: 9, normalize: true, clip: true, threshold: 0.25 }),
    draw: (g) => [g.leaf(g.shape(0, 3), { range: [0, 1] }), latency(g)],
    borders: (x, options) => latencyBorders(Array.from(x.data), options),
    args: [{ ...t(2, 3), draw: () => "rand([2, 3])" }, latencyArgs],
  },
  deltaEncode: {
    example: (x) => snn.deltaEncode(x, { threshold: 0.25 }),
    shape: [5, 3],
    draw: (g) => [
      g.tensor({ min: 1, max: 4 }),
      g.maybe({ threshold: g.pick([0, 0.25, 1]), padding: g.chance(0.5), offSpike: g.chance(0.5) }),
    ],
    borders: (x, { threshold = 0.1, padding = false }: snn.DeltaOptions) => {
      const step = x.size / (x.shape[0] as number);
      const values = Array.from(x.data);
      const before = (i: number) => (i >= step ? values[i - step] : padding ? values[i] : 0) as number;
      return values.flatMap((v, i) => [v - before(i) - threshold, v - before(i) + threshold].map(met));
    },
    args: [t(4, 2, 3), { threshold: num(0.1, 1), padding: bool, offSpike: bool }],
  },
  phaseEncode: {
    example: (x) => snn.phaseEncode(x, { timesteps: 9, phases: 4 }),
    times: (x) => {
      const digits = Math.floor(16 * Math.min(unit(x), 1 - 2 ** -4));
      return steps.filter((step) => ((digits >> (3 - (step % 4))) & 1) === 1);
    },
    draw: (g) => [rates(g), { timesteps: timesteps(g), ...g.maybe({ phases: g.int(1, 24) }) }],
    args: [t(2, 3), { timesteps: must(num(1, 3)), phases: num(4, 8) }],
  },
  burstEncode: {
    example: (x) => snn.burstEncode(x, { timesteps: 9 }),
    times: (x) => {
      const interval = Math.ceil(9 - 7 * unit(x));
      return steps.filter((step) => step % interval === 0 && step / interval < Math.ceil(5 * unit(x)));
    },
    draw: (g) => [
      rates(g),
      {
        timesteps: timesteps(g),
        ...g.maybe({ maxSpikes: g.int(1, 6), minInterval: g.int(1, 3), maxInterval: g.int(3, 9) }),
      },
    ],
    borders: (x, { timesteps, maxSpikes = 5, minInterval = 2, maxInterval = timesteps }: snn.BurstOptions) =>
      Array.from(x.data).flatMap((value) => {
        const longest = Math.max(maxInterval, minInterval);
        const v = unit(value);
        return [v * maxSpikes, longest + v * (minInterval - longest)].map((n) => met(n - Math.round(n)));
      }),
    args: [
      t(2, 3),
      { timesteps: must(num(5, 9)), maxSpikes: num(2, 5), minInterval: num(1, 2), maxInterval: num(3, 5) },
    ],
  },
  populationEncode: {
    example: (x) => snn.populationEncode(x, { timesteps: 9, neurons: 5 }),
    shape: [9, 5, 3, 5],
    draw: (g) => [rates(g), { timesteps: timesteps(g), ...fields(g), ...g.maybe({ silent: g.number(0, 0.5) }) }],
    borders: (x, { timesteps, silent = 0.1, ...fields }: snn.PopulationOptions) =>
      Array.from(snn.receptiveFields(x, fields).data).flatMap((a) => [
        met(a - silent),
        half((1 - a) * (timesteps - 1)),
      ]),
    args: [t(2, 3), { timesteps: must(num(1, 3)), silent: num(0, 0.1), ...fieldArgs }],
  },
};

const LIST = Object.entries(ENCODER_ROWS) as [EncoderName, EncoderRow<EncoderName>][];
const pick = <Key extends "draw" | "borders" | "args">(key: Key): object =>
  Object.fromEntries(LIST.flatMap(([name, row]) => (row[key] === undefined ? [] : [[name, row[key]]])));

/** Of each encoder, what the tables of the fuzzers ask for. */
export const drawsOf = () => pick("draw") as { readonly [_ in EncoderName]: Row };
export const bordersOf = () => pick("borders") as Readonly<Record<string, (x: Tensor, options: never) => number[]>>;
export const argsOfEncoders = () => pick("args") as { readonly [Name in EncoderName]: EncoderRow<Name>["args"] };

/** Encoders that give spikes. */
export const CODES = LIST.flatMap(([name, row]) =>
  row.example === null ? [] : [[name, { ...row, example: row.example }] as const],
);
