/** What a run shows of itself. Views draw from generators of their own, so looking never changes the training. */
import { Generator, noGrad, spike, type Tensor, tape, tensor } from "jarvis-snn";
import { thresholdOf } from "./cell-traits.ts";
import { type Costs, costsOf } from "./costs.ts";
import { receptiveFields } from "./data.ts";
import { leadersOverTime, scoresOverTime } from "./decision.ts";
import { encodeSamples, type SpikingNetwork, surrogateOf } from "./network.ts";
import type { Run } from "./run.ts";
import type { TrainConfig } from "./train-fields.ts";

/** One layer of neurons over time, [T, size]. */
interface LayerView {
  readonly size: number;
  readonly spikes: Float32Array;
  /** u, before the reset. */
  readonly membrane: Float32Array;
}

/** One sample through the network, over time. */
export interface SampleView {
  readonly timesteps: number;
  /** Inputs [T, N]: spikes, or currents. */
  readonly input: Float32Array;
  readonly layers: readonly LayerView[];
  /** The readout of each class, [T, K]. */
  readonly readout: Float32Array;
  /** Scores if the sample ended there, [T, K], and the class that leads by them; −1 while none does. */
  readonly scores: Float32Array;
  readonly leaders: Int32Array;
  readonly classes: number;
  /** The class that is true, −1 where nobody knows. */
  readonly label: number;
  /** The class that leads at the end, −1 for none. */
  readonly decision: number;
}

/** A layer over many samples. */
interface LayerActivity {
  /** Neurons by their firing rate, RATE_BINS bins of [0, 1]. */
  readonly rates: Float32Array;
  /** Shares of the potentials by u − θ, POTENTIAL_BINS bins of [−POTENTIAL_RANGE, POTENTIAL_RANGE]. */
  readonly potentials: Float32Array;
}

/** What the network does for a sample, on average over some test samples. */
export interface Activity {
  /** Spikes of the inputs, then of each layer. */
  readonly spikes: readonly number[];
  readonly costs: Costs;
  readonly layers: readonly LayerActivity[];
}

export const RATE_BINS = 20;
export const POTENTIAL_BINS = 48;
export const POTENTIAL_RANGE = 2;

/** Test samples behind the averages. */
const CROWD = 64;

export function viewSample(run: Run, model: SpikingNetwork, x: Float32Array, label: number): SampleView {
  const { config, data } = run;
  return noGrad(() => {
    const input = encodeSamples(config, tensor(x, { shape: [1, x.length] }), new Generator(config.seed));
    const trace = model.trace(input);
    const { layers } = trace;
    const readout = trace.readout.toFloat32Array();
    const scores = scoresOverTime(readout, data.classes, config.readout === "membrane");
    const leaders = leadersOverTime(scores, data.classes);
    return {
      timesteps: config.timesteps,
      input: input.toFloat32Array(),
      layers: layers.map(({ spikes, membrane }) => ({
        size: spikes.shape[2] as number,
        spikes: spikes.toFloat32Array(),
        membrane: membrane.toFloat32Array(),
      })),
      readout,
      scores,
      leaders,
      classes: data.classes,
      label,
      decision: leaders.at(-1) as number,
    };
  });
}

export function measureActivity(run: Run, model: SpikingNetwork): Activity {
  const { config, data } = run;
  const count = Math.min(CROWD, data.test.count);
  return noGrad(() => {
    const x = tensor(data.test.x.subarray(0, count * data.features), { shape: [count, data.features] });
    const input = encodeSamples(config, x, new Generator(config.seed));
    const { layers } = model.trace(input);
    const all = [input, ...layers.map(({ spikes }) => spikes)];
    const sizes = [...all.map(({ shape }) => shape[2] as number), data.classes];
    const spikes = all.map((events) => events.sign().sum().item() / count);
    const last = config.timesteps - 1;
    const fed = layers.map((layer, i) => (spikes[i + 1] as number) - layer.spikes.select(0, last).sum().item() / count);
    return {
      spikes,
      costs: costsOf(config, sizes, spikes, fed),
      layers: layers.map(({ spikes, membrane }) => ({
        rates: histogram(spikes.mean({ axis: [0, 1] }), 0, 1, RATE_BINS),
        potentials: shares(
          histogram(membrane.sub(thresholdOf(config)), -POTENTIAL_RANGE, POTENTIAL_RANGE, POTENTIAL_BINS),
        ),
      })),
    };
  });
}

