/** Values that a compiled loop takes from the parameters of a layer: terms of these, and states at the start. */
import { wrongValue } from "../../engine/arguments.ts";
import type { Bound } from "../../engine/fuse/index.ts";
import { noGrad, Tensor } from "../../engine/index.ts";
import { EXPOSED, rootOf, scope } from "../../engine/lasting.ts";

export type Named = Readonly<Record<string, Tensor>>;

/** A tensor, or values that were computed once, [1] or [N]. */
export type LoopValue = Tensor | Float32Array;

/** The parameters of a step by their names, where a gradient passes to one of them; else null. */
export function onRecord(source: ParameterSource, count: number): Named | null {
  if (!scope.recording) return null;
  for (let i = 0; i < count; i++) if (source.parameterAt(i).requiresGrad) return source.parametersNow();
  return null;
}

/** Parameters that a step reads rounded. */
export interface Rounding {
  readonly names: readonly string[];
  /** All parameters of the step, the ones of these names rounded. */
  rounded(all: Named): Named;
}

/** A layer whose parameters a loop takes. */
export interface ParameterSource {
  /** Parameter i of the step, as the layer has it. */
  parameterAt(i: number): Tensor;
  /** The parameters by their names, within their bounds, and rounded. */
  parametersNow(): Named;
  readonly parameterRounding: Rounding | null;
}

/** A layer whose states start from its parameters. */
export interface Starting extends ParameterSource {
  /** The initial value of each state, a tensor [] or [N] as `over` changes it, null for zeros. */
  startTerms(parameters: Named, over: (t: Tensor) => Tensor): (Tensor | null)[];
}

/**
 * Values that are functions of the parameters of a layer. Where no gradient passes, they are computed once, and again where a parameter was
 * written or replaced.
 */
export class FromParameters {
  /** How many parameters the layer has. */
  private readonly count: number;
  private readonly copies: boolean;
  private readonly compute: (parameters: Named) => readonly (Tensor | null)[];
  private values: readonly (LoopValue | null)[] | null = null;
  /** The parameters that the values were computed from, and when each had last been written. */
  private tensors: readonly Tensor[] = [];
  private writes: readonly number[] = [];
  private rounding: Rounding | null = null;
  /** Whether all values are parameters of the layer themselves, so that their numbers may change. */
  private isDirect = false;

  /** `copies`: values are never parameters themselves. */
  constructor(count: number, compute: (parameters: Named) => readonly (Tensor | null)[], copies = false) {
    this.count = count;
    this.compute = compute;
    this.copies = copies;
  }

  /** The values; from the parameters that are on record, if there are such. */
  of(source: ParameterSource, recorded: Named | null): readonly (LoopValue | null)[] {
    if (recorded !== null) return this.compute(recorded);
    return this.values !== null && this.isCurrent(source) ? this.values : this.computed(source);
  }

  // A function of its own: the call before would make room for variables of the function in it each time.
  private computed(source: ParameterSource): readonly (LoopValue | null)[] {
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

  private isCurrent(source: ParameterSource): boolean {
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

/**
 * How many neighbours in a step have values of parameters of their own, or all of them where parameters are shared.
 *
 * @throws RangeError for parameters of other sizes than 1 and N, or a step that has no whole rows of N.
 */
export function columnCount(where: string, parameters: readonly LoopValue[], size: number): number {
  let n = 1;
  for (let i = 0; i < parameters.length; i++) {
    const t = parameters[i] as LoopValue;
    const own = t instanceof Float32Array ? t.length : t.size;
    if (own === 1 || own === n) continue;
    if (n > 1 || size % own !== 0) throw wrongValue(where, `parameters of 1 or N values for a step of ${size}`, own);
    n = own;
  }
  return n > 1 ? n : size;
}

/** The error of an output that cannot be computed any more. */
export const overwritten = (where: string, output: string): Error =>
  new Error(
    `${where}: ${output} was first read after the current, a state or a parameter was overwritten; read it before`,
  );

/** Tensors by their names. */
export const named = (names: readonly string[], tensors: readonly Tensor[]): Record<string, Tensor> => {
  const all: Record<string, Tensor> = {};
  for (let i = 0; i < names.length; i++) all[names[i] as string] = tensors[i] as Tensor;
  return all;
};

/** Notes where the parameters of a loop lie. */
export function noteParameters(bound: Bound, parameters: readonly LoopValue[]): void {
  for (let i = 0; i < parameters.length; i++) {
    const t = parameters[i] as LoopValue;
    if (t instanceof Float32Array) bound.constant(i, t);
    else bound.parameter(i, t.ptr);
  }
}

/** One value for all neurons broadcasts to a step of any shape, also to one without axes. */
export const scalar = (t: Tensor): Tensor => (t.size === 1 && t.ndim > 0 ? t.reshape([]) : t);
