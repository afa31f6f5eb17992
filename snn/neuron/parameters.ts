/** Loop inputs that depend on layer parameters only, and initial states; cached until a parameter is written. */
import { noGrad, Tensor } from "../../engine/index.ts";
import { EXPOSED, rootOf, scope } from "../../engine/lasting.ts";

/** Tensors by name: parameters, or states. */
export type Named = Readonly<Record<string, Tensor>>;

/** A tensor, or cached values [1] or [N]. */
export type LoopValue = Tensor | Float32Array;

/** The parameters of a step by name if one of them needs a gradient, else null. */
export function onRecord(source: ParameterOwner, count: number): Named | null {
  if (!scope.recording) return null;
  for (let i = 0; i < count; i++) if (source.parameterAt(i).requiresGrad) return source.parametersNow();
  return null;
}

/** The rounding of parameters when a step reads them. */
export interface Rounding {
  readonly names: readonly string[];
  /** All parameters of the step, with some of them rounded. */
  rounded(all: Named): Named;
}

/** A layer whose parameters a compiled loop reads. */
export interface ParameterOwner {
  /** Parameter i of the step, neither clamped nor rounded. */
  parameterAt(i: number): Tensor;
  /** The parameters by name, clamped and rounded. */
  parametersNow(): Named;
  readonly parameterRounding: Rounding | null;
}

/** A layer whose states start from its parameters. */
export interface Starting extends ParameterOwner {
  /** The initial value of each state, a tensor [] or [N] passed through `over`, or null for zeros. */
  startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[];
}

/**
 * Values that are functions of the parameters of a layer. If no gradient is needed, they are cached until a parameter is written or
 * replaced.
 */
export class FromParameters {
  private readonly count: number;
  private readonly copies: boolean;
  private readonly compute: (parameters: Named) => readonly (Tensor | null)[];
  private values: readonly (LoopValue | null)[] | null = null;
  /** The parameters that the values were computed from, and the time of the last write to each. */
  private tensors: readonly Tensor[] = [];
  private writes: readonly number[] = [];
  private rounding: Rounding | null = null;
  /** Whether each value is a parameter itself, not a copy: then the values remain valid when a parameter is written. */
  private isDirect = false;

  /** `copies`: no value is a parameter itself. */
  constructor(count: number, compute: (parameters: Named) => readonly (Tensor | null)[], copies = false) {
    this.count = count;
    this.compute = compute;
    this.copies = copies;
  }

  /** The values, computed from the recorded parameters if given. */
  of(source: ParameterOwner, recorded: Named | null): readonly (LoopValue | null)[] {
    if (recorded !== null) return this.compute(recorded);
    return this.values !== null && this.isCurrent(source) ? this.values : this.computed(source);
  }

  // A separate method, so that `of` allocates no context for the closure.
  private computed(source: ParameterOwner): readonly (LoopValue | null)[] {
    const tensors: Tensor[] = [];
    for (let i = 0; i < this.count; i++) tensors.push(source.parameterAt(i));
    const values: (LoopValue | null)[] = [];
    noGrad(() => {
      for (const t of this.compute(source.parametersNow())) {
        values.push(t === null || (!this.copies && tensors.includes(t)) ? t : t.toFloat32Array());
      }
    });
    this.tensors = tensors;
    this.writes = tensors.map((t) => rootOf(t).written);
    this.isDirect = values.every((x) => x instanceof Tensor);
    this.rounding = source.parameterRounding;
    this.values = values;
    return values;
  }

  private isCurrent(source: ParameterOwner): boolean {
    const { tensors, writes, isDirect } = this;
    if (source.parameterRounding !== this.rounding) return false;
    for (let i = 0; i < tensors.length; i++) {
      const t = source.parameterAt(i);
      if (t !== tensors[i]) return false;
      if (isDirect) continue;
      const { written, columns } = rootOf(t);
      if (written !== writes[i] || columns === EXPOSED) return false;
    }
    return true;
  }
}

/** Tensors by their names. */
export const named = (names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> => {
  const all: Record<string, Tensor> = {};
  for (let i = 0; i < names.length; i++) all[names[i] as string] = tensors[i] as Tensor;
  return all;
};

/** Reshapes one value for all neurons to [], which broadcasts to a step of any shape, also to []. */
export const scalar = (t: Tensor): Tensor => (t.size === 1 && t.ndim > 0 ? t.reshape([]) : t);
