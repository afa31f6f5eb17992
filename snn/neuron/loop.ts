/** The parameters of a layer as its compiled loop takes them. */

import { EXPOSED } from "../../engine/columns.ts";
import { derive, type Program } from "../../engine/fuse/index.ts";
import { noGrad, type Tensor } from "../../engine/index.ts";
import { scope } from "../../engine/scope.ts";
import { rootOf } from "../../engine/tensor.ts";

type Named = Readonly<Record<string, Tensor>>;

/** A parameter of a loop: a tensor, or the values of a term of parameters, computed once. */
export type LoopValue = Tensor | Float32Array;

/** A layer whose parameters a loop takes. */
export interface ParameterSource {
  /** Parameter i of the step, as the layer has it. */
  parameterAt(i: number): Tensor;
  /** The parameters by their names, within their bounds. */
  parametersNow(): Named;
}

/**
 * Parameters of the loop of a step, which are terms of those of the layer. Where no gradient passes, terms are computed once, and again where
 * a parameter was written or replaced.
 */
export class LoopParameters {
  private readonly program: Program;
  private values: readonly LoopValue[] | null = null;
  /** The parameters that the values were computed from, and when each had last been written. */
  private tensors: readonly Tensor[] = [];
  private writes: readonly number[] = [];
  private now: ParameterSource["parametersNow"] | null = null;
  /** Whether all values are parameters of the layer themselves, so that their numbers may change. */
  private isDirect = false;

  constructor(program: Program) {
    this.program = program;
  }

  of(source: ParameterSource): readonly LoopValue[] {
    if (this.values !== null && this.isCurrent(source)) return this.values;
    const { traced } = this.program;
    const tensors = Object.keys(traced.definition.parameters).map((_, i) => source.parameterAt(i));
    if (scope.recording && tensors.some((t) => t.requiresGrad)) return derive(traced, source.parametersNow());
    const values = noGrad(() =>
      // What is returned leaves the scope as numbers.
      derive(traced, source.parametersNow()).map((t) => (tensors.includes(t) ? t : { values: t.toFloat32Array() })),
    ).map((x) => ("values" in x ? x.values : x));
    this.tensors = tensors;
    this.writes = tensors.map((t) => rootOf(t).written);
    this.isDirect = values.every((x) => !(x instanceof Float32Array));
    this.now = source.parametersNow;
    this.values = values;
    return values;
  }

  private isCurrent(source: ParameterSource): boolean {
    const { tensors, writes, isDirect } = this;
    // Quantized layers compute their parameters by another function of the same tensors.
    if (source.parametersNow !== this.now) return false;
    for (let i = 0; i < tensors.length; i++) {
      const t = source.parameterAt(i);
      if (t !== tensors[i] || (t.requiresGrad && scope.recording)) return false;
      if (isDirect) continue;
      const { written, columns } = rootOf(t);
      if (written !== writes[i] || columns === EXPOSED) return false;
    }
    return true;
  }
}