/** How many values fall into each of n bins of [low, high]; those outside count at the ends. */
function histogram(values: Tensor, low: number, high: number, n: number): Float32Array {
  const bins = new Float32Array(n);
  for (const value of values.data) {
    const bin = Math.floor(((value - low) / (high - low)) * n);
    const at = Math.min(n - 1, Math.max(0, bin));
    bins[at] = (bins[at] as number) + 1;
  }
  return bins;
}

function shares(counts: Float32Array): Float32Array {
  const sum = counts.reduce((total, count) => total + count, 0);
  return counts.map((count) => count / sum);
}

/** Points of the map that are computed in one go: memory never shrinks, and commands wait as long. */
const PIECE = 1000;

/**
 * How sure the network is of class 1 at each step, if the sample ended there, at each point of a grid of side × side over the unit square,
 * row by row from the top, [T, side²]: softmax of the scores. Stops after every piece of the grid.
 */
export const decisionMap = (run: Run, model: SpikingNetwork, side: number): Pieces =>
  overPlane(run, side, (input) => certainties(run, model, input));

/** How many spikes a neuron has fired until each step, at each point of such a grid, [T, side²]. */
export const neuronMap = (run: Run, model: SpikingNetwork, side: number, layer: number, neuron: number): Pieces =>
  overPlane(run, side, (input) => model.spikesOf(input, layer).select(2, neuron).cumsum({ axis: 0 }).toFloat32Array());

type Pieces = Iterator<undefined, Float32Array>;

/** Values [T, points] of inputs [T, points, N], for the points of a grid. */
function* overPlane({ config, data }: Run, side: number, valuesOf: (input: Tensor) => Float32Array): Pieces {
  const area = side * side;
  const points = new Float32Array(2 * area);
  const map = new Float32Array(config.timesteps * area);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      points[2 * (row * side + column)] = (column + 0.5) / side;
      points[2 * (row * side + column) + 1] = 1 - (row + 0.5) / side;
    }
  }
  for (let start = 0; start < area; start += PIECE) {
    if (start > 0) yield;
    const piece = points.subarray(2 * start, 2 * (start + PIECE));
    const count = piece.length / 2;
    const values = noGrad(() => {
      const x = tensor(receptiveFields(piece, config.fields), { shape: [count, data.features] });
      return valuesOf(encodeSamples(config, x, new Generator(config.seed)));
    });
    for (let t = 0; t < config.timesteps; t++) map.set(values.subarray(t * count, (t + 1) * count), t * area + start);
  }
  return map;
}

/** The part of a map [T, area] at a step. */
export function mapAt(map: Float32Array, timesteps: number, t: number): Float32Array {
  const area = map.length / timesteps;
  return map.subarray(t * area, (t + 1) * area);
}

/** The whole of what is made piece by piece. */
export function completed<T>(pieces: Iterator<undefined, T>): T {
  for (;;) {
    const { done, value } = pieces.next();
    if (done === true) return value;
  }
}

/** The softmax of two scores for class 1, [T, points]. */
function certainties({ config, data }: Run, model: SpikingNetwork, input: Tensor): Float32Array {
  const readout = model.readoutOf(model.spikesOf(input, config.layers.length - 1));
  const columns = readout.size / config.timesteps;
  const scores = scoresOverTime(readout.toFloat32Array(), columns, config.readout === "membrane");
  return Float32Array.from({ length: scores.length / data.classes }, (_, i) => {
    return 1 / (1 + Math.exp((scores[2 * i] as number) - (scores[2 * i + 1] as number)));
  });
}

/** Points of a curve over [−POTENTIAL_RANGE, POTENTIAL_RANGE]. */
export const CURVE_POINTS = 193;

/** What backward takes for the derivative of a spike at u − θ, measured by sending a gradient through one. */
export function surrogateCurve(config: TrainConfig): Float32Array {
  return tape(() => {
    const x = Array.from({ length: CURVE_POINTS }, (_, i) => POTENTIAL_RANGE * ((2 * i) / (CURVE_POINTS - 1) - 1));
    const u = tensor(x, { requiresGrad: true });
    spike(u, { threshold: 0, surrogate: surrogateOf(config) })
      .sum()
      .backward();
    return (u.grad as Tensor).toFloat32Array();
  });
}
