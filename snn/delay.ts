/** Delays of a fixed number of steps. */
import { INTEGER, listOf, numberOf, withDefaults, wrongValue } from "../engine/arguments.ts";
import { extra, integersAt, k } from "../engine/backend.ts";
import { composed } from "../engine/composed.ts";
import { concat, noGrad, type Tensor, tensor, zeros } from "../engine/index.ts";
import { forwardOf } from "../engine/nn/module.ts";
import { apply, gradOf, type Op, readyOrPacked, recorded, SAVES } from "../engine/op.ts";
import { allocate, recycle, scope } from "../engine/scope.ts";
import { axisOf, checkShape, formatShape, type Shape, sizeOf } from "../engine/shape.ts";
import { buffer } from "../engine/tape.ts";
import { alive, emptySpikes, peek } from "../engine/tensor.ts";
import { checkSequence, checkState, STEPS } from "./checks.ts";
import { keptOf } from "./kept.ts";
import { persistentCopy } from "./per-neuron.ts";
import { own, Stage, Staged, Watch } from "./stage.ts";

/** One step as [rows, n, inner], with a delay for each of the n columns. */
interface Columns {
  readonly delays: readonly number[];
  readonly rows: number;
  readonly inner: number;
}

/** x as T such steps, of which those from `first` on are wanted. */
interface Delaying extends Columns {
  readonly shape: Shape;
  readonly first: number;
  readonly T: number;
}

/** The delays as kernels read them; the caller gives the memory back. */
function place(delays: readonly number[]): number {
  const p = allocate(4 * delays.length);
  integersAt(p, delays.length).set(delays);
  return p;
}

/** z[t − first] = x[t − d], 0 before the start.  ∂L/∂x[t] = ∂L/∂z[t + d − first]. */
const delayOp: Op<Delaying> = {
  name: "delay",
  saves: SAVES.nothing,
  forward(z, x, _y, _w, { delays, first, T, rows, inner }) {
    const d = place(delays);
    extra().delay(z.ptr, x.ptr, d, first, T, rows, delays.length, inner);
    recycle(d, 4 * delays.length, scope.region);
  },
  backward(z, x, _y, _w, { delays, first, T, rows, inner }) {
    const dx = gradOf(x);
    if (dx === 0) return;
    const d = place(delays);
    extra().delayGrad(dx, z.gradPtr, d, first, T, rows, delays.length, inner);
    recycle(d, 4 * delays.length, scope.region);
  },
};

/** All steps of spikes in bits that are alive, as spikes in bits. */
function delaySpikes(x: Tensor, attrs: Delaying): Tensor {
  const { delays, T, rows, inner } = attrs;
  const z = emptySpikes(x.sizes);
  const d = place(delays);
  extra().delayBits(z.bits, x.bits, d, T, rows, delays.length, inner);
  recycle(d, 4 * delays.length, scope.region);
  return recorded(delayOp, attrs, x, z);
}

/** Options of {@link Delay}. */
export interface DelayOptions {
  /** The axis of x [T, B, …] that the delays count along, where they are a list; default −1. −3: channels of [T, B, C, H, W]. */
  axis?: number;
}

const DEFAULTS: Required<DelayOptions> = { axis: -1 };

/** State of {@link Delay} between time steps. */
export interface DelayState {
  /** The last steps, the newest last: [D, B, …] with the longest delay D, at least 1. */
  readonly past: Tensor;
}

/**
 * Delays by a fixed number of steps, d of each neuron or channel:
 *
 *   z[t, …, i] = x[t − d[i], …, i], and 0 for t < d[i]
 *
 * Shapes: x [T, B, …] → z in the same shape. `delays` is one number for all, or a list or tensor [N] with one for each place of the
 * axis, by default the last one. Values that would come out after step T − 1 are lost. Spikes in bits stay bits. In a state dict the delays
 * are the buffer `delays`. SpikingJelly: `layer.Delay`, one delay for all.
 *
 *     new Delay([0, 3, 5]).forward(spikes) // [T, B, 3]
 *
 * @throws RangeError unless delays are integers in [0, 2²⁴] and the axis is an integer; TypeError for anything else, or an option of
 *   another name or kind.
 * @see Jeffress (1948), A place theory of sound localization, Journal of Comparative and Physiological Psychology 41(1).
 */
export class Delay extends Staged {
  /** Steps, [] or [N]. */
  readonly delays: Tensor;
  /** The axis that the delays count along. */
  readonly axis: number;

  constructor(delays: number | readonly number[] | Tensor, options: DelayOptions = {}) {
    super();
    const { axis } = withDefaults("Delay", DEFAULTS, options);
    this.axis = numberOf("Delay", "axis", axis, INTEGER);
    const list = Array.isArray(delays) ? listOf("Delay", "delays", delays, STEPS) : null;
    if (list?.length === 0) throw wrongValue("Delay", "one delay or more", "[]");
    this.delays = noGrad(() => {
      const given = list === null ? (delays as number | Tensor) : tensor(list);
      return buffer(persistentCopy("Delay", "delays", given, STEPS), STEPS);
    });
  }

  /** D, the longest delay. */
  get maxDelay(): number {
    return Math.max(...stepsOf(this));
  }

