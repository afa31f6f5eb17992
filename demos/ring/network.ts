/** A ring attractor of spiking neurons, which keeps a direction and turns it. */
import { arange, concat, matmul, noGrad, stack, type Tensor, tensor } from "jarvis-snn";
import { Attractor, type AttractorOptions, type AttractorState } from "../attractor.ts";

/** Time constants in ms. Synapses as slow as NMDA receptors bridge the gaps between spikes (Compte et al. 2000). */
const TAU_MS = { synapse: 100, membrane: 20 };
/** Steps of 1 ms without a spike behind each spike. */
const REFRACTORY_STEPS = 2;
/** The drive of all neurons, in thresholds: without the inhibition each neuron would fire. */
const DRIVE = 2;
/** J₀ and J₁, the mean and the cosine of the weights. */
const WEIGHTS = { mean: -1.5, cosine: 2.5 };
/** δ, in degrees. */
const SHIFT = 25;
/** The additional drive of the neurons that prefer the direction of a cue. */
const CUE = 4;

/** Standard deviation of the noise in the currents, in thresholds. */
export const NOISE = 0.3;

/** Steps of 1 ms of a window, in which spikes are counted. */
export const WINDOW_MS = 100;
/** Times of a trial: the first cue ends, a further input begins, and a second cue ends. All are starts of windows. */
export const TIMES_MS = { cue: 500, input: 700, target: 1700 };

/** A trial: a cue shows the network a direction, and a further input may begin a little later. */
export interface Trial {
  /** The direction of the first cue, in degrees, which is shown from 0 to 500 ms. */
  readonly start: number;
  /** v: from 700 ms on, the first ring gets the drive −v and the second +v. Default 0. */
  readonly velocity?: number;
  /** The direction of a second cue, in degrees, which is shown from 700 to 1700 ms. Default none. */
  readonly target?: number;
}

/** What reaches a bump from outside at a moment. */
export interface Input {
  /** The direction of a cue in degrees; null without one. */
  readonly cue: number | null;
  /** v: the first ring gets the drive −v and the second +v. */
  readonly velocity: number;
  /** What the drive of all neurons lacks. Default 0. */
  readonly inhibition?: number;
}

/** Measurements of a trial, window by window. */
export interface Path {
  /** The direction of the population vector in degrees, counted on beyond 180°. */
  readonly angles: number[];
  /** The length of the population vector over the number of spikes: 1 where all spikes have one direction, near 0 without a bump. */
  readonly lengths: number[];
  /** The mean firing rate in Hz. */
  readonly rates: number[];
}

/** Options of a run. */
export interface RingOptions {
  /** Indices of the trials whose spikes are kept. Default none. */
  shown?: readonly number[];
  /** Neurons from one whose spikes are kept to the next. Default 1. */
  stride?: number;
  /** Called behind each window. */
  onWindow?(done: number, total: number): void;
}

/** Results of trials. */
export interface RingRun {
  readonly paths: readonly Path[];
  /** Spikes [T, 1, ⌈n / stride⌉] of some neurons of the first ring, in the trials of `shown`. */
  readonly spikes: readonly Tensor[];
}

/**
 * Two rings of n neurons each. Neuron k prefers the direction θ_k = 2π·k/n; it excites neurons of like directions and inhibits others.
 * The weights of the first ring are turned by −δ, those of the second by +δ:
 *
 *   W_kj = (J₀ + J₁·cos(θ_k − θ_j − d_j)) / 2n      d_j = −δ in the first ring, +δ in the second
 *
 * The rings together hold a bump of activity at any direction. More drive for one ring turns the bump to the side of this ring.
 *
 * @see Skaggs, Knierim, Kudrimoti and McNaughton (1995), A Model of the Neural Basis of the Rat's Sense of Direction, NIPS 7; Xie,
 *   Hahnloser and Seung (2002), Double-ring network model of the head-direction system, Physical Review E 66(4).
 */
export class DoubleRing {
  /** n, the neurons of each of the two rings. */
  readonly size: number;
  /** cos θ and sin θ of the neurons of both rings, [2, 2n]. */
  readonly directions: Tensor;
  /** −1 in the first ring, 1 in the second, [2n]. */
  private readonly sides: Tensor;
  private readonly attractor: Attractor;

