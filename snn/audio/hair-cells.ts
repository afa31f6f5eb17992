/** Hair cells, the fibres of their nerve, and the cells that the fibres excite: a model of the ear behind the basilar membrane. */
import type { Range } from "../../engine/arguments.ts";
import { NOT_NEGATIVE, numberOf, POSITIVE, upTo, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { generatorOf, peek } from "../../engine/extend.ts";
import { type Generator, noGrad, rand, type Tensor } from "../../engine/index.ts";
import { STEP_COUNTS } from "../coding/spikes.ts";
import { checkSequence } from "../layer/checks.ts";
import { exactExp } from "./exact.ts";
import { signalRows } from "./signal.ts";
import { checkSteps, SpikeSteps } from "./steps.ts";

/** Options of {@link hairCells}. */
export interface HairCellsOptions {
  /** Samples a second, an integer in [9080, 2²⁴]; default 16000. */
  sampleRate?: number;
  /** The unit of x in units of the hair cell, finite and > 0; default 1000: an x of root mean square 1 is a sound of 90 dB then. */
  gain?: number;
  /** n, the nerve fibres of a hair cell, an integer in [1, 255]; default 40. */
  fibers?: number;
  /**
   * w, the rise of the membrane of the cell behind by a current of one spike of every fibre, in thresholds a second; finite and ≥ 0,
   * default 13000.
   */
  weight?: number;
  /** τₘ, the time constant of the membrane, in milliseconds, finite and > 0; default 1. */
  tauMembraneMs?: number;
  /** τₛ, the time constant of the current, in milliseconds, finite and > 0; default 0.5. */
  tauSynapseMs?: number;
  /** Milliseconds for which a fibre or a cell is silent after a spike, finite and ≥ 0; default 1. */
  refractoryMs?: number;
  /** Samples of a time step, an integer in [1, 2²⁴]; default 1. */
  samplesPerStep?: number;
  /** The source of random numbers; the default generator if not given. */
  generator?: Generator | undefined;
}

export const HAIR = {
  sampleRate: 16000,
  gain: 1000,
  fibers: 40,
  weight: 13000,
  tauMembraneMs: 1,
  tauSynapseMs: 0.5,
  refractoryMs: 1,
  samplesPerStep: 1,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof HairCellsOptions, unknown>;

/** Meddis's names and values: rates a second, of a pool that holds at most 1. */
const REPLENISH = 5.05; // y
const RELEASE = 2000; // g, the most
const LOSS = 2500; // l
const REUPTAKE = 6580; // r
const REPROCESS = 66.3; // x
const SPONTANEOUS = 5; // A
const HALF = 300; // B
const FIRE = 50000; // h

const FIBERS = upTo(255);

/** Samples whose random numbers are drawn together. */
const BLOCK = 256;

/**
 * Motion of the basilar membrane to spikes, as in the Spiking Heidelberg Digits: for each channel a hair cell that releases transmitter,
 * n nerve fibres that it excites, and a leaky integrate-and-fire cell, a bushy cell, that the fibres excite.
 *
 *   k = g·(s + A)/(s + A + B) for s > −A, else 0     s = gain·x
 *   dq/dt = y·(1 − q) + x·w − k·q     free transmitter     dc/dt = k·q − (l + r)·c     in the cleft     dw/dt = r·c − x·w     taken up again
 *   P(spike of a fibre) = h·c·Δt     none within the refractory time after a spike
 *   I ← I·e^{−Δt/τₛ} + spikes of the fibres     v ← v·e^{−Δt/τₘ} + (w/n)·I·Δt     a spike at v ≥ 1; v = 0 for the refractory time after it
 *
 *   y = 5.05, g = 2000, l = 2500, r = 6580, x = 66.3, h = 50000 a second, A = 5, B = 300; all starts at rest, as after a long silence
 *
 * Shapes: x [N, …, C], as of {@link gammatone}, → spikes [T, …, C] with T = ⌊N/samplesPerStep⌋. A step has a spike where one of its samples
 * has a spike. The pools change by Euler steps of a sample, as in the data set's code, where the sound has root mean square 0.3 and goes
 * through a hydrodynamic model of the basilar membrane. One random number draws the number of fibres that fire, from its binomial
 * distribution. No gradient. NaN counts as silence.
 *
 * @throws RangeError unless x has a time axis and a whole step, or for an option out of range; TypeError for an option of another name or
 *   kind.
 * @see Cramer, Stradmann, Schemmel and Zenke (2020), The Heidelberg Spiking Data Sets for the Systematic Evaluation of Spiking Neural
 *   Networks, IEEE Transactions on Neural Networks and Learning Systems 33(7); Meddis (1988), Simulation of auditory-neural transduction:
 *   Further studies, The Journal of the Acoustical Society of America 83(3).
 *
 * @example
 * ```ts
 * import { arange, Generator } from "jarvis-snn";
 * import { gammatone, hairCells } from "jarvis-snn/audio";
 *
 * const tone = arange(0, 8000).mul((2 * Math.PI * 1000) / 16000).sin().mul(0.3);
 * const motion = gammatone(tone, { channels: 8, fMin: 200, fMax: 4000 });
 * const spikes = hairCells(motion, { samplesPerStep: 16, generator: new Generator(1) }); // steps of 1 ms
 * console.log(spikes.shape, spikes.sum({ axis: 0 }).argmax().item()); // [ 500, 8 ] 3
 * ```
 */
export function hairCells(x: Tensor, options: HairCellsOptions = HAIR): Tensor {
  const given = withDefaults("hairCells", HAIR, options);
  checkHair("hairCells", given);
  checkSequence("hairCells", "the motion of a membrane", x);
  const [n, width] = signalRows(x);
  checkSteps("hairCells", n, given.samplesPerStep);
  const cells = new HairCells("hairCells", given, width);
  cells.steps.begin(n);
  for (let at = 0; at < n; at += BLOCK) {
    const samples = Math.min(BLOCK, n - at);
    cells.hear(() => peek(x).subarray(at * width, (at + samples) * width), samples);
  }
  return cells.steps.take("hairCells", x.sizes.slice(1)) as Tensor;
}

/** Transmitter leaves the cleft at 9080 a second, which steps of a sample must resolve. */
const RELEASED: Range = {
  expected: "an integer in [9080, 2²⁴]; resample?",
  fits: (x) => STEP_COUNTS.fits(x) && x >= LOSS + REUPTAKE,
};

export function checkHair(where: string, given: typeof HAIR): void {
  const ranges = {
    sampleRate: RELEASED,
    gain: POSITIVE,
    fibers: FIBERS,
    weight: NOT_NEGATIVE,
    tauMembraneMs: POSITIVE,
    tauSynapseMs: POSITIVE,
    refractoryMs: NOT_NEGATIVE,
    samplesPerStep: STEP_COUNTS,
  };
  for (const name of Object.keys(ranges) as (keyof typeof ranges)[]) numberOf(where, name, given[name], ranges[name]);
  const steps = refractory(given);
  if (!(steps <= 2 ** 16)) throw wrongValue(where, "a refractory time of at most 65536 samples", steps);
}

/** The smallest number of samples from a spike to the next spike. */
const refractory = ({ refractoryMs, sampleRate }: typeof HAIR): number => Math.ceil((refractoryMs * sampleRate) / 1000);

/** e^{−Δt/τ} */
const decay = (tauMs: number, sampleRate: number): number => {
  const steps = 1000 / (tauMs * sampleRate);
  return steps > 600 ? 0 : exactExp(-steps);
};

/** Hair cells and the cells behind them, for motions that come in blocks. */
export class HairCells {
  readonly steps: SpikeSteps;
  private readonly generator: Generator;
  private readonly width: number;
  private readonly gain: number;
  private readonly dt: number;
  /** Factors of current and membrane over a sample, and the rise of the membrane by a current of 1. */
  private readonly fade: number;
  private readonly leak: number;
  private readonly kick: number;
  private readonly refractory: number;
  /** Transmitter that is free, in the cleft, and taken up again. */
  private readonly free: Float64Array;
  private readonly cleft: Float64Array;
  private readonly taken: Float64Array;
  private readonly current: Float64Array;
  private readonly membrane: Float64Array;
  /** The number of samples for which each cell is still silent. */
  private readonly silent: Int32Array;
  /** Fibres that may fire, and those that have fired in each of the last samples. */
  private readonly ready: Uint8Array;
  private readonly fired: Uint8Array;
  private slot = 0;

  constructor(where: string, given: typeof HAIR, width: number) {
    const { sampleRate, gain, fibers, weight, tauMembraneMs, tauSynapseMs, samplesPerStep } = given;
    this.generator = generatorOf(where, given.generator);
    this.width = width;
    this.steps = new SpikeSteps(width, samplesPerStep);
    this.gain = gain;
    this.dt = 1 / sampleRate;
    this.fade = decay(tauSynapseMs, sampleRate);
    this.leak = decay(tauMembraneMs, sampleRate);
    this.kick = weight / fibers / sampleRate;
    this.refractory = refractory(given);
    // At rest in silence, where nothing changes.
    const k = (RELEASE * SPONTANEOUS) / (SPONTANEOUS + HALF);
    const cleft = (REPLENISH * k) / (LOSS * k + REPLENISH * (LOSS + REUPTAKE));
    this.free = new Float64Array(width).fill((cleft * (LOSS + REUPTAKE)) / k);
    this.cleft = new Float64Array(width).fill(cleft);
    this.taken = new Float64Array(width).fill((cleft * REUPTAKE) / REPROCESS);
    this.current = new Float64Array(width);
    this.membrane = new Float64Array(width);
    this.silent = new Int32Array(width);
    this.ready = new Uint8Array(width).fill(fibers);
    this.fired = new Uint8Array(Math.max(this.refractory - 1, 0) * width);
  }

  /**
   * Takes n samples of the motions, [n, width]. `motions` is a function, since views are valid only once memory has grown for random
   * numbers.
   */
  hear(motions: () => ArrayLike<number>, n: number): void {
    const { width, generator } = this;
    // Each sample takes whole blocks of the generator, so its random numbers do not depend on the lengths in which sound comes.
    const each = 4 * Math.ceil(width / 4);
    noGrad(() => {
      const draws = rand([n, each], { generator });
      const x = motions();
      const numbers = peek(draws);
      for (let i = 0; i < n; i++) this.sample(x, i * width, numbers, i * each);
    });
  }

  private sample(x: ArrayLike<number>, from: number, numbers: ArrayLike<number>, drawn: number): void {
    for (let i = 0; i < this.width; i++) {
      const p = FIRE * this.release(i, x[from + i] as number) * this.dt;
      const spikes = binomial(this.ready[i] as number, p, numbers[drawn + i] as number);
      this.rest(i, spikes);
      if (this.excite(i, spikes)) this.steps.fire(i);
    }
    if (this.fired.length > 0) this.slot = (this.slot + this.width) % this.fired.length;
    this.steps.next();
  }

  /** Moves the transmitter of cell i, and returns how much is in the cleft then. */
  private release(i: number, x: number): number {
    const { free, cleft, taken, dt } = this;
    const motion = x * this.gain;
    const s = (Number.isNaN(motion) ? 0 : motion) + SPONTANEOUS;
    const q = free[i] as number;
    const c = cleft[i] as number;
    const w = taken[i] as number;
    const ejected = s > 0 ? (RELEASE / (1 + HALF / s)) * q : 0;
    const made = q < 1 ? REPLENISH * (1 - q) : 0;
    free[i] = Math.max(q + dt * (made + REPROCESS * w - ejected), 0);
    taken[i] = Math.max(w + dt * (REUPTAKE * c - REPROCESS * w), 0);
    const left = Math.max(c + dt * (ejected - (LOSS + REUPTAKE) * c), 0);
    cleft[i] = left;
    return left;
  }

  /** Fibres that have fired rest, and those that have rested are ready for the next sample. */
  private rest(i: number, spikes: number): void {
    const { ready, fired, slot } = this;
    if (fired.length === 0) return;
    ready[i] = (ready[i] as number) + (fired[slot + i] as number) - spikes;
    fired[slot + i] = spikes;
  }

  /** Gives the spikes of the fibres to the cell behind them, and returns whether it fires. */
  private excite(i: number, spikes: number): boolean {
    const { current, membrane, silent } = this;
    const into = (current[i] as number) * this.fade + spikes;
    current[i] = into;
    if ((silent[i] as number) > 0) {
      silent[i] = (silent[i] as number) - 1;
      return false;
    }
    const v = (membrane[i] as number) * this.leak + this.kick * into;
    const fires = v >= 1;
    membrane[i] = fires ? 0 : v;
    if (fires) silent[i] = this.refractory;
    return fires;
  }
}

/** The number of n fibres that fire, each with probability p, from u uniform in [0, 1): the smallest k with u < P(at most k). */
function binomial(n: number, p: number, u: number): number {
  if (p >= 1) return n;
  // So the probability that no fibre fires does not underflow.
  if (p > 0.5) return n - binomial(n, 1 - p, u);
  let part = power(1 - p, n);
  let k = 0;
  for (let sum = part; u >= sum && k < n; sum += part) {
    part *= (p / (1 - p)) * ((n - k) / (k + 1));
    k++;
  }
  return k;
}

/** xⁿ by squares. */
function power(x: number, n: number): number {
  let z = 1;
  for (let square = x, bits = n; bits > 0; bits >>= 1, square *= square) if (bits & 1) z *= square;
  return z;
}
