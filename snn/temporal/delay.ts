/** Fixed delays: a layer whose state is its last inputs. */

import { INTEGER, listOf, numberOf, withDefaults, wrongValue } from "../../engine/arguments.ts";
import { alive, buffer, extra, integersAt, peek } from "../../engine/extend.ts";
import { noGrad, type Tensor, tensor } from "../../engine/index.ts";
import type { Loading } from "../../engine/protocol.ts";
import { axisOf, formatShape, type Shape, sizeOf } from "../../engine/shape.ts";
import { applyOp, formOf, gradientAt, SAVES, type ShortOp, saveBlock } from "../../engine/unchecked.ts";
import { STEPS } from "../layer/checks.ts";
import { persistentCopy } from "../layer/per-neuron.ts";
import { own, type Stage } from "../layer/stage.ts";
import type { UnrollResult, Wanted } from "../layer/temporal.ts";
import { Windowed, WindowRun, windowStage } from "./window.ts";

/** Layout of x as steps [rows, n, inner], with a delay for each of n columns. The output begins at step `first`. */
interface Delaying {
  readonly delays: readonly number[];
  readonly rows: number;
  readonly inner: number;
  readonly shape: Shape;
  readonly first: number;
  readonly T: number;
}

/** Writes the delays in the layout that kernels read; the memory belongs to z, for its backward pass. */
function place(z: Tensor, delays: readonly number[]): number {
  const at = saveBlock(z, 4 * delays.length);
  integersAt(at, delays.length).set(delays);
  return at;
}

/** Whether x begins with step 0, not with past steps. */
const isWhole = ({ first }: Delaying): boolean => first === 0;

/** z[t − first] = x[t − d], 0 before the start.  ∂L/∂x[t] = ∂L/∂z[t + d − first]. */
const delayOp: ShortOp<Delaying> = {
  name: "delay",
  saves: SAVES.nothing,
  shortcuts: { reads: { a: ["bits"] }, keepsBits: isWhole },
  forward(z, x, _y, _w, { delays, first, T, rows, inner }) {
    const places = place(z, delays);
    const n = delays.length;
    if (formOf(x) === "bits") extra().delayBits(z.bits, x.bits, places, T, rows, n, inner);
    else extra().delay(z.ptr, x.ptr, places, first, T, rows, n, inner);
  },
  backward(z, x, _y, _w, { delays, first, T, rows, inner }) {
    const dx = gradientAt(x);
    if (dx !== 0) extra().delayGrad(dx, z.gradPtr, z.saved, first, T, rows, delays.length, inner);
  },
};

/** Options of {@link Delay}. */
export interface DelayOptions {
  /** Axis of x [T, B, …] to which a list of delays applies; default −1. −3: channels of [T, B, C, H, W]. */
  axis?: number;
}

const DEFAULTS: Required<DelayOptions> = { axis: -1 };

/** State of {@link Delay} between time steps. */
export interface DelayState {
  /** The last steps, the newest last: [D, B, …], where D is the longest delay, at least 1. */
  readonly past: Tensor;
}

/**
 * Delays each neuron or channel i by a fixed number of steps, d[i]:
 *
 *   z[t, …, i] = x[t − d[i], …, i], and 0 for t < d[i]
 *
 * Shapes: x [T, B, …] → z in the same shape. `delays` is one number for all, or a list or tensor [N] with one for each index of the axis, by default
 * the last one. Values delayed beyond step T − 1 are dropped. The delay of spikes stored as bits is stored as bits. In a state dict the delays are
 * the buffer `delays`. SpikingJelly has `layer.Delay`, with one delay for all.
 *
 * @throws RangeError unless delays are integers in [0, 2²⁴] and the axis is an integer; TypeError for anything else, or an unknown option or a value
 *   of the wrong type.
 * @see Jeffress (1948), A place theory of sound localization, Journal of Comparative and Physiological Psychology 41(1).
 *
 * @example
 * ```ts
 * import { Delay, tensor } from "jarvis-snn";
 *
 * const x = tensor([[1, 1], [2, 2], [3, 3]]); // [T, N]
 * console.log(new Delay([0, 2]).forward(x).toArray()); // [ [ 1, 0 ], [ 2, 0 ], [ 3, 1 ] ]
 * ```
 */
