/**
 * Layers with a state between time steps. A subclass computes T steps in `advance`; this file derives each way to run the layer from it.
 */
import { alive, composed } from "../../engine/extend.ts";
import type { Module, Tensor } from "../../engine/index.ts";
import { type LayerTap, layerTap, locate, type Traits, traitsOf } from "../../engine/protocol.ts";
import { checkShape, type Shape } from "../../engine/shape.ts";
import { checkSequence } from "./checks.ts";
import { type Stage, Staged } from "./stage.ts";
import { resultOf } from "./unroll-result.ts";

/** What a run must return: "main", the main output; "state", also the state after it; "all", all outputs, which may be read later. */
export type Wanted = "main" | "state" | "all";

/** T steps that have run. */
export interface Run {
  /** The main output, [T, B, …], or [B, …] for a single step. */
  readonly z: Tensor;
  /** The names of all outputs over time; `output(i)` is the output named names[i]. */
  readonly names: readonly string[];
  output(index: number): Tensor;
}

/** The result of a layer over time: outputs [T, B, …] by name, and the state after the last step. */
export type Outputs = Readonly<Record<string, unknown>>;

/** The result of `unroll` of a layer with one output; all differentiable. */
export interface UnrollResult<State> {
  /** The output over time, [T, B, …]. */
  readonly z: Tensor;
  /** The state after the last step. */
  readonly state: State;
}

/**
 * A layer with a state between time steps.
 *
 * A subclass names its main output and computes T ≥ 1 steps from a state. This class adds `forward`, `unroll`, `step`, `initialState`, the
 * checks of inputs and states, recording, and the scope that frees intermediate tensors outside tapes.
 */
export abstract class Temporal<State, Result, From, Ran extends Run = Run> extends Staged {
  /**
   * The name of the layer in errors.
   *
   * @internal
   */
  protected abstract get where(): string;
  /**
   * The name of the main output, which `forward` and `step` return.
   *
   * @internal
   */
  protected abstract get mainOutput(): string;
  /**
   * The word for x in errors.
   *
   * @internal
   */
  protected get inputName(): string {
    return "x";
  }

  /**
   * Throws unless inputs of this shape, [T, B, …], fit the layer.
   *
   * @internal
   */
  protected abstract checkInput(shape: Shape): void;

  /**
   * Throws unless one step of this shape, [B, …], fits the layer.
   *
   * @internal
   */
  protected checkStep(step: Shape): void {
    this.checkInput(oneStepOf(step));
  }

  /**
   * Reads the state of a caller once; throws unless it fits steps of this shape, [B, …].
   *
   * @internal
   */
  protected abstract read(state: State, step: Shape): From;

  /**
   * The state before the first step, for steps of this shape.
   *
   * @internal
   */
  protected abstract start(step: Shape): State;

  /**
   * Runs T steps from a state, by default the initial one. x and the main output are [T, B, …], or [B, …] for a single step. `over`: x has
   * no other reader, so the layer may reuse its memory.
   *
   * @internal
   */
  protected abstract advance(x: Tensor, T: number, step: Shape, from: From | null, wanted: Wanted, over: boolean): Ran;

  /**
   * The state after the last step of a run.
   *
   * @internal
   */
  protected abstract stateAfter(run: Ran): State;

  /**
   * The names of the outputs that `unroll` returns: the first names of the run.
   *
   * @internal
   */
  protected outputNames(run: Ran): readonly string[] {
    return run.names;
  }

  /**
   * Whether `advance` creates tensors besides its outputs, which a scope must free outside tapes.
   *
   * @internal
   */
  protected isComposed(_wanted: Wanted): boolean {
    return true;
  }

  /**
   * Whether `record` observes runs of the whole layer, as it does for neurons.
   *
   * @internal
   */
  protected get isObserved(): boolean {
    return false;
  }

  /**
   * Whether the main output of a layer is spikes; true if unknown.
   *
   * @internal
   */
  static isSpiking(layer: Module): boolean {
    return !(layer instanceof Temporal) || layer.mainOutput === "spikes";
  }

  /**
   * The main output [T, B, …] of x [T, B, …], from the state before the first step.
   *
   * @throws RangeError unless x has a time axis and fits the layer.
   */
  forward(x: Tensor): Tensor {
    return this.runOver(x, false);
  }

  /**
   * Like `forward`, but may reuse the memory of x.
   *
   * @internal
   */
  override forwardOver(x: Tensor): Tensor {
    return isUnchanged(this) ? this.runOver(x, true) : this.forward(x);
  }

  private runOver(x: Tensor, over: boolean): Tensor {
    this.checkSteps(x);
    if (layerTap !== null && this.isObserved) return this.seen(x, null, false)[this.mainOutput] as Tensor;
    return this.isComposed("main") ? composed(Temporal.mainOf, this as AnyTemporal, x, over) : this.mainOver(x, over);
  }

  private checkSteps(x: Tensor): void {
    try {
      alive(x, this.where);
      if (x.sizes.length === 0) checkSequence(this.where, this.inputName, x);
      this.checkInput(x.sizes);
    } catch (error) {
      throw locate(error, "", this);
    }
  }