  constructor(size: number, noise: number, draw: AttractorOptions["draw"]) {
    this.size = size;
    const { directions, sides, weight } = noGrad(() => {
      const ring = arange(0, size).mul(360 / size);
      const turned = concat([ring.sub(SHIFT), ring.add(SHIFT)]);
      const directions = directionsOf(concat([ring, ring]));
      const cosines = matmul(directions.transpose(0, 1), directionsOf(turned));
      const weight = cosines
        .mul(WEIGHTS.cosine)
        .add(WEIGHTS.mean)
        .div(2 * size);
      return {
        directions,
        sides: arange(0, 2 * size)
          .ge(size)
          .mul(2)
          .sub(1),
        weight,
      };
    });
    this.directions = directions;
    this.sides = sides;
    this.attractor = new Attractor({ weight, tauMs: TAU_MS, refractorySteps: REFRACTORY_STEPS, noise, draw });
    weight.dispose();
  }

  /** Runs trials side by side for this time, and keeps spikes of those with the indices in `shown`. */
  run(trials: readonly Trial[], ms: number, { shown = [], stride = 1, onWindow }: RingOptions = {}): RingRun {
    const paths: Path[] = trials.map(() => ({ angles: [], lengths: [], rates: [] }));
    const windows = Math.ceil(ms / WINDOW_MS);
    const spikes = noGrad(() => {
      const parts: Tensor[][] = [];
      let state: AttractorState | undefined;
      for (let w = 0; w < windows; w++) {
        const before = state;
        const window = noGrad(() => {
          const inputs = trials.map((trial) => inputAt(trial, w * WINDOW_MS));
          const { spikes, state } = this.advance(inputs, WINDOW_MS, before);
          this.measure(spikes, paths);
          const part = (trial: number) => spikes.slice(1, trial, trial + 1).slice(2, 0, this.size, stride);
          return { state, parts: shown.map(part) };
        });
        state = window.state;
        parts.push(window.parts);
        onWindow?.(w + 1, windows);
      }
      return shown.map((_, i) => concat(parts.map((part) => part[i] as Tensor)));
    });
    return { paths, spikes };
  }

  /** Spikes [T, B, 2n] of so many ms under constant inputs, one of each of B bumps, from a state or from rest, and the state behind them. */
  advance(inputs: readonly Input[], ms: number, state?: AttractorState): { spikes: Tensor; state: AttractorState } {
    return noGrad(() => {
      const shown = tensor(inputs.map(({ cue }) => [cue === null ? 0 : CUE]));
      const towards = directionsOf(tensor(inputs.map(({ cue }) => cue ?? 0))).transpose(0, 1);
      const velocities = tensor(inputs.map(({ velocity }) => [velocity]));
      const base = tensor(inputs.map(({ inhibition = 0 }) => [DRIVE - inhibition]));
      const drive = matmul(towards.mul(shown), this.directions).add(velocities.mul(this.sides)).add(base);
      return this.attractor.run(drive, ms, state);
    });
  }

  /** Adds a window of spikes [T, B, 2n] to the paths. */
  private measure(spikes: Tensor, paths: readonly Path[]): void {
    const counts = spikes.sum({ axis: 0 });
    const vectors = matmul(counts, this.directions.transpose(0, 1)).toFloat32Array();
    const totals = counts.sum({ axis: 1 }).toFloat32Array();
    for (const [i, { angles, lengths, rates }] of paths.entries()) {
      const [x, y] = vectors.subarray(2 * i, 2 * i + 2) as unknown as [number, number];
      const total = totals[i] as number;
      const angle = Math.atan2(y, x) * (180 / Math.PI);
      const last = angles.at(-1) ?? 0;
      angles.push(last + turnOf(angle - last));
      lengths.push(Math.hypot(x, y) / Math.max(1, total));
      rates.push((1000 * total) / (WINDOW_MS * 2 * this.size));
    }
  }
}

/** The input of a trial in the window that begins at this time. */
function inputAt({ start, velocity = 0, target }: Trial, ms: number): Input {
  const isSecond = ms >= TIMES_MS.input && ms < TIMES_MS.target;
  return {
    cue: ms < TIMES_MS.cue ? start : isSecond ? (target ?? null) : null,
    velocity: ms < TIMES_MS.input ? 0 : velocity,
  };
}

/** The turn of least size between two directions that differ by so many degrees, in [−180, 180). */
export const turnOf = (degrees: number): number => degrees - 360 * Math.floor((degrees + 180) / 360);

/** cos and sin of angles [n] in degrees, [2, n]. */
function directionsOf(degrees: Tensor): Tensor {
  const angles = degrees.mul(Math.PI / 180);
  return stack([angles.cos(), angles.sin()]);
}
