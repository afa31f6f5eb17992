/** Parallel spiking neurons: without a reset, the membranes of all steps are one product over time. */

import {
  COUNT,
  choiceOf,
  NOT_NEGATIVE,
  numberOf,
  type Range,
  show,
  UNIT,
  withDefaults,
  wrongType,
  wrongValue,
} from "../../engine/arguments.ts";
import { buffer, generatorOf } from "../../engine/extend.ts";
import type { Generator, Tensor } from "../../engine/index.ts";
import { concat, full, indexSelect, matmul, noGrad, parameter, tensor, zeros } from "../../engine/index.ts";
import { type Loading, startUniform } from "../../engine/protocol.ts";
import { checkShape, formatShape, type Shape } from "../../engine/shape.ts";
import type { Fire } from "../layer/checks.ts";
import type { Stage } from "../layer/stage.ts";
import type { Wanted } from "../layer/temporal.ts";
import { Described } from "../neuron/described.ts";
import type { NeuronSpec } from "../neuron/form.ts";
import { Neurons } from "../neuron/neuron.ts";
import type { NeuronStep } from "../neuron/types.ts";
import type { Surrogate } from "../surrogates/surrogate.ts";
import { Windowed, WindowRun } from "./window.ts";

/**
 * Steps of the current that the membrane reads. "full": all. "masked": all, annealed to the last k. "sliding": the last
 * k, with shared weights.
 */
export type PSNKind = "full" | "masked" | "sliding";

/** Options of {@link PSN}. */
export interface PSNOptions {
  /** "full" (default), "masked" or "sliding". */
  kind?: PSNKind;
  /** T, the number of steps of a sequence; for "full" and "masked". */
  timesteps?: number;
  /** k, the number of steps that a step reads, an integer in [1, 65536]; for "masked" and "sliding". */
  order?: number;
  /** λ at the start, in [0, 1], for "masked": 0 (default) masks nothing, 1 all but the last k steps. */
  lambda?: number;
  /** Whether weights of "sliding" start as …, ¼, ½, 1 (default); otherwise uniform in ±1/√k. */
  expInit?: boolean;
  /** Surrogate derivative of the spike; default surrogate.sigmoid({ slope: 10 }). */
  surrogate?: Surrogate;
  /** Fires at h ≥ 0 ("ge", the default) or h > 0 ("gt"). */
  fire?: Fire;
  /** false replaces the spike by the surrogate's smooth primitive. Default true. */
  spiking?: boolean;
  /** Generator of the initial weights; the default generator if not given. */
  generator?: Generator;
}

const DEFAULTS = {
  kind: "full" as PSNKind,
  timesteps: undefined as number | undefined,
  order: undefined as number | undefined,
  lambda: undefined as number | undefined,
  expInit: undefined as boolean | undefined,
  surrogate: undefined as Surrogate | undefined,
  fire: "ge" as Fire,
  spiking: true,
  generator: undefined as Generator | undefined,
} satisfies Record<keyof PSNOptions, unknown>;

/** Options that only some kinds have. */
const OWN_OPTIONS: Record<PSNKind, readonly (keyof PSNOptions)[]> = {
  full: ["timesteps"],
  masked: ["timesteps", "order", "lambda"],
  sliding: ["order", "expInit"],
};

/** State of a sliding {@link PSN} between time steps. */
export interface PSNState {
  /** The last k − 1 currents, the newest last: [k − 1, B, …]. For k = 1, one current. */
  readonly past: Tensor;
}

/** Result of {@link PSN.unroll}. */
export interface PSNRecord {
  /** s, [T, B, …]. */
  readonly spikes: Tensor;
  /** h, [T, B, …]. */
  readonly membrane: Tensor;
  /** State after the last step of a sliding neuron; absent for other kinds. */
  readonly state: PSNState;
}

const ORDER: Range = { expected: "an integer in [1, 65536]", fits: (x) => COUNT.fits(x) && x <= 65536 };

/** Steps in one product of a sliding neuron; a longer product would multiply more zeros. */
const BLOCK = 32;

/** s = fire(h), without a state. */
const FORM: NeuronSpec = {
  name: "PSN",
  states: [],
  initial: [],
  parameters: {},
  reset: null,
  step: ({ current, spike }: NeuronStep<never>) => ({ spikes: spike(current) }),
};

