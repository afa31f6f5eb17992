/**
 * What the networks learn: points in the plane, the toy of `npm start`, handwritten digits. All values lie in [0, 1].
 * Random numbers, sines and exponentials are the package's: the same data in every browser and in Node.
 */
import { Generator, noGrad, rand, randn, tensor } from "jarvis-snn";
import { FEATURES, toyData } from "../../toy/data.ts";
import type { Digits } from "./digits.ts";
import { isPlanar, type TrainConfig } from "./train-fields.ts";

/** Samples as the network sees them, and the labels. */
interface Samples {
  readonly x: Float32Array;
  readonly y: Uint8Array;
  readonly count: number;
}

export interface Data {
  readonly train: Samples;
  readonly test: Samples;
  /** Values of a sample. */
  readonly features: number;
  readonly classes: number;
  /** Points [x, y, …] of the test samples, null where they are not points. */
  readonly points: Float32Array | null;
}

const TRAIN_POINTS = 400;
const TEST_POINTS = 200;

export function makeData(config: TrainConfig, digits: Digits | null): Data {
  if (config.data === "linear") return linearData(config.seed);
  if (config.data === "mnist") return digitData(digits);
  return planarData(config, normal);
}

/** n random numbers of mean 0 and variance 1. */
type Jitter = (n: number, generator: Generator) => Float32Array;

export const normal: Jitter = (n, generator) => randn([n], { generator }).toFloat32Array();

/** Points of the plane as receptive fields see them. The jitter is the caller's, so that a page loads the random numbers that it uses. */
export function planarData(config: TrainConfig, jitterOf: Jitter): Data {
  const all = makePoints(config, TRAIN_POINTS + TEST_POINTS, jitterOf);
  const split = 2 * TRAIN_POINTS;
  const part = (points: Float32Array, y: Uint8Array): Samples => ({
    x: receptiveFields(points, config.fields),
    y,
    count: y.length,
  });
  return {
    train: part(all.points.subarray(0, split), all.y.subarray(0, TRAIN_POINTS)),
    test: part(all.points.subarray(split), all.y.subarray(TRAIN_POINTS)),
    features: 2 * config.fields,
    classes: 2,
    points: all.points.slice(split),
  };
}

/** n labelled points of the unit square, the classes in turns. */
export function makePoints(
  { data, noise, seed }: TrainConfig,
  n: number,
  jitterOf: Jitter,
): { points: Float32Array; y: Uint8Array } {
  if (!isPlanar(data)) throw new RangeError(`makePoints: expected a kind of points, got ${data}`);
  const shape = SHAPES[data as keyof typeof SHAPES];
  const generator = new Generator(seed);
  const points = new Float32Array(2 * n);
  const y = Uint8Array.from({ length: n }, (_, i) => i & 1);
  noGrad(() => {
    const u = rand([n], { generator });
    const v = rand([n], { generator }).toFloat32Array();
    const angle = shape.turns(u.toFloat32Array(), y);
    const turn = tensor(angle).mul(2 * Math.PI);
    const [cos, sin] = [turn.cos().toFloat32Array(), turn.sin().toFloat32Array()];
    const jitter = jitterOf(2 * n, generator);
    const radii = u.toFloat32Array();
    for (let i = 0; i < n; i++) {
      const [px, py] = shape.place(
        cos[i] as number,
        sin[i] as number,
        y[i] as number,
        radii[i] as number,
        v[i] as number,
      );
      points[2 * i] = clamp01(px + noise * SPREAD * (jitter[2 * i] as number));
      points[2 * i + 1] = clamp01(py + noise * SPREAD * (jitter[2 * i + 1] as number));
    }
  });
  return { points, y };
}

/** Noise is given in units of a moon's radius, which is a quarter of the square. */
const SPREAD = 0.25;

interface PointShape {
  /** The angle of each point, in turns, from a uniform number and its class. */
  turns(u: Float32Array, y: Uint8Array): Float32Array;
  place(cos: number, sin: number, label: number, u: number, v: number): [number, number];
}

const SHAPES: Record<"moons" | "circles" | "xor" | "spirals", PointShape> = {
  moons: {
    turns: (u) => u.map((value) => value / 2),
    place: (cos, sin, label) =>
      label === 0 ? [0.375 + cos / 4, 0.4375 + sin / 4] : [0.625 - cos / 4, 0.5625 - sin / 4],
  },
  circles: {
    turns: (u) => u,
    place(cos, sin, label) {
      const r = label === 0 ? 0.4 : 0.18;
      return [0.5 + r * cos, 0.5 + r * sin];
    },
  },
  // Opposite quarters of the square, with a gap between them.
  xor: {
    turns: (u) => u,
    place(_cos, _sin, label, u, v) {
      const x = 0.05 + 0.9 * u;
      const high = x > 0.5 === (label === 0);
      const x2 = x > 0.5 ? Math.max(x, 0.53) : Math.min(x, 0.47);
      return [x2, high ? 0.53 + 0.42 * v : 0.05 + 0.42 * v];
    },
  },
  spirals: {
    turns: (u, y) => u.map((value, i) => 1.25 * value + (y[i] as number) / 2),
    place: (cos, sin, _label, u) => [0.5 + 0.45 * u * cos, 0.5 + 0.45 * u * sin],
  },
};

const clamp01 = (value: number): number => Math.min(1, Math.max(0, value));

/**
 * Each coordinate as n overlapping receptive fields evenly placed on [0, 1]: exp(−(x − c)²/2σ²), σ their distance.
 * One field is the coordinate itself.
 */
export function receptiveFields(points: Float32Array, n: number): Float32Array {
  if (n === 1) return points.slice();
  return noGrad(() => {
    const centres = tensor(Array.from({ length: n }, (_, f) => f / (n - 1)));
    const distance = tensor(points, { shape: [points.length, 1] })
      .sub(centres)
      .mul(n - 1);
    return distance.square().mul(-0.5).exp().toFloat32Array();
  });
}

function linearData(seed: number): Data {
  const { train, test } = toyData(seed);
  const samples = (set: typeof train): Samples => ({
    x: set.x as Float32Array,
    y: Uint8Array.from(set.y),
    count: set.length,
  });
  return { train: samples(train), test: samples(test), features: FEATURES, classes: 2, points: null };
}

function digitData(digits: Digits | null): Data {
  if (digits === null) throw new Error("makeData: expected the digits, got none");
  const samples = ({ x, y }: Digits["train"]): Samples => ({
    x: Float32Array.from(x, (value) => value / 255),
    y,
    count: y.length,
  });
  const { side } = digits;
  return { train: samples(digits.train), test: samples(digits.test), features: side * side, classes: 10, points: null };
}
