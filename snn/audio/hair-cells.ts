/** A model of the inner ear after the basilar membrane: hair cells, auditory nerve fibres, and bushy cells. */
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
  /** Factor from x to units of the hair cell, finite and > 0; default 1000, with which a root mean square of 1 is a sound of 90 dB. */
  gain?: number;
  /** n, the number of nerve fibres of a hair cell, an integer in [1, 255]; default 40. */
  fibers?: number;
  /**
   * w: how fast a current of one spike from every fibre raises the bushy cell's membrane, in thresholds a second;
   * finite and ≥ 0, default 13000.
   */
  weight?: number;
  /** τₘ, the time constant of the membrane, in milliseconds, finite and > 0; default 1. */
  tauMembraneMs?: number;
  /** τₛ, the time constant of the current, in milliseconds, finite and > 0; default 0.5. */
  tauSynapseMs?: number;
  /** Refractory time of fibres and cells, in milliseconds, finite and ≥ 0; default 1. */
  refractoryMs?: number;
  /** Samples per time step, an integer in [1, 2²⁴]; default 1. */
  samplesPerStep?: number;
  /** Source of random numbers; the default generator if not given. */
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

/** Meddis's constants: rates a second, for a pool that holds at most 1. */
const REPLENISH = 5.05; // y
const RELEASE = 2000; // g, the maximum
const LOSS = 2500; // l
const REUPTAKE = 6580; // r
const REPROCESS = 66.3; // x
const SPONTANEOUS = 5; // A
const HALF = 300; // B
const FIRE = 50000; // h

const FIBERS = upTo(255);

/** Number of samples whose random numbers are drawn together. */
const BLOCK = 256;

/**
 * Turns motion of the basilar membrane into spikes, as in the Spiking Heidelberg Digits. Each channel has a hair cell that releases transmitter, n
 * nerve fibres that it excites, and a bushy cell, a leaky integrate-and-fire neuron, that the fibres excite.
 *
 *   k = g·(s + A)/(s + A + B) for s > −A, else 0     s = gain·x
 *   dq/dt = y·(1 − q) + x·w − k·q     free transmitter     dc/dt = k·q − (l + r)·c     in the cleft     dw/dt = r·c − x·w     reuptake
 *   P(spike of a fibre) = h·c·Δt     0 within the refractory time after a spike
 *   I ← I·e^{−Δt/τₛ} + spikes of the fibres     v ← v·e^{−Δt/τₘ} + (w/n)·I·Δt     spike if v ≥ 1; then v = 0 for the refractory time
 *
 *   y = 5.05, g = 2000, l = 2500, r = 6580, x = 66.3, h = 50000 a second, A = 5, B = 300; the start is the equilibrium of silence
 *
 * Shapes: x [N, …, C], such as the output of {@link gammatone}, → spikes [T, …, C] with T = ⌊N/samplesPerStep⌋. A step has a spike if one of its
 * samples has one. The pools advance by Euler steps of one sample, as in the data set's code, which reads sound of root mean square 0.3 through a
 * hydrodynamic model of the basilar membrane. One random number draws the number of firing fibres from its binomial distribution. There is no
 * gradient. NaN counts as silence.
 *
 * @throws RangeError unless x has a time axis and a whole step, or for an option out of range; TypeError for an unknown option or a value of the
 *   wrong type.
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

/** Transmitter leaves the cleft at a rate of l + r = 9080 a second, which Euler steps of one sample must resolve. */
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

/** Least number of samples between two spikes. */
const refractory = ({ refractoryMs, sampleRate }: typeof HAIR): number => Math.ceil((refractoryMs * sampleRate) / 1000);

/** e^{−Δt/τ} */
const decay = (tauMs: number, sampleRate: number): number => {
  const steps = 1000 / (tauMs * sampleRate);
  return steps > 600 ? 0 : exactExp(-steps);
};

/** Hair cells, fibres and bushy cells, for motions that arrive in blocks. */
export class HairCells {
  readonly steps: SpikeSteps;
  private readonly generator: Generator;
  private readonly width: number;
  private readonly gain: number;
  private readonly dt: number;
  /** Decay of current and membrane per sample, and the rise of the membrane by a current of 1. */
  private readonly fade: number;
  private readonly leak: number;
  private readonly kick: number;
  private readonly refractory: number;
  /** Transmitter: free, in the cleft, and in reuptake. */
  private readonly free: Float64Array;
  private readonly cleft: Float64Array;
  private readonly taken: Float64Array;
  private readonly current: Float64Array;
  private readonly membrane: Float64Array;
  private readonly silent: Int32Array;
  /** Fibres that may fire, and fibres that fired in each of the last samples. */
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
    // The equilibrium in silence.
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
   * Processes n samples of the motions, [n, width]. `motions` is a function because drawing random numbers may grow the memory, which detaches
   * views.
   */
  hear(motions: () => ArrayLike<number>, n: number): void {
    const { width, generator } = this;
    // Each sample draws whole generator blocks, so its random numbers do not depend on how the sound is cut into blocks.
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

  /** Moves the transmitter of cell i and returns the amount in the cleft. */
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

  /** Fibres that fired become refractory; those whose refractory time ends become ready. */
  private rest(i: number, spikes: number): void {
    const { ready, fired, slot } = this;
    if (fired.length === 0) return;
    ready[i] = (ready[i] as number) + (fired[slot + i] as number) - spikes;
    fired[slot + i] = spikes;
  }

  /** Adds the spikes of the fibres to the current of the bushy cell and returns whether it fires. */
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

/** Number of n fibres that fire, each with probability p, for u uniform in [0, 1): the smallest k with u < P(at most k). */
function binomial(n: number, p: number, u: number): number {
  if (p >= 1) return n;
  // By symmetry; (1 − p)ⁿ would underflow.
  if (p > 0.5) return n - binomial(n, 1 - p, u);
  let part = power(1 - p, n);
  let k = 0;
  for (let sum = part; u >= sum && k < n; sum += part) {
    part *= (p / (1 - p)) * ((n - k) / (k + 1));
    k++;
  }
  return k;
}

function power(x: number, n: number): number {
  let z = 1;
  for (let square = x, bits = n; bits > 0; bits >>= 1, square *= square) if (bits & 1) z *= square;
  return z;
}