/**
 * Parallel spiking neurons. Without a reset, the membranes of all steps are one product of learned weights with the current, and no step waits for
 * the previous one:
 *
 *   h = W·I + b     s[t] = 1 if h[t] ≥ 0 else 0
 *   "full"      W [T, T]: every step reads all steps, including future ones
 *   "masked"    W ⊙ (λ·M + (1 − λ)), M[t, j] = 1 for t − k < j ≤ t, else 0; {@link PSN.anneal} moves λ from 0 to 1
 *   "sliding"   h[t] = Σ_i w[i]·I[t − k + 1 + i] + b, w [k], i = 0 … k − 1, with I = 0 before the start; any T
 *
 * Shapes: current [T, B, …] → spikes [T, B, …]; all neurons of the layer share their weights. −b is the threshold. As in SpikingJelly (`PSN`,
 * `MaskedPSN`, `SlidingPSN`) `weight` [T, T] starts uniform in ±1/√T, w [k] as …, ¼, ½, 1, and `bias`, [T, 1] or [], as −1. Names in a state dict are
 * the same, except for the buffer `lambda`. The default surrogate is that of all neurons here (SpikingJelly: atan).
 *
 * Sliding neurons also run step by step, in a {@link Stream} and in {@link Recurrent}; the other kinds need the whole sequence. Currents of a sliding
 * neuron must be finite: its product over blocks of steps multiplies currents outside of the last k by zeros.
 *
 * @throws RangeError unless timesteps is a positive integer, order an integer in [1, 65536] and lambda in [0, 1], each if the kind needs it, and for
 *   an option that the kind does not have; TypeError for an unknown option or a value of the wrong type.
 * @see Fang et al. (2023), Parallel Spiking Neurons with High Efficiency and Ability to Learn Long-term Dependencies, NeurIPS.
 *
 * @example
 * ```ts
 * import { PSN, rand, Stream, surrogate } from "jarvis-snn";
 *
 * const whole = new PSN({ timesteps: 25 }); // a step sees all steps
 * console.log(whole.weight.shape, whole.forward(rand([25, 4, 100])).shape); // [ 25, 25 ] [ 25, 4, 100 ]
 * const sliding = new PSN({ kind: "sliding", order: 4, surrogate: surrogate.atan() }); // a step sees the last four
 * console.log(new Stream(sliding, [1, 3]).step([0, 1, 8])); // Float32Array(3) [ 0, 1, 1 ]
 * ```
 */
export class PSN extends Windowed<PSNState, PSNRecord> {
  /** "full", "masked" or "sliding". */
  readonly kind: PSNKind;
  /** T, the number of steps of a sequence; null for any number. */
  readonly timesteps: number | null;
  /** k, the number of steps that a step reads; null for all. */
  readonly order: number | null;
  /** W [T, T], or w [k] of a sliding neuron. */
  readonly weight: Tensor;
  /** b, [T, 1], or [] of a sliding neuron. */
  readonly bias: Tensor;
  /** λ of a masked neuron, []; otherwise null. */
  readonly lambda: Tensor | null;
  private readonly neurons: Neurons;

  constructor(options: PSNOptions) {
    super();
    const given = withDefaults("PSN", DEFAULTS, options);
    const { surrogate, fire, spiking, expInit = true, lambda = 0 } = given;
    const kind = choiceOf("PSN", "kind", given.kind, ["full", "masked", "sliding"]);
    for (const name of ["timesteps", "order", "lambda", "expInit"] as const) {
      const isTaken = OWN_OPTIONS[kind].includes(name);
      if (!isTaken && given[name] !== undefined) {
        throw new RangeError(`PSN: expected no ${name} for kind "${kind}", got ${show(given[name])}`);
      }
    }
    const steps = kind === "sliding" ? null : numberOf("PSN", "timesteps", given.timesteps, COUNT);
    const order = kind === "full" ? null : numberOf("PSN", "order", given.order, ORDER);
    const start = numberOf("PSN", "lambda", lambda, UNIT);
    if (typeof expInit !== "boolean") throw wrongType("PSN", "expInit as true or false", expInit);
    const generator = generatorOf("PSN", given.generator);
    this.neurons = new Neurons(new Described(FORM, { surrogate, fire, spiking }));
    this.kind = kind;
    this.timesteps = steps;
    this.order = order;
    const n = (steps ?? order) as number;
    const shape = checkShape("PSN", steps === null ? [n] : [n, n]);
    this.weight =
      steps === null && expInit
        ? noGrad(() => parameter(tensor(halves(n))))
        : startUniform("PSN", shape, n, false, generator)[0];
    this.bias = noGrad(() => parameter(full(steps === null ? [] : [n, 1], -1)));
    this.lambda = kind === "masked" ? noGrad(() => buffer(full([], start))) : null;
  }

  protected override fields(): Iterable<[string, unknown]> {
    const { weight, bias, lambda } = this;
    return Object.entries({ weight, bias, lambda });
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return t === this.lambda ? { range: UNIT } : undefined;
  }

  /**
   * Sets λ of a masked neuron to min(progress, 1) and returns it. Does nothing for other kinds, which have no λ.
   *
   * @throws RangeError unless progress is a number ≥ 0.
   */
  anneal(progress: number): number {
    const share = Math.min(1, numberOf("PSN", "progress", progress, NOT_NEGATIVE));
    this.lambda?.copyFrom([share]);
    return share;
  }

  protected override get where(): string {
    return "PSN";
  }

