/** A layer of a stream: its memory and its step. */

import { persist, ready } from "../../engine/extend.ts";
import { Module, noGrad, type Tensor, zeros } from "../../engine/index.ts";
import { addBits, clear, EXPOSED, rootOf } from "../../engine/lasting.ts";
import { formatShape, type Shape } from "../../engine/shape.ts";
import { checkKept, type Kept, tensorsIn } from "./kept.ts";

/** Memory, parts and further functions of a stage. */
interface Holding {
  /** The state between steps; zeros at the start. */
  readonly state?: readonly Tensor[];
  /** Further memory that the stage owns. */
  readonly memory?: readonly Tensor[];
  /** Parameters and buffers that each step reads. */
  readonly parameters?: readonly Tensor[];
  /** Snapshots of layers whose fields were read once. */
  readonly kept?: readonly Kept[];
  /** Stages that the step runs. */
  readonly parts?: readonly Stage[];
  /** Whether a step calls a method of a module, which may be a user's class. */
  readonly runsModule?: boolean;
  /** A further check before each step. */
  readonly check?: () => void;
  /** Writes the state at the start, if it is not zeros. */
  readonly start?: () => void;
}

/** A layer with its own memory and step. */
export class Stage {
  /** The output, which the next stage reads. Spikes are numbers; plain neurons write bits too. */
  readonly output: Tensor;
  readonly memory: readonly Tensor[];
  readonly runsModule: boolean;
  readonly step: () => void;
  private readonly parameters: readonly Tensor[];
  private readonly kept: readonly Kept[];
  private readonly parts: readonly Stage[];
  private readonly checkMore: (() => void) | undefined;
  private readonly start: () => void;

  constructor(output: Tensor, holding: Holding, step: () => void) {
    const { state = [], memory = [], parameters = [], kept = [], parts = [], runsModule = false } = holding;
    this.output = output;
    this.memory = [output, ...state, ...memory, ...parts.flatMap((part) => part.memory)];
    this.runsModule = runsModule;
    this.step = step;
    this.parameters = [...parameters, ...tensorsIn(kept)];
    this.kept = kept;
    this.parts = parts;
    this.checkMore = holding.check;
    this.start = holding.start ?? (() => state.forEach((t) => clear(t)));
  }

  /** Throws if something that a step reads was freed or replaced. */
  check(): void {
    const { parameters, kept, parts } = this;
    checkKept("Stream", "stream", kept);
    for (let i = 0; i < parameters.length; i++) ready("Stream", parameters[i] as Tensor);
    for (let i = 0; i < parts.length; i++) (parts[i] as Stage).check();
    this.checkMore?.();
  }

  reset(): void {
    this.start();
    for (const part of this.parts) part.reset();
  }
}

/** The parameters and buffers of a module. */
export const stateOf = (module: Module): Tensor[] => module.namedState().map(([, t]) => t);

/** Memory computed from tensors, and recomputed after a write to one of them. */
export class Watch {
  private readonly tensors: readonly Tensor[];
  private readonly write: () => void;
  private last = -1;

  /** `write` computes the memory from these tensors; the constructor calls it once. */
  constructor(tensors: readonly Tensor[], write: () => void) {
    this.tensors = tensors;
    this.write = write;
    this.refresh();
  }

  /**
   * Recomputes the memory if one of the tensors was written since. One clock counts all writes. A tensor whose `data` was read always
   * counts as written, since writes there are not noticed.
   */
  refresh(): void {
    const { tensors } = this;
    let latest = 0;
    for (let i = 0; i < tensors.length; i++) {
      const { columns, written } = rootOf(tensors[i] as Tensor);
      latest = Math.max(latest, columns === EXPOSED ? Infinity : written);
    }
    if (latest === this.last && latest !== Infinity) return;
    noGrad(this.write);
    this.last = latest;
  }
}

/** The base of layers that have their own stage in a {@link Stream}, such as {@link Delay}. */
export abstract class Staged extends Module {
  /**
   * The stage that reads this input; null if a subclass overrides `forward`.
   *
   * @internal
   */
  abstract stage(input: Tensor): Stage | null;
}

/** Throws unless the input of a layer has this number of features. */
export function checkFeatures(layer: string, features: number, { sizes: shape }: Tensor): void {
  if (shape[shape.length - 1] === features) return;
  throw new RangeError(`Stream: expected [B, …, ${features}] for ${layer}, got ${formatShape(shape)}`);
}

/** Persistent memory, zeros. */
export const own = (shape: Shape): Tensor => persist(zeros(shape));

/** Persistent memory for spikes, as numbers and bits. */
export function ownSpikes(shape: Shape): Tensor {
  const t = own(shape);
  addBits(t);
  clear(t);
  return t;
}