  /**
   * x, each column as many steps later as its delay says, [T, B, …] → [T, B, …].
   *
   * @throws RangeError unless x has a time axis, and where delays are a list, the axis and as many places on it.
   */
  forward(x: Tensor): Tensor {
    checkSequence("Delay", "x", x);
    const columns = columnsOf(this, x.sizes);
    readyOrPacked("delay", x);
    const attrs = { ...columns, shape: x.sizes, first: 0, T: x.sizes[0] as number };
    return x.ptr === 0 ? delaySpikes(x, attrs) : apply(delayOp, attrs, x);
  }

  /**
   * One time step, [B, …] → [B, …] and the next state; the same bits as `forward`.
   *
   * @throws RangeError as `forward`, or for a state of another shape.
   */
  step(x: Tensor, state: DelayState): [z: Tensor, state: DelayState] {
    alive(x, "Delay");
    const columns = columnsOf(this, [1, ...x.sizes]);
    const { past } = Object(state) as DelayState;
    const depth = depthOf(columns);
    checkState("Delay", "past", past, [depth, ...x.sizes]);
    return composed(Delay.advance, x, past, { ...columns, shape: [1, ...x.sizes], first: depth, T: depth + 1 });
  }

  private static advance(x: Tensor, past: Tensor, attrs: Delaying): [z: Tensor, state: DelayState] {
    const seen = concat([past, x.unsqueeze(0)]);
    return [apply(delayOp, attrs, seen).squeeze(0), { past: seen.slice(0, 1).clone() }];
  }

  /**
   * The state before the first step, zeros, for x of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers.
   */
  initialState(shape: Shape): DelayState {
    const sizes = checkShape("Delay", shape);
    return { past: zeros([depthOf(columnsOf(this, [1, ...sizes])), ...sizes]) };
  }

  /** @internal */
  stage(input: Tensor): Stage | null {
    return this.forward === FORWARD ? new DelayStage(this, input) : null;
  }
}

const FORWARD = /* @__PURE__ */ forwardOf(Delay);

/** The delays of a layer, checked: `copyFrom` can have written any numbers. */
function stepsOf({ delays }: Delay): number[] {
  alive(delays, "Delay");
  return Array.from(peek(delays), (d) => numberOf("Delay", "delays", d, STEPS));
}

/** How x [T, B, …] of this shape is divided into columns. */
function columnsOf(layer: Delay, shape: Shape): Columns {
  const delays = stepsOf(layer);
  const step = sizeOf(shape.slice(1));
  if (delays.length === 1) return { delays, rows: 1, inner: step };
  const axis = axisOf("Delay", layer.axis, shape.length);
  if (axis === 0) throw wrongValue("Delay", "an axis behind time", formatShape(shape));
  if (shape[axis] !== delays.length) {
    const expected = `${delays.length} places on axis ${layer.axis}, one for each delay`;
    throw wrongValue("Delay", expected, formatShape(shape));
  }
  const inner = sizeOf(shape.slice(axis + 1));
  return { delays, rows: step / (delays.length * inner), inner };
}

/** Steps that a state holds: a tensor has one at least. */
const depthOf = ({ delays }: Columns): number => Math.max(1, ...delays);

/** The last steps of an input, the newest one last, which moves the others up. */
export class Window {
  /** [depth + 1, B, …] */
  readonly steps: Tensor;
  private readonly input: Tensor;
  private readonly depth: number;

  constructor(input: Tensor, depth: number) {
    this.steps = own([depth + 1, ...input.sizes]);
    this.input = input;
    this.depth = depth;
  }

  /** Takes in the input of a step. */
  shift(): void {
    const { steps, input, depth } = this;
    k.copy(steps.ptr, steps.ptr + 4 * input.size, depth * input.size);
    k.copy(steps.ptr + 4 * depth * input.size, input.ptr, input.size);
  }
}

class DelayStage extends Stage {
  private readonly window: Window;
  private readonly depth: number;
  /** The delays as integers. */
  private readonly places: Tensor;
  private columns: Columns;
  private readonly watch: Watch;

  constructor(layer: Delay, input: Tensor) {
    const columns = columnsOf(layer, [1, ...input.sizes]);
    const depth = depthOf(columns);
    const window = new Window(input, depth);
    const places = own([columns.delays.length]);
    super(own(input.sizes), { state: [window.steps], memory: [places], kept: [keptOf(layer)] });
    this.window = window;
    this.depth = depth;
    this.places = places;
    this.columns = columns;
    this.watch = new Watch([layer.delays], () => this.read(columnsOf(layer, [1, ...input.sizes])));
  }

  private read(columns: Columns): void {
    const { depth, places } = this;
    if (depthOf(columns) > depth) {
      throw wrongValue("Stream", `delays of at most ${depth} steps, as they were when it was made`, depthOf(columns));
    }
    integersAt(places.ptr, places.size).set(columns.delays);
    this.columns = columns;
  }

  override check(): void {
    super.check();
    this.watch.refresh();
  }

  step(): void {
    const { window, output, places, depth } = this;
    const { rows, inner, delays } = this.columns;
    window.shift();
    extra().delay(output.ptr, window.steps.ptr, places.ptr, depth, depth + 1, rows, delays.length, inner);
  }
}