  private static mainOf(layer: AnyTemporal, x: Tensor, over: boolean): Tensor {
    return layer.mainOver(x, over);
  }

  /**
   * The main output of x, from the state before the first step.
   *
   * @internal
   */
  protected mainOver(x: Tensor, over: boolean): Tensor {
    return this.advance(x, x.sizes[0] as number, shapeOfStep(x.sizes), null, "main", over).z;
  }

  /**
   * All outputs over time, [T, B, …], and the state after the last step, from a state, by default the initial one; all differentiable.
   * Inside tapes an output is computed when it is first read, so an unread one costs nothing.
   *
   * @throws RangeError as `forward`, or for a state of a wrong shape; Error if an output is first read after x, a state or a parameter was
   *   overwritten or freed.
   */
  unroll(x: Tensor, state?: State): Result {
    this.checkSteps(x);
    const from = state === undefined ? null : this.read(state, shapeOfStep(x.sizes));
    if (layerTap !== null && this.isObserved) return this.seen(x, from, from !== null) as Result;
    return composed(Temporal.allOf, this as AnyTemporal, x, from) as Result;
  }

  private static allOf(layer: AnyTemporal, x: Tensor, from: unknown): Outputs {
    const run = layer.advance(x, x.sizes[0] as number, shapeOfStep(x.sizes), from, "all", false);
    return resultOf(layer.mainOutput, run.z, layer.stateAfter(run), layer.outputNames(run), run);
  }

  /** The result of `unroll`, observed by the tap. */
  private seen(x: Tensor, from: From | null, continues: boolean): Outputs {
    const run = (own: Tensor): Outputs => composed(Temporal.allOf, this as AnyTemporal, own, from);
    return (layerTap as LayerTap).run(this, x, continues, run);
  }

  /**
   * One time step: x [B, …] → the main output [B, …] and the next state; the same bits as `forward`.
   *
   * Run a loop of steps inside `noGrad` or `tape`, and return or keep the state: it is faster there, and the memory of each step is freed.
   *
   * @throws RangeError as `unroll`.
   */
  step(x: Tensor, state: State): [z: Tensor, state: State] {
    alive(x, this.where);
    this.checkStep(x.sizes);
    const from = this.read(state, x.sizes);
    if (layerTap !== null && this.isObserved) {
      const { [this.mainOutput]: z, state: next } = this.seen(x.unsqueeze(0), from, true);
      return [(z as Tensor).squeeze(0), next as State];
    }
    const result = this.isComposed("state")
      ? composed(Temporal.oneOf, this as AnyTemporal, x, from)
      : this.oneStep(x, from);
    return result as [Tensor, State];
  }

  private static oneOf(layer: AnyTemporal, x: Tensor, from: unknown): [z: Tensor, state: unknown] {
    return layer.oneStep(x, from);
  }

  /**
   * One step from the tensors of a state.
   *
   * @internal
   */
  protected oneStep(x: Tensor, from: From): [z: Tensor, state: State] {
    const run = this.advance(x, 1, x.sizes, from, "state", false);
    return [run.z, this.stateAfter(run)];
  }

  /**
   * The state before the first step, for x of the shape of one step, [B, …].
   *
   * @throws RangeError unless the sizes are positive integers that fit the layer.
   */
  initialState(shape: readonly number[]): State {
    const step = checkShape(this.where, shape);
    this.checkStart(step);
    return composed(Temporal.startOf, this as AnyTemporal, step) as State;
  }

  /**
   * Throws if the layer has no state of this shape; accepts every shape by default.
   *
   * @internal
   */
  protected checkStart(_step: Shape): void {}

  private static startOf(layer: AnyTemporal, step: Shape): unknown {
    return layer.start(step);
  }

  /** @internal */
  stage(_input: Tensor): Stage | null {
    return null;
  }
}

const TRAITS = traitsOf(Temporal as unknown as Traits["kind"], "written");

/** The last results of the next two functions: a sequence asks for the same shapes in each step. */
let lastStep: Shape = [];
let lastOneStep: Shape = [1];

/** The shape of a step of a sequence of this shape. */
export function shapeOfStep(sizes: Shape): Shape {
  if (!isBehindTime(sizes, lastStep)) lastStep = sizes.slice(1);
  return lastStep;
}

/** The shape of a sequence of one step of this shape. */
function oneStepOf(step: Shape): Shape {
  if (!isBehindTime(lastOneStep, step)) lastOneStep = [1, ...step];
  return lastOneStep;
}

function isBehindTime(sizes: Shape, step: Shape): boolean {
  if (sizes.length !== step.length + 1) return false;
  for (let i = 0; i < step.length; i++) if (sizes[i + 1] !== step[i]) return false;
  return true;
}

type AnyTemporal = Temporal<unknown, unknown, unknown, Run>;

/** Whether `forward` is the method of {@link Temporal}: neither a subclass nor a later assignment has replaced it. */
export const isUnchanged = (layer: Module): boolean => layer.forward === TRAITS.forward;

/** Whether this is the prototype of {@link Temporal}, and its `forward` was replaced. */
export const isReplaced = (prototype: object): boolean =>
  prototype === Temporal.prototype && Temporal.prototype.forward !== TRAITS.forward;