export class Delay extends Windowed<DelayState, UnrollResult<DelayState>> {
  /** Delays in steps, [] or [N]. */
  readonly delays: Tensor;
  /** Axis to which the delays apply. */
  readonly axis: number;

  constructor(delays: number | readonly number[] | Tensor, options: DelayOptions = {}) {
    super();
    const { axis } = withDefaults("Delay", DEFAULTS, options);
    this.axis = numberOf("Delay", "axis", axis, INTEGER);
    const list = Array.isArray(delays) ? listOf("Delay", "delays", delays, STEPS) : null;
    if (list?.length === 0) throw wrongValue("Delay", "one delay or more", "[]");
    const given = () => (list === null ? (delays as number | Tensor) : tensor(list));
    this.delays = noGrad(() => buffer(persistentCopy("Delay", "delays", given(), STEPS)));
  }

  /** @internal */
  override loadingOf(t: Tensor): Loading | undefined {
    return t === this.delays ? { range: STEPS } : undefined;
  }

  /** D, the longest delay. */
  get maxDelay(): number {
    return Math.max(...stepsOf(this));
  }

  protected override get where(): string {
    return "Delay";
  }

  /** Throws unless the axis has the size of the delays. Returns the layout of x [T, B, …] around that axis. */
  protected override checkInput(shape: Shape): Pick<Delaying, "rows" | "inner"> {
    const n = this.delays.size;
    if (n === 1) return { rows: 1, inner: sizeOf(shape.slice(1)) };
    const at = axisOf("Delay", this.axis, shape.length);
    if (at === 0) throw wrongValue("Delay", "an axis behind time", formatShape(shape));
    const expected = `${n} places on axis ${this.axis}, one for each delay`;
    if (shape[at] !== n) throw wrongValue("Delay", expected, formatShape(shape));
    return { rows: sizeOf(shape.slice(1, at)), inner: sizeOf(shape.slice(at + 1)) };
  }

  protected override advance(x: Tensor, T: number, step: Shape, from: Tensor | null, wanted: Wanted): WindowRun {
    const depth = wanted === "main" ? 0 : (from?.sizes[0] ?? this.depth());
    const seen = wanted === "main" ? null : this.behind(from, x, step, depth);
    const { rows, inner } = this.checkInput([T, ...step]);
    const attrs = { delays: stepsOf(this), rows, inner, shape: x.sizes, first: depth, T: depth + T };
    return new WindowRun(applyOp(delayOp, attrs, seen ?? x), depth, seen);
  }

  /** @internal */
  protected override ownStage(input: Tensor): Stage {
    const { rows, inner } = this.checkInput([1, ...input.sizes]);
    const [depth, n] = [this.depth(), this.delays.size];
    const [output, places] = [own(input.sizes), own([n])];
    const read = () => {
      const longest = this.depth();
      const expected = `delays of at most ${depth} steps, as they were when it was made`;
      if (longest > depth) throw wrongValue("Stream", expected, longest);
      integersAt(places.ptr, n).set(stepsOf(this));
    };
    const writing = (x: Tensor) => () => extra().delay(output.ptr, x.ptr, places.ptr, depth, depth + 1, rows, n, inner);
    return windowStage(this, input, depth, { output, memory: places, reads: [this.delays], read, writing });
  }
}

/** The delays of a layer, checked, since `copyFrom` may have written any numbers. */
function stepsOf({ delays }: Delay): number[] {
  alive(delays, "Delay");
  return Array.from(peek(delays), (d) => numberOf("Delay", "delays", d, STEPS));
}
