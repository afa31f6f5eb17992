/** Layers that read the inputs of their last steps: their state, and their memory in a stream. */
import { k } from "../../engine/extend.ts";
import { concat, type Module, type Tensor, zeros } from "../../engine/index.ts";
import type { Shape } from "../../engine/shape.ts";
import { checkState } from "../layer/checks.ts";
import { keptOf } from "../layer/kept.ts";
import { own, Stage, Watch } from "../layer/stage.ts";
import { isUnchanged, type Run, Temporal, type Wanted } from "../layer/temporal.ts";

/** Inputs of the last D steps, as a state. */
interface Past {
  /** Inputs, the newest last: [D, B, …]. */
  readonly past: Tensor;
}

/** A run of T steps, with the inputs from which the next state is taken. */
export class WindowRun implements Run {
  readonly z: Tensor;
  readonly names: readonly string[];
  /** D, the number of steps in the state. */
  readonly depth: number;
  /** Inputs of the D previous steps and of the T steps: [D + T, B, …]; null if the state is not requested. */
  readonly seen: Tensor | null;
  private readonly other: Tensor;

  /** `other`: the second output of a layer that has one. */
  constructor(z: Tensor, depth: number, seen: Tensor | null, other = z, names = NO_NAMES) {
    this.z = z;
    this.names = names;
    this.depth = depth;
    this.seen = seen;
    this.other = other;
  }

  output(): Tensor {
    return this.other;
  }
}

const NO_NAMES: readonly string[] = [];

/** A layer whose state is the inputs of the last D steps, zeros before the first step. */
export abstract class Windowed<State extends Past, Result> extends Temporal<State, Result, Tensor, WindowRun> {
  /**
   * Number of previous steps that an output reads.
   *
   * @internal
   */
  protected abstract readonly maxDelay: number;

  protected override get mainOutput(): string {
    return "z";
  }

  /** A run creates tensors for the state; the main output of a sequence needs none if it is one op. */
  protected override isComposed(wanted: Wanted): boolean {
    return wanted !== "main";
  }

  /**
   * D, at least 1, since a tensor cannot be empty.
   *
   * @internal
   */
  protected depth(): number {
    return Math.max(1, this.maxDelay);
  }

  protected override read(state: State, step: Shape): Tensor {
    const { past } = Object(state) as Past;
    checkState(this.where, "past", past, [this.depth(), ...step]);
    return past;
  }

  protected override checkStart(step: Shape): void {
    this.checkStep(step);
  }

  protected override start(step: Shape): State {
    return { past: zeros([this.depth(), ...step]) } as State;
  }

  /**
   * The inputs of D steps, then x, [T, B, …] or [B, …]: [D + T, B, …].
   *
   * @internal
   */
  protected behind(past: Tensor | null, x: Tensor, step: Shape, depth: number): Tensor {
    return concat([past ?? zeros([depth, ...step]), x.ndim === step.length ? x.unsqueeze(0) : x]);
  }

  protected override stateAfter({ seen, depth }: WindowRun): State {
    return { past: (seen as Tensor).slice(0, -depth).clone() } as State;
  }

  /** @internal */
  override stage(input: Tensor): Stage | null {
    return isUnchanged(this) ? this.ownStage(input) : null;
  }

  /**
   * The stage of the layer; null if a subclass overrides `forward`, so that the layer runs by its `step`.
   *
   * @internal
   */
  protected ownStage(_input: Tensor): Stage | null {
    return null;
  }
}

/** A layer that computes a step's output from the inputs of the last D + 1 steps. */
interface Computing {
  readonly output: Tensor;
  /** Memory that `read` writes. */
  readonly memory: Tensor;
  /** Parameters and buffers; after a write to one, `read` runs again. */
  readonly reads: readonly Tensor[];
  readonly read: () => void;
  /** Returns the function that writes the output from the inputs [D + 1, B, …], the newest last. */
  readonly writing: (steps: Tensor) => () => void;
}

/** A stage that stores the inputs of the last D + 1 steps of a layer. */
export function windowStage(layer: Module, input: Tensor, depth: number, computing: Computing): Stage {
  const { output, memory, reads, read, writing } = computing;
  const steps = own([depth + 1, ...input.sizes]);
  const before = steps.size - input.size;
  const watch = new Watch(reads, read);
  const write = writing(steps);
  const check = () => watch.refresh();
  return new Stage(output, { state: [steps], memory: [memory], kept: [keptOf(layer)], check }, () => {
    k.copy(steps.ptr, steps.ptr + 4 * input.size, before);
    k.copy(steps.ptr + 4 * before, input.ptr, input.size);
    write();
  });
}