  protected override get mainOutput(): string {
    return "spikes";
  }

  protected override get inputName(): string {
    return "a current";
  }

  protected override get isObserved(): boolean {
    return true;
  }

  protected override isComposed(): boolean {
    return true;
  }

  /** Number of past currents in the state of a sliding neuron. */
  protected override get maxDelay(): number {
    const { kind, order } = this;
    if (kind === "sliding" && order !== null) return order - 1;
    throw new RangeError(
      `PSN: expected kind "sliding" for single steps, got "${kind}", which needs the whole sequence`,
    );
  }

  protected override checkInput(shape: Shape): void {
    const { timesteps } = this;
    if (timesteps === null || shape[0] === timesteps) return;
    throw wrongValue("PSN", `a current of ${timesteps} steps, [${timesteps}, B, …]`, formatShape(shape));
  }

  /** Throws unless the neuron is a sliding one. */
  protected override checkStep(_step: Shape): void {
    this.depth();
  }

  protected override advance(current: Tensor, T: number, step: Shape, past: Tensor | null, wanted: Wanted): WindowRun {
    const membrane = this.membrane(current.reshape([T, -1]), past, [T, ...step]);
    if (wanted === "main") return new WindowRun(this.neurons.forwardOver(membrane), 0, null);
    const spikes = this.neurons.forward(membrane);
    if (this.kind !== "sliding") return new WindowRun(spikes, 0, null, membrane, OUTPUTS);
    const depth = this.depth();
    const z = current.ndim === step.length ? spikes.squeeze(0) : spikes;
    return new WindowRun(z, depth, this.behind(past, current, step, depth), membrane, OUTPUTS);
  }

  /** State after a sequence; kinds that need the whole sequence have none. */
  protected override stateAfter(run: WindowRun): PSNState {
    return run.seen === null ? (undefined as never) : super.stateAfter(run);
  }

  /** h of x [T, M], in the shape of the current. */
  private membrane(x: Tensor, past: Tensor | null, shape: Shape): Tensor {
    const h = this.kind === "sliding" ? this.slide(x, past) : matmul(this.mixing(), x);
    return h.add(this.bias).reshape(shape);
  }

  /** W, [T, T], with the mask of a masked neuron. */
  private mixing(): Tensor {
    const { weight, lambda, order } = this;
    if (lambda === null || order === null) return weight;
    const share = numberOf("PSN", "lambda", lambda.item(), UNIT);
    const [T] = weight.sizes as [number];
    const mask = Array.from({ length: T * T }, (_, at) => {
      const back = Math.floor(at / T) - (at % T);
      return back >= 0 && back < order ? 1 : 1 - share;
    });
    return weight.mul(tensor(mask, { shape: [T, T] }));
  }

  /** Σ_i w[i]·x[t − k + 1 + i] of x [T, M], which follows the past currents. */
  private slide(x: Tensor, past: Tensor | null): Tensor {
    const k = this.order as number;
    const [T, M] = x.sizes as [number, number];
    const rows = Math.max(BLOCK, k);
    if (k === 1) return x.mul(this.weight);
    if (past === null && T <= rows) return matmul(this.toeplitz(T, T, k - 1), x);
    const before = past === null ? zeros([k - 1, M]) : past.reshape([k - 1, M]);
    const all = concat([before, x]);
    const band = this.toeplitz(Math.min(rows, T), Math.min(rows, T) + k - 1, 0);
    const blocks: Tensor[] = [];
    for (let t = 0; t < T; t += rows) {
      const n = Math.min(rows, T - t);
      const part = n === band.sizes[0] ? band : band.slice(0, 0, n).slice(1, 0, n + k - 1);
      blocks.push(matmul(part, all.slice(0, t, t + n + k - 1)));
    }
    return blocks.length === 1 ? (blocks[0] as Tensor) : concat(blocks);
  }

  /** The weights as a band, [rows, columns]: w[column − row + shift], 0 outside of w. */
  private toeplitz(rows: number, columns: number, shift: number): Tensor {
    const k = this.order as number;
    const index = Array.from({ length: rows * columns }, (_, at) => {
      const i = (at % columns) - Math.floor(at / columns) + shift;
      return i >= 0 && i < k ? i : k;
    });
    return indexSelect(concat([this.weight, zeros([1])]), 0, index).reshape([rows, columns]);
  }

  /** @internal */
  override stage(): Stage | null {
    // Sliding neurons run single steps by `step`.
    if (this.kind === "sliding") return null;
    throw new RangeError(`Stream: expected PSN of kind "sliding", got "${this.kind}", which needs the whole sequence`);
  }
}

const OUTPUTS = ["membrane"] as const;

/** n values …, ¼, ½, 1; those below float32 are 0. */
function halves(n: number): number[] {
  const w = new Array<number>(n).fill(1);
  for (let i = n - 2; i >= 0; i--) w[i] = (w[i + 1] as number) / 2;
  return w;
}
